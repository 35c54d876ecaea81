"""Issuing: a new certificate, its secret and its first ledger entry, for whoever sells or gives one."""

from giftshop.certificates import codes, look_up
from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.posting import Cause, Transfer, check_amount, post


def issue(certificate: Certificate, *, code: str, cause: Cause) -> LedgerEntry:
    """Store a new certificate, paid through Stripe, with its first entry at face value.

    `certificate` carries its content and `face_value_cents` (positive minor units); `code` is its 16 symbols.
    """
    check_amount(certificate.face_value_cents)
    certificate.public_id = look_up.new_public_id()
    look_up.keep_code(certificate, code)
    certificate.issued_at = cause.at
    db.session.add(certificate)
    db.session.flush()
    return post(certificate.id, Transfer.of(EntryKind.ISSUE, certificate.face_value_cents), cause)


def new_code() -> str:
    """Return a fresh code for `issue`; a collision (1 in 10¹¹ for a million codes) is refused by the database."""
    return codes.new_code()
