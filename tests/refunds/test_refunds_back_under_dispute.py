"""Refunds that come back while a bank questions the payment: what comes back is held until the bank has decided."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.disputes.outcomes import record_dispute
from giftshop.errors import NotFrozenByHandError
from giftshop.foundation.database import db
from giftshop.payments.facts import DisputeFacts, Refusal
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import record_refund, release_refund
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import entries_of, kinds_of, owner_was_told, standing_of

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def dispute(amount_cents: int, status: str = "needs_response") -> DisputeFacts:
    return DisputeFacts("dp_1", status, amount_cents, amount_cents, "fraudulent", "pi_1", None, NOON)


@both_databases
def test_what_a_refused_refund_held_is_held_for_the_dispute_and_nobody_may_release_it(app: Flask) -> None:
    """So Stripe ends a refund that waits when its payment is disputed meanwhile."""
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 50_00)
    record_refund(told.answer_to(refund, "pending"), order.id)
    record_dispute(dispute(50_00), order.id)
    record_refund(told.answer_to(refund, "failed"), order.id)
    assert (refund.state, standing_of(certificate)) == ("released", ("frozen", 0))
    assert kinds_of(certificate)[-2:] == ["refund_released", "dispute_hold"]
    assert owner_was_told()[-1].detail == (
        f"The refund for order {order.number} was refused. "
        "The certificate has its value again, on hold, because a bank questions the payment."
    )
    with pytest.raises(NotFrozenByHandError):
        standing.lift_all(certificate.id, reason_code="it was her", actor="staff:1", at=clock.now())
    record_dispute(dispute(50_00, "won"), order.id)
    assert standing_of(certificate) == ("active", 50_00)
    db.session.commit()


def test_a_certificate_that_was_released_meanwhile_says_why_it_is_on_hold_again(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 50_00)
    record_dispute(dispute(50_00), order.id)
    standing.lift_all(certificate.id, reason_code="it was her", actor="staff:1", at=clock.now())
    release_refund(refund.id, Refusal("InvalidRequestError charge_disputed"))
    assert standing_of(certificate) == ("frozen", 0)
    assert [each.reason_code for each in standing.list_freezes(certificate.id)] == ["refund_refused"]
    record_dispute(dispute(50_00, "lost"), order.id)
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("void", 0), "dispute_lost")
    db.session.commit()


def test_what_a_failed_refund_brings_back_is_held_for_the_dispute(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund), order.id)
    record_dispute(dispute(50_00), order.id)
    assert standing_of(certificate) == ("frozen", 0)
    record_refund(told.answer_to(refund, "failed"), order.id)
    assert (standing_of(certificate), entries_of(certificate)[-1]) == (("frozen", 0), ("dispute_hold", 50_00, 0))
    record_dispute(dispute(50_00, "lost"), order.id)
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("void", 0), "dispute_lost")
    db.session.commit()


def test_the_dispute_holds_the_certificates_it_would_hold_had_there_been_no_refund(app: Flask) -> None:
    order = told.sold(build.gift_request(quantity=2))
    first, second = list_certificates(order.id)
    refund = told.held(order, first, 95_00)
    record_refund(told.answer_to(refund), order.id)
    record_dispute(dispute(95_00), order.id)
    assert [standing_of(each) for each in (first, second)] == [("void", 0), ("frozen", 0)]
    record_refund(told.answer_to(refund, "failed"), order.id)
    assert [standing_of(each) for each in (first, second)] == [("frozen", 0), ("frozen", 95_00)]
    record_dispute(dispute(95_00, "won"), order.id)
    assert [standing_of(each) for each in (first, second)] == [("frozen", 95_00), ("active", 95_00)]
    db.session.commit()
