"""Alerts: what a person has to look at, once per fact, kept until somebody resolves it."""

import logging

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.delivery import deliveries
from giftshop.delivery.kinds import MessageKind
from giftshop.foundation.database import db
from giftshop.notifications.kinds import TITLES, AlertKind, page_of
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order
from giftshop.words import _

log = logging.getLogger(__name__)


def raise_alert(kind: AlertKind, subject: str, detail: str, *, order: Order | None = None) -> bool:
    """Keep an alert of this kind about `subject` (an order's or Stripe's id); tell whether it is a new one.

    `detail` is one sentence without codes or addresses; `order` is where a person looks at it.
    """
    known = db.session.scalar(sa.select(Alert.id).where(Alert.kind == kind, Alert.subject == subject))
    if known is not None:
        return False
    order_id = order.id if order else None
    db.session.add(Alert(kind=kind, subject=subject, order_id=order_id, detail=detail, created_at=clock.now()))
    db.session.flush()
    log.error("alert %s about %s: %s", kind, subject, detail)
    return True


def alert_owner(kind: AlertKind, subject: str, detail: str, *, order: Order | None = None) -> bool:
    """Keep an alert and, if it is a new one, mail it to the practice under the title of its kind."""
    is_new = raise_alert(kind, subject, detail, order=order)
    if is_new:
        _mail(kind, subject, detail, order)
    return is_new


def review_alerts(order: Order) -> list[tuple[AlertKind, str]]:
    """Return the alerts that an order is in review, by kind and subject: one for each attempt to pay it."""
    return [(AlertKind.IN_REVIEW, attempt.session_id or "") for attempt in order.attempts]


def resolve_alert(kind: AlertKind, subject: str | None = None) -> None:
    """Tick an alert off, because what it asked for was done; without `subject` every one of its kind."""
    done = sa.update(Alert).where(Alert.kind == kind, Alert.resolved_at.is_(None))
    if subject is not None:
        done = done.where(Alert.subject == subject)
    db.session.execute(done.values(resolved_at=clock.now()))


def resolve_alerts_about(order: Order, kind: AlertKind) -> None:
    """Tick off every alert of a kind about an order."""
    done = sa.update(Alert).where(Alert.kind == kind, Alert.order_id == order.id, Alert.resolved_at.is_(None))
    db.session.execute(done.values(resolved_at=clock.now()))


def _mail(kind: AlertKind, subject: str, detail: str, order: Order | None) -> None:
    """Mail an alert to the practice, once for its kind and subject."""
    practice = get_practice()
    office_path = page_of(kind, order.id if order else None)
    deliveries.schedule(
        MessageKind.ALERT,
        order_id=order.id if order else None,
        gift_id=None,
        to_address=practice.email,
        facts={"title": _(TITLES[kind]), "detail": detail, "office_path": office_path},
        certificate_ids=[],
        send_at=clock.now(),
        message_key=f"{get_installation().instance_id}.alert.{kind}.{subject.replace(' ', '-')}",
    )
