"""The database as money needs it: nothing lost between writers, readers never in the way, busy said so in time."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError

from giftshop.catalog.models import Practice
from giftshop.catalog.offers import list_public_offers
from giftshop.catalog.practice import get_practice
from giftshop.foundation import sqlite
from giftshop.foundation.database import Day, JsonText, Moment, create_engine, db, may_write, only_reads
from giftshop.ledger.models import Certificate
from tests import build
from tests.conftest import both_databases
from tests.databases import PostgresServer

MOMENT = datetime(2026, 11, 24, 14, 5, 9, 120034, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """The test's database, opened as the shop opens it."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def impatient(database_url: str) -> Iterator[sa.Engine]:
    """The same SQLite file opened by someone who waits one second for a lock, not five."""
    engine = sa.create_engine(database_url, connect_args={"check_same_thread": False})
    sqlite.prepare(engine, lock_seconds=1)
    yield engine
    engine.dispose()


# --- what is stored comes back --------------------------------------------------------------------------------------

KEPT: list[tuple[sa.types.TypeEngine[object], object, object]] = [
    (Moment(), MOMENT, MOMENT),
    (Moment(), MOMENT.astimezone(timezone(timedelta(hours=-7))), MOMENT),
    (Moment(), None, None),
    (Day(), date(2028, 2, 29), date(2028, 2, 29)),
    (Day(), None, None),
    (JsonText(), {"b": [1, "é", None], "a": 2**53}, {"a": 2**53, "b": [1, "é", None]}),
    (JsonText(), None, None),
]


@both_databases
def test_moments_days_and_facts_come_back_as_they_were(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for number, (kind, stored, expected) in enumerate(KEPT):
            table = sa.Table(f"kept_{number}", sa.MetaData(), sa.Column("value", kind))
            table.create(connection)
            connection.execute(table.insert(), {"value": stored})
            found = connection.execute(sa.select(table.c.value)).scalar_one()
            assert (found, type(found)) == (expected, type(expected))


@both_databases
def test_moments_sort_as_time(engine: sa.Engine) -> None:
    moments = [MOMENT.replace(microsecond=0), MOMENT.replace(microsecond=1), MOMENT, MOMENT + timedelta(days=90)]
    table = sa.Table("sorted", sa.MetaData(), sa.Column("at", Moment()))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"at": moment} for moment in reversed(moments)])
        assert list(connection.execute(sa.select(table.c.at).order_by(table.c.at)).scalars()) == moments


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        Moment().process_bind_param(MOMENT.replace(tzinfo=None), sa.create_engine("sqlite://").dialect)


# --- reading and writing --------------------------------------------------------------------------------------------


@both_databases
def test_what_is_not_committed_is_gone(app: Flask) -> None:
    get_practice().name = "Somebody else"
    db.session.flush()
    db.session.rollback()
    assert get_practice().name == "Focused Care Therapeutic Massage"


@both_databases
def test_a_reading_session_writes_again_once_it_says_so(app: Flask) -> None:
    only_reads()
    assert len(list_public_offers()) == 5
    may_write()
    get_practice().short_name = "Care"
    db.session.commit()
    assert get_practice().short_name == "Care"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_refuses_a_write_while_reading(app: Flask) -> None:
    only_reads()
    get_practice().name = "Somebody else"
    with pytest.raises(InternalError, match="read-only transaction"):
        db.session.flush()


@both_databases
def test_readers_do_not_wait_for_a_writer_and_see_what_was_there_before(engine: sa.Engine) -> None:
    with engine.begin() as writer:
        writer.execute(sa.update(Practice).values(name="Not yet"))
        with engine.connect().execution_options(only_reads=True) as reader:
            assert reader.execute(sa.select(Practice.name)).scalar_one() == "Focused Care Therapeutic Massage"


@both_databases
def test_a_certificate_of_nobody_is_refused_by_the_database(app: Flask) -> None:
    certificate = build.certificate()
    with pytest.raises(IntegrityError):
        db.session.execute(sa.delete(Certificate).where(Certificate.id == certificate.id))
    db.session.rollback()


# --- many writers ---------------------------------------------------------------------------------------------------


def add_cents(url: str, times: int) -> None:
    """Read a figure and write it back one cent higher, in one transaction, `times` times."""
    engine = create_engine(url)
    query = sa.select(Practice.minimum_cents).with_for_update()
    for _ in range(times):
        with engine.begin() as connection:
            cents = connection.execute(query).scalar_one()
            connection.execute(sa.update(Practice).values(minimum_cents=cents + 1))
    engine.dispose()


@both_databases
def test_writers_in_many_threads_lose_nothing(engine: sa.Engine, database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_cents, [database_url] * 8, [20] * 8))
    with engine.connect() as connection:
        assert connection.execute(sa.select(Practice.minimum_cents)).scalar_one() == 25_00 + 160


