"""What became of a refund: recorded from what Stripe says about it now, for requests, webhooks and reconciliation.

Safe twice and at the same time, because the order is held and the refund's state says what has been done.
"""

import json

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.certificates import status
from giftshop.delivery import deliveries
from giftshop.disputes import outcomes
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.orders.look_up import lock_order
from giftshop.orders.models import Order, Refund, new_refund_id
from giftshop.orders.states import may_move, move
from giftshop.payments import shares as payments
from giftshop.payments.facts import RefundFacts
from giftshop.payments.losses import pay_losses
from giftshop.refunds import alerts, letters


def record_refund(facts: RefundFacts, order_id: int) -> str:
    """Record what Stripe says now about a refund of this order's payment; return what came of it. Does not commit."""
    order = lock_order(order_id)
    refund = _find(facts, order)
    if refund is None:
        return "failed before we heard of it" if facts.has_failed else _take_foreign(facts, order)
    was_unseen = refund.stripe_refund_id is None
    refund.stripe_refund_id = facts.id
    if refund.state == "held":
        refund.refusal = ""
        alerts.end_waiting(refund)
    is_going_out = facts.status == "succeeded" or (was_unseen and not facts.has_failed)
    if refund.state == "released" and is_going_out:
        _take_after_all(refund, facts, order)
    elif facts.has_failed:
        _undo(refund, facts, order)
    elif refund.state == "held" and facts.status == "succeeded":
        _settle(refund, facts, order)
    return f"refund {refund.state}"


def is_recorded(facts: RefundFacts) -> bool:
    """Tell whether the shop knows this refund and agrees with what Stripe says of it now."""
    refund = db.session.scalar(sa.select(Refund).where(Refund.stripe_refund_id == facts.id))
    if refund is None:
        return False
    return refund.state in (("released", "returned") if facts.has_failed else ("settled",))


def came_back_to_certificates(refund: Refund) -> bool:
    """Tell whether a refund that failed gave value back that is there still.

    None where no certificate was issued, all was used, or a bank had taken it already.
    """
    returned = (
        sa.select(LedgerEntry.id)
        .join(Certificate, Certificate.id == LedgerEntry.certificate_id)
        .where(LedgerEntry.external_ref == refund.stripe_refund_id, LedgerEntry.kind == "refund_returned")
        .where(Certificate.status != "void")
    )
    return bool(db.session.scalar(sa.select(returned.exists())))


def release_refund(refund_id: int, refusal: str) -> None:
    """Give a held refund back to its certificate, because Stripe refused to make it. Does not commit.

    One that Stripe has made stays held, whatever Stripe answered: only its own status ends it.
    """
    refund, order = _take_up(refund_id)
    if refund.state == "held" and refund.stripe_refund_id is None:
        _release(refund, order, refusal)


def leave_held(refund_id: int, answer: str) -> None:
    """Leave a refund held, because Stripe did not say what becomes of it, and tell the owner why. Does not commit."""
    refund, order = _take_up(refund_id)
    if refund.state != "held":
        return
    refund.refusal = answer
    alerts.alert_waiting(refund, order)


def note_refund(refund: Refund, kind: str, actor: str) -> None:
    """Keep in the trail what happened to a refund."""
    activity_log.note(
        kind,
        actor=actor,
        order_id=refund.order_id,
        certificate_id=refund.certificate_id,
        amount_cents=refund.amount_cents,
        reason=refund.reason,
    )


def _take_up(refund_id: int) -> tuple[Refund, Order]:
    """Return a refund, fresh, with its order, which is held until this transaction ends."""
    refund = db.session.get_one(Refund, refund_id)
    order = lock_order(refund.order_id)
    db.session.refresh(refund)
    return refund, order


def _release(refund: Refund, order: Order, refusal: str) -> None:
    now, hold = clock.now(), _hold_of(refund)
    alerts.end_waiting(refund)
    with outcomes.set_aside(order.id):
        refund_entries.release_refund(hold, refund_id=refund.id, actor="stripe", at=now)
        lost_cents = pay_losses(order, hold.certificate_id, hold.amount_cents)
    status.hold_what_returned(hold.certificate_id, subject=refund.public_id, reason_code="refund_refused", at=now)
    refund.state, refund.ended_at, refund.refusal = "released", now, refusal
    note_refund(refund, "refund_refused", "stripe")
    is_on_hold = db.session.get_one(Certificate, hold.certificate_id).status == "frozen"
    back = alerts.Back(hold.amount_cents, lost_cents, is_on_hold=is_on_hold)
    alerts.alert_refused(refund, order, back, is_questioned=outcomes.has_open_dispute(order.id))


def _find(facts: RefundFacts, order: Order) -> Refund | None:
    """Return our row of a refund: by Stripe's id, or, when its answer was lost, by what we wrote on it."""
    known = sa.select(Refund).where(Refund.stripe_refund_id == facts.id)
    refund = db.session.scalar(known.execution_options(populate_existing=True))
    if refund is not None or facts.metadata.get("shop") != get_installation().instance_id:
        return refund
    named = (Refund.public_id == facts.metadata.get("refund_id", ""), Refund.order_id == order.id)
    mine = sa.select(Refund).where(*named, Refund.stripe_refund_id.is_(None))
    return db.session.scalar(mine.execution_options(populate_existing=True))


def _settle(refund: Refund, facts: RefundFacts, order: Order) -> None:
    now, hold = clock.now(), _hold_of(refund)
    refund_entries.settle_refund(hold, refund_id=refund.id, stripe_refund_id=facts.id, at=now)
    refund.state, refund.ended_at = "settled", now
    _after_payback(refund, order, [hold.certificate_id])


