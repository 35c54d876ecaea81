"""Jobs: enqueued in the sale's own transaction, run by some living process, resumed when theirs dies.

The only file that imports the job engine (DBOS). A job is a registered function, the id of a row and a turn: no
personal data or code ever stands in the engine's tables. A job that raises is tried again with growing pauses; a
job may run twice after a crash, so each one starts by looking at its row.
"""

import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.foundation import heartbeats, sqlite
from giftshop.foundation.database import db
from giftshop.foundation.retry import describe, insist, stopping

Job = Callable[[int, int], None]
"""Called with the id of its row and the turn it was enqueued for (0 unless said otherwise)."""

VERSION = "1"
"""Pinned: the engine would otherwise refuse the jobs of the version before a deployment."""
QUEUE, CLOCK_QUEUE, WORKFLOW = "jobs", "clock", "run_job"
"""What the clock asks for has a queue of its own: a mail server that takes a minute must not hold it up."""
PICK_UP_SECONDS, CLOCK_PICK_UP_SECONDS, STOP_SECONDS = 0.2, 1.0, 10
JOBS_AT_ONCE, MOST_TRIES = 4, 12
KEEP_FINISHED = timedelta(days=1)

log = logging.getLogger(__name__)


@dataclass
class _Process:
    """What this process knows and runs: registered jobs always, the engine only between start and stop."""

    jobs: dict[str, Job] = field(default_factory=dict)
    recurring: dict[str, float] = field(default_factory=dict)
    ticks: dict[str, int] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    engines: list[sa.Engine] = field(default_factory=list)
    executor_id: str = ""
    under_way: set[str] = field(default_factory=set)
    idle: heartbeats.Idle = field(default_factory=dict)
    watch: heartbeats.Watch = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)
    beat: threading.Thread | None = None


_process = _Process()


def register(name: str, job: Job) -> None:
    """Make `job` known under `name`."""
    _process.jobs[name] = job


def every(name: str, job: Callable[[], None], *, minutes: float) -> None:
    """Run `job` every so many minutes, in one process of all: the tick's number makes the copies one."""
    register(name, lambda _tick, _turn: job())
    _process.recurring[name] = minutes * 60


def enqueue(name: str, row_id: int, *, key: str, at: datetime | None = None, turn: int = 0, tries: int = 0) -> None:
    """Enqueue a job in the open transaction of `db.session`, for now or the moment `at`; one key is one job."""
    options: dict[str, Any] = {
        "queue_name": CLOCK_QUEUE if name in _process.recurring else QUEUE,
        "workflow_name": WORKFLOW,
        "workflow_id": key,
        "app_version": VERSION,
    }
    if at is not None and (pause := (at - clock.now()).total_seconds()) > 0:
        options["delay_seconds"] = pause
    _client().enqueue_in_transaction(db.session(), options, name, row_id, turn, key, tries)


def launch(app: heartbeats.App) -> None:
    """Start running jobs in this process, if the settings say that web processes do; else get ready to enqueue."""
    if app.config["SHOP_SETTINGS"].jobs == "embedded":
        start(app)
    else:
        with app.app_context():
            _client()


def start(app: heartbeats.App) -> None:
    """Start the heartbeat, the engine, and the watch over other processes."""
    _process.executor_id = f"{time.time_ns():x}-{secrets.token_hex(4)}"
    stopping.clear()
    _process.is_over.clear()
    _process.ticks.clear()
    with app.app_context():  # before the engine takes the first job: nobody would miss a process that never beat
        heartbeats.beat_once(_process.executor_id, at=clock.now())
    engine = _start_engine(app)
    engine.register_queue(QUEUE, worker_concurrency=JOBS_AT_ONCE, polling_interval_sec=PICK_UP_SECONDS)
    engine.register_queue(CLOCK_QUEUE, worker_concurrency=1, polling_interval_sec=CLOCK_PICK_UP_SECONDS)
    beating = (app, _process.executor_id, _watch, _process.is_over)
    _process.beat = threading.Thread(target=heartbeats.keep_beating, args=beating, name="jobs-beat", daemon=True)
    _process.beat.start()


def stop() -> None:
    """Take no more jobs, and let those under way end (at most 10 s).

    While one goes on after that, this process keeps beating until it ends: nobody may take the job over before.
    """
    if _process.beat is None:
        return
    from dbos import DBOS

    stopping.set()
    DBOS.destroy(workflow_completion_timeout_sec=STOP_SECONDS, destroy_registry=True)
    if not _process.under_way:
        _process.is_over.set()
        _process.beat.join()
        stopping.clear()  # nothing of the engine is left to end: who goes on here may insist again
    _process.beat = None
    disconnect()


def disconnect() -> None:
    """Close the connections that enqueueing and the engine have opened; the next job opens its own."""
    _process.clients.clear()
    while _process.engines:
        _process.engines.pop().dispose()


