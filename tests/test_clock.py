"""The clock: aware UTC everywhere, and wall clocks that daylight saving moves."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from giftshop import clock

WALLS = [
    (date(2026, 1, 15), 9, "America/Denver", "2026-01-15T16:00"),
    (date(2026, 7, 15), 9, "America/Denver", "2026-07-15T15:00"),
    # 2026-03-08, 2:00 to 3:00 does not exist in Denver: read with the offset before, so it falls right after the gap
    (date(2026, 3, 8), 1, "America/Denver", "2026-03-08T08:00"),
    (date(2026, 3, 8), 2, "America/Denver", "2026-03-08T09:00"),
    (date(2026, 3, 8), 3, "America/Denver", "2026-03-08T09:00"),
    (date(2026, 3, 8), 9, "America/Denver", "2026-03-08T15:00"),
    # 2026-11-01, 1:00 to 2:00 happens twice in Denver: the first of the two
    (date(2026, 11, 1), 1, "America/Denver", "2026-11-01T07:00"),
    (date(2026, 11, 1), 2, "America/Denver", "2026-11-01T09:00"),
    (date(2026, 11, 1), 9, "America/Denver", "2026-11-01T16:00"),
    (date(2026, 3, 29), 2, "Europe/Ljubljana", "2026-03-29T01:00"),
    (date(2026, 3, 29), 3, "Europe/Ljubljana", "2026-03-29T01:00"),
    (date(2026, 10, 25), 2, "Europe/Ljubljana", "2026-10-25T00:00"),
    (date(2026, 3, 29), 1, "Europe/London", "2026-03-29T01:00"),
    (date(2026, 10, 25), 1, "Europe/London", "2026-10-25T00:00"),
    (date(2026, 12, 31), 20, "America/Denver", "2027-01-01T03:00"),
    (date(2026, 6, 1), 9, "Asia/Kolkata", "2026-06-01T03:30"),
    (date(2026, 6, 1), 9, "UTC", "2026-06-01T09:00"),
]


@pytest.mark.parametrize(("day", "hour", "zone", "expected"), WALLS)
def test_a_wall_clock_hour_is_one_moment(day: date, hour: int, zone: str, expected: str) -> None:
    moment = clock.local_moment(day, hour=hour, time_zone=zone)
    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert moment.tzinfo is UTC


def test_now_is_aware_and_in_utc() -> None:
    with time_machine.travel("2026-11-24T14:10:00+05:30", tick=False):
        assert clock.now() == datetime(2026, 11, 24, 8, 40, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Denver", date(2026, 11, 23)), ("UTC", date(2026, 11, 24)), ("Pacific/Kiritimati", date(2026, 11, 24))],
)
def test_today_is_the_day_where_the_practice_is(zone: str, day: date) -> None:
    with time_machine.travel("2026-11-24T06:59:59Z", tick=False):
        assert clock.today(zone) == day


def test_a_moment_is_shown_on_the_wall_clock_of_a_zone() -> None:
    moment = datetime(2026, 7, 1, 15, tzinfo=UTC)
    assert clock.local(moment, "America/Denver").isoformat() == "2026-07-01T09:00:00-06:00"
