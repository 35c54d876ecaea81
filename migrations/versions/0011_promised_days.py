"""Keep the day a message was promised for beside its moment, and the time zone rules that moments were computed by."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

day = sa.Date().with_variant(sa.Text(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add them; what waits for a day now was promised for the day its buyer chose."""
    op.add_column("delivery", sa.Column("send_on", day))
    op.add_column("delivery", sa.Column("moved_at", moment))
    op.add_column("delivery", sa.Column("first_turn", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("installation", sa.Column("zone_rules", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE delivery SET send_on = (SELECT deliver_on FROM gift WHERE gift.id = delivery.gift_id)"
        " WHERE kind = 'gift' AND state = 'scheduled' AND turn = 0 AND send_at > created_at"
    )
