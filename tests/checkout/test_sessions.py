"""Checkout: one session for each attempt, whatever gets lost; no second one while the first can still be paid."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from giftshop.catalog.practice import get_installation
from giftshop.checkout import sessions
from giftshop.checkout.sessions import (
    RESEND_WINDOW,
    SESSION_LIFE,
    build_parameters,
    leave_checkout,
    open_checkout,
    withdraw_order,
)
from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.notifications.models import Alert
from giftshop.orders.look_up import token_of
from giftshop.orders.models import CheckoutAttempt, Order
from giftshop.payments.gateway import StripeGateway
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import count_certificates, moves_of
from tests.orders.stripe_side import BASE, StripeSide, Watched

SECOND = timedelta(seconds=1)


def open_page(order: Order, gateway: StripeGateway) -> str | None:
    return open_checkout(order.id, gateway, base_url=BASE, visitor=build.visitor("192.0.2.1"))


def attempts_of(order: Order) -> list[tuple[int, str]]:
    query = sa.select(CheckoutAttempt).where(CheckoutAttempt.order_id == order.id).order_by(CheckoutAttempt.number)
    return [(each.number, each.state) for each in db.session.scalars(query)]


def made_at_stripe(side: StripeSide) -> list[dict[str, Any]]:
    """The calls that asked for a session, oldest first."""
    return [call for call in side.workbench.requests() if call["path"] == "/v1/checkout/sessions"]


@both_databases
def test_the_buyer_is_led_to_the_same_page_however_often_they_press(stripe_side: StripeSide) -> None:
    order = told.placed(attempts=0)
    watched = Watched(stripe_side.gateway)
    pages = {open_page(order, watched.gateway) for _ in range(3)}
    (session,) = stripe_side.workbench.sessions()
    assert pages == {session["url"]}
    assert [(each.name, each.in_transaction) for each in watched.asked] == [("create_session", False)]
    (attempt,) = order.attempts
    assert (attempt.session_id, attempt.state, attempt.client_address) == (session["id"], "open", "192.0.2.1")
    assert attempt.idempotency_key == f"{get_installation().instance_id}:order:{order.public_id}:cs:1"
    assert attempt.expires_at - attempt.first_tried_at == SESSION_LIFE
    assert (order.state, moves_of(order)) == ("awaiting_payment", [])


def test_an_answer_that_was_lost_is_asked_for_again_with_the_very_same_words(stripe_side: StripeSide) -> None:
    order = told.placed(attempts=0)
    stripe_side.workbench.post("/faults", {"do": "drop_after", "times": 2})
    with pytest.raises(CheckoutUnavailableError):
        open_page(order, stripe_side.gateway)
    assert attempts_of(order) == [(1, "created")]
    page = open_page(order, stripe_side.gateway)
    (session,) = stripe_side.workbench.sessions()
    assert (page, attempts_of(order)) == (session["url"], [(1, "open")])
    assert len({(call["body"], call["idempotency_key"]) for call in made_at_stripe(stripe_side)}) == 1


@pytest.mark.parametrize(
    ("age", "attempts"),
    [
        (RESEND_WINDOW - SECOND, [(1, "open")]),
        (RESEND_WINDOW, [(1, "expired"), (2, "open")]),
    ],
)
def test_words_that_have_grown_old_are_not_sent_again(
    stripe_side: StripeSide, age: timedelta, attempts: list[tuple[int, str]]
) -> None:
    order = told.placed(attempts=0)
    stripe_side.workbench.post("/faults", {"do": "drop_before", "times": 2})
    with pytest.raises(CheckoutUnavailableError):
        open_page(order, stripe_side.gateway)
    tried_at = order.attempts[0].first_tried_at
    db.session.rollback()
    with time_machine.travel(tried_at + age, tick=False):
        assert open_page(order, stripe_side.gateway)
    assert attempts_of(order) == attempts


@pytest.mark.parametrize(
    ("age", "attempts"),
    [
        (SESSION_LIFE - SECOND, [(1, "open")]),
        (SESSION_LIFE, [(1, "expired"), (2, "open")]),
    ],
)
def test_a_page_that_is_over_is_closed_before_the_next_is_opened(
    stripe_side: StripeSide, age: timedelta, attempts: list[tuple[int, str]]
) -> None:
    order = stripe_side.place()
    first = order.attempts[0]
    session_id, opened_at, page = first.session_id, first.first_tried_at, first.session_url
    db.session.rollback()
    watched = Watched(stripe_side.gateway)
    with time_machine.travel(opened_at + age, tick=False):
        is_same = open_page(order, watched.gateway) == page
    assert (is_same, attempts_of(order)) == (len(attempts) == 1, attempts)
    assert [each.name for each in watched.asked] == ([] if is_same else ["expire_session", "create_session"])
    assert not any(each.in_transaction for each in watched.asked)
    assert stripe_side.workbench.get(f"/objects/{session_id}")["status"] == ("open" if is_same else "expired")


def test_a_page_that_is_over_and_was_paid_leads_to_the_order(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    opened_at = order.attempts[0].first_tried_at
    stripe_side.pay(order)
    db.session.rollback()
    with time_machine.travel(opened_at + SESSION_LIFE, tick=False):
        assert open_page(order, stripe_side.gateway) is None
    assert (order.state, attempts_of(order), count_certificates()) == ("fulfilled", [(1, "complete")], 1)
    assert len(stripe_side.workbench.sessions()) == 1


@pytest.mark.parametrize("state", ["processing", "in_review"])
def test_an_order_that_cannot_be_paid_opens_no_page(stripe_side: StripeSide, state: str) -> None:
    order = told.placed()
    order.state = state
    db.session.commit()
    assert open_page(order, stripe_side.gateway) is None
    assert made_at_stripe(stripe_side) == []


@pytest.mark.parametrize("state", ["expired", "failed"])
def test_an_order_that_was_given_up_can_be_paid_again(stripe_side: StripeSide, state: str) -> None:
    order = told.placed(attempts=0)
    told.attempt(order, 1, state="expired")
    order.state = state
    db.session.commit()
    assert open_page(order, stripe_side.gateway)
    assert (order.state, attempts_of(order)) == ("awaiting_payment", [(1, "expired"), (2, "open")])
    assert moves_of(order) == [(state, "awaiting_payment", "buyer")]


def take_key(side: StripeSide, order: Order, number: int) -> None:
    """Use the key of an attempt for something else, as after a restored backup."""
    key = f"{get_installation().instance_id}:order:{order.public_id}:cs:{number}"
    other = build_parameters(order, number, base_url="https://other.example", expires_at=4_000_000_000)
    db.session.rollback()
    side.gateway.create_session({**other, "expires_at": None}, key)


def test_a_key_that_stripe_knows_with_other_words_is_given_up_for_the_next(stripe_side: StripeSide) -> None:
    order = told.placed(attempts=0)
    take_key(stripe_side, order, 1)
    page = open_page(order, stripe_side.gateway)
    assert attempts_of(order) == [(1, "expired"), (2, "open")]
    assert page == order.attempts[1].session_url


def test_after_three_keys_in_a_row_the_buyer_is_asked_to_try_again(stripe_side: StripeSide) -> None:
    order = told.placed(attempts=0)
    for number in (1, 2, 3):
        take_key(stripe_side, order, number)
    with pytest.raises(CheckoutUnavailableError):
        open_page(order, stripe_side.gateway)
    assert attempts_of(order) == [(1, "expired"), (2, "expired"), (3, "expired")]
    assert open_page(order, stripe_side.gateway) == order.attempts[3].session_url


def test_a_refusal_is_kept_for_the_owner_and_said_without_its_reason(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No parameters of the shop are known to be refused, so a life too short for Stripe stands for all."""
    monkeypatch.setattr(sessions, "SESSION_LIFE", timedelta(minutes=5))
    order = told.placed(attempts=0)
    with pytest.raises(CheckoutRefusedError) as refusal:
        open_page(order, stripe_side.gateway)
    assert refusal.value.message == CheckoutRefusedError().message
    db.session.rollback()
    alert = db.session.scalars(sa.select(Alert)).one()
    assert (alert.kind, alert.subject) == ("checkout_refused", f"{order.public_id}.1")
    assert "InvalidRequestError" in alert.detail
    assert (order.state, attempts_of(order)) == ("awaiting_payment", [(1, "created")])


