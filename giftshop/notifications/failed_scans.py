"""Codes that nobody has, tried at the counter: each is kept in the trail, and too many by one person are an alert."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import TrailEvent
from giftshop.foundation.database import db
from giftshop.notifications.alerts import alert_owner

MANY = 20
WINDOW = timedelta(minutes=10)


def note_failed_scan(*, staff_id: int, name: str, why: str) -> None:
    """Keep on record that a scan of the person called `name` found nothing; the twentieth in ten minutes is an alert.

    There is one alert for a person and a day. The caller commits.
    """
    actor, now = f"staff:{staff_id}", clock.now()
    activity_log.note("scan_failed", actor=actor, why=why)
    if _count_failed(actor, since=now - WINDOW) >= MANY:
        detail = f"{name} tried {MANY} codes within ten minutes that open nothing. Ask what happened."
        alert_owner("many_failed_scans", f"staff-{staff_id}.{now:%Y-%m-%d}", "Many wrong codes at the counter", detail)


def _count_failed(actor: str, *, since: datetime) -> int:
    query = sa.select(sa.func.count()).where(
        TrailEvent.kind == "scan_failed", TrailEvent.at > since, TrailEvent.actor == actor
    )
    return db.session.scalar(query) or 0
