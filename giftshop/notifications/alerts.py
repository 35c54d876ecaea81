"""Alerts: what a person has to look at, once per fact, kept until somebody resolves it."""

import logging

import sqlalchemy as sa

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.notifications import letters
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order

log = logging.getLogger(__name__)


def raise_alert(kind: str, subject: str, detail: str) -> bool:
    """Keep an alert of this kind about `subject` (an order's or Stripe's id); tell whether it is a new one.

    `detail` is one sentence without codes or addresses.
    """
    known = db.session.scalar(sa.select(Alert.id).where(Alert.kind == kind, Alert.subject == subject))
    if known is not None:
        return False
    db.session.add(Alert(kind=kind, subject=subject, detail=detail, created_at=clock.now()))
    db.session.flush()
    log.error("alert %s about %s: %s", kind, subject, detail)
    return True


def alert_owner(kind: str, subject: str, title: str, detail: str, *, order: Order | None = None) -> bool:
    """Keep an alert and, if it is a new one, mail it to the practice."""
    is_new = raise_alert(kind, subject, detail)
    if is_new:
        letters.tell_owner(title, detail, fact=f"{kind}.{subject}", order=order)
    return is_new


def resolve_review(order: Order) -> None:
    """Tick off that an order is in review, because it no longer is."""
    for attempt in order.attempts:
        resolve_alert("in_review", attempt.session_id or "")


def resolve_alert(kind: str, subject: str | None = None) -> None:
    """Tick an alert off, because what it asked for was done; without `subject` every one of its kind."""
    done = sa.update(Alert).where(Alert.kind == kind, Alert.resolved_at.is_(None))
    if subject is not None:
        done = done.where(Alert.subject == subject)
    db.session.execute(done.values(resolved_at=clock.now()))
