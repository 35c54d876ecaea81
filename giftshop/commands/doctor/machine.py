"""What the doctor asks the machine: time zone rules, fonts, disk, versions."""

import ctypes
import shutil
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tzdata  # type: ignore[import-untyped]

from giftshop import clock
from giftshop.commands.doctor.findings import Finding, fault, ok, shop_settings, warning
from giftshop.foundation.setting_checks import list_doubtful
from giftshop.foundation.settings import ROOT

GIGABYTE = 1_000_000_000
LEAST_FREE, LITTLE_FREE = GIGABYTE // 5, 2 * GIGABYTE
SCRIPTS = {
    "Chinese": "山",
    "Japanese": "あ",
    "Korean": "한",
    "Arabic": "ع",
    "Hebrew": "א",
    "Hindi": "ह",
    "Thai": "ก",
    "emoji": "😀",
}
"""Scripts that people's names come in, by a letter of each, which some font must have."""
_RELEASED_BY = 120
"""Days into a year by which its first rules have been out every year."""


def check_settings() -> Iterator[Finding]:
    """Look at what the shop starts with and what is most likely not meant."""
    for sentence in list_doubtful(shop_settings()):
        yield (fault if sentence.startswith("GIFTSHOP_PROXY_HOPS") else warning)("settings", sentence)
    yield ok("settings", f"{shop_settings().env}, {shop_settings().stripe_mode} payments, {shop_settings().base_url}")


def check_zone_rules() -> Iterator[Finding]:
    """Compare the time zone rules in use with the newest that are here, and with the calendar."""
    used, system, ours = rules_in_use(), _system_rules(), tzdata.IANA_VERSION
    newest = max(system, ours)
    if used < newest:
        yield fault(
            "time zones",
            f"The rules of {used} are used, and those of {newest} are here: where they differ gifts go out at a wrong"
            " hour. Bring the system's tzdata up to date, or set PYTHONTZPATH to nothing.",
        )
    elif int(used[:4]) < _year_of_rules():
        yield fault("time zones", f"The rules are those of {used}. Update tzdata: pip install -U tzdata, or apt.")
    else:
        yield ok("time zones", f"rules of {used}" + (f" (the system has {system})" if system != used else ""))


def rules_in_use() -> str:
    """Return the version of the rules that `zoneinfo` reads: the system's where it has any, else the package's."""
    return _system_rules() or tzdata.IANA_VERSION


def _system_rules() -> str:
    """Return the version of the rules on the path of `zoneinfo`; "" where there are none."""
    for folder in map(Path, zoneinfo.TZPATH):
        listing = folder / "tzdata.zi"
        if listing.exists():
            with listing.open(encoding="utf-8", errors="replace") as lines:
                return lines.readline().removeprefix("# version").strip()
        if (folder / "+VERSION").exists():
            return (folder / "+VERSION").read_text().strip()
    return ""


def _year_of_rules() -> int:
    today = clock.now()
    return today.year if today.timetuple().tm_yday > _RELEASED_BY else today.year - 1


def check_fonts() -> Iterator[Finding]:
    """Look for a font for each script: what no font has is printed as boxes."""
    if missing := list_missing_scripts():
        yield fault(
            "fonts",
            f"No font here has {', '.join(missing)}: such names would be printed as boxes."
            " On Debian: apt-get install fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji",
        )
    else:
        yield ok("fonts", f"{len(SCRIPTS)} scripts beyond the shop's own typefaces")


def list_missing_scripts() -> list[str]:
    """Return the scripts that no installed font has, as fontconfig, whom the printing asks too, knows them."""
    name = find_library("fontconfig")
    if name is None:
        return list(SCRIPTS)
    fonts = ctypes.CDLL(name)
    for function in ("FcPatternCreate", "FcCharSetCreate", "FcObjectSetBuild", "FcFontList"):
        getattr(fonts, function).restype = ctypes.c_void_p
    return [script for script, letter in SCRIPTS.items() if not _has_font(fonts, letter)]


def _has_font(fonts: ctypes.CDLL, letter: str) -> bool:
    pattern, letters = ctypes.c_void_p(fonts.FcPatternCreate()), ctypes.c_void_p(fonts.FcCharSetCreate())
    fonts.FcCharSetAddChar(letters, ord(letter))
    fonts.FcPatternAddCharSet(pattern, b"charset", letters)
    wanted = ctypes.c_void_p(fonts.FcObjectSetBuild(b"family", None))
    found = fonts.FcFontList(None, pattern, wanted)
    return bool(found) and ctypes.cast(found, ctypes.POINTER(ctypes.c_int))[0] > 0


def check_disk() -> Iterator[Finding]:
    """Look at the room that is left where the shop writes."""
    database = shop_settings().database_url
    folders = [Path(tempfile.gettempdir())]
    if database.startswith("sqlite:///"):
        folders.insert(0, Path(database.removeprefix("sqlite:///")).parent)
    for folder in folders:
        free = shutil.disk_usage(folder).free
        left = f"{free / GIGABYTE:.1f} GB free in {folder}"
        if free < LEAST_FREE:
            yield fault("disk", f"{left}. Without room nothing can be sold or redeemed.")
        else:
            yield (warning if free < LITTLE_FREE else ok)("disk", left)


def check_versions() -> Iterator[Finding]:
    """Compare what is installed with what the shop was tried with."""
    found = [(name, wanted, _installed(name)) for name, wanted in _pins()]
    other = [f"{name} {here} instead of {wanted}" for name, wanted, here in found if not _is_same(here, wanted)]
    python = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield fault("versions", f"Python {python}; the shop was tried with 3.11 to 3.13.")
    if other:
        more = f" and {len(other) - 5} more" if len(other) > 5 else ""
        yield warning("versions", f"{', '.join(other[:5])}{more}. pip install --require-hashes -r requirements.txt")
    else:
        yield ok("versions", f"giftshop {_own_version()}, Python {python}, every package as pinned")


def _pins() -> Iterator[tuple[str, str]]:
    """Yield the packages that are pinned for every machine, with their versions."""
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        pin = line.removesuffix("\\").strip()
        if "==" in pin and not pin.startswith(("#", "-")) and ";" not in pin:
            name, _, wanted = pin.partition("==")
            yield name.partition("[")[0], wanted.strip()


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _is_same(found: str, wanted: str) -> bool:
    """Compare versions by their numbers: one package calls its 1.6 "1.006"."""
    one, other = ([int(part) if part.isdigit() else part for part in text.split(".")] for text in (found, wanted))
    return one == other


def _own_version() -> str:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8") if (ROOT / "pyproject.toml").exists() else ""
    return next((line.split('"')[1] for line in text.splitlines() if line.startswith("version = ")), "unknown")
