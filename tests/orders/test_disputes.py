"""Disputes: value on hold while a bank decides; every order of events ends the same."""

import pytest

from giftshop.certificates.models import Certificate
from giftshop.database import db
from giftshop.errors import CertificateFrozenError
from giftshop.orders.models import Dispute
from tests import build
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