@both_databases
def test_writers_in_many_processes_lose_nothing(engine: sa.Engine, database_url: str) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(add_cents, [database_url] * 3, [40] * 3))
    with engine.connect() as connection:
        assert connection.execute(sa.select(Practice.minimum_cents)).scalar_one() == 25_00 + 120


def test_the_drivers_own_transactions_would_lose_cents(engine: sa.Engine, database_url: str) -> None:
    """The negative control: without our BEGIN two readers of one figure both write it."""
    careless = [sa.create_engine(database_url) for _ in range(2)]
    with careless[0].connect() as first, careless[1].connect() as second:
        seen = [each.execute(sa.select(Practice.minimum_cents)).scalar_one() for each in (first, second)]
        for connection, cents in zip((first, second), seen, strict=True):
            connection.execute(sa.update(Practice).values(minimum_cents=cents + 1))
            connection.commit()
    with engine.connect() as connection:
        assert connection.execute(sa.select(Practice.minimum_cents)).scalar_one() == 25_00 + 1
    for each in careless:
        each.dispose()


# --- SQLite: waiting ends -------------------------------------------------------------------------------------------


def refuses(act: Callable[[], object]) -> bool:
    """Tell whether an act ends with "locked"."""
    try:
        act()
    except OperationalError as refusal:
        return "locked" in str(refusal)
    return False


def write_once(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.update(Practice).values(phone="(970) 555-0199"))


def test_a_thread_that_would_wait_for_itself_is_told_so(impatient: sa.Engine) -> None:
    with impatient.begin():
        assert refuses(lambda: write_once(impatient))
    write_once(impatient)


def test_a_writer_that_waits_too_long_is_told_so_and_the_next_one_gets_in(impatient: sa.Engine) -> None:
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with impatient.begin():
            holding.set()
            done.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(20)
    assert refuses(lambda: write_once(impatient))
    done.set()
    holder.join()
    write_once(impatient)


def test_a_commit_that_a_reader_holds_up_ends_and_blocks_nobody_afterwards(impatient: sa.Engine) -> None:
    journal, _ = sqlite.journal_settings(sqlite3.sqlite_version_info)
    with impatient.connect().execution_options(only_reads=True) as reader:
        reader.execute(sa.select(Practice.phone)).scalar_one()
        assert refuses(lambda: write_once(impatient)) == (journal == "delete")  # with WAL nobody waits for readers
    write_once(impatient)


def test_a_connection_that_was_thrown_away_leaves_the_turn_free(impatient: sa.Engine) -> None:
    connection = impatient.connect()
    connection.begin()
    connection.invalidate()
    write_once(impatient)
    connection.close()


def test_the_turn_is_given_back_when_no_file_can_be_opened(impatient: sa.Engine, database_url: str) -> None:
    lock = Path(database_url.removeprefix("sqlite:///") + ".lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    for _ in range(2):  # the second one is not told "locked"
        with pytest.raises(IsADirectoryError):
            write_once(impatient)
    lock.rmdir()
    write_once(impatient)


# --- SQLite: durability ---------------------------------------------------------------------------------------------

VERSIONS = [
    ((3, 37, 2), "delete"),
    ((3, 44, 5), "delete"),
    ((3, 44, 6), "wal"),
    ((3, 45, 0), "delete"),
    ((3, 50, 6), "delete"),
    ((3, 50, 7), "wal"),
    ((3, 51, 2), "delete"),
    ((3, 51, 3), "wal"),
    ((3, 52, 0), "wal"),
]


@pytest.mark.parametrize(("version", "journal"), VERSIONS)
def test_the_write_ahead_log_is_used_only_where_it_loses_nothing(version: tuple[int, int, int], journal: str) -> None:
    assert sqlite.journal_settings(version) == (journal, 2 if journal == "wal" else 3)


def test_every_connection_is_durable_and_minds_foreign_keys(engine: sa.Engine) -> None:
    journal, synchronous = sqlite.journal_settings(sqlite3.sqlite_version_info)
    wanted = {"journal_mode": journal, "synchronous": synchronous, "foreign_keys": 1, "recursive_triggers": 1}
    with engine.connect() as first, engine.connect().execution_options(only_reads=True) as second:
        first.rollback()
        for connection in (first, second):
            assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted


def test_a_shop_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="database file"):
        create_engine("sqlite://")


# --- PostgreSQL: the server -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_waits_for_locks_only_so_long(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "5s"
        assert connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(engine: sa.Engine, postgres: PostgresServer) -> None:
    postgres.run(f"ALTER DATABASE {engine.url.database} SET synchronous_commit = off")
    with pytest.raises(RuntimeError, match="synchronous_commit = off"):
        engine.connect()
