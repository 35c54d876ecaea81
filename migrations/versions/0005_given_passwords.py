"""Tell passwords that were given to people from those they chose: a given one is good for choosing, and for nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; who has not set up a second factor yet may still have the password that a command printed."""
    op.add_column("staff", sa.Column("password_was_given", sa.Boolean(), nullable=False, server_default=sa.false()))
    staff = sa.table("staff", sa.column("password_was_given", sa.Boolean()), sa.column("tf_totp_secret", sa.Text()))
    op.execute(staff.update().where(staff.c.tf_totp_secret.is_(None)).values(password_was_given=True))
