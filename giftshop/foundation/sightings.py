"""Sightings: who looked at an order or a certificate, kept in the activity log at most once an hour; for pages."""

import logging
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from giftshop import clock
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db, may_write

PAUSE = timedelta(hours=1)
HOLDER, VISITOR = activity_log.HOLDER, activity_log.VISITOR

log = logging.getLogger(__name__)


def record_sighting(
    actor: str, kind: Activity = Activity.VIEWED, *, order_id: int | None = None, certificate_id: int | None = None
) -> None:
    """Keep on record that `actor` looked, unless that is known of the last hour; commits what it writes.

    Each kind has an hour of its own: a program that fetched a page does not hide the person who then opens it.

    Called when the page is made already: while nothing can be written reading goes on, and the log tells.
    """
    if _is_known(actor, kind, order_id, certificate_id):
        return
    may_write()
    try:
        if not _is_known(actor, kind, order_id, certificate_id):
            activity_log.note(kind, actor=actor, order_id=order_id, certificate_id=certificate_id)
        db.session.commit()
    except OperationalError:
        db.session.rollback()
        log.warning("could not keep on record that %s looked", actor)


def _is_known(actor: str, kind: Activity, order_id: int | None, certificate_id: int | None) -> bool:
    seen = sa.select(activity_log.ActivityEvent.id).where(
        activity_log.ActivityEvent.order_id == order_id,
        activity_log.ActivityEvent.certificate_id == certificate_id,
        activity_log.ActivityEvent.kind == kind,
        activity_log.ActivityEvent.actor == actor,
        activity_log.ActivityEvent.at.between(clock.now() - PAUSE, clock.now() + PAUSE),
    )
    return db.session.scalar(seen.limit(1)) is not None
