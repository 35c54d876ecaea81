"""Guessing at the counter: one person's many wrong codes are told to the practice once; a slip is not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop.delivery.models import Delivery
from giftshop.foundation.activity_log import Activity, ActivityEvent
from giftshop.foundation.database import db
from giftshop.notifications.failed_scans import MANY, WINDOW
from giftshop.notifications.models import Alert
from tests import build
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


NO_GUESSES = [
    "HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2QX9RTB4DHVWR",
    "HTTPSM!!GIFT:EXQ?PLE:CO?!C!Kè?éYWçQTZ'AHàVA",
    "РЕЕЗЫЖ..ПШАЕюУЧФЬЗДУюСЩЬ.С.Л7Ь2НЯ9ФЕЦ4ЙР0МЙ",
    "K7M2-QX9R-TB4D-HVWS",
    "K7M2-QX9R-TB4D",
    "https://elsewhere.example/menu",
    "Žaneta Đorđević",
    "On 7 May 2026, Ana and Jon",
    "",
]


@pytest.mark.parametrize("role", ["staff", "manager"])
@pytest.mark.parametrize("typed", NO_GUESSES)
def test_nobody_is_accused_for_a_scanner_a_slip_or_a_search(app: Flask, typed: str, role: str) -> None:
    with time_machine.travel(NOON, tick=False):
        desk = signed_in(app, hire(role))
        for _ in range(MANY + 5):
            assert desk.post("/redeem", data={"code": typed}).status_code == 422
    assert alerts() == []


def test_nobody_is_accused_for_a_dead_code(desk: FlaskClient) -> None:
    certificate = build.certificate()
    dead = build.code_of(certificate)
    build.reissue(certificate)
    with time_machine.travel(NOON, tick=False):
        for _ in range(MANY + 5):
            assert desk.post("/redeem", data={"code": dead}).status_code == 422
            assert desk.get(f"/C/{dead}").status_code == 303
    assert alerts() == []


def test_a_search_for_nobody_is_no_scan_on_record(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        manager = signed_in(app, hire("manager"))
        for words in ("Nobody Here", "nobody@example.com", "G-99999", "On 7 May 2026, Ana and Jon"):
            assert manager.post("/redeem", data={"code": words}).status_code == 422
    assert db.session.query(ActivityEvent).filter_by(kind=Activity.SCAN_FAILED).count() == 0


def test_guesses_by_address_count_like_typed_ones(desk: FlaskClient) -> None:
    with time_machine.travel(NOON, tick=False):
        for _ in range(MANY):
            assert desk.get(f"/C/{NOBODYS}").status_code == 303
    assert len(alerts()) == 1


def test_two_people_with_slips_of_their_own_alert_nobody(app: Flask, desk: FlaskClient) -> None:
    with time_machine.travel(NOON - timedelta(minutes=1), tick=False):
        other = signed_in(app, hire("staff", "other@practice.example"))
    guess(desk, MANY - 1, every=timedelta(seconds=1))
    guess(other, MANY - 1, every=timedelta(seconds=1))
    assert alerts() == []
