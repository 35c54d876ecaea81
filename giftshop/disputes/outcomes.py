"""What became of a dispute: recorded from what Stripe says about it now, for webhooks and reconciliation.

Stripe's events come late, twice and in any order; the dispute is read anew each time, and what is older than what
is known is left alone. So every order of events ends the same. It finds the dispute, lets disputes/booking.py post
what follows, and announces the outcome.
"""

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates.reasons import HoldReason
from giftshop.disputes import booking
from giftshop.disputes.announcement import announcement_of, announcement_of_warning
from giftshop.disputes.booking import Outcome
from giftshop.disputes.holds import list_disputes
from giftshop.foundation.database import db
from giftshop.notifications.announcing import announce
from giftshop.orders.look_up import lock_order
from giftshop.orders.models import Dispute, FraudWarning, Order
from giftshop.orders.states import APPEAL, ENDED, ENDED_WELL, DisputeState, follows
from giftshop.payments.facts import DisputeFacts
from giftshop.payments.shares import list_certificates


def record_dispute(facts: DisputeFacts, order_id: int) -> str:
    """Record what Stripe says now about a dispute of this order's payment; return what came of it. Does not commit."""
    order = lock_order(order_id)
    dispute = _find(facts.id)
    known = dispute.status if dispute is not None else ""
    # Events come in any order; what is older than what is known would undo what a later one did.
    if known and not follows(facts.status, known):
        return "older than what is known"
    dispute = dispute or _open(facts, order)
    dispute.status, dispute.evidence_due_at = facts.status, facts.evidence_due_at
    dispute.closed_at = (dispute.closed_at or clock.now()) if facts.status in ENDED else None
    heard = Outcome(dispute=dispute, order=order, known=known, at=clock.now())
    announce(announcement_of(_book(heard, taken_cents=facts.withdrawn_cents or facts.amount_cents)))
    return f"dispute {facts.status}"


def knows_dispute(facts: DisputeFacts) -> bool:
    """Tell whether this state of a dispute has been recorded already."""
    dispute = _find(facts.id)
    return dispute is not None and (dispute.status == facts.status or not follows(facts.status, dispute.status))


def record_warning(warning_id: str, order_id: int) -> str:
    """Freeze an order's certificates after an early fraud warning: most of them become disputes.

    A warning that comes after the bank has decided for us says nothing new. One that finds no certificate is kept,
    for whoever accepts the order.
    """
    order = lock_order(order_id)
    is_kept = not list_certificates(order_id) and _keep_warning(warning_id, order_id)
    is_decided = any(dispute.status in ENDED_WELL for dispute in list_disputes(order_id))
    is_new = not is_decided and booking.freeze_all(order, subject=warning_id, reason=HoldReason.FRAUD_WARNING)
    announce(announcement_of_warning(order, warning_id, is_told=not is_decided, is_kept=is_kept))
    if is_decided:
        return "decided already"
    return "frozen" if is_new else "warning known"


def list_warnings(order_id: int) -> list[str]:
    """Return the ids of the warnings about an order that found no certificate to freeze, oldest first."""
    kept = sa.select(FraudWarning.warning_id).where(FraudWarning.order_id == order_id)
    return list(db.session.scalars(kept.order_by(FraudWarning.noted_at, FraudWarning.warning_id)))


def _book(heard: Outcome, *, taken_cents: int) -> Outcome:
    """Post what follows from the dispute's new state."""
    if heard.dispute.status in ENDED_WELL:
        return booking.end_well(heard)
    stopped = booking.stop(heard)
    if heard.dispute.status in (DisputeState.LOST, *APPEAL):
        return booking.lose(stopped, taken_cents=taken_cents)
    return stopped


def _keep_warning(warning_id: str, order_id: int) -> bool:
    """Keep a warning; False when it is known."""
    if db.session.get(FraudWarning, warning_id) is not None:
        return False
    db.session.add(FraudWarning(warning_id=warning_id, order_id=order_id, noted_at=clock.now()))
    db.session.flush()
    return True


def _find(dispute_id: str) -> Dispute | None:
    query = sa.select(Dispute).where(Dispute.stripe_dispute_id == dispute_id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def _open(facts: DisputeFacts, order: Order) -> Dispute:
    dispute = Dispute(
        order_id=order.id,
        stripe_dispute_id=facts.id,
        amount_cents=facts.amount_cents,
        status=facts.status,
        reason=facts.reason,
        evidence_due_at=facts.evidence_due_at,
        opened_at=clock.now(),
    )
    db.session.add(dispute)
    db.session.flush()
    return dispute
