"""What people are told a moment later: once for each fact, to the right person, in words that are true."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock, schedule
from giftshop.catalog.practice import get_practice
from giftshop.certificates import encryption
from giftshop.corrections import gifts
from giftshop.dates import write_day
from giftshop.delivery import timing
from giftshop.delivery.messages import compose
from giftshop.delivery.models import Delivery
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import news
from giftshop.orders.look_up import token_of
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.orders.stripe_side import StripeSide

TODAY = clock.today("America/Denver")
NEXT_WEEK, LATER = TODAY + timedelta(days=7), TODAY + timedelta(days=30)
BASE = "https://gifts.example.com"


def tick(*, after: timedelta = timedelta()) -> list[Delivery]:
    """Let the clock's job look, and return the messages it made."""
    last = db.session.scalar(sa.select(sa.func.max(Delivery.id))) or 0
    news.queue_news(at=clock.now() + after)
    db.session.commit()
    return list(db.session.scalars(sa.select(Delivery).where(Delivery.id > last).order_by(Delivery.id)))


def bodies(message: Delivery) -> tuple[str, list[str]]:
    """Return a message's subject, and its text and its HTML."""
    facts: dict[str, Any] = json.loads(encryption.open_sealed(message.facts_enc, message.message_id))
    composed = compose(message, facts, [], base_url=BASE, sender="gifts@example.com")
    parts = [composed.get_body((kind,)) for kind in ("plain", "html")]
    return str(composed["Subject"]), [" ".join(part.get_content().split()) for part in parts if part is not None]


def assert_says(message: Delivery, subject: str, *sentences: str) -> None:
    """Check that both parts of a message say something, and that neither holds a code."""
    said_subject, said = bodies(message)
    assert said_subject == subject
    codes = [build.code_of(each) for each in db.session.query(Certificate) if each.status != "void"]
    for body in said:
        for sentence in sentences:
            assert sentence in body, body
        assert not any(code in body.replace("-", "") for code in codes)


def put_gifts(**values: Any) -> None:
    db.session.execute(sa.update(Delivery).where(Delivery.kind == "gift").values(**values))
    db.session.commit()


@pytest.fixture
def in_use(stripe_side: StripeSide) -> Certificate:
    """A certificate of $120.00 that Ana has got by mail."""
    _order, certificate = stripe_side.sell_one(120_00)
    put_gifts(state="sent", sent_at=clock.now())
    return certificate


# --- used -------------------------------------------------------------------------------------------


@both_databases
def test_each_redemption_is_mailed_once_to_the_recipient(in_use: Certificate) -> None:
    take(in_use.id, 95_00)
    take(in_use.id, 5_00)
    db.session.commit()
    first, second = tick()
    assert [each.to_address for each in (first, second)] == ["ana@example.com"] * 2
    assert_says(first, "$25.00 left on your certificate", "$95.00 was taken off", "(970) 555-0134", f"{BASE}/balance")
    assert_says(second, "$20.00 left on your certificate", "$5.00 was taken off")
    assert tick() == []
    assert tick(after=timedelta(days=2)) == []


def test_a_redemption_that_was_undone_is_told_as_put_back(in_use: Certificate) -> None:
    entry = take(in_use.id, 95_00)
    tick()
    give_back(entry)
    db.session.commit()
    (message,) = tick()
    assert_says(message, "$95.00 is back on your certificate", "$120.00 is on it now")


def test_a_certificate_used_up_is_not_asked_back_for_more(in_use: Certificate) -> None:
    take(in_use.id, 120_00)
    db.session.commit()
    (message,) = tick()
    assert "next visit" not in bodies(message)[1][0]


def test_who_has_no_address_or_no_gift_yet_is_told_nothing(app: Flask, in_use: Certificate) -> None:
    put_gifts(state="scheduled")
    printed = build.certificate()
    for certificate in (in_use, printed):
        take(certificate.id, 10_00)
    db.session.commit()
    assert tick() == []
    put_gifts(state="sent")
    assert [each.kind for each in tick()] == ["used"]


def test_what_was_left_untold_for_a_while_is_told_and_what_is_old_is_not(in_use: Certificate) -> None:
    take(in_use.id, 10_00)
    db.session.commit()
    assert tick(after=news.LOOK_BACK + timedelta(minutes=1)) == []
    assert len(tick(after=news.LOOK_BACK - timedelta(minutes=1))) == 1


# --- waiting ----------------------------------------------------------------------------------------


