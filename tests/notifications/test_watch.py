"""The watch: a run of guesses, a flood of unpaid orders, a locked sign-in, a new device: told once each."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.notifications import watch
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert
from tests.conftest import both_databases
from tests.orders import told

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def alerts() -> list[str]:
    return list(db.session.scalars(sa.select(Alert.kind).order_by(Alert.id)))


def mails() -> int:
    return db.session.query(Delivery).filter_by(kind="alert").count()


@both_databases
def test_a_run_is_told_once_and_the_next_one_after_two_quiet_hours(app: Flask) -> None:
    for minutes in (0, 1, 60, 179, 298):
        watch.note_run(AlertKind.CODES_GUESSED, "codes", "Somebody guesses.", at=NOW + minutes * MINUTE)
    assert (alerts(), mails()) == (["codes_guessed"], 1)
    last = NOW + 298 * MINUTE
    assert not watch.note_run(AlertKind.CODES_GUESSED, "codes", "Still.", at=last + watch.QUIET)
    assert watch.note_run(AlertKind.CODES_GUESSED, "codes", "Again.", at=last + 2 * watch.QUIET + SECOND)
    assert (alerts(), mails()) == (["codes_guessed"] * 2, 2)


def test_runs_of_two_people_are_two(app: Flask) -> None:
    for person in ("staff-1", "staff-2", "staff-1"):
        watch.note_run(AlertKind.SIGN_IN_LOCKED, person, "Too many tries.", at=NOW)
    assert alerts() == ["sign_in_locked"] * 2


@pytest.mark.parametrize(("count", "is_told"), [(99, False), (100, True), (1000, True)])
def test_a_hundred_wrong_codes_in_an_hour_are_a_run_of_guesses(app: Flask, count: int, is_told: bool) -> None:
    for _ in range(3):
        watch.note_guesses(count, at=NOW)
    assert alerts() == (["codes_guessed"] if is_told else [])


@pytest.mark.parametrize(
    ("unpaid", "paid", "age", "is_told"),
    [
        (29, 0, MINUTE, False),
        (30, 0, MINUTE, True),
        (30, 10, MINUTE, True),
        (30, 11, MINUTE, False),
        (30, 0, timedelta(hours=1), False),
    ],
)
def test_thirty_unpaid_orders_in_an_hour_are_a_flood_unless_many_are_paid(
    app: Flask, unpaid: int, paid: int, age: timedelta, is_told: bool
) -> None:
    order = told.placed(attempts=0)
    for number in range(unpaid + paid):
        state = "expired" if number < unpaid else "complete"
        told.attempt(order, number + 1, session_id=None, state=state, first_tried_at=NOW - age)
    for _ in range(2):
        watch.note_unpaid(at=NOW)
    assert alerts() == (["unpaid_flood"] if is_told else [])
