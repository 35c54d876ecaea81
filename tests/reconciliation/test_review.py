"""Orders in review: a person accepts what was paid, or pays it back; and no refund makes one fulfilled."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.certificates.requests import Asked
from giftshop.delivery.models import Delivery
from giftshop.errors import CheckoutUnavailableError, RefundNotAllowedError
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.notifications.models import Alert
from giftshop.orders.history import Sources, list_happenings
from giftshop.orders.models import Order, Refund
from giftshop.payments.facts import RefundFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.payments.shares import list_certificates
from giftshop.reconciliation import review
from giftshop.reconciliation.close import close_period
from giftshop.reconciliation.review import NotAcceptableError, NotInReviewError, OtherCurrencyError, PaybackRefusedError
from tests import build
from tests.conftest import both_databases
from tests.orders.kept import holds_on, moves_of
from tests.orders.stripe_side import StripeSide

BECAUSE = Asked(actor="staff:1", reason="a discount we gave", key="")


def put_in_review(side: StripeSide, **as_stripe_says: Any) -> Order:
    """Sell $50.00, let Stripe say something else about it than the order, and tell the shop."""
    order = side.place(build.gift_request(offer="amount", amount_cents=50_00))
    session_id = side.pay(order)
    side.workbench.post(f"/objects/{session_id}", as_stripe_says)
    side.tell("checkout.session.completed", session_id)
    assert order.state == "in_review"
    return order


def paid_less(side: StripeSide) -> Order:
    """An order of $50.00 for which Stripe took $40.00."""
    order = side.place(build.gift_request(offer="amount", amount_cents=50_00))
    session_id = side.pay(order)
    (charge,) = side.workbench.get("/state")["charges"]
    side.workbench.post(f"/objects/{session_id}", {"amount_total": 40_00})
    less = {"amount": 40_00, "amount_captured": 40_00}
    side.workbench.post(f"/objects/{charge['id']}", less)
    side.tell("checkout.session.completed", session_id)
    assert (order.state, order.received_cents) == ("in_review", 40_00)
    return order


def fail(side: StripeSide, refund_id: str) -> None:
    """Let the buyer's bank send a refund back, days later."""
    side.workbench.post(f"/refunds/{refund_id}/fail")
    side.tell("refund.failed", refund_id)


def warn(side: StripeSide, order: Order) -> str:
    """Let the card's bank warn of fraud, and tell the shop; return the warning's id."""
    warning_id: str = side.workbench.post("/warnings", {"payment_intent": order.payment_intent_id})["id"]
    side.tell("radar.early_fraud_warning.created", warning_id)
    return warning_id


def alerts(kind: str) -> list[Alert]:
    return list(db.session.scalars(sa.select(Alert).where(Alert.kind == kind)))


def mails_of(order: Order) -> list[str]:
    query = sa.select(Delivery.kind).where(Delivery.order_id == order.id, Delivery.kind != "alert")
    return sorted(db.session.scalars(query))


def everything_told(order: Order) -> list[tuple[str, str, str]]:
    """Return the lines of the order's history: who, what and why."""
    sources = Sources(
        order=order,
        certificates=list_certificates(order.id),
        deliveries=[],
        refunds=[],
        notes=[],
        practice=get_practice(),
    )
    return [(line.actor, line.what, line.detail) for line in list_happenings(sources)]


