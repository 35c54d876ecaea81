"""SQLite as the shop opens it: nothing acknowledged is lost, writers take turns, and nobody waits for ever."""

import fcntl
import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from giftshop.foundation import sqlite
from giftshop.foundation.database import create_engine

SOON = 1.0
INSERT = sa.text("INSERT INTO note VALUES ('x')")
COUNT = sa.text("SELECT count(*) FROM note")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a file with one table, whose lock is waited for only a moment."""
    monkeypatch.setattr("giftshop.foundation.database.LOCK_SECONDS", SOON)
    with sqlite3.connect(tmp_path / "notes.sqlite") as connection:
        connection.execute("CREATE TABLE note (text TEXT)")
    connection.close()
    return f"sqlite:///{tmp_path}/notes.sqlite"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def write(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(INSERT)


def count(engine: sa.Engine) -> int:
    with engine.execution_options(only_reads=True).connect() as connection:
        return int(connection.execute(COUNT).scalar_one())


# --- durability ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((3, 53, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_only_where_its_reset_bug_is_fixed(version: tuple[int, int, int], is_safe: bool) -> None:
    assert sqlite.is_wal_safe(version) == is_safe
    assert sqlite.journal_settings(version) == (("wal", 2) if is_safe else ("delete", 3))


def test_every_connection_is_durable_and_enforces_keys(engine: sa.Engine) -> None:
    journal, synchronous = sqlite.journal_settings(sqlite3.sqlite_version_info)
    with engine.connect() as first, engine.execution_options(only_reads=True).connect() as second:
        for connection in (first, second):
            read = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("foreign_keys", "recursive_triggers", "journal_mode", "synchronous")
            }
            assert read == {
                "foreign_keys": 1,
                "recursive_triggers": 1,
                "journal_mode": journal,
                "synchronous": synchronous,
            }


def test_a_build_that_does_not_keep_a_pragma_is_refused(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "journal_settings", lambda _: ("sideways", 3))
    with pytest.raises(RuntimeError, match="SQLite keeps journal_mode at delete, not sideways"):
        engine.connect()


def test_a_shop_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="database file"):
        create_engine("sqlite://")


def test_an_old_sqlite_gets_the_one_function_the_job_engine_needs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ((3, 41, 0), sqlite3.sqlite_version_info):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        engine = create_engine(url)
        with engine.connect() as connection:
            if version < (3, 42):
                assert connection.exec_driver_sql("SELECT unixepoch('subsec')").scalar_one() > 1_700_000_000
        engine.dispose()


def test_the_job_engines_connections_are_as_durable_and_begin_at_once(url: str) -> None:
    engine = sa.create_engine(url)
    sqlite.prepare_for_jobs(engine)
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        assert raw.isolation_level == "IMMEDIATE"
        assert raw.execute("PRAGMA synchronous").fetchone()[0] in (2, 3)
        assert raw.execute("PRAGMA busy_timeout").fetchone()[0] == 30_000
    engine.dispose()


# --- turns ---------------------------------------------------------------------------------------------------------


def test_eight_writers_lose_no_update(engine: sa.Engine) -> None:
    write(engine)

    def add_one(_: int) -> None:
        for _ in range(5):
            with engine.begin() as connection:
                found = int(connection.exec_driver_sql("SELECT max(rowid) FROM note").scalar_one())
                connection.exec_driver_sql("INSERT INTO note (rowid, text) VALUES (?, 'x')", (found + 1,))

    with ThreadPoolExecutor(8) as writers:
        list(writers.map(add_one, range(8)))
    assert count(engine) == 41


def test_a_reader_waits_for_no_writer(engine: sa.Engine) -> None:
    with engine.connect() as writer:
        writer.execute(INSERT)
        assert count(engine) == 0
        writer.commit()
    assert count(engine) == 1


def test_a_second_writing_connection_in_one_thread_is_told_so(engine: sa.Engine) -> None:
    with engine.connect() as first:
        first.execute(INSERT)
        with pytest.raises(OperationalError, match="database is locked"):
            write(engine)
        first.commit()
    write(engine)
    assert count(engine) == 2


def test_a_second_engine_on_the_same_file_waits_for_the_same_turn(engine: sa.Engine, url: str) -> None:
    other = create_engine(url.replace("notes.sqlite", "./notes.sqlite"))
    with engine.connect() as first:
        first.execute(INSERT)
        with pytest.raises(OperationalError, match="database is locked"):
            write(other)
    write(other)
    other.dispose()


def test_a_foreign_lock_is_waited_for_only_until_the_deadline(engine: sa.Engine, url: str) -> None:
    """Another program, which knows nothing of turns, holds SQLite's own lock."""
    stranger = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(OperationalError, match="database is locked"):
            write(engine)
    stranger.execute("ROLLBACK")
    stranger.close()
    write(engine)
    assert count(engine) == 1


