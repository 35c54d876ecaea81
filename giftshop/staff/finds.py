"""What a person has found during this sign-in: only a certificate found by its code may be redeemed."""

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates.models import Certificate
from giftshop.database import db
from giftshop.errors import NotFoundByCodeError
from giftshop.staff.models import CertificateFound
from giftshop.staff.sessions import find_session, is_signed_in

__all__ = ["has_found", "is_signed_in", "refuse_not_found", "remember_found"]


def remember_found(certificate: Certificate) -> None:
    """Remember that this sign-in found the certificate by its code (or a manager by search). The caller commits."""
    row = find_session()
    if row is not None and not has_found(certificate):
        db.session.add(CertificateFound(staff_session_id=row.id, certificate_id=certificate.id, found_at=clock.now()))


def has_found(certificate: Certificate) -> bool:
    """Tell whether this sign-in has found the certificate."""
    row = find_session()
    if row is None:
        return False
    query = sa.select(CertificateFound.certificate_id).where(
        CertificateFound.staff_session_id == row.id, CertificateFound.certificate_id == certificate.id
    )
    return db.session.scalar(query) is not None


def refuse_not_found(certificate: Certificate) -> None:
    """Raise NotFoundByCodeError unless this sign-in has found the certificate."""
    if not has_found(certificate):
        raise NotFoundByCodeError
