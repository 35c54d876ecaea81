"""kill -9 before and after every step from the order to the refund: everything heals, nothing is lost or doubled."""

import itertools
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import both_databases
from tests.faults import THOROUGH
from tests.faults.failpoints import STEPS
from tests.faults.life import World, live
from tests.faults.plan import Act, Life
from tests.faults.settling import settle_and_judge
from tests.seeds import SEED

ROUNDS = int(os.environ.get("ROUNDS", "1"))
FEW = 8
MOST_LIVES, AT_ONCE = 80, 6
_numbers = itertools.count(1000)


def choose_points(database: str, chance: random.Random) -> list[str]:
    """Return a point for every step, before or after it; on PostgreSQL only for a few steps. All, when thorough."""
    if THOROUGH:
        return [f"{step}.{when}" for step in STEPS for when in ("before", "after")]
    steps = STEPS if database == "sqlite" else chance.sample(STEPS, FEW)
    return [f"{step}.{chance.choice(('before', 'after'))}" for step in steps]


def full_lives() -> Iterator[Life]:
    """Lives that come by every step: redeemed, undone, paid back; every third is disputed instead."""
    taken = (Act("redeem", (10_00,)), Act("undo"))
    while True:
        number = next(_numbers)
        last = Act("dispute", ending="won") if number % 3 == 0 else Act("refund", (5_00,))
        yield Life(number, 50_00, "pay", (*taken, last))


def live_until_all_fired(world: World, points: list[str]) -> list[str]:
    """Let people buy while the points are armed; return those that nobody came by."""
    world.shop.workbench.post("/hook", {"drop": 1, "types": ["checkout.session.completed"]})
    for point in points:
        world.shop.armoury.arm(point)
    lives = full_lives()
    for _ in range(0, MOST_LIVES, AT_ONCE):
        with ThreadPoolExecutor(AT_ONCE) as people:
            list(people.map(lambda life: live(life, world), itertools.islice(lives, AT_ONCE)))
        if not world.shop.armoury.armed():
            break
    return world.shop.armoury.disarm()


@both_databases
def test_a_process_killed_at_any_step_costs_nobody_anything(world: World, database: str) -> None:
    chance = random.Random(SEED)
    for _ in range(ROUNDS):
        points = choose_points(database, chance)
        assert live_until_all_fired(world, points) == [], f"seed {SEED}"
    assert settle_and_judge(world) == [], f"seed {SEED}"
