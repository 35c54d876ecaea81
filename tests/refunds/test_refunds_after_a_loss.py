"""Refunds heard of, or failing, after a bank took the payment: the same money is never spent twice, nor forgotten.

Had the refund never been made, the dispute would have taken what the refund brings back: so the books say then.
"""

from datetime import UTC, datetime

import pytest
from flask import Flask

from giftshop.certificates import status as standing
from giftshop.disputes.outcomes import record_dispute
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.refund_entries import post_loss
from giftshop.orders.models import Dispute, Order, Refund
from giftshop.payments.facts import DisputeFacts
from giftshop.payments.shares import cleared_by_certificate, list_certificates
from giftshop.refunds.booking import Outcome, Step
from giftshop.refunds.concerns import list_concerns
from giftshop.refunds.outcomes import came_back_to_certificates, record_refund
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import take
from tests.orders import mailed, told
from tests.orders.kept import entries_of, holds_on, kinds_of, message_kinds, messages, owner_was_told, standing_of

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def bank_says(order: Order, amount_cents: int, *statuses: str, dispute_id: str = "dp_1") -> None:
    """Let the bank question a sum of an order's payment, and decide."""
    for status in statuses:
        facts = DisputeFacts(dispute_id, status, amount_cents, amount_cents, "fraudulent", "pi_1", None, NOON)
        record_dispute(facts, order.id)
        db.session.commit()


def paid_back(order: Order, certificate: Certificate, amount_cents: int) -> Refund:
    """A refund that went out."""
    refund = told.held(order, certificate, amount_cents)
    record_refund(told.answer_to(refund), order.id)
    db.session.commit()
    return refund


def fail(refund: Refund, order: Order) -> None:
    """Let Stripe say that a refund failed."""
    record_refund(told.answer_to(refund, "failed"), order.id)
    db.session.commit()


def cleared(order: Order) -> int:
    """What the books say that Stripe has of an order's payment."""
    return sum(cleared_by_certificate(order.id).values())


def loss() -> int:
    """What the practice is told that the dispute cost."""
    return db.session.query(Dispute.loss_cents).scalar() or 0


@both_databases
@pytest.mark.parametrize("refunded", [20_00, 50_00])
def test_a_refund_that_comes_back_after_the_bank_took_all_goes_to_the_bank(app: Flask, refunded: int) -> None:
    order, certificate = told.sold_one()
    refund = paid_back(order, certificate, refunded)
    bank_says(order, 50_00, "needs_response", "lost")
    assert (loss(), cleared(order)) == (refunded, -refunded)
    fail(refund, order)
    assert (standing_of(certificate), loss(), cleared(order)) == (("void", 0), 0, 0)
    assert kinds_of(certificate)[-4:] == ["refund_returned", "loss_recovered", "dispute_hold", "dispute_lost"]
    assert not came_back_to_certificates(refund)
    assert owner_was_told()[-1].detail == (
        f"The refund for order {order.number} failed. ${refunded // 100}.00 of its value had gone already, "
        "by a lost dispute or another refund. The buyer was told that you will be in touch."
    )
    fail(refund, order)
    assert (standing_of(certificate), loss()) == (("void", 0), 0)


@both_databases
def test_a_refund_refused_after_the_bank_took_all_goes_to_the_bank(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 30_00)
    record_refund(told.answer_to(refund, "pending"), order.id)
    bank_says(order, 50_00, "needs_response", "lost")
    assert (loss(), cleared(order)) == (30_00, 0)
    fail(refund, order)
    assert (refund.state, standing_of(certificate), loss(), cleared(order)) == ("released", ("void", 0), 0, 0)
    assert owner_was_told()[-1].detail == (
        f"The refund for order {order.number} was refused. $30.00 of its value had gone already, "
        "by a lost dispute or another refund."
    )


def test_what_the_bank_did_not_take_is_on_the_certificate_again_on_hold(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 30_00)
    record_refund(told.answer_to(refund, "pending"), order.id)
    bank_says(order, 40_00, "needs_response", "lost")
    assert loss() == 20_00
    fail(refund, order)
    assert (standing_of(certificate), loss(), cleared(order)) == (("frozen", 10_00), 0, 10_00)
    assert holds_on(certificate)
    assert owner_was_told()[-1].detail.endswith(
        "$20.00 of its value had gone already, by a lost dispute or another refund; "
        "$10.00 of it is on the certificate again, on hold."
    )


