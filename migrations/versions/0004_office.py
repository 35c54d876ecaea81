"""Let the office find orders by day, tick alerts off, send messages again and keep notes that can be blanked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the table of notes, what a message that is sent again needs, and the indexes the pages read by."""
    op.create_table(
        "order_note",
        sa.Column("id", big, nullable=False),
        sa.Column("order_id", big, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.Column("blanked_at", moment, nullable=True),
        sa.Column("blanked_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_order_note_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_note"),
    )
    op.create_index("ix_order_note_order_id", "order_note", ["order_id"])
    op.add_column("delivery", sa.Column("ended_at", moment, nullable=True))
    whole = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE delivery ADD COLUMN replaces_id {whole} CONSTRAINT fk_delivery_replaces_id REFERENCES delivery(id)"
    )
    op.create_index("uq_delivery_replaces_id", "delivery", ["replaces_id"], unique=True)
    op.create_index("ix_order_created_at", "order", ["created_at", "id"])
    op.create_index("ix_alert_resolved_at", "alert", ["resolved_at"])
