"""Review: the two ways out for an order that was paid otherwise than it asked for, for the office and its commands.

Both talk to Stripe: they commit before the call and record after it. The order's state decides who was first.
"""

from giftshop import clock
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation
from giftshop.certificates.requests import Asked
from giftshop.checkout import fulfilment
from giftshop.disputes.holds import has_open_dispute, list_disputes
from giftshop.disputes.outcomes import list_warnings, record_warning
from giftshop.errors import RefundNotAllowedError, ShopError
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Fact, refuse_changed
from giftshop.ledger.refund_entries import post_loss
from giftshop.notifications.alerts import review_alerts
from giftshop.notifications.announcing import Act, Announcement, announce
from giftshop.orders.look_up import get_order, lock_order
from giftshop.orders.models import Order, Payback
from giftshop.orders.states import ENDED_WELL, OrderState, move
from giftshop.payments import shares
from giftshop.payments.errors import RefusedByStripeError
from giftshop.payments.facts import RefundFacts, SessionFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.refunds.outcomes import record_refund
from giftshop.words import _


class NotInReviewError(ShopError):
    """This order is not in review, or not any more."""


class NotAcceptableError(ShopError):
    """This payment cannot be accepted. Pay it back instead."""


class OtherCurrencyError(ShopError):
    """This was paid in another currency than your limit. Please ask the owner."""


class PaybackRefusedError(ShopError):
    """Stripe refused to pay it back."""


def accept_order(order_id: int, asked: Asked, gateway: StripeGateway) -> Order:
    """Issue the certificates of an order in review, as it asked for them, because a person says that it was paid.

    Stripe is asked anew. What was paid too little is written off. What the card's bank warned of is issued on hold.
    Commits. Raises NotInReviewError, ChangedMeanwhileError, NotAcceptableError, CheckoutUnavailableError.
    """
    payment_id = _in_review(get_order(order_id)).payment_intent_id
    db.session.rollback()
    session = gateway.find_session_of_payment(payment_id) if payment_id else None
    refunds = list(gateway.list_refunds(payment_intent_id=payment_id, patience="page")) if payment_id else []
    order = _in_review(lock_order(order_id))
    refuse_changed(asked.key, *version_of(order))
    if session is None or (obstacle := _find_obstacle(order, session, refunds, get_installation())):
        why = obstacle if session is not None else _("Stripe knows of no payment")
        raise NotAcceptableError(_("It cannot be accepted: %(why)s. Pay it back instead.", why=why))
    at = clock.now()
    fulfilment.accept(order, session, actor=asked.actor)
    _write_off(order, order.total_cents - session.amount_total)
    for warning_id in list_warnings(order.id):
        record_warning(warning_id, order.id)
    accepted = Act(kind=Activity.ORDER_ACCEPTED, actor=asked.actor, at=at, facts={"reason": asked.reason})
    announce(Announcement(order=order, acts=[accepted], done=review_alerts(order)))
    db.session.commit()
    return order


def pay_back(order_id: int, asked: Asked, gateway: StripeGateway, *, limit_cents: int | None) -> Order:
    """Pay the whole payment of an order in review back, or what is left of it; one that was never paid only ends.

    `limit_cents` is the most this person may pay back, None without limit. Commits around the call. When the answer
    is lost, the same again asks for the same refund. Raises NotInReviewError, ChangedMeanwhileError,
    RefundNotAllowedError, OtherCurrencyError, PaybackRefusedError, CheckoutUnavailableError (the outcome is unknown,
    reconciliation finds it).
    """
    order = _in_review(lock_order(order_id))
    refuse_changed(asked.key, *version_of(order))
    if limit_cents is not None:
        _check_limit(order, limit_cents)
    payback = _keep_payback(order, asked)
    if order.payment_intent_id is None:
        move(order, OrderState.REFUNDED, actor=asked.actor)
    else:
        _ask_for_all(order, payback, gateway)
    if order.state != OrderState.IN_REVIEW:
        announce(Announcement(order=order, done=review_alerts(order)))
    db.session.commit()
    return order


def version_of(order: Order) -> tuple[Fact, ...]:
    """Return what a page shows of an order in review that decides about it, for the request key of its form."""
    payback = db.session.get(Payback, order.id, populate_existing=True)
    return order.state, order.review_reason, order.received_cents, payback.refusals if payback else 0, is_warned(order)


