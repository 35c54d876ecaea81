"""Days and moments as people of the practice read them, on its own clock."""

from datetime import date, datetime

from babel.dates import format_date, format_time, get_timezone_name

from giftshop import clock
from giftshop.money import LOCALE


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
    """Write a moment on the named zone's clock ("Nov 24, 2026 at 2:10 PM")."""
    local = clock.local(moment, time_zone)
    return f"{write_short_day(local.date())} at {format_time(local, 'short', locale=LOCALE)}"


def write_appointment(moment: datetime, time_zone: str) -> str:
    """Write a moment to come, with its zone by name ("December 1, 2026 at 9:00 AM Mountain Time")."""
    local = clock.local(moment, time_zone)
    hour = format_time(local, "short", locale=LOCALE)
    return f"{write_day(local.date())} at {hour} {write_zone(time_zone)}"


def write_zone(time_zone: str) -> str:
    """Write a time zone's everyday name, the same in summer and winter ("Mountain Time")."""
    return get_timezone_name(time_zone, width="long", locale=LOCALE)
