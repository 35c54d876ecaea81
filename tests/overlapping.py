"""Two transactions in an order that a test chooses: the second acts while the first has not committed yet."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.foundation.database import db

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""For what cannot happen on SQLite, where whoever writes has the whole file."""

_WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def overlap(app: Flask, first: Callable[[], object], second: Callable[[], object]) -> tuple[str, str]:
    """Let `first` act, then `second`; `first` commits once `second` has committed, or waits for it to.

    Returns both outcomes: "done", or the name of the exception.
    """
    has_acted, has_ended = threading.Event(), threading.Event()

    def act_first() -> str:
        def keep_open() -> None:
            first()
            has_acted.set()
            while not has_ended.wait(0.02) and not is_anybody_waiting():
                pass

        try:
            return transact(app, keep_open)
        finally:
            has_acted.set()

    def act_second() -> str:
        has_acted.wait()
        try:
            return transact(app, second)
        finally:
            has_ended.set()

    db.session.rollback()
    with ThreadPoolExecutor(2) as people:
        both = people.submit(act_first), people.submit(act_second)
        return both[0].result(), both[1].result()


def transact(app: Flask, act: Callable[[], object]) -> str:
    """Act and commit on a connection of one's own; return "done", or the name of the exception."""
    with app.app_context():
        try:
            act()
            db.session.commit()
        except Exception as refusal:
            db.session.rollback()
            return type(refusal).__name__
        return "done"


def is_anybody_waiting() -> bool:
    """Tell whether a transaction waits for another one's lock."""
    with db.engine.connect() as connection:
        return bool(connection.execute(_WAITING).scalar())
