"""What disputes hold of an order's certificates, and the disputes there are, for whoever moves its money."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status
from giftshop.certificates.reasons import HoldReason
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries
from giftshop.ledger.models import LedgerEntry
from giftshop.ledger.open_entries import held_by_certificate
from giftshop.orders.models import Dispute
from giftshop.orders.states import DISPUTED, ENDED_WELL
from giftshop.payments import shares


def list_disputes(order_id: int) -> list[Dispute]:
    """Return the disputes of an order's payment, oldest first."""
    return list(db.session.scalars(sa.select(Dispute).where(Dispute.order_id == order_id).order_by(Dispute.id)))


def has_open_dispute(order_id: int) -> bool:
    """Tell whether a bank questions an order's payment, or has decided against it."""
    return any(dispute.status not in ENDED_WELL for dispute in list_disputes(order_id))


@contextmanager
def set_aside(order_id: int) -> Iterator[None]:
    """Let a refund take what open disputes hold, and hold again what is left then.

    Stripe refunds no disputed charge: such a refund was made before the dispute, and heard of after it.
    """
    waiting = [each for each in list_disputes(order_id) if each.status in DISPUTED]
    for dispute in waiting:
        release(dispute)
    yield
    for dispute in waiting:
        hold(dispute)


def hold(dispute: Dispute) -> None:
    """Hold what is left of every certificate's share of the disputed sum."""
    now, dispute_id = clock.now(), dispute.stripe_dispute_id
    for share in share_out(dispute, dispute.amount_cents):
        dispute_entries.hold_disputed(share.certificate_id, share.amount_cents, dispute_id=dispute_id, at=now)


def share_out(dispute: Dispute, amount_cents: int) -> list[shares.Share]:
    """Share the disputed sum out: what is held of a certificate stays its share, whatever came back to others since."""
    return shares.share_out(dispute.order_id, amount_cents, kept=held_by_certificate(dispute.stripe_dispute_id))


def release(dispute: Dispute) -> list[LedgerEntry]:
    """Give back everything the dispute holds; return the entries that did."""
    now, dispute_id = clock.now(), dispute.stripe_dispute_id
    return [
        entry
        for certificate in shares.list_certificates(dispute.order_id)
        for entry in dispute_entries.release_disputed(certificate.id, dispute_id=dispute_id, at=now)
    ]


def hold_what_returned(dispute: Dispute) -> None:
    """Name why those certificates are on hold that had ended and have value again."""
    subject, reason, now = dispute.stripe_dispute_id, HoldReason.DISPUTED, clock.now()
    for certificate in shares.list_certificates(dispute.order_id):
        status.hold_what_returned(certificate.id, subject=subject, reason_code=reason, at=now)
