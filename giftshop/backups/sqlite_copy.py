"""SQLite copied while the shop runs, and put back whole, by SQLite's own backup interface."""

import sqlite3
from contextlib import closing
from pathlib import Path

from giftshop.foundation.terminal import Say, progress

PAGES_AT_ONCE, PAUSE_SECONDS = 500, 0.005
MOST_RESTARTS = 20


class _KeepsChangingError(Exception):
    """The shop writes faster than a copy in steps can follow."""


def copy_out(source: Path, target: Path) -> None:
    """Copy a database that others write to; `target` holds one instant of it.

    In steps, so that a till waits for milliseconds. Each write makes the copy start again; where that happens too
    often the rest is copied in one go, for which writers wait.
    """
    with closing(sqlite3.connect(source, timeout=30)) as shop, closing(sqlite3.connect(target)) as copy:
        try:
            with progress("Copying, pages") as say:
                shop.backup(copy, pages=PAGES_AT_ONCE, progress=_Patience(say), sleep=PAUSE_SECONDS)
        except _KeepsChangingError:
            shop.backup(copy, pages=-1)
        _refuse_damage(copy)


def copy_in(source: Path, target: Path) -> None:
    """Put a copy in the place of a database in one transaction; whoever has it open sees the new one afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as copy, closing(sqlite3.connect(target, timeout=30)) as shop:
        shop.execute("PRAGMA synchronous=EXTRA")
        copy.backup(shop, pages=-1)
        _refuse_damage(shop)
    target.chmod(0o600)


class _Patience:
    """Says how far a copy is, and counts how often it had to start again: then more is left to copy than before."""

    def __init__(self, say: Say) -> None:
        self._say, self._left, self._restarts = say, 0, 0

    def __call__(self, _status: int, left: int, total: int) -> None:
        self._say(total - left)
        self._restarts += left > self._left > 0
        self._left = left
        if self._restarts > MOST_RESTARTS:
            raise _KeepsChangingError


def _refuse_damage(database: sqlite3.Connection) -> None:
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
