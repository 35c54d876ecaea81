"""Keep whether a buyer lets the recipient see the price, with the gift and with its certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

yes_or_no = sa.Boolean().with_variant(sa.Integer(), "sqlite")  # a STRICT table takes no BOOLEAN


def upgrade() -> None:
    """Add it; what was sold before shows its price, as its papers and pages do."""
    for table in ("gift", "certificate"):
        op.add_column(table, sa.Column("is_price_shown", yes_or_no, nullable=False, server_default=sa.true()))
