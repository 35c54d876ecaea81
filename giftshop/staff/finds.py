"""What a person looks up and has found during this sign-in: only a certificate found by its code may be redeemed."""

import sqlalchemy as sa
from limits import RateLimitItemPerMinute
from sqlalchemy.dialects import postgresql, sqlite
from werkzeug.exceptions import TooManyRequests

from giftshop import clock
from giftshop.errors import CertificateNotFoundError, NotFoundByCodeError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.staff.found_certificates import CertificateFound
from giftshop.staff.sessions import cookie_name, find_session, is_signed_in
from giftshop.web.limiter import limiter

PER_PERSON = RateLimitItemPerMinute(120)


def admit_staff() -> bool:
    """Tell whether a certificate's own address is opened by staff; answers 429 to the 121st time in a minute.

    Counting writes, so what was read of the person is ended first (SQLite would wait for itself).
    """
    if not is_signed_in():
        return False
    db.session.rollback()
    if not limiter.limiter.hit(PER_PERSON, "staff-lookup", cookie_name()):
        raise TooManyRequests(retry_after=PER_PERSON.get_expiry())
    return True


def remember_found(certificate: Certificate, *, by_search: bool = False) -> None:
    """Remember that this sign-in found the certificate by its code, or a manager by search. The caller commits.

    Found twice, be it at the same moment, it is remembered once; each time is in the activity log.
    """
    row = find_session()
    if row is None:
        return
    kind = Activity.FOUND_BY_SEARCH if by_search else Activity.SCANNED
    activity_log.note(kind, actor=f"staff:{row.staff_id}", certificate_id=certificate.id)
    dialect = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    find = {"staff_session_id": row.id, "certificate_id": certificate.id, "found_at": clock.now()}
    db.session.execute(dialect.insert(CertificateFound).values(find).on_conflict_do_nothing())


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
