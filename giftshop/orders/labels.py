"""The words of an order's history: what each kind of event, ledger entry and message is called, for history.py."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from giftshop.catalog.models import Practice
from giftshop.certificates.reasons import HoldReason
from giftshop.dates import write_appointment
from giftshop.delivery.kinds import name_message
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import due_at
from giftshop.foundation.activity_log import HOLDER, Activity, ActivityEvent
from giftshop.ledger.kinds import KINDS, EntryKind
from giftshop.ledger.models import HonouredSession, LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.models import Order
from giftshop.orders.states import DisputeState, OrderState
from giftshop.words import N_, _

HOLDS: dict[str, str] = {
    HoldReason.DISPUTED: N_("The buyer’s bank questions the payment"),
    HoldReason.FRAUD_WARNING: N_("The card’s bank warns of fraud"),
    HoldReason.REFUND_FAILED: N_("A refund failed and its money came back"),
    HoldReason.REFUND_REFUSED: N_("A refund was refused and its money came back"),
    HoldReason.REFUND_OVER_BALANCE: N_("More was paid back at Stripe than was left"),
}
"""Why a certificate is on hold, where the shop put it there; a person's own words stand for themselves."""

DISPUTES: dict[str, str] = {
    DisputeState.WARNING_NEEDS_RESPONSE: N_("The bank asks about the payment"),
    DisputeState.WARNING_UNDER_REVIEW: N_("The bank looks at our answer"),
    DisputeState.WARNING_CLOSED: N_("The bank’s inquiry ended without a dispute"),
    DisputeState.NEEDS_RESPONSE: N_("The bank disputes the payment"),
    DisputeState.UNDER_REVIEW: N_("The bank looks at the evidence"),
    DisputeState.LOST: N_("The dispute was lost"),
    DisputeState.APPEAL_NEEDS_RESPONSE: N_("The bank reopened the dispute"),
    DisputeState.APPEAL_UNDER_REVIEW: N_("The bank looks at the appeal"),
    DisputeState.PREVENTED: N_("The dispute was prevented"),
    DisputeState.WON: N_("The dispute was won"),
}
"""What each of Stripe's dispute states means to people."""

DISPUTE_TAGS: dict[str, str] = {
    DisputeState.WARNING_NEEDS_RESPONSE: N_("Warning needs response"),
    DisputeState.WARNING_UNDER_REVIEW: N_("Warning under review"),
    DisputeState.WARNING_CLOSED: N_("Warning closed"),
    DisputeState.NEEDS_RESPONSE: N_("Needs response"),
    DisputeState.UNDER_REVIEW: N_("Under review"),
    DisputeState.LOST: N_("Lost"),
    DisputeState.APPEAL_NEEDS_RESPONSE: N_("Appeal needs response"),
    DisputeState.APPEAL_UNDER_REVIEW: N_("Appeal under review"),
    DisputeState.PREVENTED: N_("Prevented"),
    DisputeState.WON: N_("Won"),
}
"""The same in a word or two."""

DISPUTE_REASONS: dict[str, str] = {
    "bank_cannot_process": N_("bank cannot process"),
    "credit_not_processed": N_("credit not processed"),
    "customer_initiated": N_("customer initiated"),
    "duplicate": N_("duplicate"),
    "fraudulent": N_("fraudulent"),
    "general": N_("general"),
    "noncompliant": N_("noncompliant"),
    "product_not_received": N_("product not received"),
    "product_unacceptable": N_("product unacceptable"),
    "subscription_canceled": N_("subscription canceled"),
    "unrecognized": N_("unrecognized"),
}
"""What a bank says of a card's payment that it disputes, by Stripe's word for it."""

_MOVES = {
    OrderState.AWAITING_PAYMENT: N_("Payment started again"),
    OrderState.PROCESSING: N_("The bank is confirming the payment"),
    OrderState.EXPIRED: N_("The payment page expired unpaid"),
    OrderState.FAILED: N_("The payment failed"),
    OrderState.IN_REVIEW: N_("Put in review; no certificate was issued"),
    OrderState.REFUNDED: N_("All of it is paid back"),
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
    Activity.FROZEN: N_("Put on hold"),
    Activity.UNFROZEN: N_("Hold ended"),
    Activity.REISSUED: N_("Given a new code; the old one no longer works"),
    Activity.VIEWED: N_("Looked at it"),
    Activity.FETCHED: N_("Fetched the certificate’s page"),
    Activity.OPENED: N_("Opened the certificate’s page in a browser"),
    Activity.SCANNED: N_("Found it by its code"),
    Activity.FOUND_BY_SEARCH: N_("Found it by search"),
    Activity.ORDER_ACCEPTED: N_("Accepted as it was paid"),
    Activity.PAYBACK_ASKED: N_("Asked for all of the payment to be paid back"),
    Activity.REFUND_WISHED: N_("The buyer asked for the money back"),
    Activity.PAYBACK_REFUSED: N_("Refused to pay it back"),
    Activity.ALERT_DONE: N_("Ticked an alert off"),
    Activity.SENT_AGAIN: N_("Asked to send a message again"),
    Activity.DAY_CHANGED: N_("Day changed"),
    Activity.SENDING_CANCELLED: N_("Sending cancelled"),
    Activity.ORDER_RECOVERED: N_("Order recovered"),
    Activity.FRAUD_WARNING: N_("Fraud warning"),
}
"""What each act is called that no other line tells better; one that a newer version noted has only its own name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, and what else there is to say of it."""

    what: str
    detail: str = ""


