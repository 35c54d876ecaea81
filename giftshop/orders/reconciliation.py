"""Reconciliation: ask Stripe about everything that may have been missed, and put it right.

By sessions, not only by events: Stripe keeps events for 30 days, sessions for ever. Safe while webhooks
arrive, and a second run changes nothing. It talks to Stripe between commits, one order at a time, so that
one bad order does not hold up the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.database import db
from giftshop.errors import ShopError
from giftshop.orders.alerts import raise_alert
from giftshop.orders.events import handle_event, handled_types
from giftshop.orders.fulfilment import fulfil_order
from giftshop.orders.models import CheckoutAttempt, Order, StripeEvent
from giftshop.orders.register import find_attempt
from giftshop.orders.states import OPEN, move
from giftshop.orders.stripe_gateway import StripeGateway

EVENT_DAYS = 30
OVERLAP = timedelta(hours=1)
ABANDONED_AFTER = timedelta(hours=1)


@dataclass
class Report:
    """What one run found: `changed` names what it put right, `problems` what a person must look at."""

    orders_checked: int = 0
    events_handled: int = 0
    sessions_checked: int = 0
    changed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def reconcile(gateway: StripeGateway, *, since: datetime | None = None) -> Iterator[Report]:
    """Bring every open order, missed event and unknown paid session up to date; yield the report as it grows.

    Looks back to `since`, else to the last event received less an hour. Commits after each item. Raises
    CheckoutUnavailableError when Stripe cannot be reached at all.
    """
    report = Report()
    since = since or _watermark()
    for order_id, session_ids in _open_orders():
        _check_order(order_id, session_ids, gateway, report)
        yield report
    for event in gateway.list_events(handled_types(), max(since, clock.now() - timedelta(days=EVENT_DAYS))):
        outcome = handle_event(event, gateway, patience="job")
        db.session.commit()
        report.events_handled += outcome != "duplicate"
        yield report
    for session in gateway.list_completed_sessions(since):
        _check_session(session.id, session.metadata.get("shop"), gateway, report)
        yield report


def _watermark() -> datetime:
    last = db.session.scalar(sa.select(sa.func.max(StripeEvent.received_at)))
    started = get_installation().created_at
    db.session.rollback()
    return (last or started) - OVERLAP


def _open_orders() -> list[tuple[int, list[str]]]:
    """Return every order that may still change by itself, with the sessions that can tell."""
    query = (
        sa.select(Order.id, CheckoutAttempt.session_id)
        .outerjoin(CheckoutAttempt, CheckoutAttempt.order_id == Order.id)
        .where(Order.state.in_(OPEN))
        .order_by(Order.id, CheckoutAttempt.number)
    )
    found: dict[int, list[str]] = {}
    for order_id, session_id in db.session.execute(query):
        found.setdefault(order_id, []).extend([session_id] if session_id else [])
    db.session.rollback()
    return list(found.items())


def _check_order(order_id: int, session_ids: list[str], gateway: StripeGateway, report: Report) -> None:
    before = db.session.get_one(Order, order_id).state
    for session_id in session_ids:
        try:
            fulfil_order(session_id, gateway, patience="job")
            db.session.commit()
        except ShopError as refusal:
            db.session.rollback()
            report.problems.append(f"order {order_id}: {refusal.message}")
    _expire_abandoned(order_id)
    order = db.session.get_one(Order, order_id, populate_existing=True)
    if order.state != before:
        report.changed.append(f"{order.number}: {before} → {order.state}")
    db.session.rollback()
    report.orders_checked += 1


def _expire_abandoned(order_id: int) -> None:
    """Expire an order whose buyer never reached Stripe; what Stripe knows of it is found again by its metadata."""
    order = db.session.get_one(Order, order_id, populate_existing=True)
    is_abandoned = order.created_at < clock.now() - ABANDONED_AFTER
    if order.state == "awaiting_payment" and is_abandoned and not any(a.session_id for a in order.attempts):
        move(order, "expired")
    db.session.commit()


def _check_session(session_id: str, shop: str | None, gateway: StripeGateway, report: Report) -> None:
    """Fulfil a paid session of this shop that no webhook told us of; name one that belongs to no order."""
    report.sessions_checked += 1
    if shop != get_installation().instance_id:
        db.session.rollback()
        return
    attempt = find_attempt(session_id)
    if attempt is not None and attempt.order.state not in OPEN:
        db.session.rollback()
        return
    order = fulfil_order(session_id, gateway, patience="job")
    if order is None:
        detail = "A completed session of this shop belongs to no order."
        if raise_alert("session_without_order", session_id, detail):
            report.problems.append(f"{session_id}: {detail}")
    else:
        report.changed.append(f"{order.number}: {order.state}")
    db.session.commit()