def is_warned(order: Order) -> bool:
    """Tell whether the card's bank warns that an order in review is fraud, and no bank has decided otherwise since."""
    if order.state != OrderState.IN_REVIEW or not list_warnings(order.id):
        return False
    return all(dispute.status not in ENDED_WELL for dispute in list_disputes(order.id))


def _in_review(order: Order) -> Order:
    if order.state != OrderState.IN_REVIEW:
        raise NotInReviewError
    return order


def _check_limit(order: Order, limit_cents: int) -> None:
    """Refuse what a person with a limit may not pay back; one in another currency cannot be measured by it."""
    received_cents = order.received_cents or 0
    if received_cents and order.received_currency != order.currency:
        raise OtherCurrencyError
    if received_cents > limit_cents:
        raise RefundNotAllowedError


def _find_obstacle(order: Order, session: SessionFacts, refunds: list[RefundFacts], installation: Installation) -> str:
    """Say why not even a person may accept a payment; empty when nothing is in the way."""
    checks = {
        _("it is not paid"): not session.is_paid,
        _("it belongs to another shop"): session.metadata.get("shop") != installation.instance_id,
        _("its mode differs"): session.livemode != (order.mode == "live") or order.mode != installation.mode,
        _("its currency differs"): session.currency != order.currency,
        _("more was paid than ordered"): session.amount_total > order.total_cents,
        _("some of it was paid back"): any(not refund.has_failed for refund in refunds),
        _("the buyer’s bank disputes it"): has_open_dispute(order.id),
    }
    return next((reason for reason, is_so in checks.items() if is_so), "")


def _write_off(order: Order, missing_cents: int) -> None:
    """Write off what the certificates are worth beyond what was paid, so that the books hold what Stripe holds."""
    for share in shares.share_out(order.id, missing_cents):
        post_loss(
            share.certificate_id,
            share.amount_cents,
            key=f"order:{order.id}:unpaid:{share.certificate_id}",
            external_ref=order.payment_intent_id or "",
            at=clock.now(),
        )


def _keep_payback(order: Order, asked: Asked) -> Payback:
    """Keep who asks for all of a payment back, and why."""
    payback = db.session.get(Payback, order.id) or Payback(order_id=order.id, refusals=0)
    payback.actor, payback.reason, payback.asked_at = asked.actor, asked.reason, clock.now()
    db.session.add(payback)
    asking = Act(kind=Activity.PAYBACK_ASKED, actor=asked.actor, facts={"reason": asked.reason})
    announce(Announcement(order=order, acts=[asking]))
    return payback


def _ask_for_all(order: Order, payback: Payback, gateway: StripeGateway) -> None:
    """Ask Stripe to pay back what is left of a payment, and record every refund it knows of then.

    The key stays the same until the end of an ask is known: whoever lost the answer gets the same refund. Then it is
    another one, because Stripe gives a key the same refusal, or the same failed refund, for a day.
    """
    order_id, payment_id, refusals = order.id, order.payment_intent_id or "", payback.refusals
    shop, number = get_installation().instance_id, order.public_id
    db.session.commit()
    failed = sum(refund.has_failed for refund in gateway.list_refunds(payment_intent_id=payment_id, patience="page"))
    parameters = {
        "payment_intent": payment_id,
        "reason": "requested_by_customer",
        "metadata": {"shop": shop, "order_id": number},
    }
    try:
        gateway.create_refund(parameters, f"{shop}:payback:{number}:{refusals + failed}", patience="page")
    except RefusedByStripeError as refused:
        why = refused.message.strip()
        _keep_refusal(order_id, why)
        raise PaybackRefusedError(_("Stripe refused to pay it back: %(why)s.", why=why)) from None
    found = gateway.list_refunds(payment_intent_id=payment_id, patience="page")
    for facts in sorted(found, key=lambda each: each.created_at):
        record_refund(facts, order_id)


def _keep_refusal(order_id: int, why: str) -> None:
    """Count that Stripe refused to pay an order back, so that the next ask is another one; commits."""
    order = lock_order(order_id)
    db.session.get_one(Payback, order_id, populate_existing=True).refusals += 1
    announce(Announcement(order=order, acts=[Act(kind=Activity.PAYBACK_REFUSED, facts={"reason": why})]))
    db.session.commit()
