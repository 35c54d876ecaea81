"""Orders that nobody paid: they end by what their last attempt came to, and are not asked about for ever."""

from datetime import timedelta

import pytest

from giftshop import clock
from giftshop.checkout.sessions import open_checkout
from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.run import ABANDONED_AFTER, reconcile
from tests import build
from tests.conftest import both_databases
from tests.orders.stripe_side import BASE, StripeSide

A_MINUTE = timedelta(minutes=1)


def fail_to_pay_again(order: Order) -> None:
    """Press Pay again while Stripe does not answer: attempt 2 has no session."""
    dead = StripeGateway(secret_key="sk_test_sim_x", api_base="http://127.0.0.1:9", webhook_secrets=["x"])
    order.attempts[0].state = "expired"
    db.session.commit()
    with pytest.raises(CheckoutUnavailableError):
        open_checkout(order.id, dead, base_url=BASE, visitor=build.visitor("192.0.2.1"))
    db.session.rollback()
    assert [(attempt.number, bool(attempt.session_id)) for attempt in order.attempts] == [(1, True), (2, False)]


def reconciled(stripe_side: StripeSide, order: Order) -> str:
    for _ in reconcile(stripe_side.gateway):
        pass
    return order.state


@both_databases
def test_an_order_whose_last_attempt_never_reached_stripe_ends_after_an_hour(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    stripe_side.workbench.post(f"/sessions/{order.attempts[0].session_id}/expire", {"hook": {"drop": -1}})
    order.created_at = clock.now() - 2 * ABANDONED_AFTER
    fail_to_pay_again(order)
    for age, state in ((ABANDONED_AFTER - A_MINUTE, "awaiting_payment"), (ABANDONED_AFTER + A_MINUTE, "expired")):
        order.attempts[-1].first_tried_at = clock.now() - age
        db.session.commit()
        assert reconciled(stripe_side, order) == state


def test_an_order_whose_page_is_open_waits_however_old_it_is(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    order.created_at = order.attempts[0].first_tried_at = clock.now() - 2 * ABANDONED_AFTER
    db.session.commit()
    assert reconciled(stripe_side, order) == "awaiting_payment"


def test_an_order_without_any_attempt_ends_an_hour_after_it_was_placed(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    db.session.delete(order.attempts[0])
    order.created_at = clock.now() - ABANDONED_AFTER - A_MINUTE
    db.session.commit()
    assert reconciled(stripe_side, order) == "expired"
