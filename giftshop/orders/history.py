"""History: everything that ever happened to an order and its certificates as one list, newest first, for the office.

The trail says what was done, the ledger what moved, the messages what people were told. Where trail and ledger tell
the same fact, the ledger's line is kept, with the reason the trail knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, LedgerEntry, RedemptionNote
from giftshop.orders import labels as words
from giftshop.orders.models import Order, Refund
from giftshop.orders.notes import OrderNote

QUIET = ("viewed", "scanned")
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
    time_zone: str


def list_happenings(sources: Sources) -> list[Happening]:
    """Return all that happened, newest first; actors as they are stored ("staff:7", "buyer", "stripe", "system")."""
    ids = [certificate.id for certificate in sources.certificates]
    told = [
        Happening(sources.order.created_at, "buyer", "Ordered"),
        *_of_trail(sources, activity_log.list_events(order_id=sources.order.id, certificate_ids=ids)),
        *_of_ledger(sources, ids),
        *(line for delivery in sources.deliveries for line in _of_delivery(delivery, sources.time_zone)),
        *(line for note in sources.notes for line in _of_note(note)),
    ]
    return sorted(told, key=lambda line: line.at)[::-1]  # of one moment, what follows stands above what it follows from


def _of_trail(sources: Sources, events: list[activity_log.TrailEvent]) -> Iterator[Happening]:
    of_whom = _named(sources.certificates)
    for event in events:
        told = words.tell_event(event, sources.order, of_whom.get(event.certificate_id or 0, ""))
        if told is not None:
            is_payment = event.kind == "order_moved" and told.what.startswith("Paid")
            at = sources.order.paid_at if is_payment and sources.order.paid_at else event.at
            yield Happening(at, event.actor, told.what, told.detail, is_quiet=event.kind in QUIET)


def _of_ledger(sources: Sources, certificate_ids: list[int]) -> Iterator[Happening]:
    of_whom, reasons = _named(sources.certificates), {refund.id: refund.reason for refund in sources.refunds}
    query = (
        sa.select(LedgerEntry, RedemptionNote.text)
        .outerjoin(RedemptionNote, RedemptionNote.entry_id == LedgerEntry.id)
        .where(LedgerEntry.certificate_id.in_(certificate_ids))
        .order_by(LedgerEntry.id)
    )
    for entry, remark in db.session.execute(query):
        told = words.tell_entry(entry, sources.order.currency, of_whom[entry.certificate_id])
        said = remark or reasons.get(words.refund_number(entry), entry.reason_code)
        detail = " · ".join(filter(None, [said, told.detail]))
        yield Happening(entry.created_at, entry.actor, told.what, detail)


def _of_delivery(delivery: Delivery, time_zone: str) -> Iterator[Happening]:
    for at, told in words.tell_delivery(delivery, time_zone):
        yield Happening(at, "system", told.what, told.detail)


def _of_note(note: OrderNote) -> Iterator[Happening]:
    yield Happening(note.written_at, note.actor, "Note", note.text or "Its words were taken away")
    if note.blanked_at is not None:
        yield Happening(note.blanked_at, note.blanked_by, "Took the words of a note away")


def _named(certificates: list[Certificate]) -> dict[int, str]:
    """Say whose certificate a line is about, where an order has several."""
    if len(certificates) < 2:
        return {certificate.id: "" for certificate in certificates}
    return {each.id: f"{each.recipient_name} ({each.public_id})" for each in certificates}
