"""News: what people are told a moment later, found by the clock: a certificate used, a gift that waits or came back.

A redemption answers while a guest waits and has no room for a mail of its own, so each minute's job looks what has
happened since. Each fact is told once, because its message's key names it; what a job that stood still left
untold is told when it runs again, up to three days later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.dates import write_appointment, write_local_day, write_zoned_moment
from giftshop.delivery.deliveries import message_id, schedule
from giftshop.delivery.faults import OF_THE_ADDRESS, MailFault, is_ours
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import UNTRIED, due_at
from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Gift, GiftCertificate, Order
from giftshop.words import N_, _, ngettext

LOOK_BACK = timedelta(days=3)
SOON = timedelta(minutes=10)
"""What goes out within this time is not worth a mail that says so."""
_KINDS = {EntryKind.REDEEM: MessageKind.USED, EntryKind.REVERSAL: MessageKind.USED_UNDONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One message to be: its kind, the key that names the fact it tells, for whom, and what it says."""

    kind: MessageKind
    key: str
    order_id: int
    to_address: str
    facts: dict[str, Any]
    gift_id: int | None = None


def queue_news(*, at: datetime) -> int:
    """Schedule every message that is due and was not made yet; return how many. The caller commits."""
    practice, known = get_practice(), _list_known(at)
    found = [*_used(practice, at), *_waiting(practice, at), *_unreached(practice, at)]
    fresh = _leave_out_told([each for each in found if message_id(each.key) not in known])
    for each in fresh:
        schedule(
            each.kind,
            order_id=each.order_id,
            gift_id=each.gift_id,
            to_address=each.to_address,
            facts=each.facts,
            certificate_ids=[],
            send_at=at,
            message_key=each.key,
        )
    return len(fresh)


def _list_known(at: datetime) -> set[str]:
    """Return the ids of the messages made since the oldest fact that is still looked at."""
    recent = sa.select(Delivery.message_id).where(
        Delivery.state.in_(list(DeliveryState)), Delivery.send_at >= at - LOOK_BACK
    )
    return set(db.session.scalars(recent))


def _leave_out_told(fresh: list[News]) -> list[News]:
    """Leave out what was told longer ago: a fact that a clock dated which was ahead is looked at until its day."""
    keys = {message_id(each.key): each for each in fresh}
    told = (
        set(db.session.scalars(sa.select(Delivery.message_id).where(Delivery.message_id.in_(keys)))) if keys else set()
    )
    return [each for key, each in keys.items() if key not in told]


def _used(practice: Practice, at: datetime) -> Iterable[News]:
    """Tell a recipient what was taken off their certificate or put back, once they have it."""
    has_it = sa.exists().where(
        Delivery.gift_id == Gift.id, Delivery.kind == MessageKind.GIFT, Delivery.state == DeliveryState.SENT
    )
    query = (
        sa.select(LedgerEntry, Certificate, Gift)
        .join(Certificate, Certificate.id == LedgerEntry.certificate_id)
        .join(GiftCertificate, GiftCertificate.certificate_id == Certificate.id)
        .join(Gift, Gift.id == GiftCertificate.gift_id)
        .where(LedgerEntry.kind.in_(_KINDS), LedgerEntry.created_at >= at - LOOK_BACK)
        .where(Gift.delivery == "recipient", has_it)
        .order_by(LedgerEntry.id)
    )
    for entry, certificate, gift in db.session.execute(query):
        yield News(
            kind=_KINDS[EntryKind(entry.kind)],
            key=f"{certificate.public_id}.used.{entry.sequence}",
            order_id=gift.order_id,
            gift_id=gift.id,
            to_address=gift.recipient_email,
            facts={
                **_sums(entry, certificate),
                "is_used_up": entry.balance_after_cents == 0,
                "when": write_zoned_moment(entry.created_at, practice.time_zone),
                "giver_name": gift.giver_name,
            },
        )


def _sums(entry: LedgerEntry, certificate: Certificate) -> dict[str, str]:
    """Return what was moved and what it left; of one whose price is hidden not what the two together would tell."""
    amount = format_amount(entry.amount_cents, certificate.currency)
    left = format_amount(entry.balance_after_cents, certificate.currency) if entry.balance_after_cents else ""
    if certificate.is_price_shown:
        return {"amount": amount, "left": left}
    return {"amount": "", "left": "" if entry.balance_after_cents == certificate.face_value_cents else left}


