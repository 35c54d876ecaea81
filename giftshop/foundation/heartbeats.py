"""Heartbeats: which processes run jobs, which of them have died, and what is left lying, for jobs.py.

No clock is compared with another machine's: a process counts as dead when its row has not changed for a while by
the watcher's own steady clock. Clocks may differ or jump; nothing is taken from a living process for that.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop import clock
from giftshop.foundation.database import Base, Moment, db
from giftshop.foundation.retry import describe

BEAT_SECONDS, SILENT_SECONDS = 2.5, 15.0
LATELY = timedelta(minutes=1)
GONE = datetime(1970, 1, 1, tzinfo=UTC)
"""What a process that ends leaves as its last beat, so that nobody waits for the next one."""

Watch = dict[str, tuple[datetime, float]]
"""What one process has seen of the others: the last beat of each, and when by its own clock it first saw that beat."""

Idle = dict[str, float]
"""The jobs that a process was given and does not run, and since when by its own clock."""

log = logging.getLogger(__name__)


class App(Protocol):
    """What jobs need of the web app: its context, in which the session lives."""

    config: Any

    def app_context(self) -> AbstractContextManager[Any]: ...


class JobExecutor(Base):
    """A process that runs jobs, and when it was last seen alive."""

    __tablename__ = "job_executor"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Moment)


def keep_beating(app: App, executor_id: str, each_time: Callable[[datetime], None], is_over: threading.Event) -> None:
    """Beat, and call `each_time`, until all is over; whatever goes wrong, the next beat is due all the same."""
    while not is_over.wait(BEAT_SECONDS):
        try:
            with app.app_context():
                now = clock.now()
                beat_once(executor_id, at=now)
                each_time(now)
        except Exception as error:
            log.warning("heartbeat missed: %s", describe(error))
    with app.app_context():
        beat_once(executor_id, at=GONE)


def beat_once(executor_id: str, *, at: datetime) -> None:
    """Say that a process lives; commits."""
    _beat(executor_id, at)
    db.session.commit()


def claim_silent(watch: Watch, *, busy: set[str], at: datetime) -> list[str]:
    """Claim the processes that fell silent; of two that claim at once one gets each, and its own death frees them.

    `watch` is the caller's memory from call to call. `busy` are the processes that have jobs: one of them without
    a row died before its first beat, or will beat soon.
    """
    beats = {row.id: row.seen_at for row in db.session.execute(sa.select(JobExecutor.id, JobExecutor.seen_at))}
    # It has jobs and no row: it died before its first beat, or is about to. Give it one, and judge it like the others.
    for executor_id in busy - beats.keys():
        _beat(executor_id, at)
    for executor_id in watch.keys() - beats.keys():
        del watch[executor_id]
    return [each for each, seen_at in beats.items() if _is_silent(watch, each, seen_at) and _claim(each, seen_at, at)]


def find_never_begun(idle: Idle, given: set[str]) -> set[str]:
    """Return which of the jobs that this process was given and does not run it never will.

    When the database goes away as it gives a job, the engine forgets the job, while its row says that we run it.
    `idle` is the caller's memory from call to call.
    """
    now = time.monotonic()
    forgotten = {key for key in given if now - idle.setdefault(key, now) > SILENT_SECONDS}
    for key in (idle.keys() - given) | forgotten:
        del idle[key]
    return forgotten


def forget(executor_ids: list[str]) -> None:
    """Delete the rows of processes whose jobs were taken over."""
    if executor_ids:
        db.session.execute(sa.delete(JobExecutor).where(JobExecutor.id.in_(executor_ids)))


def is_any_alive(*, at: datetime) -> bool:
    """Tell whether some process was seen alive lately."""
    alive = sa.select(sa.func.count()).where(JobExecutor.seen_at.between(at - LATELY, at + LATELY))
    return bool(db.session.scalar(alive))


def _beat(executor_id: str, at: datetime) -> None:
    db.session.merge(JobExecutor(id=executor_id, seen_at=at))


def _is_silent(watch: Watch, executor_id: str, seen_at: datetime) -> bool:
    now = time.monotonic()
    if executor_id not in watch or watch[executor_id][0] != seen_at:
        watch[executor_id] = (seen_at, now)
    return seen_at == GONE or now - watch[executor_id][1] > SILENT_SECONDS


def _claim(executor_id: str, seen_at: datetime, at: datetime) -> bool:
    mine = sa.update(JobExecutor).where(JobExecutor.id == executor_id, JobExecutor.seen_at == seen_at)
    claimed = db.session.execute(mine.values(seen_at=at).returning(JobExecutor.id))
    return claimed.scalar_one_or_none() is not None