@pytest.mark.parametrize(
    ("is_on_hold", "where"), [(True, "is on the certificate again, on hold."), (False, "is on the certificate again.")]
)
def test_what_is_left_is_said_to_be_on_hold_where_it_is(app: Flask, is_on_hold: bool, where: str) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 30_00)
    outcome = Outcome(
        step=Step.RELEASED, refund=refund, order=order, back_cents=30_00, lost_cents=20_00, is_on_hold=is_on_hold
    )
    (concern,) = list_concerns(outcome)
    assert concern.detail.endswith(
        f"$20.00 of its value had gone already, by a lost dispute or another refund; $10.00 of it {where}"
    )


def test_what_was_used_stays_lost_when_less_comes_back(app: Flask) -> None:
    order, certificate = told.sold_one()
    take(certificate.id, 35_00)
    refund = told.held(order, certificate, 15_00)
    record_refund(told.answer_to(refund, "pending"), order.id)
    bank_says(order, 50_00, "needs_response", "lost")
    assert loss() == 50_00
    fail(refund, order)
    assert (standing_of(certificate), loss(), cleared(order)) == (("void", 0), 35_00, 0)
    assert entries_of(certificate)[-3][:2] == ("loss", 35_00)


def test_what_comes_back_to_one_gift_pays_for_its_own_refund_and_not_for_what_another_used(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    take(first.id, 20_00)
    refund = paid_back(order, second, 50_00)
    bank_says(order, 80_00, "needs_response", "lost")
    assert (loss(), cleared(order)) == (50_00, -30_00)
    fail(refund, order)
    assert (standing_of(first)[1], standing_of(second)) == (0, ("frozen", 20_00))
    assert (loss(), cleared(order)) == (20_00, 20_00)
    assert [mail.to_address for mail in messages(order, "refund_returned")] == [order.buyer_email]
    bank_says(order, 80_00, "won")
    assert (standing_of(first)[1], standing_of(second)) == (30_00, ("frozen", 50_00))
    assert (loss(), cleared(order)) == (0, 100_00)


def test_an_appeal_that_is_won_brings_back_what_came_back_and_went_to_the_bank(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = paid_back(order, certificate, 20_00)
    bank_says(order, 50_00, "needs_response", "lost", "appeal_needs_response")
    fail(refund, order)
    bank_says(order, 50_00, "won")
    assert (standing_of(certificate), loss(), cleared(order)) == (("frozen", 50_00), 0, 50_00)
    assert len(holds_on(certificate)) == 2


def test_a_dispute_that_ended_well_takes_nothing_of_what_comes_back(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = paid_back(order, certificate, 20_00)
    bank_says(order, 50_00, "needs_response", "won")
    fail(refund, order)
    assert (standing_of(certificate), cleared(order)) == (("frozen", 50_00), 50_00)
    assert "back with you and on the certificate, on hold" in owner_was_told()[-1].detail


@both_databases
def test_a_refund_first_heard_of_after_the_bank_took_all_is_a_loss(app: Flask) -> None:
    order, certificate = told.sold_one()
    bank_says(order, 50_00, "needs_response", "lost")
    holds = holds_on(certificate)
    record_refund(told.refund_of(order, 20_00), order.id)
    db.session.commit()
    assert (standing_of(certificate), cleared(order)) == (("void", 0), -20_00)
    assert entries_of(certificate)[-1][:2] == ("loss", 20_00)
    assert holds_on(certificate) == holds, "what has ended is not put on hold"
    assert owner_was_told()[-1].kind == "refund_over_balance"
    record_refund(told.refund_of(order, 20_00, status="failed"), order.id)
    db.session.commit()
    assert (standing_of(certificate), cleared(order)) == (("void", 0), 0)
    assert message_kinds(order)[-1] == "refund_returned"


def test_a_refund_of_more_than_is_left_of_two_gifts_takes_each_once(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    take(first.id, 10_00)
    bank_says(order, 70_00, "needs_response", "lost")
    record_refund(told.refund_of(order, 50_00), order.id)
    db.session.commit()
    assert (cleared(order), standing_of(second)[1]) == (-20_00, 0)
    assert entries_of(first)[-1][:2] == ("loss", 20_00)
    assert entries_of(second)[-1][:2] == ("refund_external", 30_00)


@both_databases
def test_a_refund_that_fails_after_another_took_what_it_held_makes_that_ones_loss_smaller(app: Flask) -> None:
    order, certificate = told.sold_one()
    take(certificate.id, 10_00)
    refund = told.held(order, certificate, 30_00)
    record_refund(told.refund_of(order, 50_00), order.id)
    db.session.commit()
    assert (entries_of(certificate)[-1][:2], cleared(order)) == (("loss", 40_00), 0)
    record_refund(told.answer_to(refund, "failed", id="re_2"), order.id)
    db.session.commit()
    assert (standing_of(certificate), cleared(order)) == (("frozen", 0), 0)
    assert entries_of(certificate)[-2:] == [("loss", 10_00, 30_00), ("refund_external", 30_00, 0)]
    record_refund(told.refund_of(order, 50_00, status="failed"), order.id)
    db.session.commit()
    assert (standing_of(certificate), cleared(order)) == (("frozen", 40_00), 50_00)


def test_an_appeal_that_is_won_pays_first_for_a_refund_that_was_heard_of_meanwhile(app: Flask) -> None:
    order, certificate = told.sold_one()
    bank_says(order, 40_00, "needs_response", "lost", "appeal_needs_response")
    record_refund(told.refund_of(order, 30_00), order.id)
    db.session.commit()
    assert (standing_of(certificate)[1], cleared(order)) == (0, -20_00)
    bank_says(order, 40_00, "won")
    assert (standing_of(certificate), cleared(order), loss()) == (("frozen", 20_00), 20_00, 0)


def test_a_refund_of_two_gifts_that_comes_back_goes_to_the_bank_with_both(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    record_refund(told.refund_of(order, 100_00), order.id)
    bank_says(order, 100_00, "needs_response", "lost")
    record_refund(told.refund_of(order, 100_00, status="failed"), order.id)
    db.session.commit()
    assert [standing_of(each) for each in list_certificates(order.id)] == [("void", 0)] * 2
    assert (loss(), cleared(order)) == (0, 0)
    assert "$100.00 of its value had gone already" in owner_was_told()[-1].detail


def test_what_a_person_accepted_to_lose_is_not_taken_from_what_comes_back(app: Flask) -> None:
    order, certificate = told.sold_one()
    post_loss(certificate.id, 10_00, key="loss:accepted", external_ref=order.payment_intent_id or "", at=NOON)
    refund = told.held(order, certificate, 30_00)
    fail(refund, order)
    assert (standing_of(certificate), cleared(order)) == (("active", 50_00), 40_00)
    assert owner_was_told()[-1].detail.endswith("The certificate has its value again.")


def test_what_was_used_of_another_gift_or_accepted_is_not_paid_by_what_comes_back_to_this_one(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    post_loss(first.id, 10_00, key="loss:accepted", external_ref=order.payment_intent_id or "", at=NOON)
    take(first.id, 50_00)
    refund = told.held(order, second, 30_00)
    record_refund(told.refund_of(order, 40_00, id="re_2"), order.id)
    assert entries_of(first)[-1][:2] == ("loss", 40_00)
    fail(refund, order)
    assert (standing_of(second), cleared(order)) == (("active", 50_00), 50_00)


def test_what_comes_back_pays_for_its_own_gift_as_if_it_had_been_there_when_the_bank_took_its_share(app: Flask) -> None:
    order, certificate = told.sold_one()
    take(certificate.id, 20_00)
    refund = paid_back(order, certificate, 20_00)
    bank_says(order, 30_00, "needs_response", "lost")
    assert (loss(), cleared(order)) == (20_00, 0)
    fail(refund, order)
    assert (standing_of(certificate), loss(), cleared(order)) == (("void", 0), 0, 20_00)


def test_a_loss_that_another_gift_owes_to_its_use_is_passed_over(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    take(first.id, 20_00)
    refund = told.held(order, second, 30_00)
    bank_says(order, 100_00, "needs_response", "lost")
    assert loss() == 50_00
    fail(refund, order)
    assert (standing_of(second), loss(), cleared(order)) == (("void", 0), 20_00, 0)


def test_of_another_gifts_losses_no_more_is_paid_than_stripe_lacks_for_it(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=cents) for cents in (50_00, 100_00)])
    first, second = list_certificates(order.id)
    take(first.id, 20_00)
    refund = paid_back(order, second, 100_00)
    bank_says(order, 110_00, "needs_response", "lost")
    assert [each[1] for each in entries_of(first) if each.kind == "loss"] == [20_00, 60_00]
    fail(refund, order)
    assert (standing_of(second), loss(), cleared(order)) == (("frozen", 40_00), 20_00, 40_00)


@pytest.mark.parametrize("is_backwards", [False, True])
def test_what_one_gift_used_is_not_paid_by_another_in_whatever_order_the_news_comes(
    app: Flask, is_backwards: bool
) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    take(second.id, 20_00)
    whole, part = told.held(order, first, 50_00), told.held(order, second, 30_00)
    record_refund(told.answer_to(whole, id="re_1"), order.id)
    record_refund(told.answer_to(part, id="re_2"), order.id)
    news = [told.answer_to(part, "failed", id="re_2"), told.refund_of(order, 50_00, id="re_3")]
    for facts in reversed(news) if is_backwards else news:
        record_refund(facts, order.id)
    record_refund(told.answer_to(whole, "failed", id="re_1"), order.id)
    db.session.commit()
    assert (standing_of(first), standing_of(second)[1], cleared(order)) == (("frozen", 50_00), 0, 50_00)


@pytest.mark.parametrize("is_backwards", [False, True])
def test_a_refund_that_failed_and_was_made_again_ends_the_certificate_and_the_order(
    app: Flask, is_backwards: bool
) -> None:
    order, (certificate,) = mailed.sold()
    refund = paid_back(order, certificate, 50_00)
    news = [told.answer_to(refund, "failed"), told.refund_of(order, 50_00, id="re_2")]
    for facts in reversed(news) if is_backwards else news:
        record_refund(facts, order.id)
    db.session.commit()
    assert (standing_of(certificate), order.state, cleared(order)) == (("void", 0), "refunded", 0)
    if is_backwards:
        assert mailed.told_of(order, "certificate_returned") == []
        _subject, *parts = mailed.said_in(messages(order, "refund_returned")[-1])
        assert not any("The money is with us" in part or "value again" in part for part in parts)


def test_a_part_of_a_refund_that_comes_back_is_told_to_nobody_but_the_owner(app: Flask) -> None:
    order, (certificate,) = mailed.sold()
    refund = paid_back(order, certificate, 30_00)
    bank_says(order, 40_00, "needs_response", "lost")
    fail(refund, order)
    assert standing_of(certificate) == ("frozen", 10_00)
    assert "$10.00 of it is on the certificate again, on hold." in owner_was_told()[-1].detail
    assert mailed.told_of(order, "certificate_returned") == []
    _subject, *parts = mailed.said_in(messages(order, "refund_returned")[-1])
    assert all("We will be in touch." in part and "value again" not in part for part in parts)


def test_the_owner_hears_of_what_came_back_and_not_of_what_was_used(app: Flask) -> None:
    order, certificate = told.sold_one()
    take(certificate.id, 30_00)
    record_refund(told.refund_of(order, 50_00), order.id)
    bank_says(order, 50_00, "needs_response", "lost")
    record_refund(told.refund_of(order, 50_00, status="failed"), order.id)
    db.session.commit()
    assert (standing_of(certificate), loss(), cleared(order)) == (("void", 0), 30_00, 0)
    assert (
        "$20.00 of its value had gone already, by a lost dispute or another refund. The" in owner_was_told()[-1].detail
    )


def test_of_two_disputes_each_takes_what_the_other_does_not_hold(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    bank_says(order, 70_00, "needs_response")
    bank_says(order, 30_00, "needs_response", "lost", dispute_id="dp_2")
    bank_says(order, 70_00, "won")
    left = [standing_of(each)[1] for each in list_certificates(order.id)]
    assert (left, cleared(order)) == ([50_00, 20_00], 70_00)
    assert [each.loss_cents for each in db.session.query(Dispute)] == [0, 0]


def test_a_certificate_that_a_person_ended_is_not_put_on_hold_by_a_refund_at_stripe(app: Flask) -> None:
    order, certificate = told.sold_one()
    standing.void(certificate.id, reason_code="paid in cash", request_key="k" * 16, actor="staff:3", at=NOON)
    record_refund(told.refund_of(order, 50_00), order.id)
    db.session.commit()
    assert (standing_of(certificate), holds_on(certificate), cleared(order)) == (("void", 0), [], 0)
    assert owner_was_told()[-1].kind == "refund_over_balance"


def test_what_comes_back_to_one_gift_pays_the_last_cent_that_the_bank_took_beyond_the_other(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    refund = paid_back(order, list_certificates(order.id)[1], 50_00)
    bank_says(order, 50_01, "needs_response", "lost")
    fail(refund, order)
    assert ([standing_of(each)[1] for each in list_certificates(order.id)], loss()) == ([0, 49_99], 0)
