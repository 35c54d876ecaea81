"""Fulfilment: what Stripe says of a session decides, once, about money that fits; all else waits for a person."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop.checkout.fulfilment import settle
from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import GiftCertificate
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import (
    Told,
    assert_nothing_was_issued,
    count_certificates,
    facts_of,
    message_kinds,
    messages,
    moves_of,
    owner_was_told,
)

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


@both_databases
def test_a_paid_session_issues_each_certificate_as_it_was_ordered(app: Flask) -> None:
    massage = build.gift_request(quantity=3)
    amount = build.gift_request(
        offer="amount",
        amount_cents=45_00,
        recipient_name="Vera",
        giver_name="All of us",
        message="",
        design="dunes",
        delivery="print",
    )
    order = told.sold(massage, amount)
    issued = certificates_of(order)
    assert [len(issued[gift.id]) for gift in order.gifts] == [3, 1]
    for gift in order.gifts:
        for certificate in issued[gift.id]:
            assert (certificate.face_value_cents, certificate.balance_cents) == (gift.amount_cents,) * 2
            assert (certificate.mode, certificate.currency, certificate.status) == ("simulated", "USD", "active")
            assert certificate.expires_on is None
            for name in ("offer_slug", "service_name", "recipient_name", "giver_name", "message", "design"):
                assert getattr(certificate, name) == getattr(gift, name), name


def test_the_payment_is_the_one_cause_of_each_certificate(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        order = told.sold(build.gift_request(quantity=2))
    (gift,) = order.gifts
    assert order.paid_at == NOON
    entries = db.session.scalars(sa.select(LedgerEntry).order_by(LedgerEntry.id)).all()
    assert [
        (e.kind, e.actor, e.request_scope, e.request_key, e.external_ref, e.created_at, e.amount_cents) for e in entries
    ] == [
        ("issue", "stripe", "order", f"issue:{order.id}:{gift.id}:{number}", "pi_1", NOON, 95_00) for number in (1, 2)
    ]
    numbered = db.session.scalars(sa.select(GiftCertificate).order_by(GiftCertificate.number)).all()
    assert [(each.gift_id, each.number) for each in numbered] == [(gift.id, 1), (gift.id, 2)]


def test_a_paid_session_is_kept_with_the_order_and_moves_it(app: Flask) -> None:
    order = told.sold()
    assert (order.state, order.payment_intent_id, order.received_cents) == ("fulfilled", "pi_1", 50_00)
    assert [attempt.state for attempt in order.attempts] == ["complete"]
    assert moves_of(order) == [
        ("awaiting_payment", "paid", "stripe"),
        ("paid", "fulfilled", "stripe"),
    ]


def test_a_paid_session_sends_the_receipt_at_once_and_each_gift_at_its_time(app: Flask) -> None:
    now = build.gift_request(recipient_email="ana@example.com")
    later = build.gift_request(recipient_email="vera@example.com", deliver_on=date(2026, 12, 24))
    with time_machine.travel(NOON, tick=False):
        order = told.sold(now, later, build.gift_request(delivery="print"))
    on_the_day = datetime(2026, 12, 24, 16, 0, tzinfo=UTC)
    sent = [message for kind in ("receipt", "gift", "certificate") for message in messages(order, kind)]
    assert [(each.to_address, each.send_at) for each in sent] == [
        ("marko@example.com", NOON),
        ("ana@example.com", NOON),
        ("vera@example.com", on_the_day),
        ("marko@example.com", NOON),
    ]
    assert facts_of(sent[0])["paid_on"] == "November 24, 2026"


@both_databases
def test_a_paid_session_told_again_changes_nothing(app: Flask) -> None:
    order = told.sold()
    kept = (moves_of(order), message_kinds(order), order.paid_at)
    for _ in range(2):
        assert settle(told.session_of(order)) is order
        db.session.commit()
    assert (moves_of(order), message_kinds(order), order.paid_at) == kept
    assert (count_certificates(), owner_was_told()) == (1, [])


@pytest.mark.parametrize("state", ["expired", "failed"])
def test_a_paid_session_pays_an_order_that_was_given_up(app: Flask, state: str) -> None:
    order = told.placed()
    order.state = state
    settle(told.session_of(order))
    assert (order.state, count_certificates()) == ("fulfilled", 1)


def test_a_paid_session_of_an_earlier_attempt_pays_too(app: Flask) -> None:
    order = told.placed(attempts=2)
    settle(told.session_of(order, 1))
    assert (order.state, count_certificates()) == ("fulfilled", 1)
    assert [attempt.state for attempt in order.attempts] == ["complete", "open"]


@pytest.mark.parametrize("metadata", [{"shop": "shop_0000000000000000"}, {}])
def test_a_session_of_another_shop_changes_nothing_even_when_it_names_an_order(
    app: Flask, metadata: dict[str, str]
) -> None:
    order = told.placed()
    names_it = {"order_id": order.public_id, "attempt": "1"}
    assert settle(told.session_of(order, metadata={**names_it, **metadata})) is None
    assert order.state == "awaiting_payment"
    assert_nothing_was_issued(order)


def test_a_session_of_an_order_nobody_knows_is_none(app: Flask) -> None:
    assert settle(told.session()) is None
    assert count_certificates() == 0


def test_a_session_whose_answer_was_lost_is_taken_as_the_attempts_own(app: Flask) -> None:
    order = told.placed(attempts=0)
    told.attempt(order, 1, session_id=None, session_url=None, state="created")
    page = "https://pay.example/cs_1"
    settle(told.session_of(order, status="open", payment_status="unpaid", url=page))
    (attempt,) = order.attempts
    assert (attempt.session_id, attempt.session_url, attempt.state) == ("cs_1", page, "open")
    assert order.state == "awaiting_payment"
    assert_nothing_was_issued(order)


@pytest.mark.parametrize(("number", "attempt"), [("1", 1), ("001", 1), ("12", 12), ("999", 999)])
def test_a_session_whose_answer_was_lost_pays_its_order(app: Flask, number: str, attempt: int) -> None:
    order = told.placed(attempts=0)
    told.attempt(order, attempt, session_id=None, state="created")
    metadata = {**told.session_of(order).metadata, "attempt": number}
    assert settle(told.session_of(order, metadata=metadata)) is order
    assert (order.state, count_certificates()) == ("fulfilled", 1)


@pytest.mark.parametrize("number", ["", "0001", "2", "-1", "1.0", "one", "²", "١", " 1"])
def test_a_session_whose_answer_was_lost_pays_nothing_when_it_names_no_attempt(app: Flask, number: str) -> None:
    order = told.placed(attempts=0)
    told.attempt(order, 1, session_id=None, state="created")
    metadata = {**told.session_of(order).metadata, "attempt": number}
    assert settle(told.session_of(order, metadata=metadata)) is None
    assert_nothing_was_issued(order)


@pytest.mark.parametrize("missing", ["attempt", "order_id"])
def test_a_session_whose_answer_was_lost_must_say_what_it_paid(app: Flask, missing: str) -> None:
    order = told.placed(attempts=0)
    told.attempt(order, 1, session_id=None, state="created")
    metadata = told.session_of(order).metadata
    del metadata[missing]
    assert settle(told.session_of(order, metadata=metadata)) is None
    assert_nothing_was_issued(order)


def test_a_session_whose_answer_was_lost_cannot_stand_in_for_a_session_that_is_known(app: Flask) -> None:
    order = told.placed()
    assert settle(told.session_of(order, id="cs_other")) is None
    assert order.attempts[0].session_id == "cs_1"
    assert_nothing_was_issued(order)


def test_a_second_payment_is_told_once_and_issues_nothing(app: Flask) -> None:
    order = told.sold()
    told.attempt(order, 2)
    for _ in range(2):
        settle(told.session_of(order, 2))
    assert (order.state, order.payment_intent_id, count_certificates()) == ("fulfilled", "pi_1", 1)
    assert [attempt.state for attempt in order.attempts] == ["complete", "complete"]
    detail = f"Order {order.number} was paid a second time. Refund the second payment at Stripe."
    path = f"/office/orders/{order.id}"
    assert owner_was_told() == [Told("paid_twice", "cs_2", detail, "An order was paid twice", path)]


def test_a_second_payment_of_an_order_in_review_is_a_second_payment_too(app: Flask) -> None:
    order = told.placed(attempts=2)
    settle(told.session_of(order, 1, amount_total=1_00))
    settle(told.session_of(order, 2))
    assert (order.state, order.payment_intent_id, order.received_cents) == ("in_review", "pi_1", 1_00)
    assert_nothing_was_issued(order)
    assert [(each.kind, each.subject) for each in owner_was_told()] == [("in_review", "cs_1"), ("paid_twice", "cs_2")]
