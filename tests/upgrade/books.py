"""Reads and copies a shop's database by SQL alone, on SQLite and on PostgreSQL, whatever version has written it."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.databases import PostgresServer

Row = dict[str, Any]
_WAITING = "status IN ('ENQUEUED', 'PENDING')"


class Books:
    """One database, asked on a connection that is closed again each time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        options = {"timeout": 60} if self.is_sqlite else {}
        self._engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)
        self.jobs = "workflow_status" if self.is_sqlite else "dbos.workflow_status"
        """The table of the job engine that has a row for each job."""

    def ask(self, sql: str, **values: Any) -> list[Row]:
        """Return the rows of a question."""
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(sa.text(sql), values)]

    def one(self, sql: str, **values: Any) -> Any:
        """Return the one value that a question is about; None when there is no row."""
        rows = self.ask(sql, **values)
        return next(iter(rows[0].values())) if rows else None

    def change(self, sql: str, **values: Any) -> None:
        """Change the database behind the shop's back."""
        with self._engine.begin() as connection:
            connection.execute(sa.text(sql), values)

    def order_of(self, buyer_email: str) -> Row:
        """Return the newest order of a buyer."""
        return self.ask('SELECT * FROM "order" WHERE buyer_email = :buyer ORDER BY id DESC', buyer=buyer_email)[0]

    def certificates_of(self, order_id: int) -> list[Row]:
        """Return an order's certificates, oldest first."""
        return self.ask(
            "SELECT c.* FROM certificate c JOIN gift_certificate x ON x.certificate_id = c.id"
            " JOIN gift g ON g.id = x.gift_id WHERE g.order_id = :order_id ORDER BY c.id",
            order_id=order_id,
        )

    def is_quiet(self) -> bool:
        """Tell whether no job waits that is due and no message is on its way."""
        jobs = self.one(f"SELECT count(*) FROM {self.jobs} WHERE {_WAITING}")
        return not jobs and not self.one("SELECT count(*) FROM delivery WHERE state = 'sending'")

    def revision(self) -> str:
        """Return the migration at which the database stands."""
        return str(self.one("SELECT version_num FROM alembic_version"))


class Shelf:
    """Where the databases of one rehearsal stand: files in a folder, or a PostgreSQL server of its own."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._folder = folder
        (folder / "databases").mkdir(mode=0o700)
        self._server = PostgresServer(folder / "databases") if kind == "postgresql" else None

    def new(self, name: str) -> str:
        """Return the address of a new, empty database."""
        if self._server is None:
            return f"sqlite:///{self._path(name)}"
        self._server.run(f"CREATE DATABASE {name}")
        return self._server.address(name)

    def copy(self, name: str, to: str) -> str:
        """Copy a database that nobody writes to at the moment; return the address of the copy."""
        if self._server is None:
            copy_sqlite(self._path(name), self._path(to))
            return f"sqlite:///{self._path(to)}"
        self._server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        self._server.run(f"CREATE DATABASE {to} TEMPLATE {name}")
        return self._server.address(to)

    def close(self) -> None:
        """Stop the server, if there is one."""
        if self._server is not None:
            self._server.stop()

    def _path(self, name: str) -> Path:
        return self._folder / "databases" / f"{name}.sqlite"


def copy_sqlite(source: Path, to: Path) -> None:
    """Copy one SQLite file, with what still lies in its journal."""
    before, after = sqlite3.connect(source), sqlite3.connect(to)
    with before, after:
        before.backup(after)
    before.close()
    after.close()
