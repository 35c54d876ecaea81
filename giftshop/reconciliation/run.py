"""Reconciliation: ask Stripe about everything that may have been missed, and put it right.

By sessions, refunds and disputes, not only by events: Stripe keeps events for 30 days, the rest for ever. Safe while
webhooks arrive, and a second run changes nothing. It talks to Stripe between commits, one thing at a time, so that
one bad order does not hold up the others.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.checkout.fulfilment import fulfil_order
from giftshop.disputes.outcomes import knows_dispute, record_dispute
from giftshop.errors import CheckoutUnavailableError, ShopError
from giftshop.foundation.database import db
from giftshop.foundation.retry import describe
from giftshop.notifications.alerts import resolve_alert
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import find_attempt, find_paid_order
from giftshop.orders.models import CheckoutAttempt, Order
from giftshop.orders.states import OPEN, AttemptState, OrderState, RefundState, move
from giftshop.payments.facts import SessionFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.recovery import alert_lost, describe_lost, recover_order
from giftshop.reconciliation.webhook_events import Passed, handle_event, handled_types
from giftshop.refunds.outcomes import is_recorded, record_refund
from giftshop.refunds.requests import list_held, pursue_refund
from giftshop.words import N_, _

EVENT_DAYS, MONEY_DAYS = 30, 30
"""How far back events are kept by Stripe, and how far back refunds and disputes are compared."""
OVERLAP = timedelta(hours=25)
"""How far one run looks back behind the last: a session may be paid until 24 hours after it was made."""
ABANDONED_AFTER = timedelta(hours=1)
LATE = timedelta(hours=1)
"""It runs every few minutes: an hour without means that nobody runs jobs, or that Stripe does not answer."""

log = logging.getLogger(__name__)


@dataclass
class Report:
    """What one run found: `changed` names what it put right, `problems` what a person must look at.

    `may_recover` says that this run may make lost orders again.
    """

    may_recover: bool = False
    checked: int = 0
    changed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def reconcile(gateway: StripeGateway, *, since: datetime | None = None) -> Iterator[Report]:
    """Bring orders, refunds and disputes up to what Stripe says; yield the report as it grows.

    Looks back to `since`, else to the last run that ended, less a day. Only a person says `since`, and then paid
    orders that a restored database has lost are made again. Commits after each thing. Raises
    CheckoutUnavailableError when Stripe cannot be reached.
    """
    report = Report(may_recover=since is not None)
    started_at, look_back = clock.now(), since or _watermark()
    for step in (_check_orders, _pursue_refunds, _check_sessions, _replay_events, _check_refunds, _check_disputes):
        for _one in step(gateway, look_back, report):
            report.checked += 1
            yield report
    db.session.add(
        Reconciliation(
            started_at=started_at,
            finished_at=clock.now(),
            checked=report.checked,
            changed=report.changed,
            problems=report.problems,
        )
    )
    resolve_alert(AlertKind.RECONCILIATION_OVERDUE)
    db.session.commit()
    yield report


def find_last_run() -> Reconciliation | None:
    """Return the last run that came to its end, or None; none that a clock dated which was ahead of ours."""
    past = sa.select(Reconciliation).where(Reconciliation.finished_at <= clock.now())
    return db.session.scalar(past.order_by(Reconciliation.finished_at.desc()).limit(1))


def _watermark() -> datetime:
    last = find_last_run()
    look_back = (last.started_at if last else get_installation().created_at) - OVERLAP
    db.session.rollback()
    return look_back


@contextmanager
def _apart(what: str, report: Report, **named: object) -> Iterator[None]:
    """Keep what goes wrong with one thing from the others; what Stripe cannot say now ends the run."""
    try:
        yield
    except CheckoutUnavailableError:
        db.session.rollback()
        raise
    except Exception as error:
        db.session.rollback()
        log.exception("reconciliation of %s failed", what % named if named else what)
        why = error.message if isinstance(error, ShopError) else describe(error)
        report.problems.append(f"{_(what, **named)}: {why}")


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


def _check_orders(gateway: StripeGateway, _look_back: datetime, report: Report) -> Iterator[None]:
    """Ask about every order that waits for its payment."""
    for order_id, session_ids in _open_orders():
        _check_order(order_id, session_ids, gateway, report)
        yield


def _check_order(order_id: int, session_ids: list[str], gateway: StripeGateway, report: Report) -> None:
    before = db.session.get_one(Order, order_id).state
    for session_id in session_ids:
        with _apart(N_("order %(id)s"), report, id=order_id):
            fulfil_order(session_id, gateway, patience="job")
            db.session.commit()
    _expire_abandoned(order_id)
    order = db.session.get_one(Order, order_id, populate_existing=True)
    if order.state != before:
        report.changed.append(f"{order.number}: {before} → {order.state}")
    db.session.rollback()


def _expire_abandoned(order_id: int) -> None:
    """Expire an order whose buyer never reached Stripe with the last attempt, which is the one that would be paid.

    What Stripe knows of it all the same is found again by its metadata.
    """
    order = db.session.get_one(Order, order_id, populate_existing=True)
    last = order.attempts[-1] if order.attempts else None
    # Only the last attempt can still be paid: a new one is made when the one before is closed at Stripe.
    since = last.first_tried_at if last else order.created_at
    is_abandoned = since < clock.now() - ABANDONED_AFTER and (last is None or last.session_id is None)
    if order.state == OrderState.AWAITING_PAYMENT and is_abandoned:
        move(order, OrderState.EXPIRED, actor="system")
    db.session.commit()


def _pursue_refunds(gateway: StripeGateway, _look_back: datetime, report: Report) -> Iterator[None]:
    """Bring refunds to their end whose answer was lost; while Stripe cannot say, their money stays held."""
    held = list_held()
    db.session.rollback()
    for refund_id in held:
        with _apart(N_("refund %(id)s"), report, id=refund_id):
            refund = pursue_refund(refund_id, gateway, patience="job")
            if refund.state != RefundState.HELD:
                report.changed.append(f"refund {refund_id}: {refund.state}")
            db.session.rollback()
        yield


def _check_sessions(gateway: StripeGateway, look_back: datetime, report: Report) -> Iterator[None]:
    """Fulfil paid sessions of this shop that nothing told us of; name those that belong to no order."""
    for session in gateway.list_completed_sessions(look_back):
        with _apart(session.id, report):
            if not _is_settled(session):
                _settle_found(session, gateway, report)
            db.session.commit()
        yield


def _is_settled(session: SessionFacts) -> bool:
    """Tell whether nothing is to do about a completed session: it is another shop's, or its order knows of it."""
    if session.metadata.get("shop") != get_installation().instance_id:
        return True
    attempt = find_attempt(session.id)
    return attempt is not None and attempt.state == AttemptState.COMPLETE and attempt.order.state not in OPEN


