"""What people are told about an order: which message goes to whom, when, and with which facts."""

import secrets
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.dates import write_appointment, write_local_day
from giftshop.delivery import deliveries, resending, timing
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.often import may_send_link
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import answer_once
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.notifications.announcing import Announcement, Letter, announce
from giftshop.orders.look_up import lock_order, token_of
from giftshop.orders.models import Gift, Order
from giftshop.words import _


def letters_of_sale(
    order: Order, issued: dict[int, list[Certificate]], practice: Practice, *, at: datetime
) -> Iterator[Letter]:
    """Return the buyer's receipt and one letter for each gift, now or at the chosen day's hour."""
    facts = {
        "order_number": order.number,
        "order_path": order_path(order),
        "total": format_amount(order.total_cents, order.currency),
        "paid_on": write_local_day(at, practice.time_zone),
        "gifts": [_gift_line(gift, practice, at=at) for gift in order.gifts],
    }
    yield Letter(kind=MessageKind.RECEIPT, key="order.1", to_address=order.buyer_email, facts=facts, send_at=at)
    for gift in order.gifts:
        yield _letter_of_gift(order, gift, issued[gift.id], practice, at=at)


def letter_of_failure(order: Order) -> Letter:
    """Return the letter that tells the buyer that the bank said no and that the order can be paid again."""
    facts = {"order_number": order.number, "order_path": order_path(order)}
    key = f"order.{len(order.attempts)}"
    return Letter(kind=MessageKind.PAYMENT_FAILED, key=key, to_address=order.buyer_email, facts=facts)


def queue_way_in(order: Order, path: str, *, key: str, at: datetime) -> None:
    """Send the buyer a link that shows whose the order is; once for the form with the request key `key`.

    Nothing is sent when that was too often, and nobody is told so. Raises RequestKeyMissingError.
    """
    facts = {"order_number": order.number, "order_path": path}

    def act() -> dict[str, object]:
        if not may_send_link(lock_order(order.id).id, at=at):
            return {}
        letter = Letter(
            kind=MessageKind.WAY_IN,
            key=f"order.{secrets.token_hex(8)}",
            to_address=order.buyer_email,
            facts=facts,
            send_at=at,
        )
        announce(Announcement(order=order, letters=[letter]))
        return {}

    answer_once(scope=f"way_in:{order.public_id}", key=key, body={}, act=act)


def queue_new_code(gift: Gift, certificate: Certificate, *, at: datetime) -> bool:
    """Send a certificate's new code to whoever had the old one; tell whether anything goes out.

    A gift that the recipient has not got yet brings the new code by itself, when its message goes out or is sent
    after all: nothing may spoil the surprise.
    """
    order, is_mailed = gift.order, gift.delivery == "recipient"
    if is_mailed and not deliveries.was_sent(gift.id):
        return False
    facts = {
        "recipient_name": gift.recipient_name,
        "left": _tell_left(certificate) if is_mailed else format_amount(certificate.balance_cents, order.currency),
        "is_recipient": is_mailed,
        "is_on_hold": certificate.status == CertificateStatus.FROZEN,
    }
    letter = Letter(
        kind=MessageKind.REISSUED,
        key=f"{certificate.public_id}.{_count_replaced(certificate)}",
        to_address=gift.recipient_email if is_mailed else order.buyer_email,
        facts=facts,
        send_at=at,
        gift=gift,
        certificates=[certificate],
    )
    announce(Announcement(order=order, letters=[letter]))
    return True


def _tell_left(certificate: Certificate) -> str:
    """Say what is left to whoever holds a certificate; nothing where that would tell a price they are not to see."""
    return format_amount(certificate.balance_cents, certificate.currency) if certificate.is_left_told else ""


