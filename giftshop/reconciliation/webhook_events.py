"""Stripe's events: which types matter, and what each one makes us look at again.

An event is only a trigger: the object it names is read anew, so copies, delays, any order and old API versions
all end the same. Handlers answer with a word for the record; what is not ours is answered kindly, because
refusals make Stripe retry for days and then switch the endpoint off.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.checkout.fulfilment import find_order_of_payment, settle
from giftshop.disputes.outcomes import record_dispute, record_warning
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import wait_for_copies
from giftshop.notifications.alerts import raise_alert
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import find_paid_order
from giftshop.payments.facts import SessionFacts
from giftshop.payments.gateway import Patience, StripeGateway
from giftshop.reconciliation.models import StripeEvent
from giftshop.refunds.outcomes import record_refund
from giftshop.words import _

Handler = Callable[[str, StripeGateway, Patience], str]
"""Called with the id of the object that the event names; returns a word for the record."""


class Passed(StrEnum):
    """What comes of an event about which nothing is done; every other outcome is a word of its handler's own."""

    DUPLICATE = "duplicate"
    OTHER_ACCOUNT = "another account's"
    NOT_OURS = "not ours"
    UNINTERESTING = "uninteresting"
    ORDERLESS = "not in the books"
    """A warning about a payment to this shop for which there is no order; nothing else compares warnings."""


NOT_KEPT = (Passed.UNINTERESTING, Passed.ORDERLESS)
"""What is handled anew when it is heard of again."""


def handle_event(event: dict[str, Any], gateway: StripeGateway, *, patience: Patience = "page") -> str:
    """Handle a verified event once; return what came of it. The caller commits.

    No transaction is open while Stripe is asked. Raises CheckoutUnavailableError: nothing is stored, so that
    Stripe sends the event again. What concerns an order that a restore has lost is not stored either: it counts
    once the order is made again.
    """
    if _is_known(event["id"]):
        return Passed.DUPLICATE
    db.session.rollback()
    if event.get("account"):
        return Passed.OTHER_ACCOUNT
    outcome = _outcome(event, gateway, patience)
    if outcome in NOT_KEPT:
        return outcome
    # Only now, as Stripe may be slow: copies were free to ask it too, and one of them writes.
    wait_for_copies("stripe_event", event["id"])
    if _is_known(event["id"]):
        return Passed.DUPLICATE
    db.session.add(
        StripeEvent(
            event_id=event["id"],
            type=event["type"],
            object_id=_object_id(event),
            outcome=str(outcome),
            received_at=clock.now(),
        )
    )
    db.session.flush()
    return outcome


def handled_types() -> list[str]:
    """Return the event types the shop acts on: what the endpoint must be registered for."""
    return sorted(_HANDLERS)


def _outcome(event: dict[str, Any], gateway: StripeGateway, patience: Patience) -> str:
    handler = _HANDLERS.get(event["type"])
    if handler is None:
        return Passed.UNINTERESTING
    if bool(event.get("livemode")) != (get_installation().mode == "live"):
        raise_alert(AlertKind.WRONG_MODE_EVENT, event["id"], _("An event of the other mode (test or live) arrived."))
        return "wrong mode"
    db.session.rollback()
    return handler(_object_id(event), gateway, patience)


def _settle_session(session_id: str, gateway: StripeGateway, patience: Patience) -> str:
    session = gateway.retrieve_session(session_id, patience=patience) if session_id else None
    if session is None:
        return "unknown session"
    order = settle(session)
    return f"order {order.state}" if order else Passed.NOT_OURS


def _record_refund(refund_id: str, gateway: StripeGateway, patience: Patience) -> str:
    facts = gateway.retrieve_refund(refund_id, patience=patience) if refund_id else None
    if facts is None:
        return "unknown refund"
    order = find_order_of_payment(facts.payment_intent_id, gateway, patience=patience)
    return record_refund(facts, order.id) if order else Passed.NOT_OURS


def _record_refunds_of_charge(charge_id: str, gateway: StripeGateway, patience: Patience) -> str:
    payment_id = gateway.find_payment_of_charge(charge_id, patience=patience) if charge_id else ""
    found = list(gateway.list_refunds(payment_intent_id=payment_id, patience=patience)) if payment_id else []
    order = find_order_of_payment(payment_id, gateway, patience=patience)
    if order is None:
        return Passed.NOT_OURS
    return ", ".join(record_refund(facts, order.id) for facts in sorted(found, key=lambda each: each.created_at))


def _record_dispute(dispute_id: str, gateway: StripeGateway, patience: Patience) -> str:
    facts = gateway.retrieve_dispute(dispute_id, patience=patience) if dispute_id else None
    if facts is None:
        return "unknown dispute"
    order = find_order_of_payment(facts.payment_intent_id, gateway, patience=patience)
    return record_dispute(facts, order.id) if order else Passed.NOT_OURS


def _record_warning(warning_id: str, gateway: StripeGateway, patience: Patience) -> str:
    payment_id = gateway.find_payment_of_warning(warning_id, patience=patience) if warning_id else ""
    session = _find_unknown_session(payment_id, gateway, patience)
    order = find_order_of_payment(payment_id, gateway, patience=patience)
    if order is not None:
        return record_warning(warning_id, order.id)
    is_ours = session is not None and session.metadata.get("shop") == get_installation().instance_id
    return Passed.ORDERLESS if is_ours else Passed.NOT_OURS


def _find_unknown_session(payment_id: str, gateway: StripeGateway, patience: Patience) -> SessionFacts | None:
    """Ask for the session of a payment that no order is known to have paid with."""
    is_known = not payment_id or find_paid_order(payment_id) is not None
    db.session.rollback()
    return None if is_known else gateway.find_session_of_payment(payment_id, patience=patience)


_HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _settle_session,
    "checkout.session.async_payment_succeeded": _settle_session,
    "checkout.session.async_payment_failed": _settle_session,
    "checkout.session.expired": _settle_session,
    "refund.created": _record_refund,
    "refund.updated": _record_refund,
    "refund.failed": _record_refund,
    "charge.refunded": _record_refunds_of_charge,
    "charge.dispute.created": _record_dispute,
    "charge.dispute.updated": _record_dispute,
    "charge.dispute.closed": _record_dispute,
    "charge.dispute.funds_withdrawn": _record_dispute,
    "charge.dispute.funds_reinstated": _record_dispute,
    "radar.early_fraud_warning.created": _record_warning,
    "radar.early_fraud_warning.updated": _record_warning,
}


def _object_id(event: dict[str, Any]) -> str:
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    named = found.get("id") if isinstance(found, dict) else None
    return named if isinstance(named, str) and len(named) <= 255 else ""


def _is_known(event_id: str) -> bool:
    return db.session.scalar(sa.select(StripeEvent.id).where(StripeEvent.event_id == event_id)) is not None
