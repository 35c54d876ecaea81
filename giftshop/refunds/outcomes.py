"""What became of a refund: recorded from what Stripe says about it now, for requests, webhooks and reconciliation.

Safe twice and at the same time, because the order is locked and the refund's state says what has been done. It finds
the refund, decides which step follows, lets refunds/booking.py post it, and announces the outcome.
"""

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.notifications.announcing import announce
from giftshop.orders.look_up import lock_order
from giftshop.orders.models import Order, Payback, Refund, new_refund_id
from giftshop.orders.states import RefundState
from giftshop.payments.facts import RefundFacts, Refusal, RefusalKind
from giftshop.refunds import booking
from giftshop.refunds.announcement import announcement_of
from giftshop.refunds.booking import Outcome, Step
from giftshop.words import N_

NOT_TAKEN = Refusal(N_("The bank did not take it."), RefusalKind.BANK)


def record_refund(facts: RefundFacts, order_id: int) -> str:
    """Record what Stripe says now about a refund of this order's payment; return what came of it. Does not commit."""
    order = lock_order(order_id)
    refund = _find(facts, order)
    if refund is not None:
        announce(announcement_of(_step(refund, facts, order)))
        return f"refund {refund.state}"
    if facts.has_failed:
        return "failed before we heard of it"
    found = _keep_foreign(facts, order)
    announce(announcement_of(booking.take(found, order, first=_meant_for(facts), step=Step.TAKEN)))
    return "refund made at Stripe"


def is_recorded(facts: RefundFacts) -> bool:
    """Tell whether the shop knows this refund and agrees with what Stripe says of it now."""
    refund = db.session.scalar(sa.select(Refund).where(Refund.stripe_refund_id == facts.id))
    if refund is None:
        return False
    ended = (RefundState.RELEASED, RefundState.RETURNED) if facts.has_failed else (RefundState.SETTLED,)
    return refund.state in ended


def came_back_to_certificates(refund: Refund) -> bool:
    """Tell whether a refund that failed gave value back that is there still.

    None where no certificate was issued, all was used, or a bank had taken it already.
    """
    returned = (
        sa.select(LedgerEntry.id)
        .join(Certificate, Certificate.id == LedgerEntry.certificate_id)
        .where(LedgerEntry.external_ref == refund.stripe_refund_id, LedgerEntry.kind == EntryKind.REFUND_RETURNED)
        .where(Certificate.status != CertificateStatus.VOID)
    )
    return bool(db.session.scalar(sa.select(returned.exists())))


def release_refund(refund_id: int, refusal: Refusal) -> None:
    """Give a held refund back to its certificate, because Stripe refused to make it. Does not commit.

    One that Stripe has made stays held, whatever Stripe answered: only its own status ends it.
    """
    refund, order = _take_up(refund_id)
    if refund.state == RefundState.HELD and refund.stripe_refund_id is None:
        announce(announcement_of(booking.release(refund, order, refusal)))


def leave_held(refund_id: int, refusal: Refusal) -> None:
    """Leave a refund held, because Stripe did not say what becomes of it, and tell the owner why. Does not commit."""
    refund, order = _take_up(refund_id)
    if refund.state == RefundState.HELD:
        booking.keep_refusal(refund, refusal)
        announce(announcement_of(Outcome(step=Step.LEFT_HELD, refund=refund, order=order)))


def _take_up(refund_id: int) -> tuple[Refund, Order]:
    """Return a refund, fresh, with its order, which is locked until this transaction ends."""
    refund = db.session.get_one(Refund, refund_id)
    order = lock_order(refund.order_id)
    db.session.refresh(refund)
    return refund, order


def _find(facts: RefundFacts, order: Order) -> Refund | None:
    """Return our row of a refund: by Stripe's id, or, when its answer was lost, by what we wrote on it."""
    known = sa.select(Refund).where(Refund.stripe_refund_id == facts.id)
    refund = db.session.scalar(known.execution_options(populate_existing=True))
    if refund is not None or not _is_ours(facts):
        return refund
    named = (Refund.public_id == facts.metadata.get("refund_id", ""), Refund.order_id == order.id)
    mine = sa.select(Refund).where(*named, Refund.stripe_refund_id.is_(None))
    return db.session.scalar(mine.execution_options(populate_existing=True))


def _step(refund: Refund, facts: RefundFacts, order: Order) -> Outcome:
    """Do what follows for a known refund from what Stripe says of it now; its state says what has been done."""
    was_unseen, was_held = refund.stripe_refund_id is None, refund.state == RefundState.HELD
    refund.stripe_refund_id = facts.id
    if was_held:
        booking.keep_refusal(refund, None)
    # A refund that Stripe knows and we did not is on its way, whatever its state, unless it has failed.
    is_going_out = facts.status == "succeeded" or (was_unseen and not facts.has_failed)
    if refund.state == RefundState.RELEASED and is_going_out:
        return booking.take(refund, order, first=_meant_for(facts), step=Step.TAKEN_AFTER_ALL)
    if was_held and facts.has_failed:
        return booking.release(refund, order, NOT_TAKEN)
    if was_held and facts.status == "succeeded":
        return booking.settle(refund, order)
    if refund.state == RefundState.SETTLED and facts.has_failed:
        return booking.give_back(refund, order)
    return Outcome(step=Step.NOTHING, refund=refund, order=order, was_held=was_held)


def _keep_foreign(facts: RefundFacts, order: Order) -> Refund:
    """Keep a refund made in Stripe's own dashboard, or one of a whole payment that was asked for here."""
    asked = db.session.get(Payback, order.id) if _is_ours(facts) else None
    refund = Refund(
        public_id=new_refund_id(),
        order_id=order.id,
        amount_cents=facts.amount_cents,
        state=RefundState.SETTLED,
        reason=asked.reason if asked else N_("made at Stripe"),
        actor=asked.actor if asked else "stripe",
        stripe_refund_id=facts.id,
        created_at=clock.now(),
    )
    db.session.add(refund)
    db.session.flush()
    return refund


def _is_ours(facts: RefundFacts) -> bool:
    return facts.metadata.get("shop") == get_installation().instance_id


def _meant_for(facts: RefundFacts) -> str:
    """Return the public id of the certificate that a refund asked for here is about, else nothing."""
    return facts.metadata.get("certificate_id", "")
