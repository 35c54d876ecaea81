"""The long run: a plan lived through on a rigged shop while trouble is made, then settled and judged."""

import itertools
import queue
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import buyer
from tests.conftest import _migrate_and_seed as migrate_and_seed
from tests.faults.checker import Finding
from tests.faults.crashing_postgres import CrashingPostgres, running_postgres
from tests.faults.life import World, live
from tests.faults.mailroom import Mailroom
from tests.faults.plan import Life, Plan, make_plan
from tests.faults.settling import settle_and_judge
from tests.faults.shop import RiggedShop, running_rigged_shop
from tests.faults.trouble import Troublemaker, mend

BUYERS_AT_ONCE, WORKERS = 12, 2


@dataclass
class Outcome:
    """What came of a run."""

    seed: int
    violations: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0


def run(
    seed: int, purchases: int, *, database: str, progress: Callable[[int], None] = lambda _done: None, log: str = ""
) -> Outcome:
    """Live through the plan of this seed on a fresh shop; return what was counted and found.

    `progress` is told how many lives are over; `log` names a file to keep the shop's log in.
    """
    started, plan = time.monotonic(), make_plan(seed, purchases, database=database)
    with tempfile.TemporaryDirectory() as name, _fresh_database(Path(name), database) as (url, postgres):
        folder = Path(name)
        with running_rigged_shop(folder, url, workers=WORKERS, RIGGED_LIMITS="off") as (shop, mail):
            world = World(shop, mail, Mailroom(mail), sign_in(shop))
            troublemaker = Troublemaker(shop, mail, postgres, world.records, random.Random(seed))
            _live_all(plan, world, troublemaker, progress)
            violations = settle_and_judge(world)
        if log:
            Path(log).write_bytes((folder / "shop.log").read_bytes())
    return Outcome(seed, violations, Counter(world.records.counts), time.monotonic() - started)


def sign_in(shop: RiggedShop) -> dict[str, str]:
    """Sign the owner in; return the cookies, for every till."""
    return buyer.Till(shop, "owner@example.com").browser.cookies.get_dict()


@contextmanager
def _fresh_database(folder: Path, database: str) -> Iterator[tuple[str, CrashingPostgres | None]]:
    if database == "sqlite":
        url = f"sqlite:///{folder}/shop.sqlite"
        migrate_and_seed(url)
        yield url, None
        return
    with running_postgres(folder / "postgres") as server:
        yield server.new_database(migrate_and_seed), server


def _live_all(plan: Plan, world: World, troublemaker: Troublemaker, progress: Callable[[int], None]) -> None:
    """Let everybody live while trouble is made; mend everything at the end."""
    lives: queue.SimpleQueue[Life] = queue.SimpleQueue()
    for life in plan.lives:
        lives.put(life)
    done, over = itertools.count(1), threading.Event()

    def keep_living() -> None:
        while not lives.empty():
            try:
                live(lives.get_nowait(), world)
            except queue.Empty:
                return
            progress(next(done))

    with ThreadPoolExecutor(BUYERS_AT_ONCE + 1) as people:
        trouble = people.submit(_make_trouble, plan, world, troublemaker, over)
        try:
            for each in [people.submit(keep_living) for _ in range(BUYERS_AT_ONCE)]:
                each.result()
        finally:
            over.set()
            world.begun.release()
        trouble.result()
    mend(world.shop, world.mail)


def _make_trouble(plan: Plan, world: World, troublemaker: Troublemaker, over: threading.Event) -> None:
    """Make each trouble once so many purchases have been begun, until all are over."""
    begun = 0
    for trouble in plan.troubles:
        while begun < trouble.after and not over.is_set():
            world.begun.acquire()
            begun += 1
        if over.is_set():
            return
        troublemaker.make(trouble)
