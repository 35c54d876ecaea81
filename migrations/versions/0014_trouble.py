"""Keep why a message came back, when it first did, and when it was tried last."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add them; of messages that stand already nobody knows whose fault it was."""
    op.add_column("delivery", sa.Column("trouble", sa.Text(), nullable=False, server_default=""))
    op.add_column("delivery", sa.Column("troubled_at", moment, nullable=True))
    op.add_column("delivery", sa.Column("tried_at", moment, nullable=True))