def tell_reason(reason: str, actor: str) -> str:
    """Say why something was done: as somebody at work wrote it, else in the shop's words, which it keeps in English."""
    if reason in HOLDS:
        return _(HOLDS[reason])
    return reason if actor.startswith("staff:") else _(reason)


def name_dispute(status: str) -> str:
    """Say what a dispute's state means; one that Stripe added since has only its own name."""
    return _(DISPUTES.get(status, status))


def name_dispute_reason(reason: str) -> str:
    """Say what the bank says; a reason that Stripe added since has only its own name."""
    return _(DISPUTE_REASONS.get(reason, reason.replace("_", " ")))


def is_fetch(event: ActivityEvent) -> bool:
    """Tell whether all that is known of an event is that a certificate's page was fetched, by a person or a program.

    So it is of looks that were kept before the page itself said that it was opened.
    """
    return event.kind == Activity.FETCHED or (event.kind == Activity.VIEWED and event.actor == HOLDER)


def tell_event(event: ActivityEvent, order: Order, of_whom: str) -> Told | None:
    """Say what an event of the log was; None when another line says it already."""
    facts: dict[str, Any] = json.loads(event.facts)
    if event.kind in _IN_LEDGER:
        return None
    if event.kind == Activity.ORDER_MOVED:
        return _tell_move(facts, order)
    if event.kind == Activity.DISPUTE:
        amount = format_amount(facts["amount_cents"], order.payment_currency)
        return Told(name_dispute(facts["status"]), amount)
    kind = Activity.FETCHED if is_fetch(event) else event.kind
    what = _ACTS.get(kind, event.kind.replace("_", " ").capitalize())
    details = [of_whom, tell_reason(facts.get("reason", ""), event.actor), _tell_message(facts)]
    return Told(_(what), " · ".join(filter(None, details)))


def tell_entry(entry: LedgerEntry, currency: str, of_whom: str) -> Told:
    """Say what a ledger entry moved and what it left."""
    left = _("%(left)s left", left=format_amount(entry.balance_after_cents, currency))
    what = _(KINDS[EntryKind(entry.kind)].label, amount=format_amount(entry.amount_cents, currency))
    return Told(what, " · ".join(filter(None, [of_whom, left])))


def tell_honoured(honoured: HonouredSession, currency: str) -> str:
    """Say which session was given for less than it cost, and by how much."""
    session, paid = honoured.service_name, format_amount(honoured.promised_cents, currency)
    if honoured.price_cents is None:
        return _("%(session)s as promised, sold for %(paid)s, no longer sold", session=session, paid=paid)
    return _(
        "%(session)s as promised, sold for %(paid)s, at a price of %(price)s: %(difference)s given",
        session=session,
        paid=paid,
        price=format_amount(honoured.price_cents, currency),
        difference=format_amount(honoured.difference_cents, currency),
    )


def tell_delivery(delivery: Delivery, practice: Practice) -> Iterator[tuple[datetime, Told]]:
    """Say when a message was made, and when and how it ended."""
    name = name_message(delivery.kind)
    to_whom = _("to %(address)s", address=delivery.to_address)
    is_later = (delivery.send_at - delivery.created_at).total_seconds() > 1
    due = write_appointment(due_at(delivery, practice), practice.time_zone)
    when = _("goes out on %(when)s", when=due) if is_later else ""
    ready = _("%(message)s made ready", message=name)
    yield delivery.created_at, Told(ready, " · ".join(filter(None, [to_whom, when])))
    ended_at = delivery.ended_at or delivery.send_at
    if delivery.sent_at is not None:
        yield delivery.sent_at, Told(_("%(message)s sent", message=name), to_whom)
    elif delivery.state == DeliveryState.FAILED:
        yield ended_at, Told(_("%(message)s failed", message=name), f"{to_whom} · {delivery.last_error}")
    elif delivery.state == DeliveryState.CANCELLED:
        yield ended_at, Told(_("%(message)s cancelled", message=name), to_whom)


def _tell_move(facts: dict[str, Any], order: Order) -> Told | None:
    if facts["after"] == OrderState.FULFILLED:
        return None if facts["before"] == OrderState.PAID else Told(_("No longer paid back in full"))
    if facts["after"] == OrderState.PAID:
        paid = format_amount(order.received_cents or order.total_cents, order.currency)
        return Told(_("Paid %(amount)s", amount=paid))
    what = _(_MOVES[OrderState(facts["after"])])
    return Told(what, _(order.review_reason) if facts["after"] == OrderState.IN_REVIEW else "")


def _tell_message(facts: dict[str, Any]) -> str:
    kind = facts.get("message", "")
    if kind and facts.get("is_corrected"):
        return _("%(message)s, to a corrected address", message=name_message(kind))
    return name_message(kind) if kind else ""
