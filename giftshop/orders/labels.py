"""The words of an order's history: what each kind of event, ledger entry and message is called, for history.py."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from giftshop.certificates.reasons import HoldReason
from giftshop.dates import write_appointment
from giftshop.delivery.kinds import name_message
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.foundation.activity_log import Activity, ActivityEvent
from giftshop.ledger.kinds import KINDS, EntryKind
from giftshop.ledger.models import LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.models import Order
from giftshop.orders.states import DisputeState, OrderState

HOLDS: dict[str, str] = {
    HoldReason.DISPUTED: "The buyer’s bank questions the payment",
    HoldReason.FRAUD_WARNING: "The card’s bank warns of fraud",
    HoldReason.REFUND_FAILED: "A refund failed and its money came back",
    HoldReason.REFUND_REFUSED: "A refund was refused and its money came back",
    HoldReason.REFUND_OVER_BALANCE: "More was paid back at Stripe than was left",
}
"""Why a certificate is on hold, where the shop put it there; a person's own words stand for themselves."""

DISPUTES: dict[str, str] = {
    DisputeState.WARNING_NEEDS_RESPONSE: "The bank asks about the payment",
    DisputeState.WARNING_UNDER_REVIEW: "The bank looks at our answer",
    DisputeState.WARNING_CLOSED: "The bank’s inquiry ended without a dispute",
    DisputeState.NEEDS_RESPONSE: "The bank disputes the payment",
    DisputeState.UNDER_REVIEW: "The bank looks at the evidence",
    DisputeState.LOST: "The dispute was lost",
    DisputeState.APPEAL_NEEDS_RESPONSE: "The bank reopened the dispute",
    DisputeState.APPEAL_UNDER_REVIEW: "The bank looks at the appeal",
    DisputeState.PREVENTED: "The dispute was prevented",
    DisputeState.WON: "The dispute was won",
}
"""What each of Stripe's dispute states means to people."""

_MOVES = {
    OrderState.AWAITING_PAYMENT: "Payment started again",
    OrderState.PROCESSING: "The bank is confirming the payment",
    OrderState.PAID: "Paid",
    OrderState.EXPIRED: "The payment page expired unpaid",
    OrderState.FAILED: "The payment failed",
    OrderState.IN_REVIEW: "Put in review; no certificate was issued",
    OrderState.REFUNDED: "All of it is paid back",
}

_IN_LEDGER = (
    Activity.VOIDED,
    Activity.REFUND_ASKED,
    Activity.REFUND_SETTLED,
    Activity.REFUND_REFUSED,
    Activity.REFUND_RETURNED,
)
"""What the activity log notes beside a ledger entry that says it too."""


_ACTS: dict[str, str] = {
    Activity.FROZEN: "Put on hold",
    Activity.UNFROZEN: "Hold ended",
    Activity.REISSUED: "Given a new code; the old one is dead",
    Activity.VIEWED: "Looked at it",
    Activity.SCANNED: "Found it by its code",
    Activity.FOUND_BY_SEARCH: "Found it by search",
    Activity.ORDER_ACCEPTED: "Accepted as it was paid",
    Activity.PAYBACK_ASKED: "Asked for all of the payment to be paid back",
    Activity.PAYBACK_REFUSED: "Refused to pay it back",
    Activity.ALERT_DONE: "Ticked an alert off",
    Activity.SENT_AGAIN: "Asked to send a message again",
    Activity.DAY_CHANGED: "Day changed",
    Activity.SENDING_CANCELLED: "Sending cancelled",
    Activity.ORDER_RECOVERED: "Order recovered",
    Activity.FRAUD_WARNING: "Fraud warning",
}
"""What each act is called that no other line tells better; one that a newer version noted has only its own name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, and what else there is to say of it."""

    what: str
    detail: str = ""


def tell_event(event: ActivityEvent, order: Order, of_whom: str) -> Told | None:
    """Say what an event of the log was; None when another line says it already."""
    facts: dict[str, Any] = json.loads(event.facts)
    if event.kind in _IN_LEDGER:
        return None
    if event.kind == Activity.ORDER_MOVED:
        return _tell_move(facts, order)
    if event.kind == Activity.DISPUTE:
        amount = format_amount(facts["amount_cents"], order.payment_currency)
        return Told(DISPUTES.get(facts["status"], facts["status"]), amount)
    what = _ACTS.get(event.kind, event.kind.replace("_", " ").capitalize())
    reason = facts.get("reason", "")
    details = [of_whom, HOLDS.get(reason, reason), _tell_message(facts)]
    return Told(what, " · ".join(filter(None, details)))


def tell_entry(entry: LedgerEntry, currency: str, of_whom: str) -> Told:
    """Say what a ledger entry moved and what it left."""
    left = f"{format_amount(entry.balance_after_cents, currency)} left"
    what = f"{KINDS[EntryKind(entry.kind)].label} {format_amount(entry.amount_cents, currency)}"
    return Told(what, " · ".join(filter(None, [of_whom, left])))


def tell_delivery(delivery: Delivery, time_zone: str) -> Iterator[tuple[datetime, Told]]:
    """Say when a message was made, and when and how it ended."""
    name = name_message(delivery.kind)
    to_whom = f"to {delivery.to_address}"
    is_later = (delivery.send_at - delivery.created_at).total_seconds() > 1
    when = f"goes out on {write_appointment(delivery.send_at, time_zone)}" if is_later else ""
    yield delivery.created_at, Told(f"{name} made ready", " · ".join(filter(None, [to_whom, when])))
    if delivery.sent_at is not None:
        yield delivery.sent_at, Told(f"{name} sent", to_whom)
    elif delivery.state == DeliveryState.FAILED:
        yield delivery.ended_at or delivery.send_at, Told(f"{name} failed", f"{to_whom} · {delivery.last_error}")
    elif delivery.state == DeliveryState.CANCELLED:
        yield delivery.ended_at or delivery.send_at, Told(f"{name} cancelled", to_whom)


def _tell_move(facts: dict[str, Any], order: Order) -> Told | None:
    if facts["after"] == OrderState.FULFILLED:
        return None if facts["before"] == OrderState.PAID else Told("No longer paid back in full")
    what = _MOVES[OrderState(facts["after"])]
    if facts["after"] == OrderState.PAID:
        return Told(f"{what} {format_amount(order.received_cents or order.total_cents, order.currency)}")
    return Told(what, order.review_reason if facts["after"] == OrderState.IN_REVIEW else "")


def _tell_message(facts: dict[str, Any]) -> str:
    kind = facts.get("message", "")
    return (name_message(kind) if kind else "") + (", to a corrected address" if facts.get("is_corrected") else "")
