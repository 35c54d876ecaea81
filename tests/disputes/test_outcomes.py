"""Disputes: value on hold while a bank decides; every order of events ends the same."""

import dataclasses

import pytest
from flask import Flask

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.disputes.outcomes import knows_dispute, record_dispute
from giftshop.errors import CertificateFrozenError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Dispute, Order
from giftshop.payments.facts import DisputeFacts
from giftshop.payments.shares import list_certificates
from tests import build
from tests.orders import told
from tests.orders.kept import Told, holds_on, owner_was_told, standing_of
from tests.orders.stripe_side import StripeSide


def kinds(certificate: Certificate) -> list[str]:
    return [entry.kind for entry in certificate.entries]


def test_a_dispute_holds_what_is_left_and_nothing_can_be_taken(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    dispute_id = stripe_side.dispute(order)
    stripe_side.tell("charge.dispute.created", dispute_id)
    assert (certificate.status, certificate.balance_cents) == ("frozen", 0)
    with pytest.raises(CertificateFrozenError):
        build.redeem(certificate, 1)
    db.session.rollback()


def test_a_dispute_that_is_won_gives_everything_back(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    dispute_id = stripe_side.dispute(order)
    stripe_side.tell("charge.dispute.created", dispute_id)
    stripe_side.decide(dispute_id, "won")
    for kind in ("charge.dispute.closed", "charge.dispute.funds_reinstated", "charge.dispute.created"):
        stripe_side.tell(kind, dispute_id)
    assert (certificate.status, certificate.balance_cents) == ("active", 30_00)


def test_a_dispute_that_is_lost_ends_the_certificate_and_shows_what_was_spent(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    dispute_id = stripe_side.dispute(order)
    stripe_side.tell("charge.dispute.created", dispute_id)
    stripe_side.decide(dispute_id, "lost")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    stripe_side.tell("charge.dispute.created", dispute_id)
    assert (certificate.status, certificate.balance_cents) == ("void", 0)
    assert kinds(certificate) == ["issue", "redeem", "dispute_hold", "dispute_lost", "loss"]
    assert db.session.query(Dispute).one().loss_cents == 20_00


def test_an_appeal_that_is_won_brings_it_back_on_hold(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    dispute_id = stripe_side.dispute(order)
    stripe_side.decide(dispute_id, "lost")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    stripe_side.decide(dispute_id, "won")
    for kind in ("charge.dispute.closed", "charge.dispute.funds_reinstated", "charge.dispute.closed"):
        stripe_side.tell(kind, dispute_id)
        assert (certificate.status, certificate.balance_cents) == ("frozen", 30_00)


def test_an_inquiry_freezes_without_a_posting_and_a_warning_closed_thaws(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order, status="warning_needs_response")
    stripe_side.tell("charge.dispute.created", dispute_id)
    assert (certificate.status, certificate.balance_cents, kinds(certificate)) == ("frozen", 50_00, ["issue"])
    stripe_side.decide(dispute_id, "warning_closed")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    assert (certificate.status, certificate.balance_cents) == ("active", 50_00)


def warn(side: StripeSide, order: Order) -> str:
    """Let the card's bank warn of fraud; return the warning's id. The shop is not told."""
    warning_id: str = side.workbench.post("/warnings", {"payment_intent": order.payment_intent_id})["id"]
    return warning_id


def test_a_warning_of_fraud_puts_each_certificate_on_hold_that_has_not_ended(stripe_side: StripeSide) -> None:
    order = stripe_side.sell(build.gift_request(quantity=3))
    first, second, third = list_certificates(order.id)
    standing.void(second.id, reason_code="test", request_key=build.request_key(), actor="staff:3", at=clock.now())
    db.session.commit()
    warning_id = warn(stripe_side, order)
    outcomes = [stripe_side.tell(f"radar.early_fraud_warning.{kind}", warning_id) for kind in ("created", "updated")]
    assert outcomes == ["frozen", "warning known"]
    assert [standing_of(each)[0] for each in (first, second, third)] == ["frozen", "void", "frozen"]
    assert holds_on(first) == holds_on(third) == [(warning_id, "fraud_warning", "stripe")]
    assert kinds(first) == ["issue"]
    detail = f"The card’s bank warns that order {order.number} may be fraud. Paying it back now avoids a dispute."
    path = f"/office/orders/{order.id}"
    assert owner_was_told() == [Told("fraud_warning", warning_id, detail, "A payment may be fraud", path)]


@pytest.mark.parametrize("status", ["won", "warning_closed"])
def test_a_warning_ends_with_the_dispute_that_is_decided_for_us_and_says_nothing_after_it(
    stripe_side: StripeSide, status: str
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    warning_id = warn(stripe_side, order)
    stripe_side.tell("radar.early_fraud_warning.created", warning_id)
    opened = "needs_response" if status == "won" else "warning_needs_response"
    dispute_id = stripe_side.dispute(order, status=opened)
    stripe_side.tell("charge.dispute.created", dispute_id)
    assert len(holds_on(certificate)) == 2
    stripe_side.decide(dispute_id, status)
    stripe_side.tell("charge.dispute.closed", dispute_id)
    assert (standing_of(certificate), holds_on(certificate)) == (("active", 50_00), [])
    later = warn(stripe_side, order)
    assert stripe_side.tell("radar.early_fraud_warning.created", later) == "decided already"
    assert standing_of(certificate) == ("active", 50_00)


def test_a_dispute_that_is_won_leaves_the_hold_of_a_person(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order)
    stripe_side.tell("charge.dispute.created", dispute_id)
    standing.freeze_by_hand(certificate.id, reason_code="reported lost", actor="staff:3", at=clock.now())
    db.session.commit()
    stripe_side.decide(dispute_id, "won")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    assert standing_of(certificate) == ("frozen", 50_00)
    assert holds_on(certificate) == [(standing.BY_HAND, "reported lost", "staff:3")]


def test_news_that_are_older_than_what_is_known_change_nothing(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order)
    stripe_side.decide(dispute_id, "won")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    stripe_side.workbench.post(f"/objects/{dispute_id}", {"status": "under_review"})
    assert stripe_side.tell("charge.dispute.updated", dispute_id) == "older than what is known"
    assert (standing_of(certificate), db.session.query(Dispute).one().status) == (("active", 50_00), "won")


@pytest.mark.parametrize(
    ("known", "news", "is_known"),
    [
        ("needs_response", "needs_response", True),
        ("needs_response", "under_review", False),
        ("under_review", "needs_response", True),
        ("lost", "under_review", True),
        ("appeal_under_review", "lost", False),
        ("won", "lost", True),
        ("won", "prevented", False),
    ],
)
def test_a_dispute_is_known_when_nothing_follows_from_the_news(
    app: Flask, known: str, news: str, is_known: bool
) -> None:
    order, _certificate = told.sold_one()
    facts = DisputeFacts("dp_1", known, 50_00, 50_00, "fraudulent", "pi_1", None, clock.now())
    assert not knows_dispute(facts)
    record_dispute(facts, order.id)
    assert knows_dispute(dataclasses.replace(facts, status=news)) == is_known
