"""Jobs: enqueued in the sale's own transaction, run by some living process, resumed when theirs dies.

The only file that imports the job engine (DBOS). A job is a registered function and the id of a row: no personal
data or code ever stands in the engine's tables. A job that raises is tried again with growing pauses; a job may
run twice after a crash, so each one starts by looking at its row.
"""

import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from giftshop import clock, sqlite_engine
from giftshop.database import Base, Moment, db

Job = Callable[[int], None]

VERSION = "1"
"""Pinned: the engine would otherwise refuse the jobs of the version before a deployment."""
QUEUE, WORKFLOW = "jobs", "run_job"
JOBS_AT_ONCE = 4
PICK_UP_SECONDS = 0.2
BEAT_SECONDS = 3.0
DEAD_AFTER = timedelta(seconds=15)
MOST_TRIES = 12
KEEP_FINISHED = timedelta(days=1)

log = logging.getLogger(__name__)


class JobExecutor(Base):
    """A process that runs jobs, and when it was last seen alive."""

    __tablename__ = "job_executor"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Moment)


class App(Protocol):
    """What jobs need of the web app: its context, in which the session lives."""

    config: Any

    def app_context(self) -> AbstractContextManager[Any]: ...


@dataclass
class _Process:
    """What this process knows and runs: registered jobs always, the engine only between launch and stop."""

    jobs: dict[str, Job] = field(default_factory=dict)
    recurring: dict[str, float] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    engines: list[sa.Engine] = field(default_factory=list)
    executor_id: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)
    beat: threading.Thread | None = None


_process = _Process()


def register(name: str, job: Job) -> None:
    """Make `job` known under `name`; it is called with the id of its row."""
    _process.jobs[name] = job


def every(name: str, job: Callable[[], None], *, minutes: float) -> None:
    """Run `job` every so many minutes, in one process of all: the tick's number makes the copies one."""
    register(name, lambda _tick: job())
    _process.recurring[name] = minutes * 60


def enqueue(name: str, row_id: int, *, key: str, at: datetime | None = None, tries: int = 0) -> None:
    """Enqueue a job in the open transaction of `db.session`, now or for the moment `at`.

    A rollback leaves no job; the same key twice is one job.
    """
    options: dict[str, Any] = {"queue_name": QUEUE, "workflow_name": WORKFLOW, "workflow_id": key}
    options["app_version"] = VERSION
    if at is not None and (pause := (at - clock.now()).total_seconds()) > 0:
        options["delay_seconds"] = pause
    _client().enqueue_in_transaction(db.session(), options, name, row_id, key, tries)


def launch(app: App) -> None:
    """Start running jobs in this process, if the settings say that web processes do; else get ready to enqueue."""
    if app.config["SHOP_SETTINGS"].jobs == "embedded":
        start(app)
    else:
        with app.app_context():
            _client()


def start(app: App) -> None:
    """Start the engine, the heartbeat and the watch over other processes."""
    engine = _start_engine(app)
    engine.register_queue(QUEUE, worker_concurrency=JOBS_AT_ONCE, polling_interval_sec=PICK_UP_SECONDS)
    _process.stopping.clear()
    _beat(app)
    _process.beat = threading.Thread(target=_keep_beating, args=(app,), name="jobs-beat", daemon=True)
    _process.beat.start()


def stop() -> None:
    """Let the jobs under way end (at most 10 s) and stop running any."""
    if _process.beat is None:
        return
    from dbos import DBOS

    _process.stopping.set()
    _process.beat.join(BEAT_SECONDS * 2)
    _process.beat = None
    DBOS.destroy(workflow_completion_timeout_sec=10, destroy_registry=True)
    disconnect()


def disconnect() -> None:
    """Close the connections that enqueueing and the engine have opened; the next job opens its own."""
    _process.clients.clear()
    while _process.engines:
        _process.engines.pop().dispose()


def run_worker(app: App) -> None:
    """Run jobs in this process until SIGTERM or Ctrl-C."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    start(app)
    log.warning("worker %s runs jobs", _process.executor_id)
    over.wait()
    stop()


def migrate(app: App) -> None:
    """Make or migrate the engine's tables: only a launched engine does that, so launch it once."""
    from dbos import DBOS

    _start_engine(app)
    DBOS.destroy(destroy_registry=True)
    disconnect()


def is_healthy() -> bool:
    """Tell whether some process runs jobs: this one, or another that was seen alive just now."""
    if _process.beat is not None and _process.beat.is_alive():
        return True
    alive = sa.select(sa.func.count()).where(JobExecutor.seen_at > clock.now() - DEAD_AFTER)
    return bool(db.session.scalar(alive))


