"""The register: the one door to certificates, by code for those who hold it, by public id for those who found it."""

import secrets

import sqlalchemy as sa

from giftshop.certificates import codes, encryption, keyboards
from giftshop.errors import (
    CertificateNotFoundError,
    CertificateVoidError,
    CodeReplacedError,
    InvalidCodeError,
    SeveralCodesError,
)
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.ledger.states import CertificateStatus

MOST_MEANINGS = 20
"""As so many codes a text is looked for; who pastes more has no certificate in hand."""
_PUBLIC_ID_SYMBOLS = 10
_END = "ends with "
"""Before the end of a code, whose look-up value is thereby never that of a whole one."""


def find_by_code(text: str) -> Certificate | None:
    """Return the certificate whose code was typed or scanned, or None for every bad code alike."""
    try:
        certificate = get_by_code(text)
    except (InvalidCodeError, CertificateNotFoundError):
        return None
    return None if certificate.status == CertificateStatus.VOID else certificate


def get_by_code(text: str) -> Certificate:
    """Return the certificate whose code stands in a text, whatever its state.

    Raises InvalidCodeError or a subclass that says more, CodeReplacedError, CertificateNotFoundError: true reasons,
    for staff only.
    """
    return _get_one(codes.find_codes(text) or [codes.normalise_code(text)])


def get_by_scan(text: str) -> Certificate:
    """Return the certificate whose code was typed or scanned at the counter, whatever keyboard the scanner is set to.

    All that a text may mean is looked for in one question, and only one meaning may exist: now and then a code in which
    Y and Z changed places is another well-formed one. Raises what `get_by_code` does, and WrongKeyboardError.
    """
    meanings = keyboards.read_back(text)
    is_address = any(each.is_address for each in meanings)  # then nobody typed it, and it means nothing as it stands
    plain = [] if is_address else codes.find_codes(text)
    fitting = {each: found for each in meanings if (found := codes.find_codes(each.text))}
    found = list(dict.fromkeys([*plain, *(code for each in fitting.values() for code in each)]))
    try:
        return _get_one(found or [codes.normalise_code(text)])
    except (SeveralCodesError, CodeReplacedError):
        raise
    except (InvalidCodeError, CertificateNotFoundError):
        if is_address or not text.isascii():
            keyboards.refuse([each.keyboard for each in fitting or meanings], text)
        keyboards.refuse(keyboards.find_unreadable(text), text)
        if not codes.looks_like_code(text):
            raise InvalidCodeError from None
        raise


def find_all(found: list[str]) -> list[Certificate]:
    """Return the certificates that have one of these codes, in one question, in whatever state."""
    return list(db.session.scalars(sa.select(Certificate).where(Certificate.code_lookup.in_(_keys(found)))))


def find_replacement(text: str) -> ReplacedCode | None:
    """Return what is kept of a dead code that was typed or scanned, or None."""
    meant = [text, *(each.text for each in keyboards.read_back(text))]
    return next(iter(_find_replaced([code for each in meant for code in codes.find_codes(each)])), None)


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


def _get_one(found: list[str]) -> Certificate:
    """Return the one certificate that has one of these codes, by at most two questions."""
    if len(found) > MOST_MEANINGS:
        raise SeveralCodesError
    certificates = find_all(found)
    is_clear = len(found) == len(certificates) == 1
    replaced = [] if is_clear else _find_replaced(found)
    concerned = {certificate.id for certificate in certificates} | {each.certificate_id for each in replaced}
    if len(concerned) > 1:
        raise SeveralCodesError
    if not certificates:
        raise CodeReplacedError if replaced else CertificateNotFoundError
    return certificates[0]


def _find_replaced(found: list[str]) -> list[ReplacedCode]:
    return list(db.session.scalars(sa.select(ReplacedCode).where(ReplacedCode.code_lookup.in_(_keys(found)))))


def _keys(found: list[str]) -> list[bytes]:
    return [key for code in found for key in encryption.lookups(code)]
