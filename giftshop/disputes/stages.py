"""The stages of a dispute: which state may follow which, and what the practice hears of each stage, for disputes.py."""

from dataclasses import dataclass

from giftshop.catalog.practice import get_practice
from giftshop.dates import write_local_day
from giftshop.money import format_amount
from giftshop.notifications.alerts import alert_owner
from giftshop.orders.models import Dispute, Order

RANKS = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "warning_closed": 2,
    "needs_response": 3,
    "under_review": 4,
    "lost": 5,
    "appeal_needs_response": 6,
    "appeal_under_review": 7,
    "prevented": 8,
    "won": 8,
}
"""How far a dispute has come: a later state is never followed by an earlier one, but for an appeal that is lost."""

LOST = "lost"
INQUIRY = ("warning_needs_response", "warning_under_review")
OPEN = ("needs_response", "under_review")
APPEAL = ("appeal_needs_response", "appeal_under_review")
ENDED_WELL = ("warning_closed", "prevented", "won")
ENDED = (LOST, *ENDED_WELL)
BEFORE_A_DISPUTE = ("", *INQUIRY, "warning_closed")
"""What may be known of a payment, from nothing on, before its bank takes money."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stretch of a dispute that the practice hears of once, by which alert and in which words."""

    statuses: tuple[str, ...]
    alert: str
    title: str
    detail: str


_STAGES = (
    _Stage(
        INQUIRY,
        "dispute_inquiry",
        "A bank asks about a payment",
        "The buyer's bank asks about {sum} of order {number}. No money has moved, but its certificates are on hold.",
    ),
    _Stage(
        OPEN,
        "dispute_opened",
        "A payment is disputed",
        "The buyer's bank questions {sum} of order {number}. Its certificates are on hold.",
    ),
    _Stage(
        APPEAL,
        "dispute_appealed",
        "A lost dispute goes on",
        "The lost dispute about {sum} of order {number} goes on as an appeal. Its certificates stay as they are.",
    ),
)
"""That a dispute was lost, or won after that, is told by disputes.py with what it cost."""


def follows(status: str, known: str) -> bool:
    """Tell whether a state may be what became of a known one, and is no older news."""
    is_lost_appeal = status == "lost" and known in APPEAL
    return is_lost_appeal or RANKS.get(status, 0) >= RANKS.get(known, 0)


def tell_stage(dispute: Dispute, order: Order) -> None:
    """Alert the practice once for each stage that asks something new of it: an inquiry, a dispute, an appeal."""
    stage = next((stage for stage in _STAGES if dispute.status in stage.statuses), None)
    if stage is not None:
        detail = stage.detail.format(
            sum=format_amount(dispute.amount_cents, order.payment_currency), number=order.number
        )
        if dispute.evidence_due_at is not None:
            day = write_local_day(dispute.evidence_due_at, get_practice().time_zone)
            detail += f" Stripe wants the answer by {day}."
        alert_owner(stage.alert, dispute.stripe_dispute_id, stage.title, detail, order=order)
