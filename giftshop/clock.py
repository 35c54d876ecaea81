"""The one clock: every moment in the shop is an aware UTC datetime from here, and every wall clock follows one set of
time zone rules, the newest on this machine.

Governments change their clocks at short notice, and Python reads the system's rules before those of the package that
is pinned: where the system is older, it would be an hour off (docs/decisions/0029-the-moment-that-was-said.md). Nothing
else in the shop opens a zone.
"""

import re
import time
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

_VERSION = re.compile(r"([0-9]{4})([a-z]*)")
SKEW = timedelta(minutes=5)
"""How far the clocks of two hosts may be apart."""
LOOK_SECONDS = 60
"""How often a running process looks whether newer rules were installed."""
_SYSTEM = zoneinfo.TZPATH
_NO_PLACES = frozenset({"Factory", "localtime"})
"""Names that mean "not set up" and "wherever this machine stands"."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A set of time zone rules: its version as IANA names it ("2026f"), "" if it says none, and the folder it lies in,
    "" for the package tzdata.
    """

    version: str
    folder: str = ""

    @property
    def rank(self) -> tuple[str, int, str]:
        """What grows from one version to the next: none, 2025b, 2026a, 2026z, 2026za."""
        found = _VERSION.match(self.version)
        year, letters = found.groups() if found else ("", "")
        return year, len(letters), letters


@dataclass(slots=True)
class _Chosen:
    """The rules this process goes by, and when to look again whether there are newer ones."""

    rules: Rules
    look_at: float


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def today(time_zone: str) -> date:
    """Return the calendar day it is now in the named IANA time zone."""
    return local(now(), time_zone).date()


def first_day(*, hour: int, time_zone: str) -> date:
    """Return the first day on which it has not been `hour` yet in `time_zone`: today, or the day after."""
    day = today(time_zone)
    return day if local_moment(day, hour=hour, time_zone=time_zone) > now() else day + timedelta(days=1)


def local_moment(day: date, *, hour: int, time_zone: str) -> datetime:
    """Return the UTC moment at which the wall clock of `time_zone` shows `hour`:00 on `day`.

    An hour that a change of the clocks skips is read with the offset before the change, so the moment falls right
    after the gap, on a day without a midnight too; an hour that happens twice means the first of the two (PEP 495,
    fold=0).
    """
    wall = datetime(day.year, day.month, day.day, hour, tzinfo=_zone(time_zone))
    return wall.astimezone(UTC)


def local(moment: datetime, time_zone: str) -> datetime:
    """Return `moment` as the wall clock of `time_zone` shows it."""
    return moment.astimezone(_zone(time_zone))


def list_zones() -> set[str]:
    """Return the names of all time zones that a practice can be in."""
    return zoneinfo.available_timezones() - _NO_PLACES


def list_rules() -> list[Rules]:
    """Return all rules on this machine: the pinned package's first, then those of the system, in Python's order."""
    return [*_rules_of_package(), *_rules_of_system()]


def rules_in_use() -> Rules:
    """Return the rules that this process goes by."""
    return _chosen.rules


def describe_rules() -> dict[str, str | bool]:
    """Say which rules this process goes by, where they lie, and whether those that Python would have taken are older.

    `system` is "" where the system has none, or some that do not say their version.
    """
    used, others = _chosen.rules, _rules_of_system()
    system = others[0] if others else Rules("")
    return {
        "in_use": used.version,
        "from": used.folder or "tzdata",
        "system": system.version,
        "is_system_older": bool(others) and system.rank < used.rank,
    }


def use_newest_rules() -> Rules:
    """Go by the newest rules on this machine from here on, and return them.

    Of equal ones the package's count. A zone that was read before is forgotten; moments are not: they are in UTC.
    """
    rules = max(list_rules(), key=lambda each: each.rank, default=Rules(""))
    if rules != _chosen.rules:
        zoneinfo.reset_tzpath(to=[rules.folder] if rules.folder else [])
        ZoneInfo.clear_cache()
    _chosen.rules, _chosen.look_at = rules, time.monotonic() + LOOK_SECONDS
    return rules


def _zone(name: str) -> ZoneInfo:
    """Open a time zone; now and then look first whether its rules were replaced under this process."""
    if time.monotonic() >= _chosen.look_at:
        use_newest_rules()
    return ZoneInfo(name)


def _rules_of_package() -> list[Rules]:
    try:
        index = resources.files("tzdata") / "zoneinfo" / "tzdata.zi"
        return [Rules(_read_version(index))]
    except ModuleNotFoundError:
        return []


def _rules_of_system() -> list[Rules]:
    folders = [Path(folder) for folder in _SYSTEM]
    return [Rules(_read_version(folder / "tzdata.zi"), str(folder)) for folder in folders if folder.is_dir()]


def _read_version(index: Traversable) -> str:
    """Return the version in the first line of IANA's own index ("# version 2026f"), "" where there is none."""
    try:
        with index.open(encoding="utf-8") as lines:
            head = lines.readline(100)
    except (OSError, UnicodeDecodeError):
        return ""
    return head.removeprefix("# version ").strip() if head.startswith("# version ") else ""


_chosen = _Chosen(Rules(""), 0.0)
use_newest_rules()
