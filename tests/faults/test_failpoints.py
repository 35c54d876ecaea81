"""kill -9 before and after every step from the order to the refund: everything heals, nothing is lost or doubled."""

import itertools
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.failpoints import STEPS
from tests.faults.life import World, live
from tests.faults.plan import Act, Life
from tests.faults.settling import settle_and_judge

ROUNDS = int(os.environ.get("ROUNDS", "1"))
POINTS = [f"{step}.{when}" for step in STEPS for when in ("before", "after")]
MOST_LIVES, AT_ONCE = 80, 6
_numbers = itertools.count(1000)


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


@pytest.mark.parametrize(
    ("database", "points"),
    [("sqlite", POINTS), ("postgresql", random.Random(7).sample(POINTS, 12))],
    indirect=["database"],
    ids=["sqlite", "postgresql"],
)
def test_a_process_killed_at_any_step_costs_nobody_anything(world: World, points: list[str]) -> None:
    for _ in range(ROUNDS):
        assert live_until_all_fired(world, points) == []
    assert settle_and_judge(world) == []
