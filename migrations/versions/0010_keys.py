"""Keep the keys of sign-ins sealed in the database, marks of the secrets it was made with, and how long a limit lasts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add them; `migrations/env.py` fills in keys and marks, for which it needs the secrets of the environment."""
    op.add_column("installation", sa.Column("staff_keys_enc", sa.LargeBinary(), nullable=True))
    op.add_column("rate_limit", sa.Column("seconds", sa.Integer(), nullable=False, server_default="86400"))
    op.create_table(
        "key_mark",
        sa.Column("id", big, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_key_mark"),
    )