def run_worker(app: heartbeats.App) -> None:
    """Run jobs in this process until SIGTERM or Ctrl-C."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    start(app)
    log.warning("worker %s runs jobs", _process.executor_id)
    over.wait()
    stop()


def migrate(app: heartbeats.App) -> None:
    """Make or migrate the engine's tables."""
    from dbos import DBOS

    DBOS.migrate(app.config["SHOP_SETTINGS"].database_url)


def is_healthy() -> bool:
    """Tell whether some process runs jobs: this one, or another that was seen alive lately."""
    runs_here = _process.beat is not None and _process.beat.is_alive()
    return runs_here or heartbeats.is_any_alive(at=clock.now())


def forget_finished() -> None:
    """Delete finished jobs older than a day from the engine's tables."""
    before = (clock.now() - KEEP_FINISHED).isoformat()
    wanted: dict[str, Any] = {"status": ["SUCCESS", "ERROR", "CANCELLED"], "completed_before": before, "limit": 500}
    while finished := _client().list_workflows(**wanted, load_input=False, load_output=False):
        _client().delete_workflows([workflow.workflow_id for workflow in finished])


every("forget_finished_jobs", forget_finished, minutes=60)


def _start_engine(app: heartbeats.App) -> Any:
    from dbos import DBOS

    config: Any = {"name": "giftshop", "application_version": VERSION, "executor_id": _process.executor_id}
    config["system_database_engine"] = _open_engine(app.config["SHOP_SETTINGS"].database_url)
    config |= {"use_listen_notify": False, "log_level": "WARNING"}
    DBOS(config=config)
    DBOS.workflow(name=WORKFLOW)(_build_runner(app))
    DBOS.launch()
    return DBOS


def _build_runner(app: heartbeats.App) -> Callable[[str, int, int, str, int], None]:
    """Return what runs one job, in a session of its own, and sees to it that one that raises is tried again."""

    def run_job(name: str, row_id: int, turn: int, key: str, tries: int) -> None:
        _process.under_way.add(key)
        try:
            with app.app_context():
                _process.jobs[name](row_id, turn)
        except Exception as error:
            log.error("job %s of row %s failed, try %s: %s", name, row_id, tries + 1, describe(error))
            with app.app_context():
                insist(lambda: _try_again(name, row_id, turn, key, tries + 1))
        finally:
            _process.under_way.discard(key)

    return run_job


def _try_again(name: str, row_id: int, turn: int, key: str, tries: int) -> None:
    """Enqueue a failed job once more, later and later: a pause in a queue slot would hold up the healthy ones."""
    if tries >= MOST_TRIES or name in _process.recurring:
        return
    at = clock.now() + timedelta(seconds=min(3600, 5 * 2**tries))
    enqueue(name, row_id, key=f"{key.partition('#')[0]}#{tries}", at=at, turn=turn, tries=tries)


def _client() -> Any:
    """Return the client that writes jobs into our own transactions; for that it never opens one itself."""
    from dbos import DBOSClient

    url = str(db.engine.url.render_as_string(hide_password=False))
    if url not in _process.clients:
        _process.clients[url] = DBOSClient(system_database_engine=_open_engine(url), lazy=True)
    return _process.clients[url]


def _open_engine(url: str) -> sa.Engine:
    """Open the engine's own connections: it emits its BEGINs itself, and its many looks must not queue as writers."""
    engine = sa.create_engine(url, pool_size=8, pool_pre_ping=True, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        sqlite.prepare_for_jobs(engine)
    _process.engines.append(engine)
    return engine


def _watch(now: datetime) -> None:
    """Enqueue what the clock asks for now, and take over from processes that died."""
    due = {name: int(now.timestamp() // seconds) for name, seconds in _process.recurring.items()}
    for name, tick in due.items() - _process.ticks.items():
        enqueue(name, tick, key=f"{name}:{tick}")
    db.session.commit()
    _process.ticks.update(due)
    _take_over(now)


def _take_over(now: datetime) -> None:
    """Enqueue again what nobody runs; no transaction of ours is open while the engine is asked."""
    running = _client().list_workflows(status="PENDING", load_input=False, load_output=False)
    busy = {job.executor_id for job in running if job.executor_id}
    dead = heartbeats.claim_silent(_process.watch, busy=busy, at=now)
    db.session.commit()
    mine = {job.workflow_id for job in running if job.executor_id == _process.executor_id}
    never_begun = heartbeats.find_never_begun(_process.idle, mine - _process.under_way)
    left = {job.workflow_id for job in running if job.executor_id in dead} | never_begun
    for queue in (QUEUE, CLOCK_QUEUE):
        if keys := [job.workflow_id for job in running if job.workflow_id in left and job.queue_name == queue]:
            log.warning("resuming %s jobs that nobody runs", len(keys))
            _client().resume_workflows(keys, queue_name=queue)
    heartbeats.forget(dead)
    db.session.commit()
