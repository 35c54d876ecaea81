"""The register: the one door to certificates, by code for those who hold it, by public id for those who found it."""

import secrets

import sqlalchemy as sa

from giftshop.certificates import codes, encryption
from giftshop.errors import CertificateNotFoundError, CertificateVoidError, CodeReplacedError, InvalidCodeError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.ledger.states import CertificateStatus

_PUBLIC_ID_SYMBOLS = 10
_END = "ends with "
"""Before the end of a code, whose look-up value is thereby never that of a whole one."""


def find_by_code(text: str) -> Certificate | None:
    """Return the certificate whose code was typed or scanned, also one that has ended, or None for every other code."""
    try:
        return get_by_code(text)
    except (InvalidCodeError, CertificateNotFoundError):
        return None


def find_replaced(text: str) -> ReplacedCode | None:
    """Return what is known of a code that a newer one has replaced, or None for every other code."""
    try:
        keys = encryption.lookups(codes.normalise_code(text))
    except InvalidCodeError:
        return None
    return db.session.scalar(sa.select(ReplacedCode).where(ReplacedCode.code_lookup.in_(keys)))


def get_by_code(text: str) -> Certificate:
    """Return the certificate whose code was typed or scanned, whatever its state.

    Raises InvalidCodeError, WrongCheckSymbolError, CodeReplacedError, CertificateNotFoundError: true reasons, for
    staff only.
    """
    keys = encryption.lookups(codes.normalise_code(text))
    certificate = db.session.scalar(sa.select(Certificate).where(Certificate.code_lookup.in_(keys)))
    if certificate is None:
        was_replaced = db.session.scalar(sa.select(ReplacedCode).where(ReplacedCode.code_lookup.in_(keys)))
        raise CodeReplacedError if was_replaced else CertificateNotFoundError
    return certificate


def code_ends_with(end: str) -> sa.ColumnElement[bool]:
    """Return the condition for certificates whose codes end with these four symbols."""
    return Certificate.code_end_lookup.in_(encryption.lookups(f"{_END}{end}"))


def keep_code(certificate: Certificate, code: str) -> None:
    """Give a certificate its code, 16 symbols: kept sealed, and found by the whole of it or, by staff, by its end."""
    certificate.code_lookup = encryption.lookup(code)
    certificate.code_end_lookup = encryption.lookup(f"{_END}{codes.last_four(code)}")
    certificate.code_enc = encryption.seal(code, certificate.public_id)


def fill_code_ends(*, most: int) -> int:
    """Let some certificates that an older version issued be found by the end of their codes; return how many."""
    query = sa.select(Certificate).where(Certificate.code_end_lookup.is_(None)).order_by(Certificate.id).limit(most)
    found = list(db.session.scalars(query))
    for certificate in found:
        code = encryption.open_sealed(certificate.code_enc, certificate.public_id)
        certificate.code_end_lookup = encryption.lookup(f"{_END}{codes.last_four(code)}")
    return len(found)


def get_certificate(public_id: str) -> Certificate:
    """Return the certificate with this public id. Raises CertificateNotFoundError."""
    certificate = db.session.scalar(sa.select(Certificate).where(Certificate.public_id == public_id))
    if certificate is None:
        raise CertificateNotFoundError
    return certificate


def code_of(certificate: Certificate) -> str:
    """Return the certificate's code, 16 symbols, for its paper, its page and its message."""
    if certificate.status == CertificateStatus.VOID:
        raise CertificateVoidError
    return encryption.open_sealed(certificate.code_enc, certificate.public_id)


def new_public_id() -> str:
    """Return a fresh public id: it names a certificate and seeds its drawing, and opens nothing."""
    return "".join(secrets.choice(codes.ALPHABET) for _ in range(_PUBLIC_ID_SYMBOLS))
