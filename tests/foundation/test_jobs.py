"""Jobs: in the transaction or not at all, once by key, resumed after a crash; the engine's known traps closed."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.foundation import heartbeats, jobs
from giftshop.foundation.database import db
from giftshop.foundation.retry import stopping
from tests.conftest import both_databases


class Ran:
    """Which rows the test's job was called with."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self._heard = threading.Condition()

    def __call__(self, row_id: int, _turn: int) -> None:
        with self._heard:
            self.rows.append(row_id)
            self._heard.notify_all()

    def wait_for(self, rows: set[int], seconds: float = 20) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: rows <= set(self.rows), seconds), self.rows


@pytest.fixture
def ran(app: Flask) -> Iterator[Ran]:
    """A running engine with one job, "note"."""
    heard = Ran()
    jobs.register("note", heard)
    jobs.start(app)
    yield heard
    jobs.stop()


@both_databases
def test_a_job_runs_when_its_transaction_commits_and_never_otherwise(app: Flask, ran: Ran) -> None:
    jobs.enqueue("note", 1, key="note:1")
    db.session.rollback()
    jobs.enqueue("note", 2, key="note:2")
    db.session.commit()
    ran.wait_for({2})
    time.sleep(1)
    assert ran.rows == [2]


def test_the_same_key_is_one_job(app: Flask, ran: Ran) -> None:
    for _ in range(3):
        jobs.enqueue("note", 3, key="note:3")
        db.session.commit()
    jobs.enqueue("note", 4, key="note:4")
    db.session.commit()
    ran.wait_for({3, 4})
    time.sleep(1)
    assert sorted(ran.rows) == [3, 4]


def test_a_job_waits_for_its_moment(app: Flask, ran: Ran) -> None:
    jobs.enqueue("note", 5, key="note:5", at=clock.now() + timedelta(seconds=3))
    jobs.enqueue("note", 6, key="note:6")
    db.session.commit()
    ran.wait_for({6})
    assert ran.rows == [6]
    ran.wait_for({5})


def test_a_poisoned_job_delays_no_other(app: Flask, ran: Ran) -> None:
    jobs.register("poison", lambda _row, _turn: 1 / 0)  # type: ignore[arg-type, return-value]
    for number in range(8):
        jobs.enqueue("poison", number, key=f"poison:{number}")
    jobs.enqueue("note", 7, key="note:7")
    db.session.commit()
    ran.wait_for({7})


@both_databases
def test_the_jobs_of_a_dead_process_are_taken_over(
    app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "SILENT_SECONDS", 2 * heartbeats.BEAT_SECONDS)
    script = (
        "import sys, time; from tests.conftest import make_settings; from giftshop.app import create_app;"
        "from giftshop.foundation import jobs; from giftshop.foundation.database import db;"
        "app = create_app(make_settings(sys.argv[1]));"
        "jobs.register('note', lambda row, turn: (print('running', flush=True), time.sleep(600))); jobs.start(app);"
        "ctx = app.app_context(); ctx.push(); jobs.enqueue('note', 8, key='note:8'); db.session.commit();"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, database_url], stdout=subprocess.PIPE, text=True) as dying:
        assert dying.stdout is not None
        assert dying.stdout.readline() == "running\n"
        dying.kill()
    heard = Ran()
    jobs.register("note", heard)
    jobs.start(app)
    try:
        heard.wait_for({8}, seconds=60)
    finally:
        jobs.stop()


@both_databases
def test_a_job_is_run_although_the_database_went_away_as_it_was_given_to_this_process(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbos._sys_db import SystemDatabase

    give, lost = SystemDatabase.start_queued_workflows, []

    def lose_once(*given: Any, **named: Any) -> Any:
        """Let the first answer that names a job be lost on its way."""
        jobs_given = give(*given, **named)
        if jobs_given[0] and not lost:
            lost.extend(jobs_given[0])
            raise sa.exc.OperationalError("COMMIT", None, sqlite3.OperationalError("the server closed the connection"))
        return jobs_given

    monkeypatch.setattr(SystemDatabase, "start_queued_workflows", lose_once)
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(heartbeats, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(jobs._process, "recurring", {})
    heard = Ran()
    jobs.register("note", heard)
    jobs.start(app)
    try:
        for number in (9, 10):
            jobs.enqueue("note", number, key=f"note:{number}")
            db.session.commit()
        heard.wait_for({9, 10})
        time.sleep(1)
    finally:
        jobs.stop()
    assert lost
    assert sorted(heard.rows) == [9, 10]


def test_an_old_sqlite_can_tell_the_time_to_us_and_to_the_engine(app: Flask) -> None:
    assert sqlite3.sqlite_version_info >= (3, 37)
    engines = [jobs._open_engine(app.config["SHOP_SETTINGS"].database_url), db.engine]
    for engine in engines:
        with engine.connect() as connection:
            told = connection.exec_driver_sql("SELECT unixepoch('subsec')").scalar_one()
        assert float(told) > 1_700_000_000
    jobs.disconnect()


def test_a_job_is_enqueued_while_our_transaction_holds_the_files_lock(app: Flask, ran: Ran) -> None:
    db.session.execute(sa.insert(heartbeats.JobExecutor).values(id="held", seen_at=clock.now()))
    for number in range(20, 25):
        jobs.enqueue("note", number, key=f"note:{number}")
    db.session.commit()
    ran.wait_for(set(range(20, 25)))


@both_databases
def test_the_release_step_has_made_the_engines_tables(app: Flask, database: str) -> None:
    schema = "dbos" if database == "postgresql" else None
    assert "workflow_status" in sa.inspect(db.engine).get_table_names(schema=schema)


def test_who_goes_on_after_the_engine_ended_insists_again(app: Flask, ran: Ran) -> None:
    jobs.stop()
    assert not stopping.is_set()


def test_the_engines_version_and_name_never_change() -> None:
    assert (jobs.VERSION, jobs.QUEUE, jobs.WORKFLOW) == ("1", "jobs", "run_job")
