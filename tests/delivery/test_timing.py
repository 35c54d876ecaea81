"""The days that messages were promised for: the moment follows zone, hour and rules, and its job follows the moment."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.delivery import deliveries, stuck, timing
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.schedule import follow_days
from tests import build
from tests.conftest import both_databases
from tests.delivery.conftest import GIFT_FACTS, schedule_gift
from tests.delivery.mail_servers import MailServer, free_port
from tests.zone_rules import OLD, going_by

BASE = "https://gifts.focusedcare.example"
NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
DAY = date(2027, 1, 15)
DELAYS = "SELECT workflow_uuid, delay_until_epoch_ms FROM {}workflow_status WHERE workflow_uuid LIKE 'deliver:%'"


@pytest.fixture(autouse=True)
def _in_november(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let it be November, but where the job engine runs, which has a clock of its own."""
    if "on_time" in request.node.name:
        yield
        return
    with time_machine.travel(NOW, tick=False):
        yield


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def set_clock(zone: str, hour: int = 9) -> Practice:
    """Let the practice be somewhere; its gifts go out at an hour."""
    practice = get_practice()
    practice.time_zone, practice.delivery_hour = zone, hour
    db.session.commit()
    return practice


def promise(day: date = DAY, *, send_at: datetime | None = None) -> int:
    """Schedule a gift for a day, and return the message's id; `send_at` is what it was computed to be before."""
    certificate, moment = build.certificate(), timing.moment_of(day, get_practice())
    message = deliveries.schedule(
        MessageKind.GIFT,
        order_id=None,
        gift_id=None,
        to_address="ana@example.com",
        facts=GIFT_FACTS,
        certificate_ids=[certificate.id],
        send_at=send_at or moment,
        message_key=f"{certificate.public_id}.gift.0.1",
    )
    message.send_on, delivery_id = day, message.id
    db.session.commit()
    return delivery_id


def row(delivery_id: int) -> Delivery:
    return db.session.get_one(Delivery, delivery_id, populate_existing=True)


def follow(practice: Practice, moment: datetime = NOW) -> timing.Moved:
    moved = timing.follow(practice, at=moment)
    db.session.commit()
    return moved


def job_of(delivery_id: int, database: str = "sqlite") -> datetime:
    """Return when the job that may send a message now wakes up."""
    query = sa.text(DELAYS.format("dbos." if database == "postgresql" else ""))
    delays = dict(db.session.execute(query).all())
    turn = row(delivery_id).turn
    db.session.rollback()
    return datetime.fromtimestamp(delays[f"deliver:{delivery_id}:{turn}"] / 1000, UTC)


def send(delivery_id: int, server: MailServer | None, *, turn: int | None = None) -> Delivery:
    """Run a message's job, of its own turn unless another is given, as the engine would."""
    url = server.url if server else f"smtp://127.0.0.1:{free_port()}"
    own = row(delivery_id).turn
    db.session.rollback()
    mailer = Mailer(sender="gifts@practice.example", smtp_url=url, mailbox_url="", mailbox_key="")
    deliveries.deliver(delivery_id, own if turn is None else turn, mailer, base_url=BASE)
    return row(delivery_id)


@both_databases
@pytest.mark.parametrize(
    ("zone", "hour", "moment"),
    [
        ("Pacific/Auckland", 9, "2027-01-14T20:00"),
        ("America/Denver", 17, "2027-01-16T00:00"),
        ("America/Phoenix", 8, "2027-01-15T15:00"),
        ("Africa/Casablanca", 0, "2027-01-15T00:00"),
    ],
)
def test_what_waits_for_a_day_follows_zone_and_hour_and_its_job_too(
    app: Flask, zone: str, hour: int, moment: str, database: str
) -> None:
    set_clock("America/Denver")
    delivery_id = promise()
    assert job_of(delivery_id, database) == row(delivery_id).send_at == at("2027-01-15T16:00")
    assert follow(set_clock(zone, hour)) == timing.Moved(count=1, at_once=0)
    moved = row(delivery_id)
    assert (moved.send_at, moved.send_on, moved.turn, moved.first_turn) == (at(moment), DAY, 1, 1)
    assert job_of(delivery_id, database) == at(moment)
    assert follow(get_practice()) == timing.Moved()
    assert row(delivery_id).turn == 1


