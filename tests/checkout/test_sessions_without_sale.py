"""Sessions that sell nothing: what does not fit waits for a person; what is unpaid waits, has failed or expires."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation
from giftshop.checkout.fulfilment import find_mismatch, settle
from giftshop.foundation.database import db
from giftshop.orders.models import Order
from tests.orders import told
from tests.orders.kept import (
    Told,
    assert_nothing_was_issued,
    count_certificates,
    message_kinds,
    moves_of,
    owner_was_told,
)

MISMATCHES: dict[str, dict[str, Any]] = {
    "no payment was required": {
        "payment_status": "no_payment_required",
        "payment_intent_id": None,
        "amount_total": 0,
    },
    "the mode differs": {"livemode": True},
    "the currency differs": {"currency": "EUR"},
    "the amount differs": {"amount_total": 49_99},
    "the order differs": {"client_reference_id": "o_" + "b" * 24},
}


@pytest.mark.parametrize(("reason", "changes"), MISMATCHES.items())
def test_what_does_not_fit_waits_for_a_person_and_issues_nothing(
    app: Flask, reason: str, changes: dict[str, Any]
) -> None:
    order = told.placed()
    session = told.session_of(order, **changes)
    settle(session)
    settle(session)
    assert (order.state, order.review_reason) == ("in_review", reason)
    assert (order.payment_intent_id, order.received_cents) == (session.payment_intent_id, session.amount_total)
    assert order.received_currency == session.currency
    assert moves_of(order) == [("awaiting_payment", "in_review", "stripe")]
    assert_nothing_was_issued(order)
    detail = f"Order {order.number}: {reason}. No certificate was issued."
    path = f"/office/orders/{order.id}"
    assert owner_was_told() == [Told("in_review", "cs_1", detail, "An order needs your review", path)]


@pytest.mark.parametrize("amount_total", [0, 49_99, 50_01])
def test_a_cent_too_few_or_too_many_does_not_fit(app: Flask, amount_total: int) -> None:
    order = told.placed()
    session = told.session_of(order, amount_total=amount_total)
    assert find_mismatch(order, session, get_installation()) == "the amount differs"


@pytest.mark.parametrize(
    ("livemode", "order_mode", "shop_mode", "fits"),
    [
        (False, "simulated", "simulated", True),
        (False, "test", "test", True),
        (True, "live", "live", True),
        (True, "simulated", "simulated", False),
        (True, "test", "test", False),
        (False, "live", "live", False),
        (False, "test", "simulated", False),
        (False, "simulated", "test", False),
        (True, "live", "test", False),
        (False, "simulated", "live", False),
    ],
)
def test_money_of_one_mode_pays_orders_of_that_mode_only(
    app: Flask, livemode: bool, order_mode: str, shop_mode: str, fits: bool
) -> None:
    order = told.placed()
    session = told.session_of(order, livemode=livemode)
    order.mode = order_mode
    shop = Installation(id=2, instance_id="shop_1", mode=shop_mode, created_at=clock.now())
    assert find_mismatch(order, session, shop) == ("" if fits else "the mode differs")


def test_what_does_not_fit_leaves_an_order_that_was_paid_as_it_is_and_is_told(app: Flask) -> None:
    order = told.sold()
    told.attempt(order, 2)
    settle(told.session_of(order, 2, amount_total=1_00))
    assert (order.state, order.review_reason, order.payment_intent_id) == ("fulfilled", "", "pi_1")
    assert (order.received_cents, count_certificates()) == (50_00, 1)
    assert [(each.kind, each.subject) for each in owner_was_told()] == [("in_review", "cs_2")]


UNPAID = [
    ("awaiting_payment", "processing", "processing"),
    ("awaiting_payment", "requires_payment_method", "failed"),
    ("awaiting_payment", "canceled", "failed"),
    ("awaiting_payment", "", "processing"),
    ("processing", "processing", "processing"),
    ("processing", "requires_payment_method", "failed"),
    ("processing", "canceled", "failed"),
    ("expired", "processing", "processing"),
    ("expired", "canceled", "expired"),
    ("failed", "processing", "failed"),
    ("failed", "requires_payment_method", "failed"),
    ("in_review", "canceled", "in_review"),
]


@pytest.mark.parametrize(("before", "payment", "after"), UNPAID)
def test_without_money_an_order_waits_for_the_bank_or_has_failed(
    app: Flask, before: str, payment: str, after: str
) -> None:
    order = told.placed()
    order.state = before
    for _ in range(2):
        settle(told.session_of(order, payment_status="unpaid", payment_intent_status=payment))
    assert order.state == after
    assert moves_of(order) == ([] if before == after else [(before, after, "stripe")])
    assert message_kinds(order) == (["payment_failed"] if after == "failed" != before else [])
    assert_nothing_was_issued(order)


def test_an_order_is_paid_when_the_banks_money_arrives(app: Flask) -> None:
    order = told.placed()
    settle(told.session_of(order, payment_status="unpaid", payment_intent_status="processing"))
    settle(told.session_of(order))
    assert (order.state, count_certificates()) == ("fulfilled", 1)


@pytest.mark.parametrize("payment", ["processing", "canceled"])
def test_a_payment_that_waits_or_failed_says_nothing_of_an_order_with_a_newer_attempt(app: Flask, payment: str) -> None:
    order = told.placed(attempts=3)
    settle(told.session_of(order, 2, payment_status="unpaid", payment_intent_status=payment))
    assert (order.state, moves_of(order), message_kinds(order)) == ("awaiting_payment", [], [])


def test_an_expired_session_expires_its_order(app: Flask) -> None:
    order = told.placed()
    for _ in range(2):
        settle(told.session_of(order, status="expired", payment_status="unpaid"))
    assert (order.state, order.attempts[0].state) == ("expired", "expired")
    assert moves_of(order) == [("awaiting_payment", "expired", "stripe")]
    assert_nothing_was_issued(order)


def test_an_expired_session_does_not_expire_an_order_with_a_newer_attempt(app: Flask) -> None:
    order = told.placed(attempts=3)
    settle(told.session_of(order, 2, status="expired", payment_status="unpaid"))
    assert order.state == "awaiting_payment"
    assert [attempt.state for attempt in order.attempts] == ["open", "expired", "open"]


@pytest.mark.parametrize("state", ["processing", "failed", "in_review"])
def test_an_expired_session_leaves_an_order_alone_that_does_not_wait_for_it(app: Flask, state: str) -> None:
    order = told.placed()
    order.state = state
    settle(told.session_of(order, status="expired", payment_status="unpaid"))
    assert (order.state, moves_of(order)) == (state, [])


def test_an_open_session_expires_nothing(app: Flask) -> None:
    order = told.placed()
    settle(told.session_of(order, status="open", payment_status="unpaid"))
    assert (order.state, order.attempts[0].state) == ("awaiting_payment", "open")


def test_what_another_process_wrote_meanwhile_is_seen(app: Flask) -> None:
    """The order is read anew when it is held, whatever was loaded before."""
    order = told.placed()
    assert order.state == "awaiting_payment"
    quiet = {"synchronize_session": False}
    db.session.execute(sa.update(Order).values(state="in_review"), execution_options=quiet)
    settle(told.session_of(order, status="expired", payment_status="unpaid"))
    assert order.state == "in_review"
    assert clock.now() - order.created_at < timedelta(days=1)
