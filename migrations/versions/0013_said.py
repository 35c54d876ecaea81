"""Keep what a buyer was told, which browser went to pay, what is asked back, and runs of one thing that was told once."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add them; of orders that stand already nobody knows more than they say."""
    op.add_column("order", sa.Column("refund_days", sa.Integer(), nullable=True))
    op.add_column("gift", sa.Column("minutes", sa.Integer(), nullable=True))
    op.add_column("gift", sa.Column("shown_cents", big, nullable=True))
    op.add_column("checkout_attempt", sa.Column("browser", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_checkout_attempt_browser_first_tried_at", "checkout_attempt", ["browser", "first_tried_at"])
    op.create_index("ix_checkout_attempt_first_tried_at", "checkout_attempt", ["first_tried_at"])
    op.add_column("practice", sa.Column("buyer_refund", sa.Text(), nullable=False, server_default="ask"))
    op.create_table(
        "refund_wish",
        sa.Column("certificate_id", big, nullable=False, autoincrement=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("wished_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name="fk_refund_wish_certificate_id"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_refund_wish_order_id"),
        sa.PrimaryKeyConstraint("certificate_id", name="pk_refund_wish"),
    )
    op.create_index("ix_refund_wish_order_id", "refund_wish", ["order_id"])
    op.create_table(
        "alert_run",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_alert_run"),
    )
