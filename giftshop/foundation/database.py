"""The database: one session, one way to open SQLite and PostgreSQL, for every package that stores things.

A transaction writes unless it says otherwise. On SQLite a writing transaction takes the file's lock and emits
BEGIN IMMEDIATE, because a deferred BEGIN that later wants to write fails with "locked" or loses updates; a
reading one (`only_reads`, every GET) emits a plain BEGIN and waits for nobody.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from giftshop.foundation import sqlite

LOCK_SECONDS = 5
"""How long a transaction waits for a lock before the person is asked to try again (503)."""


_ALWAYS = {"pool_size": 16, "hide_parameters": True}
"""Errors are logged with their statement, never with its values: those are people's addresses."""


class Base(DeclarativeBase):
    """The base of every model; constraint names are made by rule so that migrations can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ShopSession(FlaskSession):
    """The session; while it only reads, its transactions are opened as reading ones."""

    def get_bind(self, *args: Any, **kwargs: Any) -> sa.Engine | sa.Connection:
        """Return the engine, in its reading form while this session only reads."""
        engine = super().get_bind(*args, **kwargs)
        if self.info.get("only_reads") and isinstance(engine, sa.Engine):
            return self._reading_form_of(engine)
        return engine

    def _reading_form_of(self, engine: sa.Engine) -> sa.Engine:
        """Return the same object each time: to the session another one is another database, with its own connection."""
        forms: dict[sa.Engine, sa.Engine] = self.info.setdefault("reading_forms", {})
        if engine not in forms:
            forms[engine] = engine.execution_options(only_reads=True, postgresql_readonly=True)
        return forms[engine]


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": ShopSession})


def only_reads() -> None:
    """Open this session's next transactions for reading (PostgreSQL then refuses a write)."""
    db.session().info["only_reads"] = True


def may_write() -> None:
    """End a reading transaction and let this session write again; what was loaded is read anew."""
    if db.session().info.pop("only_reads", False):
        db.session.rollback()


def end_session(_error: BaseException | None = None) -> None:
    """End the open transaction as a request ends; one whose connection was cut has ended with it.

    The answer is made by then: it must not become an error because there is nothing left to roll back.
    """
    try:
        db.session.rollback()
    except sa.exc.DBAPIError:
        db.session().invalidate()


@dataclass(frozen=True, slots=True)
class Migrations:
    """At which migration the database is (None: at none), and which ones the program knows, the newest first."""

    at: str | None
    known: tuple[str, ...]

    @property
    def newest(self) -> str:
        return self.known[0]

    @property
    def is_newest(self) -> bool:
        return self.at == self.newest

    @property
    def is_ahead(self) -> bool:
        """Tell whether a newer program has migrated it: this one does not know where it stands."""
        return self.at is not None and self.at not in self.known


def find_migrations(folder: Path) -> Migrations:
    """Return at which migration the database is, and those in `folder`."""
    at = MigrationContext.configure(db.session.connection()).get_current_revision()
    return Migrations(at, tuple(script.revision for script in ScriptDirectory(str(folder)).walk_revisions()))


def find_latest_stamp() -> datetime | None:
    """Return the newest moment that something was dated with; None in a database without rows.

    Of what is written all the time, and the newest rows of what is not: one in the future tells of a wrong clock.
    """
    newest = [
        sa.select(sa.func.max(sa.column(column, Moment)).label("at")).select_from(sa.table(table))
        for table, column in (("reconciliation", "finished_at"), ("ledger_seal", "created_at"))
    ]
    for table, column in (("order", "created_at"), ("ledger_entry", "created_at"), ("trail_event", "at")):
        last = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(table)).scalar_subquery()
        row = sa.select(sa.column(column, Moment)).select_from(sa.table(table)).where(sa.column("id") == last)
        newest.append(row)
    stamps = db.session.scalars(sa.union_all(*newest)).all()
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def engine_options(url: str) -> dict[str, Any]:
    """Return create_engine()'s options for the database address `url`."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": LOCK_SECONDS, "check_same_thread": False}, **_ALWAYS}
    settings = f"-c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
    return {
        "connect_args": {"options": settings, "connect_timeout": 3},
        "pool_pre_ping": True,
        **_ALWAYS,
        "pool_timeout": LOCK_SECONDS,
    }


def prepare_engine(engine: sa.Engine) -> None:
    """Attach to `engine` what makes its transactions safe (SQLite) and check its server (PostgreSQL)."""
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine, lock_seconds=LOCK_SECONDS)
    else:
        sa.event.listen(engine, "first_connect", _refuse_unsafe_server)


def create_engine(url: str) -> sa.Engine:
    """Open the database at `url` outside the web app (the job engine, tests), prepared the same way."""
    engine = sa.create_engine(url, **engine_options(url))
    prepare_engine(engine)
    return engine


def _refuse_unsafe_server(connection: Any, _record: Any) -> None:
    """Refuse a PostgreSQL that may lose what it acknowledged, or that is a replica with stale balances."""
    with connection.cursor() as cursor:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone()[0] == "off":
                raise RuntimeError(f"PostgreSQL runs with {name} = off: acknowledged sales could be lost.")
        cursor.execute("SELECT pg_is_in_recovery()")
        if cursor.fetchone()[0]:
            raise RuntimeError("PostgreSQL is a replica: its balances may be stale. Use the primary.")
    connection.rollback()


BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A 64-bit key: SQLite gives row ids only to columns typed INTEGER."""
YesOrNo = sa.Boolean().with_variant(sa.Integer, "sqlite")
"""True or false; a STRICT table of SQLite keeps 1 or 0."""


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, ISO 8601 text with six decimals on SQLite (sorts as time)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        utc = value.astimezone(UTC)
        return utc.isoformat(timespec="microseconds") if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar day: date on PostgreSQL, ISO 8601 text on SQLite (whose strict tables know no dates)."""

    impl = sa.Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else sa.Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class JsonText(TypeDecorator[Any]):
    """A small JSON value kept as text, the same on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
