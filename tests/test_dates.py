"""Days and moments as people of the practice read them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from giftshop import clock, dates

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
    expected = "December 1, 2026 at 9:00 AM Denver time (UTC−7)"
    assert plain(dates.write_appointment(moment, "America/Denver")) == expected


def test_a_moment_told_to_people_elsewhere_names_its_zone() -> None:
    expected = "Nov 24, 2026 at 8:05 PM Denver time (UTC−7)"
    assert plain(dates.write_zoned_moment(MOMENT, "America/Denver")) == expected


def test_a_zone_has_the_same_name_in_summer_and_winter() -> None:
    assert dates.write_zone("America/Denver") == "Denver time"


APPOINTMENTS = [
    # an hour apart in July, though people in both say "Mountain Time"
    ("America/Denver", "Denver time (UTC−6)"),
    ("America/Phoenix", "Phoenix time (UTC−7)"),
    # since 2026-11-01 no longer on what CLDR still calls Pacific, Mountain and Central Standard Time
    ("America/Vancouver", "Vancouver time (UTC−7)"),
    ("America/Edmonton", "Edmonton time (UTC−6)"),
    ("America/Winnipeg", "Winnipeg time (UTC−5)"),
    ("America/Los_Angeles", "Los Angeles time (UTC−7)"),
    ("Africa/Casablanca", "Casablanca time (UTC)"),
    ("America/St_Johns", "St. John’s time (UTC−2:30)"),
    ("Asia/Kathmandu", "Kathmandu time (UTC+5:45)"),
    ("Pacific/Kiritimati", "Kiritimati time (UTC+14)"),
    ("America/Argentina/Buenos_Aires", "Buenos Aires time (UTC−3)"),
    ("America/Indiana/Knox", "Knox, Indiana time (UTC−5)"),
    # older names
    ("US/Arizona", "Phoenix time (UTC−7)"),
    ("Asia/Calcutta", "Kolkata time (UTC+5:30)"),
    ("Europe/Kiev", "Kyiv time (UTC+3)"),
    ("NZ", "Auckland time (UTC+12)"),
    # no place at all: "Unknown Region (UTC) Time", and UTC−7 is called "GMT+7"
    ("UTC", "UTC"),
    ("Etc/UTC", "UTC"),
    ("Zulu", "UTC"),
    ("Etc/GMT+7", "UTC−7"),
    ("EST", "UTC−5"),
    ("EST5EDT", "UTC−4"),
]


@pytest.mark.parametrize(("zone", "words"), APPOINTMENTS)
def test_the_words_for_a_zone_mean_one_moment(zone: str, words: str) -> None:
    moment = clock.local_moment(date(2027, 7, 15), hour=9, time_zone=zone)
    assert plain(dates.write_appointment(moment, zone)) == f"July 15, 2027 at 9:00 AM {words}"


@pytest.mark.parametrize("zone", sorted(clock.list_zones()))
def test_no_zone_is_unknown_and_its_moments_can_be_told_apart(zone: str) -> None:
    spring, winter = (dates.write_appointment(MOMENT + timedelta(days=days), zone) for days in (140, 49))
    for words in (spring, winter, dates.write_zone(zone)):
        assert "Unknown" not in words
        assert "_" not in words
    offsets = [clock.local(MOMENT + timedelta(days=days), zone).utcoffset() for days in (140, 49)]
    assert (spring.partition("UTC")[2] == winter.partition("UTC")[2]) == (offsets[0] == offsets[1])


@pytest.mark.parametrize(
    ("zone", "words"), [("UTC", "9 AM UTC"), ("Etc/GMT-5", "9 AM UTC+5"), ("EST5EDT", "9 AM EST5EDT")]
)
def test_an_hour_of_any_day_says_whose_clock_shows_it(zone: str, words: str) -> None:
    assert plain(dates.write_hour(9, "America/Phoenix")) == "9 AM Phoenix time"
    assert plain(dates.write_hour(9, zone)) == words


def test_an_hour_that_happens_twice_says_which_to_staff_too() -> None:
    first = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    said = [plain(dates.write_moment(first + timedelta(hours=hours), "America/Denver")) for hours in range(-1, 3)]
    assert said == [
        "Nov 1, 2026 at 12:30 AM",
        "Nov 1, 2026 at 1:30 AM (UTC−6)",
        "Nov 1, 2026 at 1:30 AM (UTC−7)",
        "Nov 1, 2026 at 2:30 AM",
    ]
