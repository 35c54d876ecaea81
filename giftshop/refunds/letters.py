"""What people are told about refunds: that money is on its way back and what that does to a gift; that it came back.

The office's refunds and those made in Stripe's dashboard are told alike.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from giftshop import clock
from giftshop.delivery import deliveries
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.money import format_amount
from giftshop.notifications.letters import order_path, schedule_message
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Gift, Order, Refund

MOST_NAMES = 3
"""More names than these are a number in a sentence."""


def tell_refunded(order: Order, refund: Refund, taken_from: Iterable[int]) -> None:
    """Tell the buyer that money is on its way back, and whoever has a gift that it came off what is left of it.

    `taken_from` are the ids of the certificates that it came off.
    """
    certificate = db.session.get(Certificate, refund.certificate_id) if refund.certificate_id else None
    facts = {
        "order_number": order.number,
        "order_path": order_path(order),
        "amount": format_amount(refund.amount_cents, order.payment_currency),
        "recipient_name": certificate.recipient_name if certificate else "",
        "left": format_amount(certificate.balance_cents, order.currency) if certificate else "",
        "has_ended": certificate is not None and certificate.status == "void",
    }
    now, key = clock.now(), f"refund{refund.id}"
    schedule_message(order, "refund", key, to_address=order.buyer_email, facts=facts, send_at=now)
    for gift, certificates in _gifts_with(set(taken_from), order):
        if gift.delivery == "recipient" and deliveries.was_sent(gift.id):
            left, to_address = _tell_left(certificates, order.currency), gift.recipient_email
            name = f"{key}.{gift.position}"
            schedule_message(
                order, "certificate_refunded", name, to_address=to_address, facts=left, send_at=now, gift=gift
            )


def tell_returned(order: Order, refund: Refund, returned_to: list[Certificate], *, was_lost: bool) -> None:
    """Tell the buyer, and whoever was told of the refund, that it did not go through.

    `returned_to` are the certificates that have its value again. Where some of it `was_lost`, because the money had
    gone already, only the owner knows who is to be told what: the buyer hears no more than that it failed.
    """
    facts = {
        "order_number": order.number,
        "order_path": order_path(order),
        "amount": format_amount(refund.amount_cents, order.payment_currency),
        "was_lost": was_lost,
        "recipient_name": returned_to[0].recipient_name if len(returned_to) == 1 else "",
        "has_value": bool(returned_to),
        "unsent": _name_people([gift.recipient_name for gift in list_unsent(order, returned_to)]),
    }
    now, key = clock.now(), f"refund{refund.id}"
    schedule_message(order, "refund_returned", key, to_address=order.buyer_email, facts=facts, send_at=now)
    for gift, _certificates in _gifts_with(set() if was_lost else {each.id for each in returned_to}, order):
        if deliveries.was_told(gift.id, "certificate_refunded"):
            name, to_address = f"{key}.{gift.position}", gift.recipient_email
            schedule_message(
                order, "certificate_returned", name, to_address=to_address, facts={}, send_at=now, gift=gift
            )


def list_unsent(order: Order, certificates: list[Certificate]) -> list[Gift]:
    """Return the gifts of these certificates whose message to their recipient was cancelled, but not by the buyer."""
    gifts = (gift for gift, _certificates in _gifts_with({each.id for each in certificates}, order))
    return [gift for gift in gifts if gift.delivery == "recipient" and deliveries.was_cancelled(gift.id)]


def _name_people(names: list[str]) -> str:
    if len(names) > MOST_NAMES:
        return f"{len(names)} people"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _gifts_with(certificate_ids: set[int], order: Order) -> Iterator[tuple[Gift, list[Certificate]]]:
    """Yield the gifts that these certificates belong to, each with all of its certificates."""
    issued = certificates_of(order)
    for gift in order.gifts:
        if any(each.id in certificate_ids for each in issued.get(gift.id, [])):
            yield gift, issued[gift.id]


def _tell_left(certificates: list[Certificate], currency: str) -> dict[str, Any]:
    """Return what is left of a gift, as its message says it."""
    alive = [each for each in certificates if each.status != "void"]
    return {
        "left": format_amount(sum(each.balance_cents for each in alive), currency),
        "has_ended": not alive,
        "is_several": len(certificates) > 1,
        "is_on_hold": bool(alive) and all(each.status == "frozen" for each in alive),
    }
