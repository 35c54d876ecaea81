"""What was never paid is forgotten after the practice's days; whatever money belonged to is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_installation
from giftshop.checkout.fulfilment import find_mismatch
from giftshop.checkout.purging import purge_unpaid
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications.models import Alert
from giftshop.orders.finding import ANY, Wanted, find_orders
from giftshop.orders.models import Gift, Order
from giftshop.orders.notes import OrderNote
from giftshop.orders.search import find_exactly
from giftshop.orders.search_index import SearchWord
from tests import build
from tests.conftest import both_databases
from tests.orders import told

DAYS = timedelta(days=31)


def unpaid(name: str = "Kovačević", *, attempts: int = 1) -> Order:
    gift = build.gift_request(recipient_name=name, recipient_email=f"{name.lower()}@example.com")
    order = told.placed(gift, attempts=attempts)
    order.state = "expired"
    for attempt in order.attempts:
        attempt.state = "expired"
    db.session.commit()
    return order


def everything_kept() -> str:
    """Return all the text and bytes of every table, as a dump would hold them."""
    tables = sa.inspect(db.engine).get_table_names()
    rows = [str(row) for table in tables for row in db.session.execute(sa.text(f'SELECT * FROM "{table}"'))]
    return "\n".join(rows)


@both_databases
def test_who_never_paid_is_forgotten_and_it_is_on_record(app: Flask) -> None:
    order = unpaid()
    assert "Kovačević" in everything_kept()
    assert purge_unpaid(at=clock.now() + DAYS) == 1
    db.session.commit()
    left = everything_kept().casefold()
    for gone in ("kovačević", "kovacevic", "marko@example.com", "192.0.2.1", "shoulders have carried"):
        assert gone not in left, gone
    event = db.session.scalars(sa.select(ActivityEvent).where(ActivityEvent.kind == "purged")).one()
    assert (event.actor, event.facts) == ("system", '{"orders": 1}')
    assert find_orders(Wanted(state=ANY)).orders == []
    assert find_exactly(order.number) is None
    assert purge_unpaid(at=clock.now() + DAYS) == 0


def is_paid(order: Order) -> None:
    order.state, order.received_cents = "expired", order.total_cents


def is_processing(order: Order) -> None:
    order.state = "processing"


def may_still_be_paid(order: Order) -> None:
    order.attempts[0].expires_at = clock.now() + 2 * DAYS


def is_a_question(order: Order) -> None:
    db.session.add(Alert(kind="in_review", subject="cs_9", detail="", order_id=order.id, created_at=clock.now()))


def has_a_note(order: Order) -> None:
    db.session.add(OrderNote(order_id=order.id, text="will call", actor="staff:1", written_at=clock.now()))


@pytest.mark.parametrize("happened", [is_paid, is_processing, may_still_be_paid, is_a_question, has_a_note])
def test_an_order_that_concerns_somebody_stays(app: Flask, happened: Callable[[Order], None]) -> None:
    happened(unpaid())
    db.session.commit()
    assert purge_unpaid(at=clock.now() + DAYS) == 0


@both_databases
def test_a_sold_order_and_its_words_stay(app: Flask) -> None:
    build.certificate(recipient_name="Vera")
    unpaid("Iris")
    assert purge_unpaid(at=clock.now() + DAYS) == 1
    assert db.session.query(Certificate).one().recipient_name == "Vera"
    words = set(db.session.scalars(sa.select(SearchWord.word)))
    assert "vera" in words
    assert "iris" not in words


def test_the_practice_says_how_long(app: Flask) -> None:
    unpaid()
    db.session.get_one(Practice, 1).unpaid_kept_days = 40
    assert purge_unpaid(at=clock.now() + DAYS) == 0
    assert purge_unpaid(at=clock.now() + timedelta(days=41)) == 1


def test_a_payment_that_comes_for_it_after_all_is_reviewed(app: Flask) -> None:
    order = unpaid()
    purge_unpaid(at=clock.now() + DAYS)
    db.session.refresh(order)
    reason = find_mismatch(order, told.session_of(order), get_installation())
    assert reason == "nobody had paid it for weeks, and its names were deleted"
    assert [gift.recipient_name for gift in db.session.query(Gift)] == [""]
