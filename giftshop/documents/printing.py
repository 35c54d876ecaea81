"""Printing: a certificate's row, its practice and its terms joined into the face that the press prints."""

from urllib.parse import urlsplit

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import certificate_terms
from giftshop.certificates.look_up import code_of
from giftshop.documents.pdf import CertificateFace, Paper
from giftshop.documents.worker import press
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.words import current_language


def face_of(certificate: Certificate, *, base_url: str) -> CertificateFace:
    """Return what stands on a certificate, with its code."""
    practice = get_practice()
    issued_on = clock.local(certificate.issued_at, practice.time_zone).date()
    return CertificateFace(
        public_id=certificate.public_id,
        code=code_of(certificate),
        base_url=base_url,
        design=certificate.design,
        palette=practice.palette,
        recipient_name=certificate.recipient_name,
        giver_name=certificate.giver_name,
        message=certificate.message,
        amount_text=format_amount(certificate.face_value_cents, certificate.currency),
        service_text=certificate.service_name,
        practice_name=practice.name,
        practice_address=f"{practice.legal_name}, {practice.address}",
        practice_phone=practice.phone,
        booking_address=_bare(practice.booking_address()),
        balance_address=_bare(base_url) + "/balance",
        terms=tuple(certificate_terms(practice, on=issued_on, expires_on=certificate.expires_on)),
        issued_on=issued_on,
        is_test=certificate.mode != "live",
        is_on_hold=certificate.status == CertificateStatus.FROZEN,
        lang=current_language(),
    )


def certificate_pdf(certificate: Certificate, *, paper: Paper, base_url: str) -> bytes:
    """Return a certificate's PDF, printed in the press's child process. Raises PrintingError.

    Ends the open transaction before printing, because an open one keeps SQLite's writers waiting.
    """
    face = face_of(certificate, base_url=base_url)
    db.session.rollback()
    return press.print_pdf(face, paper)


def _bare(address: str) -> str:
    """Return a web address as people write it: without scheme and query."""
    parts = urlsplit(address)
    return f"{parts.netloc}{parts.path}".rstrip("/")