@both_databases
def test_new_rules_move_what_waits_and_old_ones_move_nothing_back(app: Flask, database: str) -> None:
    with going_by(OLD):
        set_clock("America/Vancouver")
        delivery_id = promise()
        follow_days()
        assert (row(delivery_id).send_at, row(delivery_id).moved_at) == (at("2027-01-15T17:00"), None)
        assert get_installation().zone_rules == "2025b"
        db.session.rollback()
    follow_days()
    assert row(delivery_id).send_at == at("2027-01-15T16:00")
    assert job_of(delivery_id, database) == at("2027-01-15T16:00")
    assert get_installation().zone_rules == clock.rules_in_use().version
    db.session.rollback()
    with going_by(OLD):
        follow_days()
    assert row(delivery_id).send_at == at("2027-01-15T16:00")


def test_the_job_of_before_sends_nothing_and_that_of_now_once(app: Flask, mail_server: MailServer) -> None:
    set_clock("America/Denver")
    delivery_id = promise()
    follow(set_clock("America/Phoenix", 8))
    with time_machine.travel(at("2027-01-15T15:00"), tick=False):
        assert send(delivery_id, mail_server, turn=0).state == "scheduled"
        assert mail_server.arrived == []
        assert send(delivery_id, mail_server).state == "sent"
        assert send(delivery_id, mail_server, turn=0).state == "sent"
    (arrived,) = mail_server.arrived
    assert arrived.message["Date"] == "Fri, 15 Jan 2027 15:00:00 +0000"


def test_a_job_that_comes_before_the_hour_of_its_day_sends_nothing_and_comes_again(
    app: Flask, mail_server: MailServer
) -> None:
    with going_by(OLD):
        set_clock("America/Winnipeg")  # 15:00 then; by the new rules an hour earlier
        delivery_id = promise()
    set_clock("America/Winnipeg", 11)  # nobody has followed it yet
    with time_machine.travel(at("2027-01-15T15:00"), tick=False):
        waiting = send(delivery_id, mail_server)
    assert (waiting.state, waiting.attempts, waiting.send_at) == ("scheduled", 0, at("2027-01-15T16:00"))
    assert job_of(delivery_id) == at("2027-01-15T16:00")
    with time_machine.travel(at("2027-01-15T16:00"), tick=False):
        assert send(delivery_id, mail_server).state == "sent"
    assert len(mail_server.arrived) == 1


def test_a_job_by_older_rules_than_those_that_counted_trusts_the_moment(app: Flask, mail_server: MailServer) -> None:
    set_clock("America/Winnipeg")
    delivery_id = promise()
    follow_days()
    with going_by(OLD), time_machine.travel(at("2027-01-15T14:00"), tick=False):  # nine by the new rules only
        assert send(delivery_id, mail_server).state == "sent"


def test_what_has_passed_where_the_practice_really_is_goes_out_at_once(app: Flask, mail_server: MailServer) -> None:
    set_clock("America/Denver", 23)
    delivery_id = promise(date(2026, 11, 25))
    assert row(delivery_id).send_at == at("2026-11-26T06:00")
    late = at("2026-11-25T12:00")
    with time_machine.travel(late, tick=False):
        assert follow(set_clock("Pacific/Auckland", 9), late) == timing.Moved(count=1, at_once=1)
        assert row(delivery_id).send_at == late
        assert follow(get_practice(), late + timedelta(seconds=1)) == timing.Moved()
        assert send(delivery_id, mail_server).state == "sent"


