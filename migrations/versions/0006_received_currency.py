"""Keep in which currency an order's payment was received: in review it may be another one than the order's."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; of what was in review for its currency nobody wrote down which one it was."""
    op.add_column("order", sa.Column("received_currency", sa.Text(), nullable=True))
    op.execute(
        'UPDATE "order" SET received_currency = currency'
        " WHERE received_cents IS NOT NULL AND review_reason <> 'the currency differs'"
    )
