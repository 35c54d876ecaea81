"""What came of jobs that one version enqueued and either may have run: each ended well, none twice, none is lost."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import click

from tests.upgrade.findings import Finding
from tests.upgrade.world import World

Jobs = dict[str, dict[str, str]]
"""What stands in the job engine's table, by the key of each job."""
FORGOTTEN = "FORGOTTEN"
_ENDED_WELL = ("SUCCESS", FORGOTTEN)
"""A job that stands there no longer was finished, and deleted a day later."""


@dataclass
class Ran:
    """The orders of one part of the update, and which workers belonged to which version."""

    part: str
    orders: list[int]
    workers: dict[str, set[str]]

    def name_of(self, executor_id: str) -> str:
        """Return which version a worker belonged to."""
        return next((name for name, ids in self.workers.items() if executor_id in ids), "unknown")


def read_jobs(world: World) -> Jobs:
    """Return every job that is known now."""
    rows = world.books.ask(f"SELECT workflow_uuid, status, executor_id, queue_name FROM {world.books.jobs}")
    return {row["workflow_uuid"]: row for row in rows}


def read_jobs_again(world: World, before: Jobs) -> Jobs:
    """Return every job that is known now, or was known before, when a day has passed in between."""
    gone = {key: job if job["status"] == "SUCCESS" else {**job, "status": FORGOTTEN} for key, job in before.items()}
    return gone | read_jobs(world)


def judge_jobs(world: World, ran: list[Ran], jobs: Jobs) -> Iterator[Finding]:
    """Judge the jobs of every part, then all that there are; say who ran which."""
    arrived = Counter(message_id for message_id, _ in world.mailroom.arrivals())
    for each in ran:
        yield from _judge_part(world, each, jobs, arrived)
    yield from _judge_all(world, jobs, arrived)


def _judge_part(world: World, ran: Ran, jobs: Jobs, arrived: Counter[str]) -> Iterator[Finding]:
    orders = ", ".join(map(str, ran.orders)) or "NULL"
    messages = world.books.ask(f"SELECT id, kind, message_id, state FROM delivery WHERE order_id IN ({orders})")
    by_whom: Counter[str] = Counter()
    for message in messages:
        runs = [job for key, job in jobs.items() if key.startswith(f"deliver:{message['id']}:")]
        by_whom.update(ran.name_of(job["executor_id"]) for job in runs if job["status"] == "SUCCESS")
        came, name = arrived[message["message_id"]], f"message {message['id']} ({message['kind']}, {ran.part})"
        if len(runs) != 1 or runs[0]["status"] not in _ENDED_WELL:
            yield Finding(name, f"its jobs stand as {[job['status'] for job in runs]}")
        if (message["state"], came) != ("sent", 1):
            yield Finding(name, f"is {message['state']} and came {came} times")
    told = ", ".join(f"{count} by the {name} version" for name, count in sorted(by_whom.items()))
    click.echo(f"  jobs {ran.part}: {len(messages)} messages, run {told or 'by nobody'}")
    if ran.part.startswith("of-") and len(by_whom) < len(ran.workers):
        yield Finding(f"jobs {ran.part}", f"while both ran jobs, only one version took any: {dict(by_whom)}")


def _judge_all(world: World, jobs: Jobs, arrived: Counter[str]) -> Iterator[Finding]:
    """Find what is stuck, has failed or came twice, among all jobs and messages there ever were."""
    for key, job in jobs.items():
        if job["status"] not in (*_ENDED_WELL, "DELAYED"):
            yield Finding(f"job {key}", f"stands as {job['status']}")
    for message_id, count in arrived.items():
        if count > 1:
            yield Finding(f"message {message_id}", f"came {count} times")
    sent = {row["message_id"] for row in world.books.ask("SELECT message_id FROM delivery WHERE state = 'sent'")}
    for message_id in sorted(sent - arrived.keys()):
        yield Finding(f"message {message_id}", "counts as sent and never came")
    recurring = Counter(key.partition(":")[0] for key, job in jobs.items() if job["queue_name"] == "clock")
    click.echo("  recurring jobs: " + ", ".join(f"{name} {count}" for name, count in sorted(recurring.items())))
