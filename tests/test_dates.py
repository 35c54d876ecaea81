"""Days and moments as people of the practice read them."""

from datetime import UTC, date, datetime

from giftshop import dates

MOMENT = datetime(2026, 11, 25, 3, 5, tzinfo=UTC)  # the evening before, in Denver


def plain(text: str) -> str:
    """Put ordinary spaces where the locale's data has a narrow one, as before AM and PM."""
    return text.replace("\u202f", " ")


def test_a_day_is_written_long_and_short() -> None:
    assert dates.write_day(date(2026, 11, 24)) == "November 24, 2026"
    assert dates.write_short_day(date(2026, 1, 2)) == "Jan 2, 2026"


def test_the_day_of_a_moment_is_the_practices_day() -> None:
    assert dates.write_local_day(MOMENT, "America/Denver") == "November 24, 2026"
    assert dates.write_local_day(MOMENT, "UTC") == "November 25, 2026"


def test_a_moment_is_written_on_the_practices_clock() -> None:
    assert plain(dates.write_moment(MOMENT, "America/Denver")) == "Nov 24, 2026 at 8:05 PM"


def test_a_moment_to_come_names_its_zone() -> None:
    moment = datetime(2026, 12, 1, 16, tzinfo=UTC)
    assert plain(dates.write_appointment(moment, "America/Denver")) == "December 1, 2026 at 9:00 AM Mountain Time"


def test_a_zone_has_the_same_name_in_summer_and_winter() -> None:
    assert dates.write_zone("America/Denver") == "Mountain Time"
