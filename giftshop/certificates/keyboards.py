"""Keyboards: what a scanner set to a US keyboard types where another layout is in use, read back, or the layout named.

Such a scanner presses keys, and the computer says what they mean: on a German one `HTTPS://` arrives as `HTTPSÖ--`,
and Y and Z change places. Tables of xkb-data (keyboards.json names its version) lead from each sign back to its key;
Shift and Caps Lock, which differ between systems, do not matter to that.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.lists import format_list

from giftshop.errors import InvalidCodeError
from giftshop.words import N_, _, current_language

KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789;/.-]"
"""The keys of a US keyboard that an address in capitals needs, and the bracket of a scanner's own prefix."""
TABLES = Path(__file__).with_name("keyboards.json")
MOST_SCANNED = 400
_MEANT = KEYS.replace(";", ":")
_ADDRESS = re.compile(r"HTTPS?://[A-Z0-9.:-]+/C/[A-Z0-9-]++(?!\0)", re.ASCII)
_ALONE = re.compile(r"(?:.[A-Z][0-9])?((?:[0-9A-Z]{4}-?){4})", re.ASCII)
_SCHEME = re.compile(r"(?:.?[A-Z].)?HTTPS?[^A-Z0-9]", re.ASCII)
"""How an address starts, perhaps behind a scanner's own prefix, whose bracket may be lost, like the colon here."""
_LOST = "\0"


class WrongKeyboardError(InvalidCodeError):
    """The scanner types for another keyboard than this computer has."""


@dataclass(frozen=True, eq=False)
class Keyboard:
    """The layouts that type alike: what each sign of theirs was pressed as, and what they are called."""

    pressed: dict[str, str]
    usual: frozenset[str]
    names: tuple[str, ...]
    is_read: bool

    def is_usual_for(self, text: str) -> bool:
        """Tell whether a scanner's keys make these signs here, with Caps Lock or without, and no odd state of Shift."""
        return set(text) <= self.usual or set(text.swapcase()) <= self.usual


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a scanner sent if one of these keyboards is in use: a certificate's address, or else a code alone."""

    text: str
    keyboard: Keyboard
    is_address: bool


def read_back(text: str) -> list[Meaning]:
    """Return what a scanner may have sent, one for each keyboard in use on which this would arrive.

    An address, whose scheme reads back, is certain: beside one, nothing else is a meaning.
    """
    scanned = text.strip()
    if not 0 < len(scanned) <= MOST_SCANNED:
        return []
    sent = [(_pressed_for(scanned, keyboard), keyboard) for keyboard in _keyboards() if keyboard.is_read]
    sent = [(meant, keyboard) for meant, keyboard in sent if meant != scanned.upper()]
    addresses = [
        Meaning(found[0], keyboard, is_address=True) for meant, keyboard in sent if (found := _ADDRESS.search(meant))
    ]
    alone = (Meaning(found[1], keyboard, False) for meant, keyboard in sent if (found := _ALONE.fullmatch(meant)))
    return addresses or list(alone)


def find_unreadable(text: str) -> list[Keyboard]:
    """Return the keyboards on which a scanner's "HTTPS" starts like this text, of those that are not read back."""
    scanned = text.strip()[:MOST_SCANNED]
    if scanned.isascii() and _SCHEME.match(scanned.upper()):
        return []
    return [each for each in _keyboards() if not each.is_read and _SCHEME.match(_pressed_for(scanned, each))]


def refuse(blamed: list[Keyboard], text: str) -> None:
    """Raise WrongKeyboardError, with what to set on the scanner, unless no keyboard is to blame for this text."""
    likely = [each for each in blamed if each.is_usual_for(text.strip())] or blamed
    if likely:
        names = format_list(name_keyboards(likely), style="or", locale=current_language())
        told = N_(
            "The scanner types for a US keyboard, and this computer has another one: %(names)s. Set the scanner to that"
            " one, as its manual says, and scan once more; or use the camera, or type the code."
        )
        raise WrongKeyboardError(_(told, names=names))


def name_keyboards(blamed: list[Keyboard]) -> list[str]:
    """Return what people call keyboards, each once: by language and country ("German"), or by a name of their own."""
    return list(dict.fromkeys(_name(name) for each in blamed for name in each.names))


def _name(name: str) -> str:
    try:
        return Locale.parse(name).get_display_name(current_language()) or name
    except (UnknownLocaleError, ValueError):
        return name


def _pressed_for(scanned: str, keyboard: Keyboard) -> str:
    """Return the keys that type this text, a NUL for each sign that no key of an address types there."""
    return "".join(keyboard.pressed.get(sign, _LOST) for sign in scanned)


@cache
def _keyboards() -> tuple[Keyboard, ...]:
    return tuple(_read(table) for table in json.loads(TABLES.read_text())["tables"])


def _read(table: dict[str, Any]) -> Keyboard:
    """Lead from each sign to its key. A scanner's own signs come first: letters and the colon are shifted, and Caps
    Lock turns that, figures included on some systems; the other case of a sign is what it makes of accented ones.
    """
    rows = list(zip(_MEANT, table["plain"], table["shifted"], strict=True))
    usual = [(high if key.isalpha() or key == ":" else low, key) for key, low, high in rows]
    other = [(sign, key) for key, low, high in rows for sign in (low, high)]
    cases = [(case, key) for sign, key in usual + other for case in (sign.upper(), sign.lower()) if len(case) == 1]
    pressed: dict[str, str] = {}
    for sign, key in usual + other + cases:
        if sign != _LOST:
            pressed.setdefault(sign, key)
    return Keyboard(pressed, frozenset(sign for sign, _key in usual), tuple(table["names"]), table["is_read"])
