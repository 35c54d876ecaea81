"""How a dispute ends: lost, with what it cost, or well, with everything given back; for disputes.py."""

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status
from giftshop.disputes.holds import hold_what_returned, release, share_out
from giftshop.disputes.stages import APPEAL, LOST
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.refund_entries import list_open_entries
from giftshop.money import format_amount
from giftshop.notifications.alerts import alert_owner, resolve_review
from giftshop.orders.models import Dispute, Order
from giftshop.orders.states import move
from giftshop.payments import shares as payments
from giftshop.payments.losses import pay_losses


def lose(dispute: Dispute, order: Order, *, taken_cents: int) -> None:
    """Let go what the bank has taken, once; what of it was spent, or paid back before, is a loss.

    The bank may have given a part back: that is on the certificates again, on hold.
    """
    if _lost_entries(dispute):
        return
    if taken_cents < dispute.amount_cents:
        release(dispute)
    now, dispute_id, shares = clock.now(), dispute.stripe_dispute_id, share_out(dispute, taken_cents)
    dispute.loss_cents = sum(
        dispute_entries.lose_disputed(share.certificate_id, share.amount_cents, dispute_id=dispute_id, at=now)
        for share in shares
    )
    dispute.loss_cents += payments.lose_beyond(order.id, taken_cents, shares, external_ref=dispute_id)
    hold_what_returned(dispute)
    if order.state == "in_review" and taken_cents >= (order.received_cents or 0):
        move(order, "refunded")
        resolve_review(order)
    loss = format_amount(dispute.loss_cents, order.currency)
    detail = f"The bank decided for the buyer of order {order.number}. Used or paid back already, and so lost: {loss}."
    alert_owner("dispute_lost", dispute_id, "A dispute was lost", detail, order=order)


def end_well(dispute: Dispute, order: Order, *, known: str) -> None:
    """Give everything back; what comes back to a certificate that had ended waits for a person."""
    now, dispute_id = clock.now(), dispute.stripe_dispute_id
    if _lost_entries(dispute):
        _pay_losses(order, dispute_entries.recover_disputed(dispute_id=dispute_id, at=now))
        dispute.loss_cents = 0
        _tell_recovered(dispute, order, "Please release its certificates.")
    elif known in (LOST, *APPEAL) and order.state == "refunded" and not payments.list_certificates(order.id):
        move(order, "in_review")
        _tell_recovered(dispute, order, "It is in review again.")
    if not _was_lost(dispute):
        _pay_losses(order, release(dispute))
        for certificate in payments.list_certificates(order.id):
            _lift(certificate, dispute, order)
    hold_what_returned(dispute)


def _pay_losses(order: Order, brought_back: list[LedgerEntry]) -> None:
    for entry in brought_back:
        pay_losses(order, entry.certificate_id, entry.amount_cents)


def _tell_recovered(dispute: Dispute, order: Order, then: str) -> None:
    detail = f"The lost dispute of order {order.number} was decided for you after all. {then}"
    alert_owner("dispute_recovered", dispute.stripe_dispute_id, "A lost dispute was won", detail, order=order)


def _lift(certificate: Certificate, dispute: Dispute, order: Order) -> None:
    """End the holds for which the bank's decision was the answer, unless somebody has ended the certificate for good
    meanwhile and it has value again."""
    dispute_id = dispute.stripe_dispute_id
    if certificate.status == "frozen" and status.was_voided(certificate.id):
        detail = (
            f"The bank decided for you about order {order.number}. A certificate that somebody had ended has value"
            " again and is on hold: end the hold, or end the certificate again."
        )
        alert_owner("ended_has_value", dispute_id, "A certificate that had ended has value", detail, order=order)
        return
    for freeze in status.list_freezes(certificate.id):
        if freeze.subject == dispute_id or freeze.reason_code == "fraud_warning":
            status.lift(certificate.id, subject=freeze.subject, actor="stripe", at=clock.now())


def _lost_entries(dispute: Dispute) -> list[LedgerEntry]:
    return list_open_entries(dispute.stripe_dispute_id, ("dispute_lost", "loss"))


def _was_lost(dispute: Dispute) -> bool:
    lost = sa.select(LedgerEntry.id).where(
        LedgerEntry.external_ref == dispute.stripe_dispute_id, LedgerEntry.kind.in_(("dispute_lost", "loss"))
    )
    return db.session.scalar(lost.limit(1)) is not None
