"""Asking for the money back: while unused, within the days that were promised, once; told, or done at once."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications.models import Alert
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order, Refund, RefundWish
from giftshop.payments.gateway import StripeGateway
from tests import build
from tests.conftest import both_databases
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor
from tests.storefront.order_buyer import Buyer, buy


def pay_back_at_once() -> None:
    db.session.get_one(Practice, 1).buyer_refund = "at_once"
    db.session.commit()


@pytest.fixture
def buyer(visitor: Visitor, stripe_side: StripeSide) -> Buyer:
    """Who bought a 60-minute massage for $95.00, to print."""
    return buy(visitor, stripe_side, delivery="print")


def press(buyer: Buyer, **changes: str) -> int:
    """Open the order's page and press its button; return the status."""
    buyer.visitor.open(buyer.path)
    return buyer.visitor.send(f"{buyer.path}/refund", changes).status_code


def refunds() -> list[tuple[int, str, str]]:
    db.session.rollback()
    found = [(each.amount_cents, each.state, each.actor) for each in db.session.query(Refund).order_by(Refund.id)]
    db.session.rollback()
    return found


def wished() -> int:
    db.session.rollback()
    count = db.session.query(RefundWish).count()
    db.session.rollback()
    return count


def alerts() -> list[str]:
    db.session.rollback()
    open_ones = sa.select(Alert.detail).where(Alert.kind == "refund_wished", Alert.resolved_at.is_(None))
    found = list(db.session.scalars(open_ones))
    db.session.rollback()
    return found


def certificate() -> Certificate:
    return db.session.query(Certificate).one()


def test_the_button_asks_the_practice_once_and_the_page_says_when(buyer: Buyer) -> None:
    page = buyer.visitor.open(buyer.path).text
    assert "Ask for $95.00 back" in page
    sent = dict(buyer.visitor.fields)
    answer = buyer.visitor.send(f"{buyer.path}/refund")
    assert (answer.status_code, answer.location) == (303, f"{buyer.path}?done=asked")
    assert buyer.visitor.send(f"{buyer.path}/refund", sent).status_code == 303
    page = buyer.visitor.open(buyer.path).text
    assert "You asked for $95.00 back on" in page
    assert "Ask for $95.00 back" not in page
    assert alerts() == ["The buyer of order G-1001 asks for $95.00 back: it is unused, and your terms promise it."]
    mails = db.session.query(Delivery).filter_by(kind="alert").all()
    assert [mail.to_address for mail in mails] == ["hello@focusedcare.example"]
    assert (refunds(), wished()) == ([], 1)


@both_databases
def test_where_the_owner_allows_it_the_money_goes_back_at_once_and_never_twice(buyer: Buyer) -> None:
    pay_back_at_once()
    assert "Pay me $95.00 back" in buyer.visitor.open(buyer.path).text
    sent = dict(buyer.visitor.fields)
    for _ in range(2):
        answer = buyer.visitor.send(f"{buyer.path}/refund", sent)
        assert (answer.status_code, answer.location) == (303, f"{buyer.path}?done=refund")
    assert refunds() == [(95_00, "settled", "buyer")]
    assert certificate().status == "void"
    assert alerts() == []
    assert "Changed your mind?" not in buyer.visitor.open(buyer.path).text


def test_while_stripe_cannot_be_reached_the_money_is_held_and_not_asked_twice(buyer: Buyer, app: Flask) -> None:
    pay_back_at_once()
    app.extensions["stripe_gateway"] = StripeGateway(
        secret_key="sk_test_sim_0123456789", api_base="http://127.0.0.1:9", webhook_secrets=["x"]
    )
    assert press(buyer) == 303
    assert refunds() == [(95_00, "held", "buyer")]
    assert "Pay me" not in buyer.visitor.open(buyer.path).text


def test_what_was_used_since_the_page_was_opened_is_not_paid_back(buyer: Buyer) -> None:
    pay_back_at_once()
    buyer.visitor.open(buyer.path)
    build.redeem(certificate(), 30_00)
    db.session.commit()
    answer = buyer.visitor.send(f"{buyer.path}/refund")
    assert answer.status_code == 409
    assert "Something has happened to this order since the page was opened" in answer.text
    assert refunds() == []


def use_some() -> None:
    build.redeem(certificate(), 1)


def hold_it() -> None:
    from giftshop.certificates import status

    status.freeze(certificate().id, subject=status.BY_HAND, reason_code="test", actor="staff:3", at=clock.now())


@pytest.mark.parametrize("act", [use_some, hold_it])
def test_what_was_used_or_is_on_hold_is_not_asked_back(buyer: Buyer, act: object) -> None:
    assert callable(act)
    buyer.visitor.open(buyer.path)
    act()
    db.session.commit()
    assert buyer.visitor.send(f"{buyer.path}/refund").status_code == 409
    assert "Changed your mind?" not in buyer.visitor.open(buyer.path).text
    assert (wished(), refunds()) == (0, [])


