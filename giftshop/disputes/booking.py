"""What a dispute does to the books: certificates frozen, value held, given back or lost; each step says what it did.

Nothing here tells anybody; disputes/announcement.py does, from the outcome.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status
from giftshop.certificates.reasons import HoldReason
from giftshop.disputes.holds import hold, hold_what_returned, release, share_out
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.open_entries import list_open_entries
from giftshop.ledger.states import CertificateStatus
from giftshop.orders.models import Dispute, Order
from giftshop.orders.states import APPEAL, BEFORE_A_DISPUTE, DISPUTED, INQUIRY, DisputeState, OrderState, move
from giftshop.payments import shares
from giftshop.payments.losses import pay_losses

LOST_ENTRIES = (EntryKind.DISPUTE_LOST, EntryKind.LOSS)
"""By which a lost dispute took value: held for it, or spent by then."""


class Recovery(Enum):
    """What a lost dispute that was won after all has brought back: value to certificates, or an order to review."""

    VALUE = auto()
    REVIEW = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a dispute: `known` is its state from before, `at` when this was heard of."""

    dispute: Dispute
    order: Order
    known: str
    at: datetime
    is_newly_lost: bool = False
    is_review_over: bool = False
    recovery: Recovery | None = None
    has_value_again: bool = False
    """Whether a certificate that somebody had ended has value again, and so stays frozen."""


def stop(heard: Outcome) -> Outcome:
    """Freeze the certificates: an inquiry moves no money yet, an open dispute holds it."""
    dispute = heard.dispute
    if dispute.status in DISPUTED:
        hold(dispute)
    is_newly_open = heard.known in BEFORE_A_DISPUTE and dispute.status not in INQUIRY
    freeze_all(heard.order, subject=dispute.stripe_dispute_id, reason=HoldReason.DISPUTED, again=is_newly_open)
    return heard


def lose(heard: Outcome, *, taken_cents: int) -> Outcome:
    """Let go what the bank has taken, once; what of it was spent, or paid back before, is a loss.

    The bank may have given a part back: that is on the certificates again, on hold.
    """
    dispute, order = heard.dispute, heard.order
    if _lost_entries(dispute):
        return heard
    # The bank gave a part back: let all go and take its share anew, or the rest would stay held for nothing.
    if taken_cents < dispute.amount_cents:
        release(dispute)
    dispute.loss_cents = _take(dispute, taken_cents)
    hold_what_returned(dispute)
    is_review_over = order.state == OrderState.IN_REVIEW and taken_cents >= (order.received_cents or 0)
    if is_review_over:
        move(order, OrderState.REFUNDED)
    return replace(heard, is_newly_lost=True, is_review_over=is_review_over)


def end_well(heard: Outcome) -> Outcome:
    """Give everything back; what comes back to a certificate that had ended waits for a person."""
    dispute, order = heard.dispute, heard.order
    recovery = _recover(heard)
    has_value_again = False
    # One that was lost before has nothing held any more: what it took has just come back above, and stays frozen.
    if not _was_lost(dispute):
        _pay_losses(order, release(dispute))
        for certificate in shares.list_certificates(order.id):
            has_value_again |= not _lift(certificate, dispute)
    hold_what_returned(dispute)
    return replace(heard, recovery=recovery, has_value_again=has_value_again)


def freeze_all(order: Order, *, subject: str, reason: HoldReason, again: bool = False) -> bool:
    """Freeze every certificate of an order that has not ended; tell whether one is newly so.

    One that a person has released stays so, unless `again` says that there is a new reason.
    """
    now, is_new = clock.now(), False
    for certificate in shares.list_certificates(order.id):
        is_usable = certificate.status != CertificateStatus.VOID
        if is_usable and (again or not status.was_released(certificate.id, subject)):
            is_new |= status.freeze(certificate.id, subject=subject, reason_code=reason, actor="stripe", at=now)
    return is_new


def _take(dispute: Dispute, taken_cents: int) -> int:
    """Take what the bank took off the certificates' shares; return what of it was gone already, in minor units."""
    now, dispute_id, mine = clock.now(), dispute.stripe_dispute_id, share_out(dispute, taken_cents)
    gone_cents = sum(
        dispute_entries.lose_disputed(share.certificate_id, share.amount_cents, dispute_id=dispute_id, at=now)
        for share in mine
    )
    return gone_cents + shares.lose_beyond(dispute.order_id, taken_cents, mine, external_ref=dispute_id)


def _recover(heard: Outcome) -> Recovery | None:
    """Take back what a lost dispute had cost, or put an order without certificates back in review."""
    dispute, order = heard.dispute, heard.order
    if _lost_entries(dispute):
        _pay_losses(order, dispute_entries.recover_disputed(dispute_id=dispute.stripe_dispute_id, at=clock.now()))
        dispute.loss_cents = 0
        return Recovery.VALUE
    was_lost = heard.known in (DisputeState.LOST, *APPEAL)
    if was_lost and order.state == OrderState.REFUNDED and not shares.list_certificates(order.id):
        move(order, OrderState.IN_REVIEW)
        return Recovery.REVIEW
    return None


def _pay_losses(order: Order, brought_back: list[LedgerEntry]) -> None:
    for entry in brought_back:
        pay_losses(order, entry.certificate_id, entry.amount_cents)


def _lift(certificate: Certificate, dispute: Dispute) -> bool:
    """End the freezes for which the bank's decision was the answer.

    False when somebody has ended the certificate for good meanwhile and it has value again: then it stays frozen.
    """
    if certificate.status == CertificateStatus.FROZEN and status.was_voided(certificate.id):
        return False
    for freeze in status.list_freezes(certificate.id):
        if freeze.subject == dispute.stripe_dispute_id or freeze.reason_code == HoldReason.FRAUD_WARNING:
            status.lift(certificate.id, subject=freeze.subject, actor="stripe", at=clock.now())
    return True


def _lost_entries(dispute: Dispute) -> list[LedgerEntry]:
    return list_open_entries(dispute.stripe_dispute_id, *LOST_ENTRIES)


def _was_lost(dispute: Dispute) -> bool:
    lost = sa.select(LedgerEntry.id).where(
        LedgerEntry.external_ref == dispute.stripe_dispute_id, LedgerEntry.kind.in_(LOST_ENTRIES)
    )
    return db.session.scalar(lost.limit(1)) is not None
