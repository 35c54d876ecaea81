"""Guessing at the counter: one person's many wrong codes are told to the practice once; a slip is not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.notifications.failed_scans import MANY, WINDOW
from giftshop.notifications.models import Alert
from tests.conftest import both_databases
from tests.signing_in import hire, signed_in

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOBODYS = "K7M2-QX9R-TB4D-HVWR"
pytestmark = both_databases


def guess(desk: FlaskClient, times: int, *, every: timedelta, start: datetime = NOON) -> None:
    """Try a code that nobody has, again and again."""
    for number in range(times):
        with time_machine.travel(start + number * every, tick=False):
            assert desk.post("/redeem", data={"code": NOBODYS}).status_code == 422


def alerts() -> list[Alert]:
    return list(db.session.scalars(sa.select(Alert)))


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """A browser at the front desk, signed in at noon."""
    with time_machine.travel(NOON - timedelta(minutes=1), tick=False):
        return signed_in(app, hire("staff"))


def test_the_twentieth_wrong_code_is_told_to_the_practice_once(desk: FlaskClient) -> None:
    guess(desk, MANY - 1, every=timedelta(seconds=20))
    assert alerts() == []
    guess(desk, 3, every=timedelta(seconds=20), start=NOON + timedelta(minutes=7))
    assert [alert.kind for alert in alerts()] == ["many_failed_scans"]
    assert NOBODYS not in alerts()[0].detail
    sent = db.session.scalars(sa.select(Delivery).where(Delivery.kind == "alert")).all()
    assert len(sent) == 1


def test_slips_over_a_day_alert_nobody(desk: FlaskClient) -> None:
    guess(desk, MANY + 5, every=WINDOW / (MANY - 1) + timedelta(seconds=1))
    assert alerts() == []


def test_two_people_with_slips_of_their_own_alert_nobody(app: Flask, desk: FlaskClient) -> None:
    with time_machine.travel(NOON - timedelta(minutes=1), tick=False):
        other = signed_in(app, hire("staff", "other@practice.example"))
    guess(desk, MANY - 1, every=timedelta(seconds=1))
    guess(other, MANY - 1, every=timedelta(seconds=1))
    assert alerts() == []
