"""Refunds: money back to the buyer and off the certificate as one act, whatever gets lost on the way."""

import pytest

from giftshop.errors import CheckoutUnavailableError, NothingToRefundError, RefundNotAllowedError, RefundTooLargeError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order, Refund
from giftshop.refunds.requests import hold_refund, list_refundable, pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.orders.stripe_side import StripeSide


def ask(order: Order, certificate: Certificate, amount_cents: int, *, limit_cents: int | None = None) -> Refund:
    """Hold money to be paid back, as the owner's form does before Stripe is asked."""
    asked = {"reason": "changed their mind", "actor": "staff:1", "limit_cents": limit_cents}
    refund = hold_refund(order.id, certificate.id, amount_cents, **asked)
    db.session.commit()
    return refund


def at_stripe(side: StripeSide, order: Order) -> int:
    """Return what Stripe has paid back of an order, in minor units."""
    charges = side.workbench.get("/state")["charges"]
    return sum(each["amount_refunded"] for each in charges if each["payment_intent"] == order.payment_intent_id)


@both_databases
def test_a_part_that_was_not_used_is_paid_back(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    refund = pursue_refund(ask(order, certificate, 10_00).id, stripe_side.gateway)
    assert (refund.state, at_stripe(stripe_side, order)) == ("settled", 10_00)
    assert (certificate.balance_cents, certificate.status) == (20_00, "active")
    assert [entry.kind for entry in certificate.entries] == ["issue", "redeem", "refund_hold", "refund_settled"]
    for kind in ("refund.created", "refund.updated", "charge.refunded"):
        charge_or_refund = refund.stripe_refund_id or ""
        stripe_side.tell(kind, charge_or_refund)
    assert certificate.balance_cents == 20_00
    assert order.state == "fulfilled"


def test_all_of_it_paid_back_ends_certificate_and_order(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    pursue_refund(ask(order, certificate, 50_00).id, stripe_side.gateway)
    assert (certificate.status, certificate.balance_cents, order.state) == ("void", 0, "refunded")


def test_more_than_is_left_is_refused_before_stripe_is_asked(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    with pytest.raises(RefundTooLargeError):
        ask(order, certificate, 35_00)
    db.session.rollback()
    with pytest.raises(RefundNotAllowedError):
        ask(order, certificate, 30_00, limit_cents=20_00)
    db.session.rollback()
    assert at_stripe(stripe_side, order) == 0
    assert [each.most_cents for each in list_refundable(order)] == [30_00]


def test_an_answer_that_was_lost_leaves_the_money_held_until_it_is_known(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    stripe_side.workbench.post("/faults", {"do": "drop_after", "path": "/v1/refunds", "times": 2})
    refund = ask(order, certificate, 30_00)
    with pytest.raises(CheckoutUnavailableError):
        pursue_refund(refund.id, stripe_side.gateway)
    db.session.rollback()
    assert (refund.state, certificate.balance_cents) == ("held", 20_00)
    assert pursue_refund(refund.id, stripe_side.gateway).state == "settled"
    assert (at_stripe(stripe_side, order), certificate.balance_cents) == (30_00, 20_00)


def test_nothing_is_paid_back_of_what_was_used_up(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 50_00)
    db.session.commit()
    with pytest.raises(NothingToRefundError):
        ask(order, certificate, 1)
    db.session.rollback()


def test_a_refund_made_at_stripe_is_taken_off_and_what_was_spent_is_a_loss(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    refund_id = stripe_side.refund(order, 40_00)
    stripe_side.tell("refund.created", refund_id)
    stripe_side.tell("refund.created", refund_id)
    assert (certificate.balance_cents, certificate.status) == (0, "frozen")
    assert [e.kind for e in certificate.entries] == ["issue", "redeem", "refund_external", "loss"]


def test_a_refund_that_fails_days_later_is_given_back_once_and_looked_at(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = pursue_refund(ask(order, certificate, 50_00).id, stripe_side.gateway)
    refund_id = refund.stripe_refund_id or ""
    stripe_side.workbench.post(f"/refunds/{refund_id}/fail")
    for _ in range(3):
        stripe_side.tell("refund.failed", refund_id)
    assert (certificate.balance_cents, certificate.status, order.state) == (50_00, "frozen", "fulfilled")