def test_a_turn_that_another_program_keeps_is_waited_for_only_until_the_deadline(
    engine: sa.Engine, tmp_path: Path
) -> None:
    with (tmp_path / "notes.sqlite.lock").open("w") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        for _ in range(2):  # who gave up leaves nothing behind that would hold up the next one
            with pytest.raises(OperationalError, match="locked"):
                write(engine)
    write(engine)
    assert count(engine) == 1


def test_who_waits_in_the_queue_gets_the_turn_when_it_is_given_back(engine: sa.Engine, tmp_path: Path) -> None:
    kept = (tmp_path / "notes.sqlite.lock").open("w")
    fcntl.flock(kept, fcntl.LOCK_EX)
    release = threading.Timer(SOON / 4, kept.close)
    release.start()
    write(engine)
    release.join()
    assert count(engine) == 1


def test_a_commit_that_a_reader_holds_up_fails_whole_and_the_turn_goes_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "journal_settings", lambda _: ("delete", 3))  # in WAL no reader holds anyone up
    engine = create_engine(url)
    reader = engine.execution_options(only_reads=True).connect()
    reader.execute(COUNT)
    with pytest.raises(OperationalError, match="database is locked"):
        write(engine)
    reader.close()
    assert count(engine) == 0
    write(engine)
    assert count(engine) == 1
    engine.dispose()


def test_a_transaction_that_breaks_gives_its_turn_back(engine: sa.Engine) -> None:
    def break_down() -> None:
        with engine.begin() as connection:
            connection.execute(INSERT)
            raise RuntimeError("the lights went out")

    for _ in range(3):
        with pytest.raises(RuntimeError):
            break_down()
    write(engine)
    assert count(engine) == 1


def test_a_connection_that_is_thrown_away_gives_its_turn_back(engine: sa.Engine) -> None:
    connection = engine.connect()
    connection.execute(INSERT)
    connection.invalidate()
    connection.close()
    write(engine)
    assert count(engine) == 1


def test_several_transactions_on_one_connection_keep_the_turn(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        for _ in range(3):
            connection.execute(INSERT)
            connection.commit()
    assert count(engine) == 3


def test_without_a_descriptor_the_turn_never_began(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.sqlite.lock").mkdir()  # as with no descriptor or space left: the lock's file cannot be opened
    for _ in range(2):
        with pytest.raises(OSError, match=r"notes\.sqlite\.lock"):
            write(engine)
    (tmp_path / "notes.sqlite.lock").rmdir()
    write(engine)
    assert count(engine) == 1


def test_a_rollback_that_fails_gives_the_turn_back_all_the_same() -> None:
    released = threading.Lock()

    class Broken:
        in_transaction = True

        def rollback(self) -> None:
            raise sqlite3.OperationalError("disk I/O error")

    class Record:
        def __init__(self, descriptor: int) -> None:
            self.info = {"turn": descriptor}

    turn = sqlite._WritersTurn("/nowhere", 1)
    turn._mutex = released
    released.acquire()
    with pytest.raises(sqlite3.OperationalError):
        turn.release(Broken(), Record(os.open(os.devnull, os.O_RDONLY)))
    assert not released.locked()


def write_in_another_process(url: str, times: int) -> None:
    engine = create_engine(url)
    for _ in range(times):
        write(engine)
    engine.dispose()


def test_processes_take_turns_too(engine: sa.Engine, url: str) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=write_in_another_process, args=(url, 20)) for _ in range(2)]
    for other in others:
        other.start()
    for _ in range(20):
        write(engine)
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    assert count(engine) == 60


def test_the_lock_file_is_for_its_owner_only(engine: sa.Engine, tmp_path: Path) -> None:
    write(engine)
    assert (tmp_path / "notes.sqlite.lock").stat().st_mode & 0o777 == 0o600
