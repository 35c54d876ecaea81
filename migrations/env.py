"""Run the migrations on the shop's own engine, then make the database ready: its stamp, the job engine's tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from giftshop.catalog.practice import stamp_installation
from giftshop.certificates.key_marks import mark_keys
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.foundation.terminal import describe_refusal
from giftshop.staff.keys import keep_staff_keys

metadata = db.metadata


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the job engine's tables, which share the database, alone."""
    return kind != "table" or name in metadata.tables


def migrate() -> bool:
    """Run what alembic was asked for; tell whether the database now stands at the newest migration."""
    with db.engine.connect() as connection, tables_may_be_copied(connection):
        context.configure(connection=connection, target_metadata=metadata, include_name=is_ours, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
            refuse_orphans(connection)
        return set(context.get_context().get_current_heads()) == set(context.script.get_heads())


def refuse_silence() -> None:
    """Say in one sentence that the database does not answer, as Flask-Migrate prints what a RuntimeError says."""
    try:
        db.engine.connect().close()
    except OperationalError as error:
        raise RuntimeError(describe_refusal(error)) from None


@contextmanager
def tables_may_be_copied(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite drop and rename tables that others refer to; it changes a table only by copying it."""
    sqlite = connection.connection.dbapi_connection if connection.dialect.name == "sqlite" else None
    if sqlite is not None:
        sqlite.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]  # outside the transaction, or it is ignored
    yield
    if sqlite is not None:
        connection.commit()
        sqlite.execute("PRAGMA foreign_keys=ON")  # type: ignore[attr-defined]


def refuse_orphans(connection: sa.Connection) -> None:
    """Roll back a migration that left rows behind whose other end is gone."""
    if connection.dialect.name == "sqlite" and (
        orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    ):
        raise RuntimeError(f"This migration would leave {len(orphans)} rows without what they refer to: {orphans[:3]}")


def make_ready(app: Flask) -> None:
    """Stamp a new database with its mode, its marks and its keys of sign-ins; let the job engine make its tables.

    One of another mode, or made with other secrets, is refused.
    """
    settings = app.config["SHOP_SETTINGS"]
    installation = stamp_installation(settings.stripe_mode)
    db.session.flush()
    mark_keys(installation.instance_id)
    keep_staff_keys(settings.secret_key_list)
    db.session.commit()
    jobs.migrate(app)


with current_app.app_context():
    refuse_silence()
    if migrate():
        make_ready(current_app._get_current_object())