def _undo(refund: Refund, facts: RefundFacts, order: Order) -> None:
    """Give back what a failed refund held or had taken; once, because its state says what has been done."""
    if refund.state == "held":
        _release(refund, order, "The bank did not take it.")
    elif refund.state == "settled":
        _return(refund, facts, order)


def _return(refund: Refund, facts: RefundFacts, order: Order) -> None:
    """Put a refund that failed days later back where it came from, and hold it until a person has looked."""
    now, stayed, lost_cents = clock.now(), set[int](), 0
    taken = refund_entries.list_open_entries(facts.id, ("refund_settled", "refund_external"))
    with outcomes.set_aside(order.id):
        for loss in refund_entries.list_open_entries(facts.id, ("loss",)):
            refund_entries.recover_loss(loss, external_ref=facts.id, at=now)
        for entry in taken:
            refund_entries.return_refund(entry, stripe_refund_id=facts.id, at=now)
            status.freeze(entry.certificate_id, subject=facts.id, reason_code="refund_failed", actor="stripe", at=now)
            paid = pay_losses(order, entry.certificate_id, entry.amount_cents)
            stayed |= {entry.certificate_id} if paid < entry.amount_cents else set()
            lost_cents += paid
    refund.state, refund.ended_at = "returned", now
    certificates = payments.list_certificates(order.id)
    if order.state == "refunded" and not _is_paid_back(order):
        move(order, "fulfilled" if certificates else "in_review")
    note_refund(refund, "refund_returned", "stripe")
    returned_to = [each for each in certificates if each.id in stayed]
    back = alerts.Back(sum(entry.amount_cents for entry in taken), lost_cents, is_on_hold=True)
    alerts.alert_returned(facts, order, back, unsent=len(letters.list_unsent(order, returned_to)))
    letters.tell_returned(order, refund, returned_to, was_lost=lost_cents > 0)


def _take_foreign(facts: RefundFacts, order: Order) -> str:
    """Record a refund made in Stripe's own dashboard, or one of a whole payment that was asked for here."""
    actor, reason = _asked_by(facts, order)
    refund = Refund(
        public_id=new_refund_id(),
        order_id=order.id,
        amount_cents=facts.amount_cents,
        state="settled",
        reason=reason,
        actor=actor,
        stripe_refund_id=facts.id,
        created_at=clock.now(),
    )
    db.session.add(refund)
    db.session.flush()
    _take_from(refund, facts, order)
    return "refund made at Stripe"


def _asked_by(facts: RefundFacts, order: Order) -> tuple[str, str]:
    """Return who asked for a refund of a whole payment, and why: the trail knows, from before Stripe was asked."""
    if facts.metadata.get("shop") == get_installation().instance_id:
        asked = [event for event in activity_log.list_events(order_id=order.id) if event.kind == "payback_asked"]
        if asked:
            return asked[-1].actor, json.loads(asked[-1].facts)["reason"]
    return "stripe", "made at Stripe"


def _take_after_all(refund: Refund, facts: RefundFacts, order: Order) -> None:
    """Take a refund off that had been given back to its certificate, because it went out nevertheless."""
    _take_from(refund, facts, order)
    alerts.alert_made_after_all(refund, order)


def _take_from(refund: Refund, facts: RefundFacts, order: Order) -> None:
    """Take a refund that Stripe has made already off its certificates; what was spent of it is a loss."""
    now = clock.now()
    refund.state, refund.ended_at = "settled", now
    with outcomes.set_aside(order.id):
        first = facts.metadata.get("certificate_id", "")
        shares = payments.share_out(order.id, facts.amount_cents, first=first)
        for share in shares:
            missing = refund_entries.take_foreign_refund(
                share.certificate_id, share.amount_cents, stripe_refund_id=facts.id, at=now
            )
            if missing:
                _review_overdrawn(share.certificate_id, facts, order)
        if payments.lose_beyond(order.id, facts.amount_cents, shares, external_ref=facts.id):
            alerts.alert_overdrawn(facts, order)
    _after_payback(refund, order, [share.certificate_id for share in shares])


def _review_overdrawn(certificate_id: int, facts: RefundFacts, order: Order) -> None:
    """Put a certificate on hold of which more was paid back than was left, unless it has ended."""
    now, certificate = clock.now(), db.session.get_one(Certificate, certificate_id)
    if certificate.status != "void":
        status.freeze(certificate.id, subject=facts.id, reason_code="refund_over_balance", actor="stripe", at=now)
    alerts.alert_overdrawn(facts, order)


def _after_payback(refund: Refund, order: Order, certificate_ids: list[int]) -> None:
    """Tell people, those who have these certificates too, and let an order end whose whole payment went back."""
    note_refund(refund, "refund_settled", "stripe")
    if _is_paid_back(order) and may_move(order, "refunded"):
        move(order, "refunded")
    deliveries.cancel_ended(order.id)
    letters.tell_refunded(order, refund, certificate_ids)


def _is_paid_back(order: Order) -> bool:
    """Tell whether a whole payment has gone back; more than that, while a refund that failed is not heard of yet."""
    db.session.flush()
    settled = sa.select(sa.func.sum(Refund.amount_cents)).where(Refund.order_id == order.id, Refund.state == "settled")
    paid_back = db.session.scalar(settled) or 0
    return order.received_cents is not None and paid_back >= order.received_cents


def _hold_of(refund: Refund) -> LedgerEntry:
    key = f"refund:{refund.id}:hold"
    query = sa.select(LedgerEntry).where(LedgerEntry.request_scope == "refund", LedgerEntry.request_key == key)
    return db.session.scalars(query).one()
