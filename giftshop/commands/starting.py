"""What the shop asks its database before it starts: is it ours, at our migration, and made with our secrets?

A database that is not there yet, or does not answer now, is not judged: migrating and waiting come first.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from giftshop.catalog.models import Installation
from giftshop.catalog.practice import is_to_be_made, refuse_other_money
from giftshop.certificates.key_marks import compare_keys
from giftshop.errors import WrongDatabaseError
from giftshop.foundation.database import Migrations, db, find_migrations
from giftshop.foundation.settings import ROOT
from giftshop.foundation.terminal import one_sentence


def refuse_wrong_start(*, is_replacement: bool = False) -> None:
    """Refuse to sell on a database of other money, another migration or other secrets.

    `is_replacement` says that this process takes the place of one that ran already: while an update rolls, the
    database may be ahead of it. Raises WrongDatabaseError, WrongKeysError.
    """
    refuse_other_money(current_app.config["SHOP_SETTINGS"].stripe_mode)
    if is_to_be_made(db.engine):
        return
    try:
        migrations = find_migrations(ROOT / "migrations")
    except (DBAPIError, RuntimeError):  # away, or a server that the database module refuses; readyz says which
        return
    finally:
        db.session.remove()
    if not (migrations.is_newest or (is_replacement and migrations.is_ahead)):
        raise WrongDatabaseError(describe_migrations(migrations))
    refuse_wrong_keys()
    db.session.remove()


def refuse_wrong_keys() -> None:
    """Refuse secrets that are not those the database was made with. Raises WrongKeysError."""
    if is_to_be_made(db.engine):
        return
    try:
        if (installation := db.session.get(Installation, 1)) is not None:
            compare_keys(installation.instance_id)
    except DBAPIError:  # away, or not migrated: the command itself says so
        pass
    finally:
        db.session.rollback()


def describe_migrations(migrations: Migrations) -> str:
    """Say at which migration the database is, and what to do where it is another one than the program's."""
    where = f"The database is at migration {migrations.at}, the program at {migrations.newest}."
    if migrations.is_newest:
        return where
    if migrations.is_ahead:
        return f"{where} A newer giftshop has migrated it: start that one, or restore a backup from before."
    return f"{where} Run `flask db upgrade`."


def guard(command: click.Command) -> None:
    """Let a command, or each of a group, refuse wrong secrets before it does anything."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            guard(each)
    elif command.callback is not None:
        command.callback = _guarded(command.callback)


def _guarded(act: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(act)
    def run(*args: Any, **options: Any) -> Any:
        with_appcontext(one_sentence(refuse_wrong_keys))()
        return act(*args, **options)

    return run
