"""The clock: aware UTC everywhere, and wall clocks that daylight saving moves."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from giftshop import clock
from giftshop.foundation.settings import ROOT
from tests.zone_rules import OLD, going_by

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
    # days without a midnight: they begin at one
    (date(2027, 4, 30), 0, "Africa/Cairo", "2027-04-29T22:00"),
    (date(2027, 3, 28), 0, "Asia/Beirut", "2027-03-27T22:00"),
    (date(2027, 9, 5), 0, "America/Santiago", "2027-09-05T04:00"),
    (date(2027, 3, 28), 0, "Atlantic/Azores", "2027-03-28T01:00"),
    # a gap of half an hour, and a midnight that happens twice
    (date(2027, 10, 3), 2, "Australia/Lord_Howe", "2027-10-02T15:30"),
    (date(2027, 11, 7), 0, "America/Havana", "2027-11-07T04:00"),
    # a day that was left out: the hour after the leap
    (date(2011, 12, 30), 9, "Pacific/Apia", "2011-12-30T19:00"),
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


@pytest.mark.parametrize(
    ("hour", "first"), [(9, "2026-11-24"), (8, "2026-11-25"), (0, "2026-11-25"), (23, "2026-11-24")]
)
def test_the_first_day_is_the_one_whose_hour_is_still_to_come(hour: int, first: str) -> None:
    with time_machine.travel("2026-11-24T15:00:00Z", tick=False):  # eight in the morning in Denver
        assert clock.first_day(hour=hour, time_zone="America/Denver") == date.fromisoformat(first)


def test_what_is_no_place_is_no_zone_of_a_practice() -> None:
    zones = clock.list_zones()
    assert {"America/Denver", "America/Coyhaique", "Pacific/Auckland", "UTC"} <= zones
    assert zones.isdisjoint({"Factory", "localtime", "posixrules", ""})


# --- rules ------------------------------------------------------------------------------------------

JANUARY = date(2027, 1, 15)
NINE = {"2025b": datetime(2027, 1, 15, 17, tzinfo=UTC), "newest": datetime(2027, 1, 15, 16, tzinfo=UTC)}
"""Nine in the morning in Vancouver, which keeps to UTC−7 since November 2026."""
TELL = """
import json, sys, importlib
importlib.import_module(sys.argv[1])
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from giftshop import clock
nine = datetime(2027, 1, 15, 9, tzinfo=ZoneInfo("America/Vancouver")).astimezone(UTC)
print(json.dumps({**clock.describe_rules(), "nine": nine.isoformat()}))
"""


def nine_in_vancouver() -> datetime:
    return clock.local_moment(JANUARY, hour=9, time_zone="America/Vancouver")


def put_rules(folder: Path, version: str) -> clock.Rules:
    """Lay the zones of 2025b into a folder as if they were of another version."""
    (folder / "America").mkdir(parents=True, exist_ok=True)
    (folder / "America" / "Vancouver").write_bytes((Path(OLD.folder) / "America" / "Vancouver").read_bytes())
    (folder / "tzdata.zi").write_text(version)
    return clock.Rules(version.removeprefix("# version ").strip(), str(folder))


@pytest.mark.parametrize(
    "module", ["wsgi", "giftshop.documents.worker", "giftshop.devserver", "giftshop.workbench.app"]
)
def test_every_process_goes_by_the_newest_rules_whatever_the_system_has(module: str, tmp_path: Path) -> None:
    environment = {
        "PYTHONTZPATH": OLD.folder,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite",
    }
    done = subprocess.run(
        [sys.executable, "-c", TELL, module], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told.pop("in_use") >= "2026f"
    assert told == {"from": "tzdata", "system": "2025b", "is_system_older": True, "nine": NINE["newest"].isoformat()}


def test_old_rules_are_an_hour_off_and_newer_ones_win_in_any_order() -> None:
    (package,) = (rules for rules in clock.list_rules() if not rules.folder)
    with going_by(OLD):
        assert (clock.rules_in_use(), nine_in_vancouver()) == (OLD, NINE["2025b"])
    for rules in ((package, OLD), (OLD, package)):
        with going_by(*rules):
            assert (clock.rules_in_use(), nine_in_vancouver()) == (package, NINE["newest"])
    wall = datetime(2027, 1, 15, 9, tzinfo=ZoneInfo("America/Vancouver"))  # as any library would open it
    assert wall.utcoffset() == timedelta(hours=-7)


VERSIONS = [
    ("# version 2099a\n", True),
    ("# version 2099za\n", True),
    ("# version 2024b\n", False),
    ("no version\n", False),
    ("", False),
    ("# version \n", False),
]


@pytest.mark.parametrize(("head", "wins"), VERSIONS)
def test_rules_of_the_system_count_only_when_they_are_newer(
    head: str, wins: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_SYSTEM", (str(tmp_path / "none"), str(tmp_path)))
    put_rules(tmp_path, head)
    try:
        chosen = clock.use_newest_rules()
        assert (chosen.folder == str(tmp_path)) is wins
        assert nine_in_vancouver() == NINE["2025b" if wins else "newest"]
        assert clock.describe_rules()["is_system_older"] is not wins
    finally:
        monkeypatch.undo()
        clock.use_newest_rules()


def test_versions_are_compared_as_iana_counts_them() -> None:
    versions = ["", "2024b", "2025a", "2025b", "2025b-dirty", "2026a", "2026z", "2026za", "2027a"]
    ranks = [clock.Rules(version).rank for version in versions]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(versions) - 1


def test_a_running_process_takes_newer_rules_within_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_rules(tmp_path, "# version 2025b")
    monkeypatch.setattr(clock, "_SYSTEM", (str(tmp_path),))
    try:
        clock.use_newest_rules()
        assert nine_in_vancouver() == NINE["newest"]
        put_rules(tmp_path, "# version 2099a")
        assert nine_in_vancouver() == NINE["newest"]
        monkeypatch.setattr(clock._chosen, "look_at", 0.0)  # the minute is over
        assert nine_in_vancouver() == NINE["2025b"]
        assert clock.rules_in_use().version == "2099a"
    finally:
        monkeypatch.undo()
        clock.use_newest_rules()