def _waiting(practice: Practice, at: datetime) -> Iterable[News]:
    """Tell a buyer when their gifts go out, and anew when that has changed; in one message for an order."""
    query = (
        _messages()
        .add_columns(_last(Delivery.id), _last(Delivery.moved_at))
        .where(
            *UNTRIED,
            Delivery.send_at > at + SOON,
            sa.or_(Delivery.created_at >= at - LOOK_BACK, Delivery.moved_at >= at - LOOK_BACK),
        )
    )
    for (order, newest, moved_at), group in groupby(db.session.execute(query), key=lambda row: tuple(row[2:])):
        waiting = [(gift, message) for message, gift, *_order in group]
        moved = f".{moved_at:%Y%m%d%H%M%S}" if moved_at else ""
        yield News(
            kind=MessageKind.WAITING,
            key=f"{order.public_id}.waiting.{newest}{moved}",
            order_id=order.id,
            to_address=order.buyer_email,
            facts={
                "goes": _say_when(waiting, practice),
                "gifts": [_tell_waiting(gift, message, practice) for gift, message in waiting],
                "order_number": order.number,
                "order_path": f"/orders/{token_of(order)}",
            },
        )


def _last(column: sa.orm.InstrumentedAttribute[Any]) -> sa.ScalarSelect[Any]:
    """Return what grows with each change of where or when an order's gift goes, but not as one after the other does."""
    any_one = aliased(Delivery)
    newest = sa.func.max(getattr(any_one, column.key))
    query = sa.select(newest).where(any_one.order_id == Order.id, any_one.kind == MessageKind.GIFT)
    return query.correlate(Order).scalar_subquery()


def _unreached(practice: Practice, at: datetime) -> Iterable[News]:
    """Tell a buyer that their gift could not be delivered and where to fix that, and the practice too."""
    again = aliased(Delivery)
    query = _messages().where(
        Delivery.state == DeliveryState.FAILED,
        Delivery.ended_at >= at - LOOK_BACK,
        ~sa.exists().where(again.replaces_id == Delivery.id),
    )
    for message, gift, order in db.session.execute(query):
        yield News(
            kind=MessageKind.UNREACHED,
            key=f"{order.public_id}.unreached.{message.id}",
            order_id=order.id,
            to_address=order.buyer_email,
            facts={
                "recipient_name": gift.recipient_name,
                "address": message.to_address,
                "order_number": order.number,
                "order_path": f"/orders/{token_of(order)}/gifts/{gift.position + 1}",
                "why": _tell_why(message.trouble),
            },
        )
        yield _alert(message, order, practice)


def _tell_why(trouble: str) -> str:
    """Say to a buyer why a gift was given up, where a wrong address was not the reason; else nothing."""
    if is_ours(trouble):
        return _("That is not because of the address: our emails did not go out.")
    whys = {
        MailFault.MAILBOX_FULL: N_("The mailbox stayed full for days."),
        MailFault.PUT_OFF: N_("The mail server put it off for days."),
    }
    return _(whys[MailFault(trouble)]) if trouble in whys else ""


def _alert(message: Delivery, order: Order, practice: Practice) -> News:
    is_bounced = message.trouble in ("", *OF_THE_ADDRESS)
    return News(
        kind=MessageKind.ALERT,
        key=f"{order.public_id}.bounced.{message.id}",
        order_id=order.id,
        to_address=practice.email,
        facts={
            "title": _("An email bounced") if is_bounced else _("An email could not be sent"),
            "detail": _(
                "A gift of order %(number)s was not delivered. %(why)s The buyer was told.",
                number=order.number,
                why=message.last_error,
            ),
            "office_path": f"/office/orders/{order.id}",
        },
    )


def _messages() -> sa.Select[Delivery, Gift, Order]:
    """Return the messages that bring gifts to their recipients, order by order."""
    return (
        sa.select(Delivery, Gift, Order)
        .join(Gift, Gift.id == Delivery.gift_id)
        .join(Order, Order.id == Gift.order_id)
        .where(Delivery.kind == MessageKind.GIFT)
        .order_by(Order.id, Gift.position)
    )


def _say_when(waiting: list[tuple[Gift, Delivery]], practice: Practice) -> str:
    if len(waiting) > 1:
        return ngettext("When your %(num)s gift goes out", "When your %(num)s gifts go out", len(waiting))
    gift, message = waiting[0]
    day = write_local_day(due_at(message, practice), practice.time_zone)
    return _("%(name)s’s massage goes out on %(day)s", name=gift.recipient_name, day=day)


def _tell_waiting(gift: Gift, message: Delivery, practice: Practice) -> dict[str, str]:
    when = write_appointment(due_at(message, practice), practice.time_zone)
    return {"recipient_name": gift.recipient_name, "address": message.to_address, "when": when}
