"""What people did by hand, in lines for the owner's daily mail: grave acts that are never cut, and slight ones."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.dates import write_moment
from giftshop.delivery.kinds import name_message
from giftshop.foundation.activity_log import Activity, ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, HonouredSession, LedgerEntry
from giftshop.ledger.open_entries import is_open
from giftshop.orders.actors import name_staff
from giftshop.orders.labels import tell_honoured
from giftshop.orders.models import Order, number_of
from giftshop.words import N_, _, ngettext

GRAVE = {
    Activity.VOIDED: N_("%(when)s: %(what)s was ended by %(who)s"),
    Activity.REISSUED: N_("%(when)s: %(what)s was given a new code by %(who)s"),
    Activity.ORDER_ACCEPTED: N_("%(when)s: %(what)s was accepted as it was paid by %(who)s"),
    Activity.PAYBACK_ASKED: N_("%(when)s: %(what)s was put up for a full refund by %(who)s"),
    Activity.SENT_AGAIN: N_("%(when)s: %(what)s was sent to another address by %(who)s"),
}
"""What moves value or codes, by the log's kind: an insider would like it to drown among other lines."""
SLIGHT = {
    Activity.FROZEN: N_("%(when)s: %(what)s was put on hold by %(who)s"),
    Activity.UNFROZEN: N_("%(when)s: %(what)s was released from hold by %(who)s"),
}
_WORDS = GRAVE | SLIGHT


def list_acts(practice: Practice, start: datetime, end: datetime) -> tuple[list[str], list[str]]:
    """Return a line for each grave act by hand and for each person who searched, and one for each slight act."""
    names = name_staff()
    grave, slight = list[str](), list[str]()
    for event, public_id, order_id in db.session.execute(_acts_between(start, end, list(_WORDS))):
        facts = json.loads(event.facts)
        if event.kind != Activity.SENT_AGAIN or facts["is_corrected"]:
            when, what = write_moment(event.at, practice.time_zone), _name(facts, public_id, order_id)
            line = _(_WORDS[Activity(event.kind)], when=when, what=what, who=names(event.actor))
            (grave if event.kind in GRAVE else slight).append(with_reason(line, facts.get("reason", "")))
    return grave + _list_searches(start, end, names), slight + _list_honoured(practice, start, end, names)


def with_reason(line: str, reason: str) -> str:
    """Return a line with its reason in brackets, where there is one."""
    return _("%(line)s (%(reason)s)", line=line, reason=reason) if reason else line


def _acts_between(
    start: datetime, end: datetime, kinds: list[Activity]
) -> sa.Select[ActivityEvent, str | None, int | None]:
    """Ask for what staff did, oldest first, with the certificate's public id or the order's number."""
    return (
        sa.select(ActivityEvent, Certificate.public_id, Order.id)
        .outerjoin(Certificate, Certificate.id == ActivityEvent.certificate_id)
        .outerjoin(Order, Order.id == ActivityEvent.order_id)
        .where(ActivityEvent.kind.in_(kinds), ActivityEvent.actor.startswith("staff:"))
        .where(ActivityEvent.at >= start, ActivityEvent.at < end)
        .order_by(ActivityEvent.id)
    )


def _list_searches(start: datetime, end: datetime, names: Callable[[str], str]) -> list[str]:
    """Return a line for each person who found certificates by search: how many, however often."""
    query = (
        sa.select(ActivityEvent.actor, sa.func.count(sa.distinct(ActivityEvent.certificate_id)))
        .where(ActivityEvent.kind == Activity.FOUND_BY_SEARCH, ActivityEvent.actor.startswith("staff:"))
        .where(ActivityEvent.at >= start, ActivityEvent.at < end)
        .group_by(ActivityEvent.actor)
        .order_by(ActivityEvent.actor)
    )
    return [
        ngettext(
            "%(name)s found %(num)s certificate by search",
            "%(name)s found %(num)s certificates by search",
            count,
            name=names(actor),
        )
        for actor, count in db.session.execute(query)
    ]


def _list_honoured(practice: Practice, start: datetime, end: datetime, names: Callable[[str], str]) -> list[str]:
    """Return a line for each session that was given as promised for less than it cost, and was not undone."""
    query = (
        sa.select(HonouredSession, LedgerEntry, Certificate.public_id)
        .join(LedgerEntry, LedgerEntry.id == HonouredSession.entry_id)
        .join(Certificate, Certificate.id == LedgerEntry.certificate_id)
        .where(LedgerEntry.created_at >= start, LedgerEntry.created_at < end, is_open())
        .order_by(LedgerEntry.id)
    )
    told = N_("%(when)s: %(who)s took %(certificate)s for %(what)s")
    return [
        _(
            told,
            when=write_moment(entry.created_at, practice.time_zone),
            who=names(entry.actor),
            certificate=public_id,
            what=tell_honoured(honoured, practice.currency),
        )
        for honoured, entry, public_id in db.session.execute(query)
    ]


def _name(facts: dict[str, Any], public_id: str | None, order_id: int | None) -> str:
    """Name what an act was about: a certificate, an order, or a message of one."""
    number = number_of(order_id) if order_id else ""
    kind = facts.get("message", "")
    return f"{name_message(kind)} {number}".strip() if kind else public_id or number
