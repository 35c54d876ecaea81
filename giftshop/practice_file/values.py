"""What stands in a practice file: each name with the reader of its value, for reading.py and writing.py.

A reader takes what TOML gave and returns what a column holds, or raises ShopError with the sentence to read.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from giftshop import clock
from giftshop.catalog import booking
from giftshop.catalog.law import is_place
from giftshop.catalog.models import PromiseRule
from giftshop.delivery.addresses import read_address
from giftshop.documents.artwork.drawing import PALETTES
from giftshop.errors import ShopError
from giftshop.money import parse_amount, read_exact
from giftshop.money.currencies import as_of, find_currency

Reader = Callable[[Any], Any]

AMOUNTS = frozenset({"minimum", "maximum", "buyer_day_limit", "manager_refund_limit", "price"})
"""Names of sums; their columns end in "_cents"."""
OPTIONAL: dict[str, Any] = {
    "manager_refund_limit": 0,
    "unpaid_kept_days": 30,
    "session_promise": "honour",
    "buyer_refund": "ask",
    "minutes": None,
    "visibility": "public",
    "booking_link": "",
}
"""What may be left out, and what that means."""


class ValueWrongError(ShopError):
    """That value does not fit."""


def column_of(name: str) -> str:
    """Return the column that a name of the file stands for."""
    return f"{name}_cents" if name in AMOUNTS else name


def practice_readers(currency: str) -> dict[str, Reader]:
    """Return the names of the practice, in the order they are written, with their readers."""
    amount = partial(_read_amount, currency)
    return {
        "name": _line(80),
        "short_name": _line(40),
        "legal_name": _line(120),
        "address": _line(200),
        "phone": _matching(r"[0-9+(). /x-]{5,40}", "a telephone number"),
        "email": lambda value: read_address(_line(200)(value)),
        "booking_url": _read_booking_link,
        "time_zone": _one_of(clock.list_zones(), 'a time zone like "America/Denver"'),
        "currency": read_currency,
        "place": _read_place,
        "palette": _one_of(PALETTES, "one of " + ", ".join(PALETTES)),
        "is_selling": _read_yes_or_no,
        "minimum": amount,
        "maximum": amount,
        "buyer_day_limit": amount,
        "delivery_hour": _number(0, 23),
        "refund_days": _number(0, 365),
        "manager_refund_limit": amount,
        "unpaid_kept_days": _number(2, 3650),
        "session_promise": _one_of(frozenset(PromiseRule), 'one of "honour", "value" and "ask"'),
        "buyer_refund": _one_of(frozenset({"ask", "at_once"}), 'one of "ask" and "at_once"'),
    }


def offer_readers(currency: str) -> dict[str, Reader]:
    """Return the names of an offer, in the order they are written, with their readers."""
    slug = r"(?!amount$)[a-z0-9]+(-[a-z0-9]+)*"
    return {
        "slug": _matching(slug, 'of small letters, figures and dashes, like "60-minutes", and not "amount"'),
        "name": _line(60),
        "minutes": _number(1, 600),
        "description": _line(200),
        "price": partial(_read_amount, currency),
        "visibility": _one_of({"public", "unlisted"}, '"public" or "unlisted"'),
        "booking_link": lambda value: _read_booking_link(value) if value != "" else "",
    }


def read_currency(value: Any) -> str:
    """Read a currency by its three letters; only those that Stripe takes, and none that is history."""
    code = _read_text(value)
    if find_currency(code) is None:
        raise ValueWrongError(
            f'must be a currency that people pay with today, by its letters, like "USD", and that Stripe takes '
            f"(as of {as_of()})."
        )
    return code


def _read_amount(currency: str, value: Any) -> int:
    """Read a sum as it was written: in figures, to which TOML gives their meaning, or in quotes as people write."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueWrongError("must be an amount, like 95.00.")
    return parse_amount(value, currency) if isinstance(value, str) else read_exact(value, currency)


def _read_booking_link(value: Any) -> str:
    return booking.read_link(_read_text(value))


def _read_place(value: Any) -> str:
    place = _read_text(value)
    if not is_place(place):
        raise ValueWrongError('must be a state or country, like "US-CO" or "DE".')
    return place


def _read_yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueWrongError("must be true or false.")
    return value


def _number(least: int, most: int) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueWrongError(f"must be a whole number from {least} to {most}.")
        return value

    return read


def _line(longest: int) -> Reader:
    def read(value: Any) -> str:
        text = " ".join(_read_text(value).split())
        if not text or len(text) > longest or not text.isprintable():
            raise ValueWrongError(f"must be one line of 1 to {longest} characters.")
        return text

    return read


def _matching(pattern: str, what: str) -> Reader:
    def read(value: Any) -> str:
        text = _read_text(value)
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueWrongError(f"must be {what}.")
        return text

    return read


def _one_of(allowed: Any, what: str) -> Reader:
    def read(value: Any) -> str:
        text = _read_text(value)
        if text not in allowed:
            raise ValueWrongError(f"must be {what}.")
        return text

    return read


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueWrongError("must be a text in quotes.")
    return value