@pytest.mark.parametrize("state", ["sending", "sent", "failed", "cancelled"])
def test_what_does_not_wait_any_more_is_left_alone(app: Flask, state: str) -> None:
    set_clock("America/Denver")
    delivery_id = promise()
    row(delivery_id).state = state
    db.session.commit()
    assert follow(set_clock("Pacific/Auckland")) == timing.Moved()
    assert (row(delivery_id).send_at, row(delivery_id).turn) == (at("2027-01-15T16:00"), 0)


def test_a_message_for_now_and_one_that_is_tried_again_follow_no_day(app: Flask) -> None:
    set_clock("America/Denver")
    now, tried = schedule_gift(), promise()
    with time_machine.travel(at("2027-01-15T16:00"), tick=False):
        assert send(tried, None).state == "scheduled"
        assert follow(set_clock("Pacific/Auckland", 23), clock.now()) == timing.Moved()
    assert (row(now).turn, row(tried).turn, row(tried).first_turn) == (0, 1, 0)


def test_a_message_that_was_moved_is_tried_as_often_as_any(app: Flask, mail_server: MailServer) -> None:
    set_clock("America/Denver")
    delivery_id = promise()
    for hour in (10, 11, 12):
        follow(set_clock("America/Denver", hour))
    mail_server.to_address = "450 4.2.0 later"
    wakes = at("2027-01-15T19:00")
    for tries in range(len(stuck.BACK_OFF_MINUTES)):
        with time_machine.travel(wakes, tick=False):
            troubled = send(delivery_id, mail_server)
            assert (troubled.state, troubled.turn) == ("scheduled", troubled.first_turn + tries + 1)
        wakes += timedelta(minutes=stuck.BACK_OFF_MINUTES[tries])
        assert job_of(delivery_id) == wakes
    with time_machine.travel(wakes, tick=False):
        assert send(delivery_id, mail_server).state == "failed"


def test_pages_say_the_promise_before_anybody_has_followed_it(app: Flask) -> None:
    with going_by(OLD):
        set_clock("America/Vancouver")
        message = row(promise())
        assert timing.due_at(message, get_practice()) == message.send_at
    assert timing.due_at(message, get_practice()) == at("2027-01-15T16:00") < message.send_at
    message.state = "sent"
    assert timing.due_at(message, get_practice()) == message.send_at
    db.session.rollback()


def test_two_that_follow_at_once_move_a_message_once(app: Flask) -> None:
    set_clock("America/Denver")
    delivery_id = promise()
    before = row(delivery_id).send_at
    later = before + timedelta(hours=2)
    assert timing._move(delivery_id, later, before=before, at=NOW)
    assert not timing._move(delivery_id, later, before=before, at=NOW)
    db.session.commit()
    assert row(delivery_id).turn == 1


@both_databases
def test_the_engine_sends_on_time_what_was_moved(app: Flask, mail_server: MailServer) -> None:
    zone = f"Etc/GMT{clock.now().hour - 12:+}"  # where it is about noon
    set_clock(zone, 23)
    mailer = Mailer(sender="gifts@practice.example", smtp_url=mail_server.url, mailbox_url="", mailbox_key="")
    deliveries.register_job(mailer, base_url=BASE)
    delivery_id = promise(clock.today(zone), send_at=clock.now())  # as it was by a clock that is wrong
    jobs.start(app)
    try:
        wait_for(lambda: row(delivery_id).turn == 1)
        assert (row(delivery_id).state, mail_server.arrived) == ("scheduled", [])
        assert timing.follow(set_clock(zone, 0), at=clock.now()) == timing.Moved(count=1, at_once=1)
        db.session.commit()
        wait_for(lambda: row(delivery_id).state == "sent")
    finally:
        jobs.stop()
    assert len(mail_server.arrived) == 1


def wait_for(has_happened: Callable[[], bool]) -> None:
    """Look again and again, for twenty seconds at most, and hold no lock in between."""
    end = time.monotonic() + 20
    while not has_happened():
        db.session.rollback()
        assert time.monotonic() < end
        time.sleep(0.1)
    db.session.rollback()
