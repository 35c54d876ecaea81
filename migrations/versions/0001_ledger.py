"""Lay the ledger: certificates, entries, requests, seals, with the triggers that keep them append-only.

The DDL is written by hand for each database in migrations/ledger/*.sql; it says more than SQLAlchemy can.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
DDL = Path(__file__).parent.parent / "ledger"


def upgrade() -> None:
    """Run the statements for the database at hand."""
    connection = op.get_bind().execution_options(no_parameters=True)
    text = (DDL / f"{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in statements(text) if connection.dialect.name == "sqlite" else [text]:
        connection.exec_driver_sql(statement)


def statements(text: str) -> Iterator[str]:
    """Split SQLite's DDL at the ends of statements, triggers whole."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