@both_databases
def test_the_buyer_is_told_when_a_gift_goes_out_and_anew_when_that_was_changed(stripe_side: StripeSide) -> None:
    order = stripe_side.sell(build.gift_request(deliver_on=NEXT_WEEK))
    (message,) = tick()
    assert message.to_address == "marko@example.com"
    goes = f"Ana: to ana@example.com on {write_day(NEXT_WEEK)} at 9:00"
    path = f"{BASE}/orders/{token_of(order)}"
    assert_says(message, f"Ana’s massage goes out on {write_day(NEXT_WEEK)}", goes, "Denver time (UTC", path)
    assert tick() == []
    gifts.send_on(order.gifts[0], LATER, key=build.request_key())
    db.session.commit()
    (again,) = tick()
    assert_says(again, f"Ana’s massage goes out on {write_day(LATER)}")
    assert tick() == []


@both_databases
def test_the_buyer_is_told_anew_when_the_practice_moved_the_moment(stripe_side: StripeSide) -> None:
    stripe_side.sell(*[build.gift_request(deliver_on=day) for day in (LATER, NEXT_WEEK)])
    tick()
    put_gifts(created_at=clock.now() - news.LOOK_BACK - timedelta(days=1))  # bought long ago
    practice = get_practice()
    practice.time_zone, practice.delivery_hour = "Pacific/Auckland", 17
    assert timing.follow(practice, at=clock.now()).count == 2
    db.session.commit()
    (again,) = tick()
    moved = [f"on {write_day(day)} at 5:00 PM Auckland time (UTC+1" for day in (LATER, NEXT_WEEK)]
    _subject, parts = bodies(again)
    for part in parts:
        assert all(words in part.replace("\u202f", " ") for words in moved)
    assert tick() == []
    assert timing.follow(practice, at=clock.now()).count == 0
    assert tick() == []


def test_several_gifts_that_wait_are_one_message_and_none_more_as_they_go_out(stripe_side: StripeSide) -> None:
    days = (LATER, NEXT_WEEK, None)
    order = stripe_side.sell(*[build.gift_request(deliver_on=day) for day in days])
    (message,) = tick()
    assert_says(message, "When your 2 gifts go out", write_day(LATER), write_day(NEXT_WEEK))
    for gift in reversed(order.gifts):
        db.session.execute(sa.update(Delivery).where(Delivery.gift_id == gift.id).values(state="sent"))
        db.session.commit()
        assert tick() == []


def test_a_gift_that_goes_out_now_is_not_announced(stripe_side: StripeSide) -> None:
    stripe_side.sell(build.gift_request(), build.gift_request(delivery="print"))
    assert tick() == []


# --- could not be delivered -------------------------------------------------------------------------


@both_databases
def test_the_buyer_is_told_of_a_gift_that_could_not_be_delivered_and_where_to_fix_it(stripe_side: StripeSide) -> None:
    order = stripe_side.sell(build.gift_request(recipient_email="anna@exmaple.com"))
    put_gifts(state="failed", ended_at=clock.now(), last_error="Refused.")
    message, alert = tick()
    assert (message.to_address, alert.to_address) == ("marko@example.com", "hello@focusedcare.example")
    path = f"{BASE}/orders/{token_of(order)}/gifts/1"
    assert_says(message, "We couldn’t reach Ana", "anna@exmaple.com", path, "Nothing is lost")
    assert_says(alert, "Needs you: an email bounced", "order G-1001", "Refused.", f"{BASE}/office/orders/{order.id}")
    assert tick() == []


def test_a_gift_that_was_sent_again_already_is_not_told_as_lost(stripe_side: StripeSide) -> None:
    order = stripe_side.sell(build.gift_request())
    put_gifts(state="failed", ended_at=clock.now())
    gifts.send_to(order.gifts[0], "ana@example.org", key=build.request_key())
    db.session.commit()
    assert tick() == []


# --- the clock --------------------------------------------------------------------------------------


def test_the_clock_looks_every_minute(in_use: Certificate) -> None:
    take(in_use.id, 10_00)
    db.session.commit()
    schedule.queue_news()
    assert db.session.query(Delivery).filter_by(kind="used").count() == 1
    assert jobs._process.recurring["tell_news"] == 60


def test_names_that_look_like_addresses_do_not_become_links(stripe_side: StripeSide) -> None:
    stripe_side.sell(build.gift_request(recipient_name="evil.example", deliver_on=NEXT_WEEK))
    (message,) = tick()
    assert "evil.example" not in bodies(message)[1][0]
