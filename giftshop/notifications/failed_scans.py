"""Failed scans: codes tried at the counter that open nothing; each is on record, and too many guesses are an alert.

A guess is a code whose symbols fit together and that was never one of ours. A slip of the hand, a scanner set to
another keyboard, a dead code and a search for somebody are none, however often they happen.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates.keyboards import WrongKeyboardError
from giftshop.errors import CertificateNotFoundError, ShopError, WrongCheckSymbolError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import FailedScan
from giftshop.words import N_, _

MANY = 20
WINDOW = timedelta(minutes=10)
KEPT = timedelta(days=1)
SCANS = (CertificateNotFoundError, WrongCheckSymbolError, WrongKeyboardError)
"""What is refused of a code; a search for words ends in other refusals."""


def note_failed_scan(refusal: ShopError, *, staff_id: int, name: str) -> None:
    """Keep on record why a scan of the person called `name` found nothing; the twentieth guess in ten minutes alerts.

    There is one alert for a person and a day. What holds no code is no scan. The caller commits.
    """
    if not isinstance(refusal, SCANS):
        return
    actor, now = f"staff:{staff_id}", clock.now()
    activity_log.note(Activity.SCAN_FAILED, actor=actor, why=type(refusal).__name__)
    if type(refusal) is not CertificateNotFoundError:
        return
    db.session.add(FailedScan(actor=actor, at=now))
    if _count_failed(actor, since=now - WINDOW, until=now) >= MANY:
        told = N_("%(name)s tried %(count)s codes within ten minutes that open nothing. Ask what happened.")
        detail = _(told, name=name, count=MANY)
        alert_owner(AlertKind.MANY_FAILED_SCANS, f"staff-{staff_id}.{now:%Y-%m-%d}", detail)


def forget_failed_scans(*, at: datetime) -> None:
    """Delete what is too old to count, in the caller's transaction; the activity log keeps that it happened."""
    db.session.execute(sa.delete(FailedScan).where(sa.or_(FailedScan.at < at - KEPT, FailedScan.at > at + KEPT)))


def _count_failed(actor: str, *, since: datetime, until: datetime) -> int:
    query = sa.select(sa.func.count()).where(FailedScan.at > since, FailedScan.at <= until, FailedScan.actor == actor)
    return db.session.scalar(query) or 0
