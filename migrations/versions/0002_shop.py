"""Lay everything but the ledger: the practice, offers, orders, gifts, deliveries, staff, limits, job executors."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
day = sa.Date().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert",
        sa.Column("id", big, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("resolved_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("kind", "subject", name="uq_alert_kind_subject"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("mode IN ('simulated','test','live')", name=op.f("ck_installation_mode")),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_only_one")),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
        sa.UniqueConstraint("instance_id", name="uq_installation_instance_id"),
    )
    op.create_table(
        "job_executor",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_executor"),
    )
    op.create_table(
        "offer",
        sa.Column("id", big, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price_cents", big, nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'session') = (minutes IS NOT NULL)", name=op.f("ck_offer_minutes")),
        sa.CheckConstraint("kind IN ('session','amount')", name=op.f("ck_offer_kind")),
        sa.CheckConstraint("slug <> 'amount'", name=op.f("ck_offer_slug")),
        sa.CheckConstraint("visibility IN ('public','unlisted','retired')", name=op.f("ck_offer_visibility")),
        sa.CheckConstraint("price_cents > 0", name=op.f("ck_offer_price")),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
        sa.UniqueConstraint("slug", name="uq_offer_slug"),
    )
    op.create_table(
        "order",
        sa.Column("id", big, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("token_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("token_enc", sa.LargeBinary(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("review_reason", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_cents", big, nullable=False),
        sa.Column("buyer_email", sa.Text(), nullable=False),
        sa.Column("payment_intent_id", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("paid_at", moment, nullable=True),
        sa.CheckConstraint(
            "state IN ('awaiting_payment', 'processing', 'paid', 'fulfilled', 'expired', 'failed', 'in_review', 'refunded')",
            name=op.f("ck_order_state"),
        ),
        sa.CheckConstraint("total_cents > 0", name=op.f("ck_order_total")),
        sa.PrimaryKeyConstraint("id", name="pk_order"),
        sa.UniqueConstraint("payment_intent_id", name="uq_order_payment_intent_id"),
        sa.UniqueConstraint("public_id", name="uq_order_public_id"),
        sa.UniqueConstraint("request_key", name="uq_order_request_key"),
        sa.UniqueConstraint("token_lookup", name="uq_order_token_lookup"),
    )
    op.create_index("ix_order_buyer_email_created_at", "order", ["buyer_email", "created_at"], unique=False)
    op.create_index("ix_order_state_created_at", "order", ["state", "created_at"], unique=False)
    op.create_table(
        "practice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("booking_url", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("palette", sa.Text(), nullable=False),
        sa.Column("is_selling", sa.Boolean(), nullable=False),
        sa.Column("minimum_cents", big, nullable=False),
        sa.Column("maximum_cents", big, nullable=False),
        sa.Column("buyer_day_limit_cents", big, nullable=False),
        sa.Column("delivery_hour", sa.Integer(), nullable=False),
        sa.Column("refund_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("delivery_hour BETWEEN 0 AND 23", name=op.f("ck_practice_delivery_hour")),
        sa.CheckConstraint("id = 1", name=op.f("ck_practice_only_one")),
        sa.CheckConstraint("minimum_cents > 0 AND minimum_cents <= maximum_cents", name=op.f("ck_practice_bounds")),
        sa.PrimaryKeyConstraint("id", name="pk_practice"),
    )
    op.create_table(
        "rate_limit",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", big, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_limit"),
    )
    op.create_index("ix_rate_limit_expires_at", "rate_limit", ["expires_at"], unique=False)
    op.create_table(
        "role",
        sa.Column("id", big, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_role"),
        sa.UniqueConstraint("name", name="uq_role_name"),
    )
    op.create_table(
        "staff",
        sa.Column("id", big, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.Text(), nullable=False),
        sa.Column("tf_primary_method", sa.Text(), nullable=True),
        sa.Column("tf_totp_secret", sa.Text(), nullable=True),
        sa.Column("mf_recovery_codes", sa.UnicodeText(), nullable=True),
        sa.Column("last_totp_counter", big, nullable=True),
        sa.Column("failed_second_factors", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("email", name="uq_staff_email"),
        sa.UniqueConstraint("fs_uniquifier", name="uq_staff_fs_uniquifier"),
    )
    op.create_table(
        "stripe_event",
        sa.Column("id", big, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stripe_event"),
        sa.UniqueConstraint("event_id", name="uq_stripe_event_event_id"),
    )
    op.create_index("ix_stripe_event_object_id", "stripe_event", ["object_id"], unique=False)
    op.create_table(
        "checkout_attempt",
        sa.Column("id", big, nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("parameters_enc", sa.LargeBinary(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("session_url", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_tried_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("client_address", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('created','open','complete','expired')", name=op.f("ck_checkout_attempt_state")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_checkout_attempt_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_checkout_attempt"),
        sa.UniqueConstraint("idempotency_key", name="uq_checkout_attempt_idempotency_key"),
        sa.UniqueConstraint("order_id", "number", name="uq_checkout_attempt_order_id_number"),
        sa.UniqueConstraint("session_id", name="uq_checkout_attempt_session_id"),
    )
    op.create_index(
        "ix_checkout_attempt_client_address_first_tried_at",
        "checkout_attempt",
        ["client_address", "first_tried_at"],
        unique=False,
    )
    op.create_table(
        "gift",
        sa.Column("id", big, nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offer_slug", sa.Text(), nullable=False),
        sa.Column("service_name", sa.Text(), nullable=False),
        sa.Column("amount_cents", big, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("giver_name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("design", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("recipient_email", sa.Text(), nullable=False),
        sa.Column("deliver_on", day, nullable=True),
        sa.CheckConstraint("delivery IN ('recipient','buyer','print')", name=op.f("ck_gift_delivery")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_gift_amount")),
        sa.CheckConstraint("quantity BETWEEN 1 AND 10", name=op.f("ck_gift_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_gift_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gift"),
        sa.UniqueConstraint("order_id", "position", name="uq_gift_order_id_position"),
    )
    op.create_index("ix_gift_recipient_email", "gift", ["recipient_email"], unique=False)
    op.create_index("ix_gift_order_id", "gift", ["order_id"], unique=False)
    op.create_table(
        "staff_role",
        sa.Column("staff_id", big, nullable=False),
        sa.Column("role_id", big, nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name="fk_staff_role_role_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_role_staff_id"),
        sa.PrimaryKeyConstraint("staff_id", "role_id", name="pk_staff_role"),
    )
    op.create_table(
        "staff_session",
        sa.Column("id", big, nullable=False),
        sa.Column("id_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", big, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_seen_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_session_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_session"),
        sa.UniqueConstraint("id_sha256", name="uq_staff_session_id_sha256"),
    )
    op.create_index("ix_staff_session_staff_id", "staff_session", ["staff_id"], unique=False)
    op.create_table(
        "certificate_found",
        sa.Column("staff_session_id", big, nullable=False),
        sa.Column("certificate_id", big, nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_certificate_found_certificate_id"),
        sa.ForeignKeyConstraint(
            ["staff_session_id"],
            ["staff_session.id"],
            name="fk_certificate_found_staff_session_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_session_id", "certificate_id", name="pk_certificate_found"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", big, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("gift_id", big, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("facts_enc", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("send_at", moment, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.CheckConstraint(
            "state IN ('scheduled', 'sending', 'sent', 'failed', 'cancelled')", name=op.f("ck_delivery_state")
        ),
        sa.ForeignKeyConstraint(["gift_id"], ["gift.id"], name="fk_delivery_gift_id"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_delivery_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("message_id", name="uq_delivery_message_id"),
    )
    op.create_index("ix_delivery_gift_id", "delivery", ["gift_id"], unique=False)
    op.create_index("ix_delivery_state_send_at", "delivery", ["state", "send_at"], unique=False)
    op.create_table(
        "gift_certificate",
        sa.Column("gift_id", big, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("certificate_id", big, nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_gift_certificate_certificate_id"),
        sa.ForeignKeyConstraint(["gift_id"], ["gift.id"], name="fk_gift_certificate_gift_id"),
        sa.PrimaryKeyConstraint("gift_id", "number", name="pk_gift_certificate"),
        sa.UniqueConstraint("certificate_id", name="uq_gift_certificate_certificate_id"),
    )
    op.create_table(
        "redemption_note",
        sa.Column("entry_id", big, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name="fk_redemption_note_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_redemption_note"),
    )
    op.create_table(
        "delivery_certificate",
        sa.Column("delivery_id", big, nullable=False),
        sa.Column("certificate_id", big, nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_delivery_certificate_certificate_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_delivery_certificate_delivery_id"),
        sa.PrimaryKeyConstraint("delivery_id", "certificate_id", name="pk_delivery_certificate"),
    )
