"""Days and moments as people read them, on the practice's own clock, in words that mean one moment.

CLDR's names of zones do not do: "Mountain Time" is said in Phoenix and in Denver, an hour apart in July, and Vancouver
keeps "Pacific Standard Time" after it has left it. A clock is named after its place, and its distance from UTC that day
is said with it (docs/decisions/0029-the-moment-that-was-said.md).
"""

import re
from datetime import date, datetime, time

from babel.core import Locale, get_global
from babel.dates import format_date, format_skeleton, format_time

from giftshop import clock
from giftshop.money import LOCALE
from giftshop.words import _

_REGIONS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)
_ABBREVIATION = re.compile(r"[A-Z]{3}(?:[0-9][A-Z]{3})?")
"""Names like "EST" and "PST8PDT", which name no place; CLDR would put Panama for the first."""


def write_day(day: date) -> str:
    """Write a calendar day ("November 24, 2026")."""
    return format_date(day, "long", locale=LOCALE)


def write_short_day(day: date) -> str:
    """Write a day in a table or beside an amount ("Nov 24, 2026")."""
    return format_date(day, "medium", locale=LOCALE)


def write_local_day(moment: datetime, time_zone: str) -> str:
    """Write the day it was at a moment in the named zone."""
    return write_day(clock.local(moment, time_zone).date())


def write_moment(moment: datetime, time_zone: str) -> str:
    """Write a moment for those who work on the named zone's clock ("Nov 24, 2026 at 2:10 PM").

    In an hour that happens twice, where clocks are set back, the distance from UTC says which.
    """
    local = clock.local(moment, time_zone)
    written = _write_wall(write_short_day(local.date()), local)
    is_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{written} ({_write_offset(local)})" if is_twice else written


def write_zoned_moment(moment: datetime, time_zone: str) -> str:
    """Write a moment for readers who may be anywhere ("Nov 24, 2026 at 2:10 PM Denver time (UTC−7)")."""
    local = clock.local(moment, time_zone)
    return f"{_write_wall(write_short_day(local.date()), local)} {_write_zone_of(local, time_zone)}"


def write_appointment(moment: datetime, time_zone: str) -> str:
    """Write a moment to come for readers anywhere ("December 1, 2026 at 9:00 AM Denver time (UTC−7)")."""
    local = clock.local(moment, time_zone)
    return f"{_write_wall(write_day(local.date()), local)} {_write_zone_of(local, time_zone)}"


def write_hour(hour: int, time_zone: str) -> str:
    """Write an hour of any day ("9 AM Denver time")."""
    return f"{format_skeleton('h', time(hour), locale=LOCALE)} {write_zone(time_zone)}"


def write_zone(time_zone: str) -> str:
    """Write whose clock it is, the same in summer and winter ("Denver time"); of a zone without a place its distance
    from UTC, or its own name where that changes.
    """
    place = _find_place(time_zone)
    if place:
        return _("%(place)s time", place=place)
    is_fixed = _canonical(time_zone).startswith("Etc/")
    return _write_offset(clock.local(clock.now(), time_zone)) if is_fixed else time_zone


def _write_wall(day: str, local: datetime) -> str:
    return _("%(day)s at %(hour)s", day=day, hour=format_time(local, "short", locale=LOCALE))


def _write_zone_of(local: datetime, time_zone: str) -> str:
    """Write whose clock it is and how far it stands from UTC at a moment; both or, without a place, the second."""
    offset, place = _write_offset(local), _find_place(time_zone)
    return f"{_('%(place)s time', place=place)} ({offset})" if place else offset


def _write_offset(local: datetime) -> str:
    """Write how far a clock stands from UTC: "UTC−7", "UTC+5:30", "UTC"."""
    offset = local.utcoffset()
    assert offset is not None
    hours, minutes = divmod(abs(round(offset.total_seconds() / 60)), 60)
    sign = "−" if offset.total_seconds() < 0 else "+"
    if not (hours or minutes):
        return "UTC"
    return f"UTC{sign}{hours}:{minutes:02}" if minutes else f"UTC{sign}{hours}"


def _find_place(time_zone: str) -> str:
    """Return the name of the place whose clock a zone is ("Denver"), "" for a zone that is of no place.

    An older name that says a country or a part of one ("Japan", "US/Arizona") has the city it stands for.
    """
    if _ABBREVIATION.fullmatch(time_zone):
        return ""
    zone = time_zone if time_zone.startswith(_REGIONS) else _canonical(time_zone)
    if not zone.startswith(_REGIONS):
        return ""
    city: str = Locale.parse(LOCALE).time_zones.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
    return city


def _canonical(time_zone: str) -> str:
    canonical: str = get_global("zone_aliases").get(time_zone, time_zone)
    return canonical
