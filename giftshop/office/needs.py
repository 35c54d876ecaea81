"""What needs a person and what is still open, each one sentence with one way on, for the office's first page."""

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.dates import write_local_day, write_moment
from giftshop.delivery.deliveries import list_failed
from giftshop.delivery.kinds import name_message
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.open_entries import held_for
from giftshop.money import format_amount
from giftshop.notifications.models import Alert
from giftshop.orders.labels import DISPUTES
from giftshop.orders.models import Dispute, Order, Refund
from giftshop.orders.states import DISPUTED, ENDED, OrderState, RefundState
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.run import LATE, find_last_run

MOST = 30


@dataclass(frozen=True, slots=True)
class Need:
    """One sentence, where it leads, and, for an alert, the number by which it is ticked off."""

    sentence: str
    link: str
    to: str
    alert_id: int | None = None


def list_needs() -> list[Need]:
    """Return what somebody has to do: alerts that nobody ticked off, and messages that were given up."""
    open_alerts = sa.select(Alert).where(Alert.resolved_at.is_(None)).order_by(Alert.id.desc()).limit(MOST)
    alerts = [Need(alert.detail, "See it", _place_of(alert), alert.id) for alert in db.session.scalars(open_alerts)]
    return alerts + [_failed(delivery) for delivery in list_failed()[:MOST]]


def list_open(practice: Practice) -> list[Need]:
    """Return what waits for somebody else: orders in review, disputes, refunds that Stripe has not ended."""
    return [*_in_review(), *_disputes(practice), *_held(practice)]


def tell_reconciliation(practice: Practice) -> tuple[str, str, list[str]]:
    """Return how the last comparison with Stripe went: a tone, a sentence, and its problems by name."""
    last = find_last_run()
    if last is None:
        return "note", "The books have not been compared with Stripe yet.", []
    when = write_moment(last.finished_at or last.started_at, practice.time_zone)
    if last.problems:
        count = "One problem" if len(last.problems) == 1 else f"{len(last.problems)} problems"
        return "bad", f"{count} when the books were compared with Stripe on {when}.", last.problems
    if clock.now() - last.started_at > LATE:
        return (
            "warn",
            f"The books were last compared with Stripe on {when}. Does the worker run, and does Stripe answer?",
            [],
        )
    return "good", f"The books agree with Stripe, compared on {when}.{_told_changes(last)}", []


def _told_changes(last: Reconciliation) -> str:
    return f" Put right: {', '.join(last.changed[:3])}." if last.changed else ""


def _place_of(alert: Alert) -> str:
    """Return the page where an alert is best looked at: its order's, else what is found by Stripe's id."""
    if alert.order_id is not None:
        return f"/office/orders/{alert.order_id}"
    is_stripes = re.fullmatch(r"[a-z]{2,}_\w+", alert.subject, re.ASCII)
    return f"/office/orders?q={alert.subject}" if is_stripes else "/office/orders"


def _failed(delivery: Delivery) -> Need:
    name = name_message(delivery.kind)
    of_order = f" of order {Order(id=delivery.order_id).number}" if delivery.order_id else ""
    sentence = f"{name}{of_order} didn’t reach {delivery.to_address}. {delivery.last_error}"
    return Need(sentence, "Fix it and send again", f"/office/messages/{delivery.id}/resend")


def _in_review() -> list[Need]:
    query = sa.select(Order).where(Order.state == OrderState.IN_REVIEW).order_by(Order.created_at.desc()).limit(MOST)
    return [
        Need(
            f"Order {order.number} is in review: {order.review_reason}.", "See the order", f"/office/orders/{order.id}"
        )
        for order in db.session.scalars(query)
    ]


def _disputes(practice: Practice) -> list[Need]:
    query = sa.select(Dispute).options(joinedload(Dispute.order)).where(Dispute.status.not_in(ENDED))
    found = list(db.session.scalars(query.order_by(Dispute.evidence_due_at, Dispute.id).limit(MOST)))
    held = held_for([dispute.stripe_dispute_id for dispute in found])
    return [_dispute(dispute, held.get(dispute.stripe_dispute_id, 0), practice) for dispute in found]


def _dispute(dispute: Dispute, held_cents: int, practice: Practice) -> Need:
    sentence = tell_exposure(dispute, held_cents, practice)
    return Need(f"Order {dispute.order.number}: {sentence}", "See the order", f"/office/orders/{dispute.order_id}")


def tell_exposure(dispute: Dispute, held_cents: int, practice: Practice) -> str:
    """Say what a dispute is about, what would be lost for good, and until when the bank wants an answer."""
    currency = dispute.order.payment_currency
    parts = [f"{DISPUTES.get(dispute.status, dispute.status)}, {format_amount(dispute.amount_cents, currency)}."]
    spent = dispute.amount_cents - held_cents
    if dispute.status in DISPUTED and spent > 0:
        parts.append(f"{format_amount(spent, currency)} of it is spent or paid back already and would be lost.")
    if dispute.evidence_due_at is not None and dispute.closed_at is None:
        parts.append(f"Answer by {write_local_day(dispute.evidence_due_at, practice.time_zone)}.")
    return " ".join(parts)


def _held(practice: Practice) -> list[Need]:
    query = (
        sa.select(Refund).options(joinedload(Refund.order)).where(Refund.state == RefundState.HELD).order_by(Refund.id)
    )
    return [_held_refund(refund, practice) for refund in db.session.scalars(query.limit(MOST))]


def _held_refund(refund: Refund, practice: Practice) -> Need:
    amount, since = format_amount(refund.amount_cents, refund.order.payment_currency), refund.created_at
    sentence = (
        f"{amount} of order {refund.order.number} is held to be paid back since"
        f" {write_moment(since, practice.time_zone)}; we keep asking Stripe."
    )
    return Need(sentence, "See the order", f"/office/orders/{refund.order_id}")