def _settle_found(session: SessionFacts, gateway: StripeGateway, report: Report) -> None:
    """Fulfil what a session paid; when its order is lost, make it again or name it.

    One that still waits for a bank is asked about at every run, and has changed when its state has.
    """
    known = find_attempt(session.id)
    before = known.order.state if known else ""
    order = fulfil_order(session.id, gateway, patience="job")
    if order is None and report.may_recover:
        order = recover_order(session.id, gateway)
    if order is not None:
        report.changed += [f"{order.number}: {order.state}"] if order.state != before else []
    elif alert_lost(session) or report.may_recover:
        report.problems.append(describe_lost(session))


def _replay_events(gateway: StripeGateway, look_back: datetime, report: Report) -> Iterator[None]:
    """Handle the events whose webhooks never came, also those about orders that were just made again."""
    for event in gateway.list_events(handled_types(), max(look_back, clock.now() - timedelta(days=EVENT_DAYS))):
        with _apart(N_("event %(id)s"), report, id=event["id"]):
            outcome = handle_event(event, gateway, patience="job")
            db.session.commit()
            if outcome not in list(Passed):
                report.changed.append(f"{event['type']}: {outcome}")
        yield


def _check_refunds(gateway: StripeGateway, look_back: datetime, report: Report) -> Iterator[None]:
    """Record refunds that nothing told us of. Their orders are known by now, if they are ours."""
    for facts in gateway.list_refunds(since=_money_since(look_back)):
        with _apart(facts.id, report):
            order_id = find_paid_order(facts.payment_intent_id)
            if order_id is not None and not is_recorded(facts):
                outcome = record_refund(facts, order_id)
                if is_recorded(facts):
                    report.changed.append(f"{facts.id}: {outcome}")
            db.session.commit()
        yield


def _check_disputes(gateway: StripeGateway, look_back: datetime, report: Report) -> Iterator[None]:
    """Record what disputes have become that nothing told us of."""
    for facts in gateway.list_disputes(_money_since(look_back)):
        with _apart(facts.id, report):
            order_id = find_paid_order(facts.payment_intent_id)
            if order_id is not None and not knows_dispute(facts):
                report.changed.append(f"{facts.id}: {record_dispute(facts, order_id)}")
            db.session.commit()
        yield


def _money_since(look_back: datetime) -> datetime:
    return min(look_back, clock.now() - timedelta(days=MONEY_DAYS))
