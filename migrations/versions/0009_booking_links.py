"""Let an offer have a booking link of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; until an owner fills it the practice's link counts."""
    op.add_column("offer", sa.Column("booking_link", sa.Text(), nullable=False, server_default=""))
