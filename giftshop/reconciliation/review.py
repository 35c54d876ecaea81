"""Review: the two ways out for an order that was paid otherwise than it asked for, for the office and its commands.

Both talk to Stripe: they commit before the call and record after it. The order's state decides who was first.
"""

import json

from giftshop import clock
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation
from giftshop.certificates.requests import Asked
from giftshop.checkout import fulfilment
from giftshop.disputes.outcomes import has_open_dispute, list_disputes, record_warning
from giftshop.disputes.stages import ENDED_WELL
from giftshop.errors import CheckoutRefusedError, RefundNotAllowedError, ShopError
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.refund_entries import post_loss
from giftshop.notifications.alerts import resolve_review
from giftshop.orders.look_up import get_order, lock_order
from giftshop.orders.models import Order
from giftshop.orders.states import move
from giftshop.payments import shares
from giftshop.payments.facts import RefundFacts, SessionFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.refunds.outcomes import record_refund

WARNED = "fraud_warning"
"""The trail's kind for a warning about an order without certificates."""


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
    Commits. Raises NotInReviewError, NotAcceptableError, CheckoutUnavailableError.
    """
    payment_id = _in_review(get_order(order_id)).payment_intent_id
    db.session.rollback()
    session = gateway.find_session_of_payment(payment_id) if payment_id else None
    refunds = list(gateway.list_refunds(payment_intent_id=payment_id, patience="page")) if payment_id else []
    order = _in_review(lock_order(order_id))
    if session is None or (obstacle := _find_obstacle(order, session, refunds, get_installation())):
        why = obstacle if session is not None else "Stripe knows of no payment"
        raise NotAcceptableError(f"It cannot be accepted: {why}. Pay it back instead.")
    activity_log.note("order_accepted", actor=asked.actor, order_id=order.id, reason=asked.reason)
    fulfilment.accept(order, session, actor=asked.actor)
    _write_off(order, order.total_cents - session.amount_total)
    for warning_id in _list_warnings(order.id):
        record_warning(warning_id, order.id)
    resolve_review(order)
    db.session.commit()
    return order


def pay_back(order_id: int, asked: Asked, gateway: StripeGateway, *, limit_cents: int | None) -> Order:
    """Pay the whole payment of an order in review back, or what is left of it; one that was never paid only ends.

    `limit_cents` is the most this person may pay back, None without limit. Commits around the call. When the answer
    is lost, the same again asks for the same refund. Raises NotInReviewError, RefundNotAllowedError,
    OtherCurrencyError, PaybackRefusedError, CheckoutUnavailableError (the outcome is unknown, reconciliation finds it).
    """
    order = _in_review(lock_order(order_id))
    if limit_cents is not None:
        _check_limit(order, limit_cents)
    activity_log.note("payback_asked", actor=asked.actor, order_id=order.id, reason=asked.reason)
    if order.payment_intent_id is None:
        move(order, "refunded", actor=asked.actor)
    else:
        _ask_for_all(order, order.payment_intent_id, gateway)
    if order.state != "in_review":
        resolve_review(order)
    db.session.commit()
    return order


def note_warning(warning_id: str, order_id: int) -> None:
    """Keep in the trail an early fraud warning that finds no certificate to put on hold, for who accepts the order.

    The caller holds the order. Does not commit.
    """
    if not shares.list_certificates(order_id) and warning_id not in _list_warnings(order_id):
        activity_log.note(WARNED, actor="stripe", order_id=order_id, subject=warning_id, reason="fraud_warning")


def is_warned(order: Order) -> bool:
    """Tell whether the card's bank warns that an order in review is fraud, and no bank has decided otherwise since."""
    if order.state != "in_review" or not _list_warnings(order.id):
        return False
    return all(dispute.status not in ENDED_WELL for dispute in list_disputes(order.id))


def _list_warnings(order_id: int) -> list[str]:
    noted = [event for event in activity_log.list_events(order_id=order_id) if event.kind == WARNED]
    return [json.loads(event.facts)["subject"] for event in noted]


def _in_review(order: Order) -> Order:
    if order.state != "in_review":
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
        "it is not paid": session.payment_status != "paid",
        "it belongs to another shop": session.metadata.get("shop") != installation.instance_id,
        "its mode differs": session.livemode != (order.mode == "live") or order.mode != installation.mode,
        "its currency differs": session.currency != order.currency,
        "more was paid than ordered": session.amount_total > order.total_cents,
        "some of it was paid back": any(not refund.has_failed for refund in refunds),
        "the buyer's bank disputes it": has_open_dispute(order.id),
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


def _ask_for_all(order: Order, payment_id: str, gateway: StripeGateway) -> None:
    """Ask Stripe to pay back what is left of a payment, and record every refund it knows of then.

    The key stays the same until the end of an ask is known: whoever lost the answer gets the same refund. Then it is
    another one, because Stripe gives a key the same refusal, or the same failed refund, for a day.
    """
    order_id, shop, number = order.id, get_installation().instance_id, order.public_id
    refusals = sum(event.kind == "payback_refused" for event in activity_log.list_events(order_id=order_id))
    db.session.commit()
    failed = sum(refund.has_failed for refund in gateway.list_refunds(payment_intent_id=payment_id, patience="page"))
    parameters = {
        "payment_intent": payment_id,
        "reason": "requested_by_customer",
        "metadata": {"shop": shop, "order_id": number},
    }
    try:
        gateway.create_refund(parameters, f"{shop}:payback:{number}:{refusals + failed}", patience="page")
    except CheckoutRefusedError as refusal:
        why = refusal.message.strip()
        activity_log.note("payback_refused", actor="stripe", order_id=order_id, reason=why)
        db.session.commit()
        raise PaybackRefusedError(f"Stripe refused to pay it back: {why}.") from None
    found = gateway.list_refunds(payment_intent_id=payment_id, patience="page")
    for facts in sorted(found, key=lambda each: each.created_at):
        record_refund(facts, order_id)