def _start_engine(app: App) -> Any:
    from dbos import DBOS

    _process.executor_id = f"{time.time_ns():x}-{secrets.token_hex(4)}"
    url = app.config["SHOP_SETTINGS"].database_url
    config: Any = {
        "name": "giftshop",
        "system_database_url": _engine_url(url),
        "system_database_engine": _open_engine(url),
        "application_version": VERSION,
        "executor_id": _process.executor_id,
        "use_listen_notify": False,
        "log_level": "WARNING",
    }
    DBOS(config=config)
    DBOS.workflow(name=WORKFLOW)(_build_runner(app))
    DBOS.launch()
    return DBOS


def _build_runner(app: App) -> Callable[[str, int, str, int], None]:
    def run_job(name: str, row_id: int, key: str, tries: int) -> None:
        """Run one job in a session of its own; what it raises is logged and tried again later."""
        try:
            with app.app_context():
                _process.jobs[name](row_id)
        except Exception:
            log.exception("job %s of row %s failed, try %s", name, row_id, tries + 1)
            with app.app_context():
                _try_again(name, row_id, key, tries + 1)

    return run_job


def _try_again(name: str, row_id: int, key: str, tries: int) -> None:
    """Enqueue a failed job once more, later and later: a pause in a queue slot would hold up the healthy ones."""
    if tries >= MOST_TRIES or name in _process.recurring:
        return
    pause = timedelta(seconds=min(3600, 5 * 2**tries))
    enqueue(name, row_id, key=f"{key.partition('#')[0]}#{tries}", at=clock.now() + pause, tries=tries)
    db.session.commit()


def _client() -> Any:
    """Return the client that writes jobs into our own transactions; it never opens one itself."""
    from dbos import DBOSClient

    url = str(db.engine.url.render_as_string(hide_password=False))
    if url not in _process.clients:
        _process.clients[url] = DBOSClient(system_database_engine=_open_engine(url), lazy=True)
    return _process.clients[url]


def _open_engine(url: str) -> sa.Engine:
    """Open the engine's own connections: short transactions of its own, none that wait for a writer's turn."""
    engine = sa.create_engine(url, pool_size=8, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sqlite_engine.prepare_for_jobs(engine)
    _process.engines.append(engine)
    return engine


def _engine_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _keep_beating(app: App) -> None:
    while not _process.stopping.wait(BEAT_SECONDS):
        try:
            _beat(app)
        except SQLAlchemyError as error:
            log.warning("heartbeat missed: %s", type(error).__name__)
    with app.app_context():
        db.session.execute(sa.delete(JobExecutor).where(JobExecutor.id == _process.executor_id))
        db.session.commit()


def _beat(app: App) -> None:
    """Say that this process lives, start what is due, and take over from processes that died."""
    with app.app_context():
        now = clock.now()
        db.session.merge(JobExecutor(id=_process.executor_id, seen_at=now))
        for name, seconds in _process.recurring.items():
            tick = int(now.timestamp() // seconds)
            enqueue(name, tick, key=f"{name}:{tick}")
        db.session.commit()
        dead = _claim_dead(now)
    for executor_id in dead:
        _resume_jobs_of(executor_id)
        with app.app_context():
            db.session.execute(sa.delete(JobExecutor).where(JobExecutor.id == executor_id))
            db.session.commit()


def _claim_dead(now: datetime) -> list[str]:
    """Claim the processes that were not seen for a while; two that look at once share them without overlap."""
    dead = (
        sa.update(JobExecutor)
        .where(JobExecutor.seen_at < now - DEAD_AFTER)
        .values(seen_at=now)
        .returning(JobExecutor.id)
        .execution_options(synchronize_session=False)
    )
    claimed = list(db.session.scalars(dead))
    db.session.commit()
    return claimed


def _resume_jobs_of(executor_id: str) -> None:
    """Enqueue again what a dead process was running; no transaction of ours is open here."""
    from dbos import DBOS

    running = DBOS.list_workflows(status="PENDING", executor_id=executor_id, load_input=False, load_output=False)
    if running:
        log.warning("resuming %s jobs of a process that died", len(running))
        DBOS.resume_workflows([workflow.workflow_id for workflow in running], queue_name=QUEUE)


def forget_finished() -> None:
    """Delete finished jobs older than a day from the engine's tables."""
    from dbos import DBOS

    before = (clock.now() - KEEP_FINISHED).isoformat()
    while finished := DBOS.list_workflows(
        status=["SUCCESS", "ERROR", "CANCELLED"],
        completed_before=before,
        limit=500,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([workflow.workflow_id for workflow in finished])


every("forget_finished_jobs", forget_finished, minutes=60)
