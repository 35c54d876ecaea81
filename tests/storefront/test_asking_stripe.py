"""Asking Stripe again: a page opened over and over costs no more than a few calls, and still hears of payments."""

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.storefront.order import limits
from giftshop.web.limiter import limiter
from tests.conftest import both_databases
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor, heading


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """A stranger with an empty browser and no tries counted against them."""
    limiter.reset()
    return Visitor(app.test_client(), app.config["SHOP_SETTINGS"].base_url)


def open_page(stranger: Visitor, order: Order, times: int = 1) -> list[str]:
    """Open an order's page so many times; return what it says first. Nothing of the test's own is open meanwhile."""
    token = token_of(order)
    db.session.rollback()
    return [heading(stranger.open(f"/orders/{token}")) for _ in range(times)]


def asked(stripe_side: StripeSide, order: Order) -> int:
    """Count how often Stripe was asked about the order's session."""
    path = f"/v1/checkout/sessions/{order.attempts[-1].session_id}"
    return sum(call["path"] == path for call in stripe_side.workbench.requests())


@both_databases
def test_an_unpaid_orders_page_asks_stripe_ten_times_at_most_and_always_answers(
    stripe_side: StripeSide, stranger: Visitor
) -> None:
    order = stripe_side.place()
    assert set(open_page(stranger, order, limits.ASKS.amount + 3)) == {"Not paid yet"}
    assert asked(stripe_side, order) == limits.ASKS.amount == 10


def test_another_order_is_asked_about_for_itself(stripe_side: StripeSide, stranger: Visitor) -> None:
    orders = [stripe_side.place() for _ in range(2)]
    for order in orders:
        open_page(stranger, order, limits.ASKS.amount + 1)
    assert [asked(stripe_side, order) for order in orders] == [limits.ASKS.amount] * 2


def test_a_payment_is_heard_of_once_the_window_is_over(stripe_side: StripeSide, stranger: Visitor) -> None:
    order = stripe_side.place()
    open_page(stranger, order, limits.ASKS.amount)
    stripe_side.pay(order)
    assert open_page(stranger, order) == ["Not paid yet"]
    limiter.reset()
    (said,) = open_page(stranger, order)
    assert "Thank you" in said


def test_while_nothing_can_be_counted_stripe_is_not_asked(app: Flask) -> None:
    assert limits.may_ask("cs_test_1")
    db.session.execute(sa.text("DROP TABLE rate_limit"))
    db.session.commit()
    assert not limits.may_ask("cs_test_1")
