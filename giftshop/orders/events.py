"""Stripe's events: which types matter, and what each one makes us look at again.

An event is only a trigger: the object it names is read anew, so copies, delays, any order and old API versions
all end the same. Handlers answer with a word for the record; what is not ours is answered kindly, because
refusals make Stripe retry for days and then switch the endpoint off.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.certificates.requests import wait_for_copies
from giftshop.database import db
from giftshop.orders.alerts import raise_alert
from giftshop.orders.fulfilment import settle
from giftshop.orders.models import StripeEvent
from giftshop.orders.stripe_gateway import Patience, StripeGateway

Handler = Callable[[str, StripeGateway, Patience], str]


def handle_event(event: dict[str, Any], gateway: StripeGateway, *, patience: Patience = "page") -> str:
    """Handle a verified event once; return what came of it. The caller commits.

    No transaction is open while Stripe is asked. Raises CheckoutUnavailableError: nothing is stored, so that
    Stripe sends the event again.
    """
    if _is_known(event["id"]):
        return "duplicate"
    db.session.rollback()
    if event.get("account"):
        return "another account's"
    outcome = _outcome(event, gateway, patience)
    if outcome == "uninteresting":
        return outcome
    wait_for_copies("stripe_event", event["id"])
    if _is_known(event["id"]):
        return "duplicate"
    db.session.add(
        StripeEvent(
            event_id=event["id"],
            type=event["type"],
            object_id=_object_id(event),
            outcome=outcome,
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
        return "uninteresting"
    if bool(event.get("livemode")) != (get_installation().mode == "live"):
        raise_alert("wrong_mode_event", event["id"], "An event of the other mode (test or live) arrived.")
        return "wrong mode"
    db.session.rollback()
    return handler(_object_id(event), gateway, patience)


def _settle_session(session_id: str, gateway: StripeGateway, patience: Patience) -> str:
    session = gateway.retrieve_session(session_id, patience=patience) if session_id else None
    if session is None:
        return "unknown session"
    order = settle(session)
    return f"order {order.state}" if order else "not ours"


_HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _settle_session,
    "checkout.session.async_payment_succeeded": _settle_session,
    "checkout.session.async_payment_failed": _settle_session,
    "checkout.session.expired": _settle_session,
}


def _object_id(event: dict[str, Any]) -> str:
    data = event.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    named = found.get("id") if isinstance(found, dict) else None
    return named if isinstance(named, str) and len(named) <= 255 else ""


def _is_known(event_id: str) -> bool:
    return db.session.scalar(sa.select(StripeEvent.id).where(StripeEvent.event_id == event_id)) is not None
