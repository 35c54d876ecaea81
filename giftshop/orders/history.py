"""History: everything that ever happened to an order and its certificates as one list, newest first, for the office.

The activity log says what was done, the ledger what moved, the messages what people were told. Where log and ledger
tell the same fact, the ledger's line is kept, with the reason the log knows.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.dates import write_moment
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import seen_at
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, HonouredSession, LedgerEntry, RedemptionNote
from giftshop.ledger.refund_entries import hold_key
from giftshop.orders import labels as words
from giftshop.orders.actors import name_actors
from giftshop.orders.look_up import find_gift
from giftshop.orders.models import Order, Refund
from giftshop.orders.notes import OrderNote
from giftshop.orders.states import OrderState
from giftshop.words import _

QUIET = (Activity.VIEWED, Activity.FETCHED, Activity.OPENED, Activity.SCANNED)
"""What only tells that somebody looked."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line: when, by whom, what, and what else there is to say of it (a reason, a balance, an error)."""

    at: datetime
    actor: str
    what: str
    detail: str = ""
    is_quiet: bool = False
    """Whether it is of little interest, like somebody having looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the list is made of, read before, so that a page that shows it too reads it once."""

    order: Order
    certificates: list[Certificate]
    deliveries: list[Delivery]
    refunds: list[Refund]
    notes: list[OrderNote]
    practice: Practice


def list_happenings(sources: Sources) -> list[Happening]:
    """Return all that happened, newest first; actors as they are stored ("staff:7", "buyer", "stripe", "system")."""
    ids = [certificate.id for certificate in sources.certificates]
    told = [
        Happening(sources.order.created_at, "buyer", _("Ordered")),
        *_of_log(sources, activity_log.list_events(order_id=sources.order.id, certificate_ids=ids)),
        *_of_ledger(sources, ids),
        *(line for delivery in sources.deliveries for line in _of_delivery(delivery, sources.practice)),
        *(line for note in sources.notes for line in _of_note(note)),
    ]
    return sorted(told, key=lambda line: line.at)[::-1]  # of one moment, what follows stands above what it follows from


def tell_meanwhile(certificate: Certificate, key: str, practice: Practice) -> str:
    """Say what happened to a certificate since the page was shown from which a request with this key comes.

    Newest first; the newest of all when the clock puts none after that page, because something did happen.
    """
    gift, since = find_gift(certificate.id), seen_at(key)
    if gift is None or since is None:
        return ""
    sources = Sources(
        order=gift.order, certificates=[certificate], deliveries=[], refunds=[], notes=[], practice=practice
    )
    events = activity_log.list_events(certificate_ids=[certificate.id])
    told = [line for line in _of_log(sources, events) if not line.is_quiet] + list(
        _of_ledger(sources, [certificate.id])
    )
    newest_first = sorted(told, key=lambda line: line.at)[::-1]
    later = [line for line in newest_first if line.at > since] or newest_first[:1]
    names = name_actors(line.actor for line in later)
    lines = [f"{line.what}, {names[line.actor]}, {write_moment(line.at, practice.time_zone)}" for line in later]
    return _("Meanwhile: %(what)s.", what="; ".join(lines))


def _of_log(sources: Sources, events: list[activity_log.ActivityEvent]) -> Iterator[Happening]:
    of_whom = _named(sources.certificates)
    for event in events:
        told = words.tell_event(event, sources.order, of_whom.get(event.certificate_id or 0, ""))
        if told is not None:
            is_payment = event.kind == Activity.ORDER_MOVED and json.loads(event.facts)["after"] == OrderState.PAID
            at = sources.order.paid_at if is_payment and sources.order.paid_at else event.at
            actor = activity_log.VISITOR if words.is_fetch(event) else event.actor
            yield Happening(at, actor, told.what, told.detail, is_quiet=event.kind in QUIET)


def _of_ledger(sources: Sources, certificate_ids: list[int]) -> Iterator[Happening]:
    of_whom, reasons = _named(sources.certificates), {hold_key(each.id): each.reason for each in sources.refunds}
    query = (
        sa.select(LedgerEntry, RedemptionNote.text, HonouredSession)
        .outerjoin(RedemptionNote, RedemptionNote.entry_id == LedgerEntry.id)
        .outerjoin(HonouredSession, HonouredSession.entry_id == LedgerEntry.id)
        .where(LedgerEntry.certificate_id.in_(certificate_ids))
        .order_by(LedgerEntry.id)
    )
    for entry, remark, honoured in db.session.execute(query):
        told = words.tell_entry(entry, sources.order.currency, of_whom[entry.certificate_id])
        reason = words.tell_reason(_reason_of(entry, reasons), entry.actor)
        promise = words.tell_honoured(honoured, sources.order.currency) if honoured else ""
        detail = " · ".join(filter(None, [remark or reason, promise, told.detail]))
        yield Happening(entry.created_at, entry.actor, told.what, detail)


def _reason_of(entry: LedgerEntry, reasons: dict[str, str]) -> str:
    """Return why an entry was made: of one that holds a refund's money the refund's reason, by the hold's key."""
    is_hold = entry.kind == EntryKind.REFUND_HOLD
    return reasons.get(entry.request_key, entry.reason_code) if is_hold else entry.reason_code


def _of_delivery(delivery: Delivery, practice: Practice) -> Iterator[Happening]:
    for at, told in words.tell_delivery(delivery, practice):
        yield Happening(at, "system", told.what, told.detail)


def _of_note(note: OrderNote) -> Iterator[Happening]:
    yield Happening(note.written_at, note.actor, _("Note"), note.text or _("Its words were taken away"))
    if note.blanked_at is not None:
        yield Happening(note.blanked_at, note.blanked_by, _("Took the words of a note away"))


def _named(certificates: list[Certificate]) -> dict[int, str]:
    """Say whose certificate a line is about, where an order has several."""
    if len(certificates) < 2:
        return {certificate.id: "" for certificate in certificates}
    return {each.id: f"{each.recipient_name} ({each.public_id})" for each in certificates}
