"""The one clock: every moment in the shop is an aware UTC datetime from here."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def today(time_zone: str) -> date:
    """Return the calendar day it is now in the named IANA time zone."""
    return now().astimezone(ZoneInfo(time_zone)).date()


def local_moment(day: date, *, hour: int, time_zone: str) -> datetime:
    """Return the UTC moment at which the wall clock of `time_zone` shows `hour`:00 on `day`.

    An hour that a daylight-saving change skips is read with the offset before the change, so the moment
    falls right after the gap; an hour that happens twice means the first of the two (PEP 495, fold=0).
    """
    wall = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(time_zone))
    return wall.astimezone(UTC)


def local(moment: datetime, time_zone: str) -> datetime:
    """Return `moment` as the wall clock of `time_zone` shows it."""
    return moment.astimezone(ZoneInfo(time_zone))
