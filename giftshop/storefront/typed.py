"""Text as strangers type it: each function gives the form a clean value, or refuses with the sentence that helps."""

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from itertools import groupby

from babel.dates import format_date

from giftshop.delivery.addresses import AddressInvalidError, Question, read_sure_address
from giftshop.errors import ShopError
from giftshop.money import LOCALE
from giftshop.words import _

NAME_LIMIT, MESSAGE_LIMIT, MOST_ALIKE = 60, 400, 10
_UNREADABLE = "\ufffd"
_REFUSED = frozenset(_UNREADABLE + "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))
_UNSEEN = frozenset(("Cf", "Zs", "Mn", "Me", "Cn", "Co"))
_MOST_MARKS = 4
"""Accents stacked on one letter; a thousand of them cost the printer seconds and nobody can read five."""


class TypedError(ShopError):
    """Please check this."""


def told(refusal: ShopError) -> str:
    """Return what stands at a field that was refused: a sentence without its full stop, or a question as it is."""
    return refusal.message if isinstance(refusal.message, Question) else refusal.message.removesuffix(".")


def readable(text: str) -> str:
    """Return what was typed as a page can hold it: NUL is no letter to HTML, and comes back as "unreadable"."""
    return text.replace("\0", _UNREADABLE)


def read_name(text: str, *, missing: str) -> str:
    """Read a name of one line, at most 60 characters, in composed form (NFC). Raises TypedError."""
    _refuse_unprintable(text)
    name = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    if not _is_visible(name):
        raise TypedError(missing)
    return _within(name, NAME_LIMIT)


def read_message(text: str) -> str:
    """Read a message of some lines, at most 400 characters; may be empty. Raises TypedError."""
    lines = text.replace("\r\n", "\n")
    _refuse_unprintable(lines.replace("\n", ""))
    message = re.sub(r"\n{3,}", "\n\n", unicodedata.normalize("NFC", lines)).strip()
    return _within(message, MESSAGE_LIMIT) if _is_visible(message) else ""


def read_email(text: str, *, wrong: str, kept: Collection[str] = ()) -> str:
    """Read exactly one e-mail address; a foreign domain comes back in its ASCII form.

    Raises TypedError, and AddressDoubtfulError for one that looks misspelt and is not among the `kept`.
    """
    try:
        return read_sure_address(text, kept)
    except AddressInvalidError:
        raise TypedError(wrong) from None


def read_day(text: str, *, first: date, last: date) -> date | None:
    """Read a day as date fields send it; None for an empty field. Raises TypedError outside first…last."""
    if not text.strip():
        return None
    day = find_day(text)
    if day is None or not first <= day <= last:
        raise TypedError(
            _(
                "Choose a day from %(first)s to %(last)s, or leave it empty to send it now",
                first=written(first),
                last=written(last),
            )
        )
    return day


def find_day(text: str) -> date | None:
    """Return the day in "2026-12-01", or None for anything else."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def read_quantity(text: str) -> int:
    """Read how many alike, 1 to 10; an empty field means one. Raises TypedError."""
    figures = text.strip() or "1"
    if not re.fullmatch(r"[0-9]{1,2}", figures) or not 1 <= int(figures) <= MOST_ALIKE:
        raise TypedError(_("Enter how many you want, from 1 to %(most)s", most=MOST_ALIKE))
    return int(figures)


def written(day: date) -> str:
    """Write a day as people read it ("December 1, 2026")."""
    return format_date(day, "long", locale=LOCALE)


def _refuse_unprintable(text: str) -> None:
    if any(unicodedata.category(sign) in _UNPRINTABLE or sign in _REFUSED for sign in text):
        raise TypedError(_("This holds invisible signs that can’t be printed. Type it again by hand"))
    stacks = groupby(unicodedata.normalize("NFD", text), key=lambda sign: unicodedata.category(sign)[0] == "M")
    if any(is_mark and len(list(marks)) > _MOST_MARKS for is_mark, marks in stacks):
        raise TypedError(_("This has more accents on one letter than we can print. Use fewer"))


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(sign) not in _UNSEEN for sign in text)


def _within(text: str, limit: int) -> str:
    if (over := len(text) - limit) > 0:
        raise TypedError(_("Use at most %(limit)s characters. This is %(over)s too many", limit=limit, over=over))
    return text
