"""What a person has found during this sign-in: only a certificate found by its code may be redeemed."""

import sqlalchemy as sa

from giftshop import clock, trail
from giftshop.certificates.models import Certificate
from giftshop.database import db
from giftshop.errors import CertificateNotFoundError, NotFoundByCodeError
from giftshop.staff.models import CertificateFound
from giftshop.staff.sessions import find_session, is_signed_in

__all__ = ["forget_found", "get_found", "has_found", "is_signed_in", "remember_found"]


def remember_found(certificate: Certificate, *, by_search: bool = False) -> None:
    """Remember that this sign-in found the certificate by its code, or a manager by search. The caller commits."""
    row = find_session()
    if row is None:
        return
    kind = "found_by_search" if by_search else "scanned"
    trail.note(kind, actor=f"staff:{row.staff_id}", certificate_id=certificate.id)
    if not has_found(certificate):
        db.session.add(CertificateFound(staff_session_id=row.id, certificate_id=certificate.id, found_at=clock.now()))


def forget_found(certificate_id: int) -> None:
    """Make everybody find a certificate again: what a dead code opened stays open to nobody. The caller commits."""
    db.session.execute(sa.delete(CertificateFound).where(CertificateFound.certificate_id == certificate_id))


def has_found(certificate: Certificate) -> bool:
    """Tell whether this sign-in has found the certificate."""
    row = find_session()
    if row is None:
        return False
    query = sa.select(CertificateFound.certificate_id).where(
        CertificateFound.staff_session_id == row.id, CertificateFound.certificate_id == certificate.id
    )
    return db.session.scalar(query) is not None


def get_found(public_id: str) -> Certificate:
    """Return a certificate that this sign-in has found. Raises CertificateNotFoundError, NotFoundByCodeError."""
    row = find_session()
    was_found = sa.exists().where(
        CertificateFound.staff_session_id == (row.id if row else None),
        CertificateFound.certificate_id == Certificate.id,
    )
    found = db.session.execute(sa.select(Certificate, was_found).where(Certificate.public_id == public_id)).first()
    if found is None:
        raise CertificateNotFoundError
    certificate, is_found = found
    if not is_found:
        raise NotFoundByCodeError
    return certificate
