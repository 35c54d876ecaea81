"""A clock that was a year ahead for a while: noticed and told, and everything goes on when it is right again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from limits import RateLimitItemPerHour

from giftshop import clock, schedule
from giftshop.delivery import deliveries
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.waking import LONGEST, wake_stuck
from giftshop.errors import CertificateNotFoundError
from giftshop.foundation import heartbeats, jobs, sightings
from giftshop.foundation.activity_log import Activity, ActivityEvent
from giftshop.foundation.database import db, find_latest_stamp
from giftshop.ledger import seals
from giftshop.ledger.undo import may_undo_own
from giftshop.notifications import daily_report, failed_scans, news
from giftshop.notifications.models import Alert
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.run import _watermark, find_last_run
from giftshop.redemption.verdict import just_redeemed
from giftshop.web.limiter import limiter
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import take
from tests.signing_in import browser, hire, signed_in

NOON = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=False):
        yield


def seal(moment: datetime) -> bool:
    """Let the clock's job look; tell whether it sealed."""
    with at(moment):
        made = daily_report.seal_and_report(at=moment)
        db.session.commit()
        return made is not None


@both_databases
def test_seals_and_daily_mails_go_on_and_nothing_breaks_when_the_day_comes(app: Flask) -> None:
    with at(NOON):
        build.certificate()
    assert seal(NOON)
    assert seal(NOON + YEAR)  # the clock is ahead
    assert not seal(NOON + timedelta(hours=1))  # it is right again: today's is made
    days = [NOON + timedelta(days=number) for number in (1, 2, 3)]
    assert [seal(day) for day in days] == [True] * 3
    assert seal(NOON + YEAR)  # the day itself: a mail has that day's key already
    assert not seal(NOON + YEAR + timedelta(hours=1))
    mails = db.session.scalars(sa.select(Delivery.message_id).where(Delivery.kind == MessageKind.DAILY)).all()
    assert len(mails) == len(set(mails)) == 6
    assert list(seals.verify()) != []


@both_databases
def test_a_limit_that_was_filled_meanwhile_is_open_again(app: Flask) -> None:
    item = RateLimitItemPerHour(2)
    with at(NOON + YEAR):
        assert [limiter.limiter.hit(item, "who") for _ in range(3)] == [True, True, False]
    with at(NOON):
        assert limiter.limiter.test(item, "who")
        assert [limiter.limiter.hit(item, "who") for _ in range(3)] == [True, True, False]
    with at(NOON + timedelta(hours=2)):
        assert limiter.limiter.hit(item, "who")
        schedule.forget_closed_limits()


def test_reconciliation_looks_back_from_the_last_run_that_is_past(app: Flask) -> None:
    for moment in (NOON - timedelta(minutes=5), NOON + YEAR):
        db.session.add(Reconciliation(started_at=moment, finished_at=moment))
    db.session.commit()
    with at(NOON):
        last = find_last_run()
        assert last is not None
        assert last.started_at == NOON - timedelta(minutes=5)
        assert _watermark() < NOON


def test_news_of_an_entry_from_the_future_are_told_once_and_stop_nothing(app: Flask) -> None:
    with at(NOON):
        built = build.certificate(delivery="recipient", recipient_email="ana@example.com")
        build.keep_back(built, until=NOON)
        sa_sent = sa.update(Delivery).where(Delivery.kind == "gift").values(state="sent")
        db.session.execute(sa_sent)
        db.session.commit()
    with at(NOON + YEAR):
        build.redeem(built, 10_00)
        db.session.commit()
    told = []
    for moment in (NOON, NOON + timedelta(days=1), NOON + timedelta(days=5), NOON + timedelta(days=30)):
        with at(moment):
            told.append(news.queue_news(at=moment))
            db.session.commit()
    assert told == [1, 0, 0, 0]