def send_again(
    delivery_id: int,
    *,
    to_address: str,
    actor: str,
    at: datetime,
    send_at: datetime | None = None,
    send_on: date | None = None,
) -> Delivery:
    """Send a message again; a corrected address is the buyer's or the recipient's from now on. See resending.py.

    A gift that its buyer had kept back is its recipient's once it is sent.
    """
    again = resending.send_again(delivery_id, to_address=to_address, at=at, send_at=send_at, send_on=send_on)
    order = db.session.get(Order, again.order_id) if again.order_id else None
    gift = db.session.get(Gift, again.gift_id) if again.gift_id else None
    before = db.session.get_one(Delivery, delivery_id)
    is_corrected = before.to_address != to_address
    if gift is not None and again.kind == MessageKind.GIFT:
        gift.delivery = "recipient"
    if order is not None and is_corrected and again.kind != MessageKind.ALERT:
        _correct_address(order, gift, to_address)
    activity_log.note(
        Activity.SENT_AGAIN, actor=actor, order_id=again.order_id, message=again.kind, is_corrected=is_corrected
    )
    return again


def _correct_address(order: Order, gift: Gift | None, address: str) -> None:
    """Keep the corrected address for what is sent later: the recipient's in their gift, the buyer's in the order."""
    if gift is not None and gift.delivery == "recipient":
        gift.recipient_email = address
    else:
        order.buyer_email = address


def send_at(gift: Gift, practice: Practice, *, at: datetime) -> datetime:
    """Return when a gift's message goes out: at the practice's delivery hour on the chosen day, never before `at`."""
    if gift.deliver_on is None:
        return at
    return max(at, timing.moment_of(gift.deliver_on, practice))


def _letter_of_gift(
    order: Order, gift: Gift, certificates: list[Certificate], practice: Practice, *, at: datetime
) -> Letter:
    """Return what brings a gift: to its recipient at its time, or to the buyer now, to print or hand over."""
    is_mailed = gift.delivery == "recipient"
    when = send_at(gift, practice, at=at) if is_mailed else at
    to_recipient = {
        "giver_name": gift.giver_name,
        "recipient_name": gift.recipient_name,
        "message": gift.message,
        "amount_text": format_amount(gift.amount_cents, order.currency) if gift.is_price_shown else "",
        "service_text": gift.service_name,
    }
    to_buyer = {"recipient_name": gift.recipient_name, "order_number": order.number, "order_path": order_path(order)}
    return Letter(
        kind=MessageKind.GIFT if is_mailed else MessageKind.CERTIFICATE,
        key=f"{gift.position}.1",
        to_address=gift.recipient_email if is_mailed else order.buyer_email,
        facts=to_recipient if is_mailed else to_buyer,
        send_at=when,
        send_on=gift.deliver_on if when > at else None,
        gift=gift,
        certificates=certificates,
    )


def _gift_line(gift: Gift, practice: Practice, *, at: datetime) -> dict[str, Any]:
    return {
        "title": gift.service_name or _("Gift certificate"),
        "amount": format_amount(gift.amount_cents, practice.currency),
        "quantity": gift.quantity,
        "recipient_name": gift.recipient_name,
        "how": _how(gift, practice, at=at),
    }


def _how(gift: Gift, practice: Practice, *, at: datetime) -> str:
    """Say in the receipt how and when a gift gets there."""
    if gift.delivery != "recipient":
        return _("Sent to you, to print or hand over")
    when = send_at(gift, practice, at=at)
    if when <= at:
        return _("Emailed to %(address)s now", address=gift.recipient_email)
    moment = write_appointment(when, practice.time_zone)
    return _("Goes to %(address)s on %(when)s", address=gift.recipient_email, when=moment)


def _count_replaced(certificate: Certificate) -> int:
    query = sa.select(sa.func.count()).where(ReplacedCode.certificate_id == certificate.id)
    return db.session.scalars(query).one()


def order_path(order: Order) -> str:
    """Return the path of the buyer's page of an order."""
    return f"/orders/{token_of(order)}"
