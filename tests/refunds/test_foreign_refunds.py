"""Refunds made in Stripe's own dashboard: taken off what is left, the rest is a loss, and a person hears of it."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop.checkout.fulfilment import settle
from giftshop.disputes.outcomes import record_dispute
from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.models import Refund
from giftshop.payments.facts import DisputeFacts
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import record_refund
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import (
    Entry,
    Told,
    assert_nothing_was_issued,
    entries_of,
    facts_of,
    holds_on,
    kinds_of,
    message_kinds,
    messages,
    moves_of,
    owner_was_told,
    standing_of,
    trail_of,
)

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


@both_databases
def test_it_is_kept_once_as_made_at_stripe(app: Flask) -> None:
    order, certificate = told.sold_one()
    with time_machine.travel(NOON, tick=False):
        assert record_refund(told.refund_of(order, 20_00), order.id) == "refund made at Stripe"
        assert record_refund(told.refund_of(order, 20_00), order.id) == "refund settled"
    refund = db.session.query(Refund).one()
    assert (refund.order_id, refund.certificate_id, refund.amount_cents) == (order.id, None, 20_00)
    assert (refund.state, refund.reason, refund.actor) == ("settled", "made at Stripe", "stripe")
    assert (refund.stripe_refund_id, refund.created_at, refund.ended_at) == ("re_1", NOON, NOON)
    assert entries_of(certificate)[1:] == [Entry("refund_external", 20_00, 30_00)]
    taken = db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.kind == "refund_external")).one()
    assert (taken.external_ref, taken.created_at) == ("re_1", NOON)
    assert (standing_of(certificate), holds_on(certificate), owner_was_told()) == (("active", 30_00), [], [])
    assert trail_of(order)[-1] == ("refund_settled", "stripe", {"amount_cents": 20_00, "reason": "made at Stripe"})


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_one_that_failed_before_we_heard_of_it_changes_nothing(app: Flask, status: str) -> None:
    order, certificate = told.sold_one()
    assert record_refund(told.refund_of(order, 20_00, status=status), order.id) == "failed before we heard of it"
    assert db.session.query(Refund).count() == 0
    assert (standing_of(certificate), message_kinds(order)) == (("active", 50_00), ["receipt", "gift"])


@pytest.mark.parametrize(
    ("paid_back_cents", "taken_cents", "lost_cents", "status"),
    [
        (29_99, 29_99, 0, "active"),
        (30_00, 30_00, 0, "void"),
        (30_01, 30_00, 1, "frozen"),
        (50_00, 30_00, 20_00, "frozen"),
    ],
)
def test_what_was_used_already_is_a_loss_that_a_person_looks_at(
    app: Flask, paid_back_cents: int, taken_cents: int, lost_cents: int, status: str
) -> None:
    order, certificate = told.sold_one()
    build.redeem(certificate, 20_00)
    record_refund(told.refund_of(order, paid_back_cents), order.id)
    assert standing_of(certificate) == (status, 30_00 - taken_cents)
    loss = [Entry("loss", lost_cents, 0)] if lost_cents else []
    assert entries_of(certificate)[2:] == [Entry("refund_external", taken_cents, 30_00 - taken_cents), *loss]
    assert holds_on(certificate) == ([("re_1", "refund_over_balance", "stripe")] if lost_cents else [])
    detail = f"A refund made at Stripe for order {order.number} was larger than what was left."
    title, path = "A refund was larger than the balance", f"/office/orders/{order.id}"
    alert = Told("refund_over_balance", "re_1", detail, title, path)
    assert owner_was_told() == ([alert] if lost_cents else [])


def test_of_several_certificates_the_first_pays_first(app: Flask) -> None:
    order = told.sold(build.gift_request(quantity=3))
    record_refund(told.refund_of(order, 100_00), order.id)
    assert [standing_of(each) for each in list_certificates(order.id)] == [
        ("void", 0),
        ("active", 90_00),
        ("active", 95_00),
    ]


def test_the_certificate_that_it_names_pays_first(app: Flask) -> None:
    order = told.sold(build.gift_request(quantity=3))
    first, second, third = list_certificates(order.id)
    record_refund(told.refund_of(order, 100_00, metadata={"certificate_id": third.public_id}), order.id)
    assert [standing_of(each) for each in (first, second, third)] == [("active", 90_00), ("active", 95_00), ("void", 0)]


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([50_00], "refunded"),
        ([49_99], "fulfilled"),
        ([20_00, 30_00], "refunded"),
        ([20_00, 29_99], "fulfilled"),
    ],
)
def test_an_order_ends_when_all_that_was_paid_is_paid_back(app: Flask, parts: list[int], state: str) -> None:
    order, _certificate = told.sold_one()
    for number, amount_cents in enumerate(parts):
        record_refund(told.refund_of(order, amount_cents, id=f"re_{number}"), order.id)
    assert order.state == state
    ending = [move for move in moves_of(order) if move[1] == "refunded"]
    assert ending == ([("fulfilled", "refunded", "stripe")] if state == "refunded" else [])


def test_what_came_back_or_is_still_held_does_not_count_as_paid_back(app: Flask) -> None:
    order, certificate = told.sold_one()
    told.held(order, certificate, 10_00)
    record_refund(told.refund_of(order, 20_00, id="re_1"), order.id)
    record_refund(told.refund_of(order, 20_00, id="re_1", status="failed"), order.id)
    record_refund(told.refund_of(order, 20_00, id="re_2"), order.id)
    assert order.state == "fulfilled"


def test_refunds_of_other_orders_do_not_count(app: Flask) -> None:
    order, _certificate = told.sold_one()
    other = told.placed(attempts=0)
    told.attempt(other, 1, session_id="cs_9")
    settle(told.session_of(other, id="cs_9", payment_intent_id="pi_9"))
    record_refund(told.refund_of(other, 20_00, id="re_9"), other.id)
    record_refund(told.refund_of(order, 30_00), order.id)
    assert (order.state, other.state) == ("fulfilled", "fulfilled")


def test_an_order_in_review_ends_when_what_was_received_is_paid_back(app: Flask) -> None:
    order = told.placed()
    settle(told.session_of(order, amount_total=60_00))
    assert order.state == "in_review"
    record_refund(told.refund_of(order, 50_00), order.id)
    assert order.state == "in_review"
    record_refund(told.refund_of(order, 10_00, id="re_2"), order.id)
    assert (order.state, moves_of(order)[-1]) == ("refunded", ("in_review", "refunded", "stripe"))


def test_an_order_in_review_whose_refund_fails_is_in_review_again(app: Flask) -> None:
    order = told.placed()
    session = told.session_of(order, amount_total=60_00)
    settle(session)
    record_refund(told.refund_of(order, 60_00), order.id)
    settle(session)
    assert order.state == "refunded"
    record_refund(told.refund_of(order, 60_00, status="failed"), order.id)
    settle(session)
    assert (order.state, order.review_reason) == ("in_review", "the amount differs")
    assert moves_of(order)[1:] == [("in_review", "refunded", "stripe"), ("refunded", "in_review", "stripe")]
    assert_nothing_was_issued(order, but={"refund", "refund_returned"})
    assert [(each.kind, each.detail) for each in owner_was_told()] == [
        ("in_review", f"Order {order.number}: the amount differs. No certificate was issued."),
        (
            "refund_failed",
            f"The refund for order {order.number} failed: the money is back with you and no certificate was issued: "
            "it is in review again. The buyer was told that you will be in touch.",
        ),
    ]


def test_more_than_was_received_does_not_end_an_order_a_second_time(app: Flask) -> None:
    order, _certificate = told.sold_one()
    record_refund(told.refund_of(order, 50_00), order.id)
    record_refund(told.refund_of(order, 1_00, id="re_2"), order.id)
    assert (order.state, len(moves_of(order))) == ("refunded", 3)


def test_one_that_fails_later_gives_back_what_it_took_and_what_it_lost(app: Flask) -> None:
    order, certificate = told.sold_one()
    build.redeem(certificate, 20_00)
    record_refund(told.refund_of(order, 40_00), order.id)
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            assert record_refund(told.refund_of(order, 40_00, status="failed"), order.id) == "refund returned"
    assert entries_of(certificate)[2:] == [
        Entry("refund_external", 30_00, 0),
        Entry("loss", 10_00, 0),
        Entry("loss_recovered", 10_00, 0),
        Entry("refund_returned", 30_00, 30_00),
    ]
    recovered = db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.kind == "loss_recovered")).one()
    assert (recovered.external_ref, recovered.created_at) == ("re_1", NOON)
    assert (standing_of(certificate)[0], order.state) == ("frozen", "fulfilled")
    assert [each.kind for each in owner_was_told()] == ["refund_over_balance", "refund_failed"]


def test_one_that_fails_later_leaves_other_refunds_alone(app: Flask) -> None:
    order, certificate = told.sold_one()
    for number in (1, 2):
        record_refund(told.refund_of(order, 10_00, id=f"re_{number}"), order.id)
    record_refund(told.refund_of(order, 10_00, id="re_1", status="failed"), order.id)
    assert standing_of(certificate) == ("frozen", 40_00)
    assert kinds_of(certificate) == ["issue", "refund_external", "refund_external", "refund_returned"]


def test_a_gift_still_to_come_is_not_sent_when_it_is_paid_back(app: Flask) -> None:
    later = {"offer": "amount", "amount_cents": 50_00, "deliver_on": date(2027, 12, 24)}
    order = told.sold(*(build.gift_request(**later, recipient_email=f"{name}@example.com") for name in ("ana", "vera")))
    record_refund(told.refund_of(order, 50_00), order.id)
    assert [(each.to_address, each.state) for each in messages(order, "gift")] == [
        ("ana@example.com", "cancelled"),
        ("vera@example.com", "scheduled"),
    ]


def test_the_buyer_is_told_once(app: Flask) -> None:
    order, _certificate = told.sold_one()
    for _ in range(2):
        record_refund(told.refund_of(order, 20_00), order.id)
    (mail,) = messages(order, "refund")
    facts = facts_of(mail)
    assert (mail.to_address, facts["amount"], facts["recipient_name"]) == ("marko@example.com", "$20.00", "")


def test_one_made_before_a_dispute_and_heard_of_after_it_takes_from_what_is_held(app: Flask) -> None:
    order, certificate = told.sold_one()
    disputed = DisputeFacts("dp_1", "needs_response", 30_00, 30_00, "fraudulent", "pi_1", None, NOON)
    record_dispute(disputed, order.id)
    assert standing_of(certificate) == ("frozen", 20_00)
    record_refund(told.refund_of(order, 20_00), order.id)
    assert standing_of(certificate) == ("frozen", 0)
    assert kinds_of(certificate) == ["issue", "dispute_hold", "dispute_released", "refund_external", "dispute_hold"]
    assert entries_of(certificate)[-1] == Entry("dispute_hold", 30_00, 0)
