"""What people did by hand, in lines for the owner's daily mail: grave acts that are never cut, and slight ones."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.dates import write_moment
from giftshop.foundation.activity_log import TrailEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.actors import name_staff
from giftshop.orders.labels import MESSAGES
from giftshop.orders.models import Order

GRAVE = {
    "voided": "was ended",
    "reissued": "was given a new code",
    "order_accepted": "was accepted as it was paid",
    "payback_asked": "was put up for a full refund",
    "sent_again": "was sent to another address",
}
"""What moves value or codes, by the trail's kind: an insider would like it to drown among other lines."""
SLIGHT = {"frozen": "was put on hold", "unfrozen": "was released from hold"}
_WORDS = GRAVE | SLIGHT


def list_acts(practice: Practice, start: datetime, end: datetime) -> tuple[list[str], list[str]]:
    """Return a line for each grave act by hand and for each person who searched, and one for each slight act."""
    names = name_staff()
    grave, slight = list[str](), list[str]()
    for event, public_id, order_id in db.session.execute(_acts_between(start, end, list(_WORDS))):
        facts = json.loads(event.facts)
        if event.kind != "sent_again" or facts["is_corrected"]:
            what = f"{_name(facts, public_id, order_id)} {_WORDS[event.kind]} by {names(event.actor)}"
            line = f"{write_moment(event.at, practice.time_zone)}: {what}"
            (grave if event.kind in GRAVE else slight).append(line + because(facts.get("reason", "")))
    return grave + _list_searches(start, end, names), slight


def because(reason: str) -> str:
    """Return a reason in brackets; nothing when there is none."""
    return f" ({reason})" if reason else ""


def _acts_between(start: datetime, end: datetime, kinds: list[str]) -> sa.Select[TrailEvent, str | None, int | None]:
    """Ask for what staff did, oldest first, with the certificate's public id or the order's number."""
    return (
        sa.select(TrailEvent, Certificate.public_id, Order.id)
        .outerjoin(Certificate, Certificate.id == TrailEvent.certificate_id)
        .outerjoin(Order, Order.id == TrailEvent.order_id)
        .where(TrailEvent.kind.in_(kinds), TrailEvent.actor.startswith("staff:"))
        .where(TrailEvent.at >= start, TrailEvent.at < end)
        .order_by(TrailEvent.id)
    )


def _list_searches(start: datetime, end: datetime, names: Callable[[str], str]) -> list[str]:
    """Return a line for each person who found certificates by search: how many, however often."""
    query = (
        sa.select(TrailEvent.actor, sa.func.count(sa.distinct(TrailEvent.certificate_id)))
        .where(TrailEvent.kind == "found_by_search", TrailEvent.actor.startswith("staff:"))
        .where(TrailEvent.at >= start, TrailEvent.at < end)
        .group_by(TrailEvent.actor)
        .order_by(TrailEvent.actor)
    )
    return [
        f"{names(actor)} found {count} {'certificate' if count == 1 else 'certificates'} by search"
        for actor, count in db.session.execute(query)
    ]


def _name(facts: dict[str, Any], public_id: str | None, order_id: int | None) -> str:
    """Name what an act was about: a certificate, an order, or a message of one."""
    number = Order(id=order_id).number if order_id else ""
    kind = facts.get("message", "")
    return f"{MESSAGES.get(kind, kind)} {number}".strip() if kind else public_id or number
