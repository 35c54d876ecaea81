"""A mistaken redemption is undone after a refund took the rest: what is owed comes back, what is gone stays gone."""

from collections.abc import Callable

import pytest

from giftshop import clock
from giftshop.certificates import status
from giftshop.errors import CertificateVoidError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.refund_entries import take_foreign_refund
from giftshop.orders.models import Order
from giftshop.refunds.requests import hold_refund, pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.orders.stripe_side import StripeSide

FACE, MISTAKE, REST = 50_00, 20_00, 30_00


def refund_here(side: StripeSide, order: Order, certificate: Certificate) -> None:
    held = hold_refund(order.id, certificate.id, REST, reason="asked", actor="staff:3", limit_cents=None)
    db.session.commit()
    pursue_refund(held.id, side.gateway)


def refund_at_stripe(side: StripeSide, order: Order, _certificate: Certificate) -> None:
    side.tell("refund.created", side.refund(order, REST))


REFUNDS = [refund_here, refund_at_stripe]
Refund = Callable[[StripeSide, Order, Certificate], None]


def redeem_by_mistake(side: StripeSide) -> tuple[Order, Certificate, LedgerEntry]:
    order, certificate = side.sell_one(FACE)
    entry = take(certificate.id, MISTAKE)
    db.session.commit()
    return order, certificate, entry


def state_of(certificate: Certificate) -> tuple[str, int]:
    db.session.commit()
    return certificate.status, certificate.balance_cents


@both_databases
@pytest.mark.parametrize("refund", REFUNDS)
def test_what_was_taken_by_mistake_is_back_and_good_to_use(stripe_side: StripeSide, refund: Refund) -> None:
    order, certificate, entry = redeem_by_mistake(stripe_side)
    refund(stripe_side, order, certificate)
    assert state_of(certificate) == ("void", 0)
    give_back(entry)
    assert state_of(certificate) == ("active", MISTAKE)
    assert take(certificate.id, MISTAKE).balance_after_cents == 0
    db.session.commit()


@both_databases
def test_it_comes_back_on_hold_while_something_holds_it(stripe_side: StripeSide) -> None:
    order, certificate, entry = redeem_by_mistake(stripe_side)
    status.freeze(certificate.id, subject="issfr_1", reason_code="fraud_warning", actor="stripe", at=clock.now())
    refund_here(stripe_side, order, certificate)
    give_back(entry)
    assert state_of(certificate) == ("frozen", MISTAKE)


def test_it_comes_back_good_to_use_when_the_hold_was_ended_before(stripe_side: StripeSide) -> None:
    order, certificate, entry = redeem_by_mistake(stripe_side)
    status.freeze(certificate.id, subject="issfr_1", reason_code="fraud_warning", actor="stripe", at=clock.now())
    status.lift(certificate.id, subject="issfr_1", actor="stripe", at=clock.now())
    refund_here(stripe_side, order, certificate)
    give_back(entry)
    assert state_of(certificate) == ("active", MISTAKE)


def test_what_a_person_ended_stays_ended(stripe_side: StripeSide) -> None:
    _order, certificate, entry = redeem_by_mistake(stripe_side)
    status.void(
        certificate.id, reason_code="paid back", request_key=build.request_key(), actor="staff:3", at=clock.now()
    )
    assert_stays_ended(certificate, entry)


def test_what_a_person_ended_stays_ended_though_a_refund_was_settled_later(stripe_side: StripeSide) -> None:
    order, certificate, entry = redeem_by_mistake(stripe_side)
    held = hold_refund(order.id, certificate.id, 10_00, reason="asked", actor="staff:3", limit_cents=None)
    status.void(
        certificate.id, reason_code="paid back", request_key=build.request_key(), actor="staff:3", at=clock.now()
    )
    db.session.commit()
    pursue_refund(held.id, stripe_side.gateway)
    assert certificate.entries[-1].kind == "refund_settled"
    assert_stays_ended(certificate, entry)


def test_what_a_lost_dispute_took_stays_ended(stripe_side: StripeSide) -> None:
    order, certificate, entry = redeem_by_mistake(stripe_side)
    lose(stripe_side, order)
    assert_stays_ended(certificate, entry)


def test_a_dispute_lost_after_the_refund_ends_it_for_good(stripe_side: StripeSide) -> None:
    order, certificate, entry = redeem_by_mistake(stripe_side)
    refund_here(stripe_side, order, certificate)
    lose(stripe_side, order, MISTAKE)
    assert_stays_ended(certificate, entry)


def test_a_small_lost_dispute_does_not_keep_the_rest_from_coming_back(stripe_side: StripeSide) -> None:
    """Stripe would refuse this refund; one that a bank made all the same is no reason to keep what is owed."""
    order, certificate = stripe_side.sell_one(FACE)
    lose(stripe_side, order, 10_00)
    status.lift_all(certificate.id, reason_code="cleared up", actor="staff:3", at=clock.now())
    entry = take(certificate.id, 10_00)
    take_foreign_refund(certificate.id, 30_00, stripe_refund_id="re_1", at=clock.now())
    assert state_of(certificate) == ("void", 0)
    give_back(entry)
    assert state_of(certificate) == ("active", 10_00)


def lose(side: StripeSide, order: Order, amount_cents: int | None = None) -> None:
    dispute_id = side.dispute(order, amount_cents)
    side.tell("charge.dispute.created", dispute_id)
    side.decide(dispute_id, "lost")
    side.tell("charge.dispute.closed", dispute_id)


def assert_stays_ended(certificate: Certificate, entry: LedgerEntry) -> None:
    assert state_of(certificate) == ("void", 0)
    with pytest.raises(CertificateVoidError):
        give_back(entry, is_manager=True, reason="it was a mistake")
    db.session.rollback()
    assert state_of(certificate) == ("void", 0)