def test_an_order_is_withdrawn_with_its_page(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    assert [withdraw_order(order.id, stripe_side.gateway) for _ in range(2)] == [True, True]
    assert (order.state, attempts_of(order)) == ("expired", [(1, "expired")])
    assert moves_of(order) == [("awaiting_payment", "expired", "buyer")]
    (session,) = stripe_side.workbench.sessions()
    assert session["status"] == "expired"


def test_an_order_that_was_paid_after_all_is_not_withdrawn(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    stripe_side.pay(order)
    assert withdraw_order(order.id, stripe_side.gateway) is False
    assert (order.state, count_certificates()) == ("fulfilled", 1)


def test_an_order_whose_bank_still_thinks_is_not_withdrawn(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    stripe_side.pay(order, "pay_later_ok")
    assert withdraw_order(order.id, stripe_side.gateway) is False
    assert (order.state, count_certificates()) == ("processing", 0)


def test_stripe_is_asked_for_what_was_ordered_and_told_no_secret(stripe_side: StripeSide) -> None:
    massage = build.gift_request(quantity=2, recipient_name="Ana", message="A secret message")
    order = stripe_side.place(massage, build.gift_request(offer="amount", amount_cents=45_00, recipient_name="Vera"))
    (call,) = made_at_stripe(stripe_side)
    shop = get_installation().instance_id
    marks = {"[shop]": shop, "[order_id]": order.public_id, "[attempt]": "1"}
    form = call["form"]
    assert {name: form[f"metadata{name}"] for name in marks} == marks
    assert {name: form[f"payment_intent_data[metadata]{name}"] for name in marks} == marks
    assert form["success_url"] == f"{BASE}/orders/{token_of(order)}?session_id={{CHECKOUT_SESSION_ID}}"
    assert form["cancel_url"] == f"{BASE}/gift?order={token_of(order)}"
    assert form["expires_at"] == str(int(order.attempts[0].expires_at.timestamp()))
    lines = [
        {name: form[f"line_items[{n}][{name}]"] for name in LINE if f"line_items[{n}][{name}]" in form} for n in (0, 1)
    ]
    assert lines == [
        dict(zip(LINE, ("2", "usd", "9500", "Gift certificate: 60-minute massage", "For Ana"), strict=True)),
        dict(zip(LINE, ("1", "usd", "4500", "Gift certificate", "For Vera"), strict=True)),
    ]
    assert "secret" not in call["body"]


LINE = (
    "quantity",
    "price_data][currency",
    "price_data][unit_amount",
    "price_data][product_data][name",
    "price_data][product_data][description",
)


def test_news_of_a_page_that_its_buyer_left_does_not_end_the_order(stripe_side: StripeSide) -> None:
    order = stripe_side.place(build.gift_request())
    session_id = order.attempts[-1].session_id or ""
    leave_checkout(order.id, stripe_side.gateway)
    stripe_side.tell("checkout.session.expired", session_id)
    assert order.state == "awaiting_payment"


def test_news_of_a_page_that_ran_out_ends_the_order(stripe_side: StripeSide) -> None:
    order = stripe_side.place(build.gift_request())
    session_id = order.attempts[-1].session_id or ""
    stripe_side.gateway.expire_session(session_id)
    stripe_side.tell("checkout.session.expired", session_id)
    assert order.state == "expired"
