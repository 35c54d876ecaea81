"""The words of an order's history: what each kind of event, ledger entry and message is called, for history.py."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from giftshop.dates import write_appointment
from giftshop.delivery.models import Delivery
from giftshop.foundation.activity_log import TrailEvent
from giftshop.ledger.models import LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.models import Order

MESSAGES = {
    "receipt": "Receipt",
    "gift": "Gift message",
    "certificate": "Certificate to print",
    "payment_failed": "“Payment failed”",
    "refund": "“Money on its way back”",
    "certificate_refunded": "“Certificate refunded”",
    "refund_returned": "“Could not be paid back”",
    "certificate_returned": "“Gift has its value again”",
    "reissued": "New certificate",
    "alert": "Alert to the practice",
    "way_in": "Link to change the order",
    "used": "“Certificate used”",
    "used_undone": "“Amount put back”",
    "waiting": "“When your gift goes out”",
    "unreached": "“We couldn’t reach them”",
}
"""What each kind of message is called."""

HOLDS = {
    "disputed": "The buyer’s bank questions the payment",
    "fraud_warning": "The card’s bank warns of fraud",
    "refund_failed": "A refund failed and its money came back",
    "refund_refused": "A refund was refused and its money came back",
    "refund_over_balance": "More was paid back at Stripe than was left",
}
"""Why a certificate is on hold, where the shop put it there; a person's own words stand for themselves."""

DISPUTES = {
    "warning_needs_response": "The bank asks about the payment",
    "warning_under_review": "The bank looks at our answer",
    "warning_closed": "The bank’s inquiry ended without a dispute",
    "needs_response": "The bank disputes the payment",
    "under_review": "The bank looks at the evidence",
    "lost": "The dispute was lost",
    "appeal_needs_response": "The bank reopened the dispute",
    "appeal_under_review": "The bank looks at the appeal",
    "prevented": "The dispute was prevented",
    "won": "The dispute was won",
}
"""What each of Stripe's dispute states means to people."""

_MOVES = {
    "awaiting_payment": "Payment started again",
    "processing": "The bank is confirming the payment",
    "paid": "Paid",
    "expired": "The payment page expired unpaid",
    "failed": "The payment failed",
    "in_review": "Put in review; no certificate was issued",
    "refunded": "All of it is paid back",
}

_ENTRIES = {
    "issue": "Issued",
    "promote": "Given free",
    "import": "Taken over",
    "redeem": "Redeemed",
    "reversal": "Undone, put back",
    "cash_out": "Paid out in cash",
    "escheat": "Handed to the state",
    "breakage": "Taken to income",
    "void": "Ended, taken off",
    "refund_hold": "Held to be paid back",
    "refund_settled": "Paid back to the buyer",
    "refund_released": "Not paid back, so put back",
    "refund_external": "Paid back in Stripe’s dashboard",
    "refund_returned": "The refund failed, put back",
    "dispute_hold": "Held for the dispute",
    "dispute_lost": "Lost to the dispute",
    "dispute_released": "Given back by the dispute",
    "dispute_recovered": "Won back",
    "loss": "Lost, because it was used or paid back already",
    "loss_recovered": "A loss came back",
}

_IN_LEDGER = frozenset({"voided", "refund_asked", "refund_settled", "refund_refused", "refund_returned"})
"""What the trail notes beside a ledger entry that says it too."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, and what else there is to say of it."""

    what: str
    detail: str = ""


def tell_event(event: TrailEvent, order: Order, of_whom: str) -> Told | None:
    """Say what an event of the trail was; None when another line says it already."""
    facts: dict[str, Any] = json.loads(event.facts)
    if event.kind in _IN_LEDGER:
        return None
    if event.kind == "order_moved":
        return _tell_move(facts, order)
    if event.kind == "dispute":
        amount = format_amount(facts["amount_cents"], order.payment_currency)
        return Told(DISPUTES.get(facts["status"], facts["status"]), amount)
    what = {
        "frozen": "Put on hold",
        "unfrozen": "Hold ended",
        "reissued": "Given a new code; the old one is dead",
        "viewed": "Looked at it",
        "scanned": "Found it by its code",
        "found_by_search": "Found it by search",
        "order_accepted": "Accepted as it was paid",
        "payback_asked": "Asked for all of the payment to be paid back",
        "payback_refused": "Refused to pay it back",
        "alert_done": "Ticked an alert off",
        "sent_again": "Asked to send a message again",
    }.get(event.kind, event.kind.replace("_", " ").capitalize())
    reason = facts.get("reason", "")
    details = [of_whom, HOLDS.get(reason, reason), _tell_message(facts)]
    return Told(what, " · ".join(filter(None, details)))


def tell_entry(entry: LedgerEntry, currency: str, of_whom: str) -> Told:
    """Say what a ledger entry moved and what it left."""
    left = f"{format_amount(entry.balance_after_cents, currency)} left"
    what = f"{_ENTRIES.get(entry.kind, entry.kind)} {format_amount(entry.amount_cents, currency)}"
    return Told(what, " · ".join(filter(None, [of_whom, left])))


def tell_delivery(delivery: Delivery, time_zone: str) -> Iterator[tuple[datetime, Told]]:
    """Say when a message was made, and when and how it ended."""
    name = MESSAGES.get(delivery.kind, delivery.kind)
    to_whom = f"to {delivery.to_address}"
    is_later = (delivery.send_at - delivery.created_at).total_seconds() > 1
    when = f"goes out on {write_appointment(delivery.send_at, time_zone)}" if is_later else ""
    yield delivery.created_at, Told(f"{name} made ready", " · ".join(filter(None, [to_whom, when])))
    if delivery.sent_at is not None:
        yield delivery.sent_at, Told(f"{name} sent", to_whom)
    elif delivery.state == "failed":
        yield delivery.ended_at or delivery.send_at, Told(f"{name} failed", f"{to_whom} · {delivery.last_error}")
    elif delivery.state == "cancelled":
        yield delivery.ended_at or delivery.send_at, Told(f"{name} cancelled", to_whom)


def refund_number(entry: LedgerEntry) -> int:
    """Return the number of the refund that an entry holds money for, 0 for every other entry."""
    found = re.fullmatch(r"refund:([0-9]+):hold", entry.request_key)
    return int(found[1]) if found and entry.kind == "refund_hold" else 0


def _tell_move(facts: dict[str, Any], order: Order) -> Told | None:
    if facts["after"] == "fulfilled":
        return None if facts["before"] == "paid" else Told("No longer paid back in full")
    what = _MOVES.get(facts["after"], facts["after"])
    if facts["after"] == "paid":
        return Told(f"{what} {format_amount(order.received_cents or order.total_cents, order.currency)}")
    return Told(what, order.review_reason if facts["after"] == "in_review" else "")


def _tell_message(facts: dict[str, Any]) -> str:
    kind = facts.get("message", "")
    return MESSAGES.get(kind, "") + (", to a corrected address" if facts.get("is_corrected") else "")
