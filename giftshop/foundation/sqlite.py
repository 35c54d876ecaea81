"""SQLite opened so that it keeps money: durability, fair writing, and pragmas read back; for database.py.

Figures and reasons: docs/decisions/0003-sqlite-durability.md.
"""

import fcntl
import functools
import os
import sqlite3
import threading
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError


def prepare(engine: sa.Engine, *, lock_seconds: int) -> None:
    """Make every connection durable and every writing transaction wait its turn, at most `lock_seconds`."""
    path = engine.url.database
    if not path:
        raise ValueError("the shop needs a database file")
    turn = _WritersTurn(path + ".lock", lock_seconds)
    sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "begin", turn.begin)
    sa.event.listen(engine, "checkin", turn.release)
    sa.event.listen(engine, "invalidate", turn.release)


def prepare_for_jobs(engine: sa.Engine) -> None:
    """Make the job engine's connections durable: it opens short writing transactions by itself and waits by SQLite."""
    sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "connect", _begin_immediately)


def is_wal_safe(version: tuple[int, int, int]) -> bool:
    """Tell whether this SQLite is free of the WAL-reset bug (fixed in 3.51.3, back-ported to 3.44.6 and 3.50.7)."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def journal_settings(version: tuple[int, int, int]) -> tuple[str, int]:
    """Return journal_mode and synchronous (2 = FULL, 3 = EXTRA) that lose nothing on this SQLite."""
    return ("wal", 2) if is_wal_safe(version) else ("delete", 3)


def _set_pragmas(connection: Any, _record: Any) -> None:
    """Set and read back what a connection needs: builds of SQLite differ in what they honour."""
    connection.isolation_level = None  # we emit BEGIN ourselves: the driver's own habit loses updates
    if sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", -1, _unixepoch)
    journal, synchronous = journal_settings(sqlite3.sqlite_version_info)
    wanted = {"foreign_keys": 1, "recursive_triggers": 1, "journal_mode": journal, "synchronous": synchronous}
    for name, value in wanted.items():
        connection.execute(f"PRAGMA {name}={value}")
        if (found := connection.execute(f"PRAGMA {name}").fetchone()[0]) != value:
            raise RuntimeError(f"SQLite keeps {name} at {found}, not {value}.")


def _begin_immediately(connection: Any, _record: Any) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")


def _unixepoch(*_modifiers: str) -> float:
    """Stand in for unixepoch('subsec'), the one form the job engine uses and SQLite before 3.42 lacks."""
    return round(time.time(), 3)


@functools.cache
def _mutex_of(_path: str) -> threading.Lock:
    """Return this process's one lock for a file, whichever engine asks: flock itself would wait for ever."""
    return threading.Lock()


class _WritersTurn:
    """One writer at a time per file, in turn: a lock in this process, then flock between processes.

    SQLite's own busy handler is unfair (64 writers waited up to 6.4 s); with flock the worst was 1.2 s.
    The lock in the process has a deadline, so that a thread which opens a second writing connection while it
    holds the first is told so after `lock_seconds` instead of waiting for itself for ever.
    """

    def __init__(self, path: str, lock_seconds: int) -> None:
        self._path, self._seconds, self._mutex = path, lock_seconds, _mutex_of(os.path.realpath(path))

    def begin(self, connection: sa.Connection) -> None:
        if connection.get_execution_options().get("only_reads"):
            connection.exec_driver_sql(f"PRAGMA busy_timeout={self._seconds * 1000}")
            connection.exec_driver_sql("BEGIN")
            return
        deadline = time.monotonic() + self._seconds
        if "turn" not in connection.info:  # a connection that runs several transactions keeps its turn between them
            self._wait(connection, deadline)
        left = max(0, int((deadline - time.monotonic()) * 1000))
        connection.exec_driver_sql(f"PRAGMA busy_timeout={left}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _wait(self, connection: sa.Connection, deadline: float) -> None:
        if not self._mutex.acquire(timeout=self._seconds):
            raise _locked()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not _flock_until(descriptor, deadline):
                raise _locked()
        except BaseException:  # no turn, no descriptor or no space: the next one must not wait for what never began
            self._mutex.release()
            raise
        connection.info["turn"] = descriptor

    def release(self, connection: Any, record: Any, *_error: Any) -> None:
        """End the turn; a COMMIT that found the file locked has left its transaction open, so end that first."""
        try:
            if connection is not None and connection.in_transaction:
                connection.rollback()
        finally:
            if (descriptor := record.info.pop("turn", None)) is not None:
                os.close(descriptor)
                self._mutex.release()


def _locked() -> OperationalError:
    return OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


def _flock_until(descriptor: int, deadline: float) -> bool:
    """Lock the file in the kernel's fair order; False when that took longer than the deadline, and it is closed then.

    flock knows no deadline, and asking again and again would lose the place in the queue. So a thread waits in it; who
    gives up leaves the thread behind, which closes the file as soon as it gets it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _Queued(descriptor).wait_until(deadline)
    return True


class _Queued:
    """One place in the queue for a file's lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._guard = descriptor, threading.Lock()
        self._had, self._is_given_up = threading.Event(), False
        threading.Thread(target=self._queue, name="writers-turn", daemon=True).start()

    def wait_until(self, deadline: float) -> bool:
        self._had.wait(max(0.0, deadline - time.monotonic()))
        with self._guard:
            self._is_given_up = not self._had.is_set()
            return not self._is_given_up

    def _queue(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._guard:
            self._had.set()
            if self._is_given_up:
                os.close(self._descriptor)
