"""Money as people read it: signs, grouping and decimals, for pages, mails, paper and forms.

A sum is written with as many decimals as its currency has at Stripe (currencies.py); where people count whole units
they are left out while they are zero, and never when they are not.
"""

import unicodedata
from functools import lru_cache

from babel.numbers import get_currency_name

from giftshop.money.currencies import Currency, get_currency, list_codes

LOCALE = "en_US"
_GAP = "\N{NO-BREAK SPACE}"
_home = {"country": ""}


def be_at_home_in(place: str) -> None:
    """Write amounts as people do in this place ("CA", "US-CO") from here on, in this process.

    A shop has one practice, so this is a fact of the installation like its keys: whoever reads the practice says it
    (catalog/practice.py), and nobody has to carry it to every amount.
    """
    _home["country"] = place[:2]


def format_amount(amount_cents: int, currency: str) -> str:
    """Write minor units as people read money facts ("$25.00", "CHF 25.00", "500.00 kr", "¥5,000").

    The sign is the home one where place and currency agree ("$95.00" in Canada), else one that cannot be mistaken
    ("CA$95.00"). Letters stand apart from figures, as Unicode says (UTS 35, currencySpacing).
    """
    return _written(amount_cents, currency, _home["country"], always=True)


def format_choice(amount_cents: int, currency: str) -> str:
    """Write minor units as people read choices: without cents when they are zero ("$95", "$19.99")."""
    return _written(amount_cents, currency, _home["country"], always=False)


def name_unit(currency: str) -> str:
    """Name what a field counts amounts in ("dollars", "yen"): at the practice nobody says "US dollars"."""
    name: str = get_currency_name(currency, count=2, locale=LOCALE)
    return name.partition(" (")[0].rsplit(" ", 1)[-1]


def format_plain(amount_cents: int, currency: str) -> str:
    """Write minor units as a form field holds them: figures and a point, no sign ("95.00"); reads back the same."""
    kind = get_currency(currency)
    return _figures(amount_cents, kind, decimals=_decimals(amount_cents, kind, always=True), group="")


def home_sign(currency: str) -> tuple[str, bool]:
    """Return the sign that amounts carry here, and whether it stands after the figures."""
    return _sign(get_currency(currency), _home["country"])


@lru_cache(maxsize=4096)  # a page writes the same few prices again and again: a fifth of what the home page cost
def _written(amount_cents: int, currency: str, country: str, *, always: bool) -> str:
    kind = get_currency(currency)
    decimals = _decimals(amount_cents, kind, always=always)
    figures = _figures(abs(amount_cents), kind, decimals=decimals, group=",")
    sign, stands_after = _sign(kind, country)
    minus = "-" if amount_cents < 0 else ""
    if stands_after:
        return f"{minus}{figures}{_GAP}{sign}"
    return f"{minus}{sign}{_GAP if is_set_apart(sign) else ''}{figures}"


def is_set_apart(sign: str) -> bool:
    """Tell whether a sign before figures is parted from them: letters are, "$" is not, nor is the rand's ("R500")."""
    return unicodedata.category(sign[-1]) != "Sc" and sign != "R"


def _sign(kind: Currency, country: str) -> tuple[str, bool]:
    if country in kind.places or (not country and kind.code == "USD"):
        return kind.sign, kind.stands_after
    if kind.code == "USD" and not _counts_in_dollars(country):
        return kind.sign, False
    return kind.abroad, False


def _counts_in_dollars(country: str) -> bool:
    """Tell whether a "$" alone would mean another money where the practice is."""
    return any("$" in kind.sign and country in kind.places for kind in map(get_currency, list_codes()))


def _decimals(amount_cents: int, kind: Currency, *, always: bool) -> int:
    """Return how many decimals to write: none where they are zero and people leave them out.

    Three are always written: "KWD 5,000" might be five of them to somebody else.
    """
    may_leave_out = kind.is_whole or (not always and kind.decimals < 3)
    return 0 if may_leave_out and amount_cents % 10**kind.decimals == 0 else kind.decimals


def _figures(amount_cents: int, kind: Currency, *, decimals: int, group: str) -> str:
    whole, part = divmod(abs(amount_cents), 10**kind.decimals)
    minus = "-" if amount_cents < 0 else ""
    grouped = f"{whole:,}".replace(",", group)
    return f"{minus}{grouped}.{part:0{decimals}d}" if decimals else f"{minus}{grouped}"
