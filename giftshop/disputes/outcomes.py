"""Disputes: a payment that the buyer's bank questions puts its certificates on hold until the bank has decided.

Stripe's events come late, twice and in any order; the dispute is read anew each time, and what is older than what
is known is left alone. So every order of events ends the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.disputes.endings import end_well, lose
from giftshop.disputes.holds import hold, release
from giftshop.disputes.stages import (
    APPEAL,
    BEFORE_A_DISPUTE,
    ENDED,
    ENDED_WELL,
    INQUIRY,
    LOST,
    OPEN,
    follows,
    tell_stage,
)
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.notifications.alerts import alert_owner
from giftshop.orders.look_up import lock_order
from giftshop.orders.models import Dispute, Order
from giftshop.payments import shares
from giftshop.payments.facts import DisputeFacts


def record_dispute(facts: DisputeFacts, order_id: int) -> str:
    """Record what Stripe says now about a dispute of this order's payment; return what came of it. Does not commit."""
    order = lock_order(order_id)
    dispute = _find(facts.id)
    known = dispute.status if dispute is not None else ""
    if known and not follows(facts.status, known):
        return "older than what is known"
    dispute = dispute or _open(facts, order)
    if known != facts.status:
        _note(dispute, facts.status)
    dispute.status, dispute.evidence_due_at = facts.status, facts.evidence_due_at
    dispute.closed_at = (dispute.closed_at or clock.now()) if facts.status in ENDED else None
    if facts.status in ENDED_WELL:
        end_well(dispute, order, known=known)
    else:
        is_newly_open = known in BEFORE_A_DISPUTE and facts.status not in INQUIRY
        _stop(dispute, order, is_newly_open=is_newly_open)
        if facts.status in (LOST, *APPEAL):
            lose(dispute, order, taken_cents=facts.withdrawn_cents or facts.amount_cents)
    tell_stage(dispute, order)
    return f"dispute {facts.status}"


def knows_dispute(facts: DisputeFacts) -> bool:
    """Tell whether this state of a dispute has been recorded already."""
    dispute = _find(facts.id)
    return dispute is not None and (dispute.status == facts.status or not follows(facts.status, dispute.status))


@contextmanager
def set_aside(order_id: int) -> Iterator[None]:
    """Let a refund take what open disputes hold, and hold again what is left then.

    Stripe refunds no disputed charge: such a refund was made before the dispute, and heard of after it.
    """
    waiting = [each for each in list_disputes(order_id) if each.status in OPEN]
    for dispute in waiting:
        release(dispute)
    yield
    for dispute in waiting:
        hold(dispute)


def list_disputes(order_id: int) -> list[Dispute]:
    """Return the disputes of an order's payment, oldest first."""
    return list(db.session.scalars(sa.select(Dispute).where(Dispute.order_id == order_id).order_by(Dispute.id)))


def has_open_dispute(order_id: int) -> bool:
    """Tell whether a bank questions an order's payment, or has decided against it."""
    return any(dispute.status not in ENDED_WELL for dispute in list_disputes(order_id))


def record_warning(warning_id: str, order_id: int) -> str:
    """Put an order's certificates on hold after an early fraud warning: most of them become disputes.

    A warning that comes after the bank has decided for us says nothing new.
    """
    order = lock_order(order_id)
    if any(dispute.status in ENDED_WELL for dispute in list_disputes(order_id)):
        return "decided already"
    is_new = _freeze_all(order, subject=warning_id, reason_code="fraud_warning")
    detail = f"The card's bank warns that order {order.number} may be fraud. Paying it back now avoids a dispute."
    alert_owner("fraud_warning", warning_id, "A payment may be fraud", detail, order=order)
    return "frozen" if is_new else "warning known"


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


def _stop(dispute: Dispute, order: Order, *, is_newly_open: bool) -> None:
    """Put the certificates on hold: an inquiry moves no money yet, an open dispute holds it."""
    if dispute.status in OPEN:
        hold(dispute)
    _freeze_all(order, subject=dispute.stripe_dispute_id, reason_code="disputed", again=is_newly_open)


def _freeze_all(order: Order, *, subject: str, reason_code: str, again: bool = False) -> bool:
    """Put every certificate of an order on hold that has not ended; tell whether one is newly so.

    One that a person has released stays so, unless `again` says that there is a new reason.
    """
    now, is_new = clock.now(), False
    for certificate in shares.list_certificates(order.id):
        if certificate.status != "void" and (again or not standing.was_released(certificate.id, subject)):
            is_new |= standing.freeze(certificate.id, subject=subject, reason_code=reason_code, actor="stripe", at=now)
    return is_new


def _note(dispute: Dispute, status: str) -> None:
    activity_log.note(
        "dispute", actor="stripe", order_id=dispute.order_id, status=status, amount_cents=dispute.amount_cents
    )