@both_databases
def test_a_refund_that_fails_leads_an_order_without_certificates_back_to_review(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    refund_id = stripe_side.refund(order, 50_00)
    stripe_side.tell("refund.created", refund_id)
    assert order.state == "refunded"
    fail(stripe_side, refund_id)
    assert order.state == "in_review"
    assert list_certificates(order.id) == []
    (alert,) = alerts("refund_failed")
    assert "no certificate was issued" in alert.detail
    assert "on the certificate" not in alert.detail


def test_a_refund_that_fails_puts_the_money_back_on_the_certificate_there_is(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 50_00)
    stripe_side.tell("refund.created", refund_id)
    fail(stripe_side, refund_id)
    assert (order.state, certificate.balance_cents) == ("fulfilled", 50_00)
    (alert,) = alerts("refund_failed")
    assert "on the certificate, on hold" in alert.detail


def test_a_late_copy_of_the_payment_does_not_bring_a_refunded_order_back_to_review(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    stripe_side.tell("refund.created", stripe_side.refund(order, 50_00))
    stripe_side.tell("checkout.session.completed", order.attempts[-1].session_id or "")
    assert order.state == "refunded"


@both_databases
def test_an_accepted_order_is_fulfilled_once_with_who_and_why(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    accepted = review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    assert (accepted.id, order.state, order.paid_at is not None) == (order.id, "fulfilled", True)
    (certificate,) = list_certificates(order.id)
    assert (certificate.status, certificate.balance_cents) == ("active", 50_00)
    assert [entry.kind for entry in certificate.entries] == ["issue"]
    assert mails_of(order) == ["gift", "receipt"]
    assert all(alert.resolved_at for alert in alerts("in_review"))
    assert ("staff:1", "Accepted as it was paid", "a discount we gave") in everything_told(order)
    assert moves_of(order)[-2:] == [("in_review", "paid", "staff:1"), ("paid", "fulfilled", "staff:1")]
    with pytest.raises(NotInReviewError):
        review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    stripe_side.tell("checkout.session.completed", order.attempts[-1].session_id or "")
    assert (order.state, len(list_certificates(order.id))) == ("fulfilled", 1)


@both_databases
def test_what_was_paid_too_little_is_written_off_and_the_books_still_close(stripe_side: StripeSide) -> None:
    order = paid_less(stripe_side)
    review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    (certificate,) = list_certificates(order.id)
    assert certificate.balance_cents == 50_00
    assert [(entry.kind, entry.amount_cents) for entry in certificate.entries] == [("issue", 50_00), ("loss", 10_00)]
    today = clock.today(get_practice().time_zone)
    assert close_period(stripe_side.gateway, first=today, last=today).differences == []


@both_databases
def test_an_order_the_cards_bank_warned_of_is_accepted_on_hold(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    warning_id = warn(stripe_side, order)
    stripe_side.tell("radar.early_fraud_warning.updated", warning_id)
    review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    (certificate,) = list_certificates(order.id)
    assert (order.state, certificate.status, certificate.balance_cents) == ("fulfilled", "frozen", 50_00)
    assert holds_on(certificate) == [(warning_id, "fraud_warning", "stripe")]
    assert [alert.subject for alert in alerts("fraud_warning")] == [warning_id]
    warned = ("stripe", "Fraud warning", "The card’s bank warns of fraud")
    assert everything_told(order).count(warned) == 1


def test_a_hold_that_a_person_ended_is_not_renewed_by_a_copy_of_the_warning(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    warning_id = warn(stripe_side, order)
    review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    (certificate,) = list_certificates(order.id)
    status.lift_all(certificate.id, reason_code="they rang", actor="staff:1", at=clock.now())
    db.session.commit()
    stripe_side.tell("radar.early_fraud_warning.updated", warning_id)
    assert certificate.status == "active"


def test_a_warning_says_nothing_any_more_once_the_bank_has_decided_for_us(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    warn(stripe_side, order)
    dispute_id = stripe_side.dispute(order)
    stripe_side.decide(dispute_id, "won")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    assert [certificate.status for certificate in list_certificates(order.id)] == ["active"]


def test_a_warning_about_a_certificate_is_told_once_in_the_history(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    warn(stripe_side, order)
    assert [what for _, what, why in everything_told(order) if "warns of fraud" in why] == ["Put on hold"]


OBSTACLES = [
    ({"amount_total": 50_01}, "more was paid than ordered"),
    ({"currency": "eur"}, "its currency differs"),
    ({"payment_status": "no_payment_required"}, "it is not paid"),
    ({"livemode": True}, "its mode differs"),
]


@pytest.mark.parametrize(("as_stripe_says", "why"), OBSTACLES)
def test_what_no_person_may_accept_is_refused_and_nothing_is_issued(
    stripe_side: StripeSide, as_stripe_says: dict[str, Any], why: str
) -> None:
    order = put_in_review(stripe_side, **as_stripe_says)
    with pytest.raises(NotAcceptableError, match=why):
        review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    db.session.rollback()
    assert (order.state, list_certificates(order.id)) == ("in_review", [])


def test_a_payment_that_went_back_or_is_disputed_cannot_be_accepted(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    stripe_side.refund(order, 1_00)
    with pytest.raises(NotAcceptableError, match="paid back"):
        review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    db.session.rollback()
    disputed = put_in_review(stripe_side, client_reference_id="o_another")
    stripe_side.tell("charge.dispute.created", stripe_side.dispute(disputed))
    with pytest.raises(NotAcceptableError, match="disputes it"):
        review.accept_order(disputed.id, BECAUSE, stripe_side.gateway)
    db.session.rollback()


def test_an_order_that_stripe_knows_no_payment_of_can_only_be_ended(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, payment_status="no_payment_required", payment_intent=None, amount_total=0)
    with pytest.raises(NotAcceptableError, match="no payment"):
        review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    db.session.rollback()
    assert review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=0).state == "refunded"
    assert db.session.query(Refund).count() == 0


@both_databases
def test_the_whole_payment_is_paid_back_once_with_who_and_why(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    paid_back = review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    assert paid_back.state == "refunded"
    (refund,) = db.session.scalars(sa.select(Refund))
    assert (refund.amount_cents, refund.state) == (50_00, "settled")
    assert (refund.actor, refund.reason) == (BECAUSE.actor, BECAUSE.reason)
    assert mails_of(order) == ["refund"]
    assert all(alert.resolved_at for alert in alerts("in_review"))
    stripe_side.tell("refund.created", refund.stripe_refund_id or "")
    with pytest.raises(NotInReviewError):
        review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    db.session.rollback()
    assert db.session.query(Refund).count() == 1
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    assert charge["amount_refunded"] == 50_00


def test_what_a_dashboard_refund_left_is_paid_back(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    stripe_side.refund(order, 20_00)
    review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    assert order.state == "refunded"
    by_whom = {refund.amount_cents: refund.actor for refund in db.session.scalars(sa.select(Refund))}
    assert by_whom == {20_00: "stripe", 30_00: "staff:1"}


def test_a_person_with_a_limit_pays_no_more_back_than_that(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    with pytest.raises(RefundNotAllowedError):
        review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=49_99)
    db.session.rollback()
    assert review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=50_00).state == "refunded"


@pytest.mark.parametrize("limit_cents", [0, 50_00, 1_000_00])
def test_what_came_in_another_currency_only_the_owner_pays_back(stripe_side: StripeSide, limit_cents: int) -> None:
    order = put_in_review(stripe_side, currency="jpy")
    with pytest.raises(OtherCurrencyError):
        review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=limit_cents)
    db.session.rollback()
    assert (order.state, stripe_side.workbench.get("/state")["refunds"]) == ("in_review", [])
    assert review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None).state == "refunded"


def test_when_the_answer_is_lost_the_same_again_finds_the_one_refund(stripe_side: StripeSide, app: Flask) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    stripe_side.workbench.post("/faults", {"do": "drop_after", "times": 2, "method": "POST", "path": "/v1/refunds"})
    with pytest.raises(CheckoutUnavailableError):
        review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    db.session.rollback()
    assert order.state == "in_review"
    review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    assert order.state == "refunded"
    assert len(stripe_side.workbench.get("/state")["refunds"]) == 1


def test_a_refund_that_failed_can_be_asked_for_again(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    first = db.session.scalars(sa.select(Refund.stripe_refund_id)).one()
    fail(stripe_side, first or "")
    assert order.state == "in_review"
    review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    assert order.state == "refunded"
    assert sorted(db.session.scalars(sa.select(Refund.state))) == ["returned", "settled"]


class SwiftBank(StripeGateway):
    """Stripe, where the buyer's bank sends every refund back before we can look."""

    side: StripeSide

    def create_refund(self, *given: Any, **named: Any) -> RefundFacts:
        refund = super().create_refund(*given, **named)
        self.side.workbench.post(f"/refunds/{refund.id}/fail")
        return refund


def test_a_refund_that_failed_before_we_heard_of_it_can_be_asked_for_again(
    stripe_side: StripeSide, settings: Settings
) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    bank = SwiftBank(
        secret_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        webhook_secrets=settings.webhook_secrets,
    )
    bank.side = stripe_side
    assert review.pay_back(order.id, BECAUSE, bank, limit_cents=None).state == "in_review"
    assert not any(alert.resolved_at for alert in alerts("in_review"))
    assert review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None).state == "refunded"
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    assert charge["amount_refunded"] == 50_00


def test_what_was_refused_can_be_asked_for_again_when_nothing_is_in_the_way_any_more(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    dispute_id = stripe_side.dispute(order)
    with pytest.raises(PaybackRefusedError):
        review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    stripe_side.decide(dispute_id, "won")
    assert review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None).state == "refunded"
    refusals = [(who, why) for who, what, why in everything_told(order) if what == "Refused to pay it back"]
    assert [(who, "charge_disputed" in why) for who, why in refusals] == [("stripe", True)]


def test_a_definite_no_is_said_and_the_order_stays_in_review(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    stripe_side.dispute(order)
    with pytest.raises(PaybackRefusedError, match="charge_disputed"):
        review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    db.session.rollback()
    assert order.state == "in_review"
    assert db.session.query(ActivityEvent).filter(ActivityEvent.kind == "payback_asked").count() == 1


def test_nothing_is_decided_while_stripe_cannot_be_asked(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    dead = StripeGateway(secret_key="sk_test_sim_x", api_base="http://127.0.0.1:9", webhook_secrets=["x"])
    with pytest.raises(CheckoutUnavailableError):
        review.accept_order(order.id, BECAUSE, dead)
    db.session.rollback()
    assert (order.state, list_certificates(order.id)) == ("in_review", [])
