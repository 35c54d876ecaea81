"""Keep the owner's rule for sessions that cost more by now, and beside a redemption which session was honoured."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the rule, which is to honour what was sold, and the table of what was honoured."""
    op.execute(
        "ALTER TABLE practice ADD COLUMN session_promise TEXT DEFAULT 'honour' NOT NULL"
        " CONSTRAINT ck_practice_session_promise CHECK (session_promise IN ('honour','value','ask'))"
    )
    op.create_table(
        "honoured_session",
        sa.Column("entry_id", big, nullable=False, autoincrement=False),
        sa.Column("service_name", sa.Text(), nullable=False),
        sa.Column("promised_cents", big, nullable=False),
        sa.Column("price_cents", big, nullable=True),
        sa.CheckConstraint(
            "promised_cents > 0 AND (price_cents IS NULL OR price_cents > promised_cents)",
            name="ck_honoured_session_sums",
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name="fk_honoured_session_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_honoured_session"),
    )
