"""Sign-ins on the server's side: the cookie names a random id, a row of this table makes it count.

Strangers carry Flask's signed cookie, for form tokens. A copied cookie of staff opens nothing once its row is gone:
after sign-out, disabling, a new password, factor or role (docs/decisions/0009-strangers-carry-a-cookie.md).
"""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import g, request, session
from flask_login import current_user
from sqlalchemy.orm import joinedload

from giftshop import clock
from giftshop.foundation.database import db, may_write
from giftshop.staff.found_certificates import CertificateFound
from giftshop.staff.models import Staff, StaffSession

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
_KEY = "staff_session"


def open_session(staff: Staff) -> None:
    """Sign `staff` in with a new id; the one before, and whatever a stranger had put in the cookie, are dead."""
    close_session()
    session.clear()
    identifier, now = secrets.token_urlsafe(32), clock.now()
    session[_KEY] = identifier
    session.permanent = True
    device = (request.user_agent.string or "unknown")[:200]
    row = StaffSession(
        id_sha256=_digest(identifier), staff_id=staff.id, device=device, created_at=now, last_seen_at=now
    )
    db.session.add(row)
    db.session.flush()
    g.staff_session_row = row


def close_session() -> None:
    """End this sign-in; its cookie is worthless from now on."""
    if (row := find_session()) is not None:
        _delete(StaffSession.id == row.id)
    g.pop("staff_session_row", None)
    session.pop(_KEY, None)


def close_sessions_of(staff: Staff) -> None:
    """End every sign-in of a person."""
    _delete(StaffSession.staff_id == staff.id)


def forget(*, before: datetime) -> int:
    """Delete the sign-ins that nobody has used since then; return how many."""
    is_old = StaffSession.last_seen_at < before
    count = db.session.scalar(sa.select(sa.func.count()).select_from(StaffSession).where(is_old)) or 0
    if count:
        _delete(is_old)
    return count


def is_signed_in() -> bool:
    """Tell whether this request comes from an active person who passed both steps and whose sign-in still counts."""
    row = find_session()
    return row is not None and current_user.is_authenticated and current_user.id == row.staff_id


def cookie_name() -> str:
    """Return a name for the sign-in this cookie claims, without looking whether it still counts; "" for strangers."""
    identifier = session.get(_KEY)
    return _digest(identifier).hex()[:16] if isinstance(identifier, str) else ""


def find_session() -> StaffSession | None:
    """Return the row behind this request's cookie, unless it has expired; looked up once a request."""
    if "staff_session_row" not in g:
        g.staff_session_row = _live_row()
    row: StaffSession | None = g.staff_session_row
    return row


def find_person(uniquifier: str) -> Staff | None:
    """Return the active person of this request's sign-in, if the cookie's other half names the same one."""
    row = find_session()
    if row is None or not row.staff.active or row.staff.fs_uniquifier != uniquifier:
        return None
    return row.staff


def _live_row() -> StaffSession | None:
    identifier = session.get(_KEY)
    if not isinstance(identifier, str):
        return None
    query = sa.select(StaffSession).where(StaffSession.id_sha256 == _digest(identifier))
    with_person = query.options(joinedload(StaffSession.staff).joinedload(Staff.roles))
    row = db.session.scalars(with_person).unique().one_or_none()
    now = clock.now()
    if row is None or now > row.last_seen_at + IDLE or now > row.created_at + ABSOLUTE:
        return None
    return _seen(row) if now > row.last_seen_at + SEEN_EVERY else row


def _seen(row: StaffSession) -> StaffSession:
    """Write that the person is still there, at most once a minute, in a small transaction of its own."""
    may_write()
    found = db.session.get(StaffSession, row.id, populate_existing=True)
    if found is not None:
        found.last_seen_at = clock.now()
        db.session.commit()
    return found or row


def _delete(condition: sa.ColumnElement[bool]) -> None:
    ids = sa.select(StaffSession.id).where(condition)
    db.session.execute(sa.delete(CertificateFound).where(CertificateFound.staff_session_id.in_(ids)))
    db.session.execute(sa.delete(StaffSession).where(condition).execution_options(synchronize_session="fetch"))


def _digest(identifier: str) -> bytes:
    return hashlib.sha256(identifier.encode("utf-8", "replace")).digest()
