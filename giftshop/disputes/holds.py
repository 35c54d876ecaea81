"""What a dispute holds of its order's certificates, for disputes.py and dispute_endings.py."""

from giftshop import clock
from giftshop.certificates import status
from giftshop.ledger import dispute_entries
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.models import Dispute
from giftshop.payments import shares


def hold(dispute: Dispute) -> None:
    """Hold what is left of every certificate's share of the disputed sum."""
    now, dispute_id = clock.now(), dispute.stripe_dispute_id
    for share in share_out(dispute, dispute.amount_cents):
        dispute_entries.hold_disputed(share.certificate_id, share.amount_cents, dispute_id=dispute_id, at=now)


def share_out(dispute: Dispute, amount_cents: int) -> list[shares.Share]:
    """Share the disputed sum out: what is held of a certificate stays its share, whatever came back to others since."""
    held = dispute_entries.held_by_certificate(dispute.stripe_dispute_id)
    return shares.share_out(dispute.order_id, amount_cents, kept=held)


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
    for certificate in shares.list_certificates(dispute.order_id):
        status.hold_what_returned(
            certificate.id, subject=dispute.stripe_dispute_id, reason_code="disputed", at=clock.now()
        )
