"""Announcing: how every act on an order ends, in one place.

A rule decides and posts, and says in an announcement what is to be kept and whom it concerns; `announce` writes the
activity log, raises and ticks off alerts, and queues letters. Rules do not mail.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from giftshop import clock
from giftshop.delivery import deliveries
from giftshop.delivery.kinds import MessageKind
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.ledger.models import Certificate
from giftshop.notifications.alerts import alert_owner, resolve_alert
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.models import Gift, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A line for the activity log; `facts` are JSON values without codes or addresses, `at` None for now."""

    kind: Activity
    actor: str = "stripe"
    at: datetime | None = None
    certificate_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Concern:
    """Something for a person to look at: by the order's or Stripe's id it is about, and one sentence without codes."""

    kind: AlertKind
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message to one person; `key` names it within the order, so that it is told once; `send_at` None for now.

    `send_on` is the day it was promised for, where its moment is the practice's hour on a day.
    """

    kind: MessageKind
    key: str
    to_address: str
    facts: dict[str, Any]
    gift: Gift | None = None
    certificates: Sequence[Certificate] = ()
    send_at: datetime | None = None
    send_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is to be said of one act; `done` are the alerts that it answers, by kind and subject."""

    order: Order
    acts: Sequence[Act] = ()
    done: Sequence[tuple[AlertKind, str]] = ()
    concerns: Sequence[Concern] = ()
    letters: Iterable[Letter] = ()


def announce(announcement: Announcement) -> None:
    """Write the activity log, tick off and raise alerts, queue letters; in the caller's transaction."""
    order = announcement.order
    for act in announcement.acts:
        concerned = {"order_id": order.id, "certificate_id": act.certificate_id}
        activity_log.note(act.kind, actor=act.actor, at=act.at, **concerned, **act.facts)
    for kind, subject in announcement.done:
        resolve_alert(kind, subject)
    for concern in announcement.concerns:
        alert_owner(concern.kind, concern.subject, concern.detail, order=order)
    for letter in announcement.letters:
        made = deliveries.schedule(
            letter.kind,
            order_id=order.id,
            gift_id=letter.gift.id if letter.gift else None,
            to_address=letter.to_address,
            facts=letter.facts,
            certificate_ids=[certificate.id for certificate in letter.certificates],
            send_at=letter.send_at or clock.now(),
            message_key=f"{order.public_id}.{letter.kind}.{letter.key}",
        )
        made.send_on = letter.send_on
