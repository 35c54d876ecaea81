"""The plan of a long run: repeatable by its seed, and made of things that exist."""

import pytest

from tests.faults.failpoints import STEPS
from tests.faults.plan import make_plan


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_same_seed_is_the_same_plan_and_another_is_another(database: str) -> None:
    plan = make_plan(7, 200, database=database)
    assert plan == make_plan(7, 200, database=database)
    assert plan.troubles != make_plan(8, 200, database=database).troubles
    assert plan.lives != make_plan(8, 200, database=database).lives


def test_a_plan_breaks_only_what_its_database_has() -> None:
    kinds = {name: {t.kind for t in make_plan(7, 3000, database=name).troubles} for name in ("sqlite", "postgresql")}
    assert kinds["sqlite"] - kinds["postgresql"] == {"disk full"}
    assert kinds["postgresql"] - kinds["sqlite"] == {"database crash"}


def test_a_long_plan_comes_to_every_step_on_both_sides() -> None:
    points = {trouble.point for trouble in make_plan(7, 10_000, database="sqlite").troubles} - {""}
    assert points == {f"{step}.{when}" for step in STEPS for when in ("before", "after")}


def test_nobody_takes_off_more_than_was_bought_in_one_go() -> None:
    for life in make_plan(7, 500, database="sqlite").lives:
        assert all(cents < life.amount_cents for act in life.acts for cents in act.amounts)
