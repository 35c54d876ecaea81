"""What a refund does to the books: each step posts its entries, moves the refund and its order, and says what it did.

Nothing here tells anybody; refunds/announcement.py does, from the outcome.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status
from giftshop.certificates.reasons import HoldReason
from giftshop.delivery import deliveries
from giftshop.disputes.holds import set_aside
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.orders.models import Order, Refund
from giftshop.orders.states import OrderState, RefundState, may_move, move, move_refund
from giftshop.payments import shares
from giftshop.payments.facts import Refusal
from giftshop.payments.losses import pay_losses


class Step(Enum):
    """What was done about a refund."""

    NOTHING = auto()
    SETTLED = auto()
    TAKEN = auto()
    TAKEN_AFTER_ALL = auto()
    RELEASED = auto()
    RETURNED = auto()
    LEFT_HELD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a refund, in minor units; of value that came back, some may have gone already (`lost_cents`)."""

    step: Step
    refund: Refund
    order: Order
    was_held: bool = False
    taken_from: list[int] = field(default_factory=list)
    """The ids of the certificates that it came off."""
    is_overdrawn: bool = False
    """Whether more was paid back at Stripe than was left."""
    returned_to: list[Certificate] = field(default_factory=list)
    """The certificates that have value of it again."""
    back_cents: int = 0
    lost_cents: int = 0
    is_on_hold: bool = False


def settle(refund: Refund, order: Order) -> Outcome:
    """Close the hold of a refund that Stripe has paid out."""
    hold = _hold_of(refund)
    refund_entries.settle_refund(hold, refund_id=refund.id, stripe_refund_id=_at_stripe(refund), at=clock.now())
    return _paid_back(
        Outcome(step=Step.SETTLED, refund=refund, order=order, was_held=True, taken_from=[hold.certificate_id])
    )


def take(refund: Refund, order: Order, *, first: str, step: Step) -> Outcome:
    """Take a refund that Stripe has made already off its certificates; what was spent of it is a loss.

    `first` is the public id of the certificate that it is meant for, empty when nobody said.
    """
    now, at_stripe = clock.now(), _at_stripe(refund)
    # Stripe refunds no disputed charge, so this refund is older than the dispute: it takes first, the dispute the rest.
    with set_aside(order.id):
        mine = shares.share_out(order.id, refund.amount_cents, first=first)
        missing = [
            share.certificate_id
            for share in mine
            if refund_entries.take_foreign_refund(
                share.certificate_id, share.amount_cents, stripe_refund_id=at_stripe, at=now
            )
        ]
        _hold_overdrawn(missing, at_stripe)
        beyond_cents = shares.lose_beyond(order.id, refund.amount_cents, mine, external_ref=at_stripe)
    taken_from, is_overdrawn = [share.certificate_id for share in mine], bool(missing or beyond_cents)
    return _paid_back(Outcome(step=step, refund=refund, order=order, taken_from=taken_from, is_overdrawn=is_overdrawn))


def release(refund: Refund, order: Order, refusal: Refusal) -> Outcome:
    """Give what a refund held back to its certificate: Stripe refused to make it, or the bank did not take it."""
    now, hold = clock.now(), _hold_of(refund)
    with set_aside(order.id):
        refund_entries.release_refund(hold, refund_id=refund.id, actor="stripe", at=now)
        lost_cents = pay_losses(order, hold.certificate_id, hold.amount_cents)
    reason = HoldReason.REFUND_REFUSED
    status.hold_what_returned(hold.certificate_id, subject=refund.public_id, reason_code=reason, at=now)
    _end(refund, RefundState.RELEASED)
    keep_refusal(refund, refusal)
    is_on_hold = db.session.get_one(Certificate, hold.certificate_id).status == CertificateStatus.FROZEN
    return Outcome(
        step=Step.RELEASED,
        refund=refund,
        order=order,
        was_held=True,
        back_cents=hold.amount_cents,
        lost_cents=lost_cents,
        is_on_hold=is_on_hold,
    )


def give_back(refund: Refund, order: Order) -> Outcome:
    """Put a refund that failed days later back where it came from, and freeze it until a person has looked."""
    now, at_stripe, paid = clock.now(), _at_stripe(refund), dict[int, int]()
    with set_aside(order.id):
        taken = refund_entries.return_refund(at_stripe, at=now)
        for entry in taken:
            subject, reason = at_stripe, HoldReason.REFUND_FAILED
            status.freeze(entry.certificate_id, subject=subject, reason_code=reason, actor="stripe", at=now)
            # Before anybody can use it, value that comes back pays for what Stripe had taken and not found.
            paid[entry.id] = pay_losses(order, entry.certificate_id, entry.amount_cents)
    _end(refund, RefundState.RETURNED)
    certificates = shares.list_certificates(order.id)
    if order.state == OrderState.REFUNDED and not is_paid_back(order):
        move(order, OrderState.FULFILLED if certificates else OrderState.IN_REVIEW)
    # Paid away whole, nothing of it is on the certificate: its holder is told nothing.
    stayed = {entry.certificate_id for entry in taken if paid[entry.id] < entry.amount_cents}
    return Outcome(
        step=Step.RETURNED,
        refund=refund,
        order=order,
        returned_to=[each for each in certificates if each.id in stayed],
        back_cents=sum(entry.amount_cents for entry in taken),
        lost_cents=sum(paid.values()),
        is_on_hold=True,
    )


def keep_refusal(refund: Refund, refusal: Refusal | None) -> None:
    """Keep why a refund was refused or waits; None once that is over."""
    refund.refusal, refund.refusal_kind, refund.refusal_code = (
        (refusal.words, refusal.kind, refusal.code) if refusal else ("", "", "")
    )


def is_paid_back(order: Order) -> bool:
    """Tell whether a whole payment has gone back; more than that, while a refund that failed is not heard of yet."""
    db.session.flush()
    settled = sa.select(sa.func.sum(Refund.amount_cents)).where(
        Refund.order_id == order.id, Refund.state == RefundState.SETTLED
    )
    paid_back = db.session.scalar(settled) or 0
    return order.received_cents is not None and paid_back >= order.received_cents


def _paid_back(outcome: Outcome) -> Outcome:
    """End a refund that went out, an order that is paid back whole, and messages that bring nothing any more."""
    refund, order = outcome.refund, outcome.order
    _end(refund, RefundState.SETTLED)
    if is_paid_back(order) and may_move(order, OrderState.REFUNDED):
        move(order, OrderState.REFUNDED)
    deliveries.cancel_ended(order.id)
    return outcome


def _end(refund: Refund, state: RefundState) -> None:
    if refund.state != state:
        move_refund(refund, state)
    refund.ended_at = clock.now()


def _hold_overdrawn(certificate_ids: list[int], at_stripe: str) -> None:
    """Freeze the certificates of which more was paid back than was left, unless they have ended."""
    for certificate_id in certificate_ids:
        if db.session.get_one(Certificate, certificate_id).status != CertificateStatus.VOID:
            reason = HoldReason.REFUND_OVER_BALANCE
            status.freeze(certificate_id, subject=at_stripe, reason_code=reason, actor="stripe", at=clock.now())


def _hold_of(refund: Refund) -> LedgerEntry:
    key = refund_entries.hold_key(refund.id)
    query = sa.select(LedgerEntry).where(
        LedgerEntry.request_scope == refund_entries.SCOPE, LedgerEntry.request_key == key
    )
    return db.session.scalars(query).one()


def _at_stripe(refund: Refund) -> str:
    return refund.stripe_refund_id or ""
