"""Keep as columns and tables what rules read out of sentences and out of the activity log before."""

import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
log = sa.table(
    "trail_event",
    sa.column("id", big),
    sa.column("at", moment),
    sa.column("actor", sa.Text()),
    sa.column("kind", sa.Text()),
    sa.column("order_id", big),
    sa.column("facts", sa.Text()),
)
alert = sa.table("alert", sa.column("id", big), sa.column("subject", sa.Text()), sa.column("detail", sa.Text()))
refund = sa.table("refund", sa.column("id", big), sa.column("refusal", sa.Text()))
ORDER_OF_SUBJECT = (
    ("pi_", 'SELECT id FROM "order" WHERE payment_intent_id = :subject'),
    ("cs_", "SELECT order_id FROM checkout_attempt WHERE session_id = :subject"),
    ("re_", "SELECT order_id FROM refund WHERE stripe_refund_id = :subject"),
    ("dp_", "SELECT order_id FROM dispute WHERE stripe_dispute_id = :subject"),
    ("du_", "SELECT order_id FROM dispute WHERE stripe_dispute_id = :subject"),
)
KEY_REFUSALS = ("AuthenticationError", "PermissionError")
OUR_REFUSALS = {"Stripe does not know of it.": "unknown", "The bank did not take it.": "bank"}


def upgrade() -> None:
    """Add them, and fill them from what stands."""
    whole = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(f'ALTER TABLE alert ADD COLUMN order_id {whole} CONSTRAINT fk_alert_order_id REFERENCES "order"(id)')
    op.create_index("ix_alert_order_id", "alert", ["order_id"])
    for name in ("refusal_kind", "refusal_code"):
        op.add_column("refund", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "payback",
        sa.Column("order_id", big, nullable=False, autoincrement=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_payback_order_id"),
        sa.PrimaryKeyConstraint("order_id", name="pk_payback"),
    )
    op.create_table(
        "fraud_warning",
        sa.Column("warning_id", sa.Text(), nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("noted_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_fraud_warning_order_id"),
        sa.PrimaryKeyConstraint("warning_id", name="pk_fraud_warning"),
    )
    op.create_index("ix_fraud_warning_order_id", "fraud_warning", ["order_id"])
    op.create_table(
        "failed_scan",
        sa.Column("id", big, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failed_scan"),
    )
    op.create_index("ix_failed_scan_actor_at", "failed_scan", ["actor", "at"])
    connection = op.get_bind()
    fill_alerts(connection)
    fill_refusals(connection)
    fill_paybacks(connection)
    fill_warnings(connection)


def fill_alerts(connection: sa.Connection) -> None:
    """Find the order of each alert: by the number its sentence names, else by Stripe's id it is about."""
    for row in connection.execute(sa.select(alert.c.id, alert.c.subject, alert.c.detail)).all():
        order_id = order_named(connection, row.detail) or order_of(connection, row.subject)
        if order_id is not None:
            values = {"order_id": order_id, "id": row.id}
            connection.execute(sa.text("UPDATE alert SET order_id = :order_id WHERE id = :id"), values)


def order_named(connection: sa.Connection, detail: str) -> int | None:
    """Return the id of the order whose number stands in a sentence, if there is such an order."""
    number = re.search(r"\bG-([0-9]{4,12})\b", detail)
    query = sa.text('SELECT id FROM "order" WHERE id = :id')
    return connection.scalar(query, {"id": int(number[1]) - 1000}) if number else None


def order_of(connection: sa.Connection, subject: str) -> int | None:
    """Return the id of the order that one of Stripe's ids belongs to, or None."""
    query = next((query for prefix, query in ORDER_OF_SUBJECT if subject.startswith(prefix)), None)
    return connection.scalar(sa.text(query), {"subject": subject}) if query else None


def fill_refusals(connection: sa.Connection) -> None:
    """Take what Stripe refused, and its own code for it, out of the answers as they were kept: "Kind code request"."""
    for row in connection.execute(sa.select(refund.c.id, refund.c.refusal).where(refund.c.refusal != "")).all():
        kind, _, rest = row.refusal.partition(" ")
        is_stripes = kind.endswith("Error")
        values = {
            "id": row.id,
            "kind": ("key" if kind in KEY_REFUSALS else "request") if is_stripes else OUR_REFUSALS.get(row.refusal, ""),
            "code": rest.partition(" ")[0] if is_stripes else "",
        }
        change = "UPDATE refund SET refusal_kind = :kind, refusal_code = :code WHERE id = :id"
        connection.execute(sa.text(change), values)


def fill_paybacks(connection: sa.Connection) -> None:
    """Keep who asked last to pay a whole payment back and why, and how often Stripe has refused that so far."""
    kinds = ("payback_asked", "payback_refused")
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(sa.select(log).where(log.c.kind.in_(kinds)).order_by(log.c.id)).all():
        asked = found.setdefault(row.order_id, {"refusals": 0})
        if row.kind == "payback_refused":
            asked["refusals"] += 1
        else:
            asked |= {"actor": row.actor, "reason": json.loads(row.facts)["reason"], "asked_at": row.at}
    for order_id, asked in found.items():
        connection.execute(
            sa.text(
                "INSERT INTO payback (order_id, actor, reason, asked_at, refusals)"
                " VALUES (:order_id, :actor, :reason, :asked_at, :refusals)"
            ),
            {"order_id": order_id, **asked},
        )


def fill_warnings(connection: sa.Connection) -> None:
    """Keep the fraud warnings about orders without certificates."""
    for row in connection.execute(sa.select(log).where(log.c.kind == "fraud_warning").order_by(log.c.id)).all():
        connection.execute(
            sa.text(
                "INSERT INTO fraud_warning (warning_id, order_id, noted_at) VALUES (:warning_id, :order_id, :noted_at)"
                " ON CONFLICT DO NOTHING"
            ),
            {"warning_id": json.loads(row.facts)["subject"], "order_id": row.order_id, "noted_at": row.at},
        )