def test_a_redemption_that_was_undone_leaves_it_unused(buyer: Buyer) -> None:
    mine = certificate()
    entry = build.redeem(mine, 30_00)
    build.undo(mine, entry)
    db.session.commit()
    assert press(buyer) == 303
    assert wished() == 1


PAID = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # October 31, 11:30 PM in Denver, hours before the clocks change


@pytest.mark.parametrize(
    ("days", "at", "is_offered"),
    [
        (14, datetime(2026, 11, 15, 6, 59, 59, tzinfo=UTC), True),
        (14, datetime(2026, 11, 15, 7, 0, tzinfo=UTC), False),
        (1, datetime(2026, 11, 2, 6, 59, 59, tzinfo=UTC), True),
        (1, datetime(2026, 11, 2, 7, 0, tzinfo=UTC), False),
        (0, PAID, False),
    ],
)
def test_the_days_are_counted_on_the_practices_calendar(
    buyer: Buyer, days: int, at: datetime, is_offered: bool
) -> None:
    order = db.session.query(Order).one()
    order.paid_at, order.refund_days = PAID, days
    db.session.commit()
    with time_machine.travel(at, tick=False):
        page = buyer.visitor.open(buyer.path).text  # half a day later the browser has to show whose it is anew
        assert ("Changed your mind?" in page) is is_offered


def test_what_was_promised_when_it_was_sold_holds(buyer: Buyer) -> None:
    db.session.get_one(Practice, 1).refund_days = 0
    db.session.commit()
    assert press(buyer) == 303
    assert "It cannot be paid back once it is bought." in buyer.visitor.open("/terms").text


def test_an_order_that_says_nothing_of_it_has_what_the_terms_promise_now(buyer: Buyer) -> None:
    db.session.query(Order).one().refund_days = None
    db.session.get_one(Practice, 1).refund_days = 3
    db.session.query(Order).one().paid_at = clock.now() - timedelta(days=5)
    db.session.commit()
    assert "Changed your mind?" not in buyer.visitor.open(buyer.path).text


def test_whoever_has_only_the_orders_address_is_asked_to_show_that_it_is_theirs(buyer: Buyer, app: Flask) -> None:
    stranger = Buyer(Visitor(app.test_client(), buyer.visitor.base_url), buyer.path)
    page = stranger.visitor.open(stranger.path).text
    assert "First show that the order is yours" in page
    assert "Ask for $95.00 back" not in page
    assert press(stranger, asked="1") == 403
    assert wished() == 0


def test_of_several_gifts_those_that_are_ticked_are_asked_back(visitor: Visitor, stripe_side: StripeSide) -> None:
    visitor.open("/gift")
    visitor.send("/gift", visitor.fill_gift(delivery="print") | {"add_gift": "1"})
    both = visitor.fill_gift(delivery="print") | visitor.fill_gift(
        1, offer="90-minutes", delivery="print", quantity="2"
    )
    assert visitor.send("/gift", both).status_code == 303
    order = db.session.query(Order).one()
    stripe_side.tell("checkout.session.completed", stripe_side.pay(order))
    buyer = Buyer(visitor, f"/orders/{token_of(order)}")
    db.session.rollback()
    page = visitor.open(buyer.path).text
    assert "Ana, $95.00" in page
    assert "Ana, $240.00" in page
    del visitor.fields["asked"]
    assert visitor.send(f"{buyer.path}/refund").status_code == 422
    assert press(buyer, asked="2") == 303
    assert wished() == 2
    assert "asks for $240.00 back" in alerts()[0]
    assert press(buyer, asked="1") == 303
    assert (wished(), len(alerts())) == (3, 2)


@pytest.mark.parametrize("fields", [{"request_key": ""}, {"request_key": "short"}, {"asked": "9"}, {"asked": "\ud800"}])
def test_a_form_that_did_not_arrive_whole_does_nothing(buyer: Buyer, fields: dict[str, str]) -> None:
    readable = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    assert press(buyer, **readable) in (400, 409, 422)
    assert wished() == 0


def test_an_unpaid_order_has_nothing_to_ask_back(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift())
    path = f"/orders/{token_of(db.session.query(Order).one())}"
    db.session.rollback()
    assert "Changed your mind?" not in paying.open(path).text


@both_databases
def test_two_pages_pressed_at_once_pay_back_once(buyer: Buyer, app: Flask) -> None:
    pay_back_at_once()
    buyer.visitor.open(buyer.path)
    start, statuses = Barrier(4), list[int]()

    def send() -> None:
        form = dict(buyer.visitor.fields) | {"request_key": build.request_key()}
        cookie = buyer.visitor.client.get_cookie("giftshop", domain="127.0.0.1")
        assert cookie is not None
        browser = app.test_client()
        browser.set_cookie("giftshop", cookie.value, domain="127.0.0.1")
        start.wait()
        answer = browser.post(f"{buyer.path}/refund", data=form, base_url=buyer.visitor.base_url)
        statuses.append(answer.status_code)

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 409, 409, 409]
    assert refunds() == [(95_00, "settled", "buyer")]
