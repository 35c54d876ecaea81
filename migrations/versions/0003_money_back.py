"""Let money go back and be questioned: refunds, disputes, holds, replaced codes, the trail, reconciliation runs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the tables, and let a message be about no order."""
    _make_standing()
    _make_money_back()
    _make_trail()
    _make_reconciliation()
    op.add_column("order", sa.Column("received_cents", big, nullable=True))
    op.execute('UPDATE "order" SET received_cents = total_cents WHERE paid_at IS NOT NULL')
    op.add_column("practice", sa.Column("manager_refund_limit_cents", big, nullable=False, server_default=sa.text("0")))
    state = sa.CheckConstraint(
        "state IN ('scheduled', 'sending', 'sent', 'failed', 'cancelled')", name="ck_delivery_state"
    )
    with op.batch_alter_table(
        "delivery", table_args=[state]
    ) as delivery:  # SQLite copies the table, without its CHECKs
        delivery.alter_column("order_id", existing_type=big, nullable=True)
    op.create_index("ix_delivery_order_id", "delivery", ["order_id"])
    op.create_index("ix_delivery_certificate_certificate_id", "delivery_certificate", ["certificate_id"])


def _make_standing() -> None:
    op.create_table(
        "certificate_freeze",
        sa.Column("id", big, nullable=False),
        sa.Column("certificate_id", big, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("frozen_at", moment, nullable=False),
        sa.Column("lifted_at", moment, nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_certificate_freeze_certificate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_freeze"),
    )
    op.create_index("ix_certificate_freeze_certificate_id", "certificate_freeze", ["certificate_id"])
    op.create_index(
        "uq_certificate_freeze_open",
        "certificate_freeze",
        ["certificate_id", "subject"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "replaced_code",
        sa.Column("code_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_id", big, nullable=False),
        sa.Column("replaced_at", moment, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_replaced_code_certificate_id"),
        sa.PrimaryKeyConstraint("code_lookup", name="pk_replaced_code"),
    )
    op.create_index("ix_replaced_code_certificate_id", "replaced_code", ["certificate_id"])


def _make_money_back() -> None:
    op.create_table(
        "refund",
        sa.Column("id", big, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("certificate_id", big, nullable=True),
        sa.Column("amount_cents", big, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("stripe_refund_id", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_refund_amount")),
        sa.CheckConstraint("state IN ('held','settled','released','returned')", name=op.f("ck_refund_state")),
        sa.CheckConstraint("certificate_id IS NOT NULL OR stripe_refund_id IS NOT NULL", name=op.f("ck_refund_origin")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_refund_certificate_id"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_refund_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
        sa.UniqueConstraint("public_id", name="uq_refund_public_id"),
        sa.UniqueConstraint("stripe_refund_id", name="uq_refund_stripe_refund_id"),
    )
    op.create_index("ix_refund_order_id", "refund", ["order_id"])
    op.create_index("ix_refund_state", "refund", ["state"])
    op.create_table(
        "dispute",
        sa.Column("id", big, nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("stripe_dispute_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", big, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("loss_cents", big, nullable=False),
        sa.Column("evidence_due_at", moment, nullable=True),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("closed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_dispute_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.UniqueConstraint("stripe_dispute_id", name="uq_dispute_stripe_dispute_id"),
    )
    op.create_index("ix_dispute_order_id", "dispute", ["order_id"])
    op.create_index("ix_dispute_status", "dispute", ["status"])


def _make_trail() -> None:
    op.create_table(
        "trail_event",
        sa.Column("id", big, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", big, nullable=True),
        sa.Column("certificate_id", big, nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_trail_event_certificate_id"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_trail_event_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trail_event"),
    )
    op.create_index("ix_trail_event_order_id", "trail_event", ["order_id", "id"])
    op.create_index("ix_trail_event_certificate_id", "trail_event", ["certificate_id", "id"])
    op.create_index("ix_trail_event_kind_at", "trail_event", ["kind", "at"])
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def _make_reconciliation() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", big, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
    )
    op.create_index("ix_reconciliation_finished_at", "reconciliation", ["finished_at"])


APPEND_ONLY = {
    "sqlite": [
        "CREATE TRIGGER trail_event_no_update BEFORE UPDATE ON trail_event"
        " BEGIN SELECT RAISE(ABORT, 'trail_event is append-only'); END",
        "CREATE TRIGGER trail_event_no_delete BEFORE DELETE ON trail_event"
        " BEGIN SELECT RAISE(ABORT, 'trail_event is append-only'); END",
        "CREATE TRIGGER trail_event_no_replace BEFORE INSERT ON trail_event"
        " WHEN EXISTS(SELECT 1 FROM trail_event WHERE id = NEW.id)"
        " BEGIN SELECT RAISE(ABORT, 'duplicate trail_event'); END",
    ],
    "postgresql": [
        "CREATE TRIGGER trail_event_append_only BEFORE UPDATE OR DELETE ON trail_event"
        " FOR EACH ROW EXECUTE FUNCTION ledger_deny()",
        "CREATE TRIGGER trail_event_no_truncate BEFORE TRUNCATE ON trail_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_deny()",
        "ALTER TABLE trail_event ENABLE ALWAYS TRIGGER trail_event_append_only",
        "ALTER TABLE trail_event ENABLE ALWAYS TRIGGER trail_event_no_truncate",
    ],
}
