"""What people are told about an order: which message goes to whom, when, and with which facts."""

from datetime import datetime
from typing import Any

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.certificates.models import Certificate
from giftshop.dates import write_appointment, write_local_day
from giftshop.delivery import deliveries
from giftshop.money import format_amount
from giftshop.orders.models import Gift, Order
from giftshop.orders.register import token_of


def tell_paid(order: Order, issued: dict[int, list[Certificate]], practice: Practice, *, at: datetime) -> None:
    """Schedule the buyer's receipt and one message for each gift, now or at the chosen day's hour."""
    gifts = [_gift_line(gift, practice, at=at) for gift in order.gifts]
    facts = {
        "order_number": order.number,
        "order_path": _order_path(order),
        "total": format_amount(order.total_cents, order.currency),
        "paid_on": write_local_day(at, practice.time_zone),
        "gifts": gifts,
    }
    _schedule(order, "receipt", None, to_address=order.buyer_email, facts=facts, certificates=[], send_at=at)
    for gift in order.gifts:
        _tell_gift(order, gift, issued[gift.id], practice, at=at)


def tell_payment_failed(order: Order) -> None:
    """Tell the buyer that the bank said no and that the order can be paid again."""
    facts = {"order_number": order.number, "order_path": _order_path(order)}
    number = len(order.attempts)
    _schedule(
        order,
        "payment_failed",
        None,
        to_address=order.buyer_email,
        facts=facts,
        certificates=[],
        send_at=clock.now(),
        revision=number,
    )


def tell_owner(order: Order, title: str, detail: str) -> None:
    """Send the practice an alert about an order."""
    facts = {"title": title, "detail": detail, "order_number": order.number}
    practice = get_practice()
    _schedule(order, "alert", None, to_address=practice.email, facts=facts, certificates=[], send_at=clock.now())


def send_at(gift: Gift, practice: Practice, *, at: datetime) -> datetime:
    """Return when a gift's message goes out: at the practice's delivery hour on the chosen day, never before `at`."""
    if gift.deliver_on is None:
        return at
    chosen = clock.local_moment(gift.deliver_on, hour=practice.delivery_hour, time_zone=practice.time_zone)
    return max(at, chosen)


def _tell_gift(order: Order, gift: Gift, certificates: list[Certificate], practice: Practice, *, at: datetime) -> None:
    if gift.delivery == "recipient":
        is_amount = not gift.service_name
        facts = {
            "giver_name": gift.giver_name,
            "recipient_name": gift.recipient_name,
            "message": gift.message,
            "amount_text": format_amount(gift.amount_cents, order.currency) if is_amount else "",
            "service_text": gift.service_name,
        }
        when = send_at(gift, practice, at=at)
        _schedule(
            order, "gift", gift, to_address=gift.recipient_email, facts=facts, certificates=certificates, send_at=when
        )
    else:
        facts = {"recipient_name": gift.recipient_name, "order_number": order.number, "order_path": _order_path(order)}
        _schedule(
            order, "certificate", gift, to_address=order.buyer_email, facts=facts, certificates=certificates, send_at=at
        )


def _gift_line(gift: Gift, practice: Practice, *, at: datetime) -> dict[str, Any]:
    return {
        "title": gift.service_name or "Gift certificate",
        "amount": format_amount(gift.amount_cents, practice.currency),
        "quantity": gift.quantity,
        "recipient_name": gift.recipient_name,
        "how": _how(gift, practice, at=at),
    }


def _how(gift: Gift, practice: Practice, *, at: datetime) -> str:
    """Say in the receipt how and when a gift gets there."""
    if gift.delivery != "recipient":
        return "Sent to you, to print or hand over"
    when = send_at(gift, practice, at=at)
    if when <= at:
        return f"Emailed to {gift.recipient_email} now"
    return f"Goes to {gift.recipient_email} on {write_appointment(when, practice.time_zone)}"


def _order_path(order: Order) -> str:
    return f"/orders/{token_of(order)}"


def _schedule(
    order: Order,
    kind: str,
    gift: Gift | None,
    *,
    to_address: str,
    facts: dict[str, Any],
    certificates: list[Certificate],
    send_at: datetime,
    revision: int = 1,
) -> None:
    place = gift.position if gift else "order"
    deliveries.schedule(
        kind,
        order_id=order.id,
        gift_id=gift.id if gift else None,
        to_address=to_address,
        facts=facts,
        certificate_ids=[certificate.id for certificate in certificates],
        send_at=send_at,
        message_key=f"{order.public_id}.{kind}.{place}.{revision}",
    )
