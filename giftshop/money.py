"""Money as integer minor units: read what people type, write what people read."""

import re
from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_name, get_currency_precision, get_currency_symbol

from giftshop.errors import InvalidAmountError

LOCALE = "en_US"
_FIGURES = re.compile(r"(?P<whole>[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.(?P<part>[0-9]{1,3}))?", re.ASCII)


def parse_amount(text: str, currency: str) -> int:
    """Read a typed amount as minor units of `currency` ("$1,250.50" → 125050).

    Accepts the currency's sign, spaces around it, grouping commas and fewer decimals than the currency
    has; refuses signs, exponents, foreign digits and fractions finer than the currency, never rounding.
    Raises InvalidAmountError.
    """
    symbol = get_currency_symbol(currency, locale=LOCALE)
    figures = _FIGURES.fullmatch(text.strip(" \t\u00a0").removeprefix(symbol).strip(" \t\u00a0"))
    if figures is None:
        raise InvalidAmountError
    exponent: int = get_currency_precision(currency)
    part = figures["part"] or ""
    if len(part) > exponent:
        raise InvalidAmountError
    whole, rest = int(figures["whole"].replace(",", "")), int(part.ljust(exponent, "0") or "0")
    cents: int = whole * 10**exponent + rest
    return cents


@lru_cache(maxsize=4096)  # a page writes the same few prices again and again: a fifth of what the home page cost
def format_amount(amount_cents: int, currency: str) -> str:
    """Write minor units as people read money facts: always with cents ("$25.00", "CHF 25.00").

    Letters stand apart from figures, as Unicode says (UTS 35, currencySpacing) and Babel leaves out.
    """
    text: str = format_currency(_major(amount_cents, currency), currency, locale=LOCALE)
    symbol: str = get_currency_symbol(currency, locale=LOCALE)
    return text.replace(symbol, f"{symbol}\N{NO-BREAK SPACE}", 1) if symbol[-1].isalpha() else text


def format_choice(amount_cents: int, currency: str) -> str:
    """Write minor units as people read choices: without cents when they are zero ("$95", "$19.99")."""
    text = format_amount(amount_cents, currency)
    return text.removesuffix("." + "0" * get_currency_precision(currency))


def name_unit(currency: str) -> str:
    """Name what a field counts amounts in ("dollars", "yen"): at the practice nobody says "US dollars"."""
    return get_currency_name(currency, count=2, locale=LOCALE).rsplit(" ", 1)[-1]


def format_plain(amount_cents: int, currency: str) -> str:
    """Write minor units as a form field holds them: figures and a point, no sign ("95.00")."""
    return f"{_major(amount_cents, currency):.{get_currency_precision(currency)}f}"


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount of this currency has: 2 for dollars, none for yen."""
    digits: int = get_currency_precision(currency)
    return digits


def _major(amount_cents: int, currency: str) -> Decimal:
    return Decimal(amount_cents).scaleb(-get_currency_precision(currency))