def test_a_wrong_code_from_the_future_counts_for_nothing(app: Flask) -> None:
    with at(NOON + YEAR):
        for _ in range(19):
            failed_scans.note_failed_scan(CertificateNotFoundError(), staff_id=1, name="Desi")
        db.session.commit()
    with at(NOON):
        failed_scans.note_failed_scan(CertificateNotFoundError(), staff_id=1, name="Desi")
        assert db.session.scalar(sa.select(sa.func.count(Alert.id))) == 0
        failed_scans.forget_failed_scans(at=NOON)
        assert failed_scans._count_failed("staff:1", since=NOON - YEAR, until=NOON + 2 * YEAR) == 1
        db.session.rollback()


def test_what_was_redeemed_in_the_future_was_not_just_now_and_is_not_undone_alone(app: Flask) -> None:
    built = build.certificate()
    with at(NOON + YEAR):
        entry = take(built.id, 10_00)
        db.session.commit()
    assert not just_redeemed(entry, at=NOON)
    assert not may_undo_own(entry, actor=entry.actor, at=NOON)
    assert may_undo_own(entry, actor=entry.actor, at=NOON + YEAR)


def test_a_sign_in_from_the_future_ends_and_people_sign_in_anew(app: Flask) -> None:
    staff = hire("staff")
    with at(NOON + YEAR):
        ahead = signed_in(app, staff)
        assert ahead.get("/redeem").status_code == 200
    with at(NOON):
        assert ahead.get("/redeem").location == "/staff/login"
        assert signed_in(app, staff).get("/redeem").status_code == 200


def test_a_look_from_the_future_does_not_hide_the_next_one(app: Flask) -> None:
    built = build.certificate()
    for moment in (NOON + YEAR, NOON, NOON + timedelta(minutes=5)):
        with at(moment):
            sightings.record_sighting(sightings.HOLDER, certificate_id=built.id)
    seen = sa.select(sa.func.count(ActivityEvent.id)).where(ActivityEvent.kind == Activity.VIEWED)
    assert db.session.scalar(seen) == 2


def test_a_beat_from_the_future_is_no_sign_of_life(app: Flask) -> None:
    heartbeats.beat_once("gone", at=NOON + YEAR)
    assert not heartbeats.is_any_alive(at=NOON)


@both_databases
def test_mail_that_was_put_off_until_that_day_goes_out(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with at(NOON):
        built = build.certificate(delivery="recipient", recipient_email="ana@example.com")
        build.keep_back(built, until=NOON + 2 * YEAR)  # a gift for a later day
        retried = _alert("retried", NOON)
    with at(NOON + YEAR):
        made_ahead = _alert("made ahead", NOON + YEAR)
    with at(NOON + timedelta(hours=1)):
        assert _woken(monkeypatch) == [made_ahead]
    with at(NOON + LONGEST + timedelta(hours=1)):
        assert _woken(monkeypatch) == [retried]  # the other one has its tries from then on


def _alert(name: str, moment: datetime) -> int:
    made = deliveries.schedule(
        MessageKind.ALERT,
        order_id=None,
        gift_id=None,
        to_address="x@example.com",
        facts={},
        certificate_ids=[],
        send_at=moment,
        message_key=name,
    )
    db.session.commit()
    return made.id


def _woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return which messages are enqueued anew, each for another turn than it had."""
    found: list[int] = []
    monkeypatch.setattr(jobs, "enqueue", lambda _name, row_id, *, key, turn: found.append(row_id))
    wake_stuck(at=clock.now())
    db.session.commit()
    return sorted(found)


@both_databases
def test_it_is_told_in_readiness_in_the_log_and_once_to_the_owner(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with at(NOON):
        assert find_latest_stamp() is None or find_latest_stamp() < NOON + YEAR  # type: ignore[operator]
        build.certificate()
        schedule.watch_clock()
        assert browser(app).get("/readyz").get_json()["notices"] == []
    assert seal(NOON + YEAR)
    with at(NOON + timedelta(minutes=1)):
        for _ in range(3):
            schedule.watch_clock()
        (notice,) = browser(app).get("/readyz").get_json()["notices"]
    assert notice.startswith("Something in the database is dated 2027-11-25 20:00 UTC")
    (alert,) = db.session.scalars(sa.select(Alert)).all()
    assert (alert.kind, "which is still to come" in alert.detail) == ("clock_was_ahead", True)
    assert "clock_was_ahead" in caplog.text
