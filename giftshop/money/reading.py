"""Money as people type it: one reader for every field, which static/js/amounts.js follows case by case.

Both are held to tests/amounts.json. A comma or a point is a decimal sign where it can only be that, and a text that can
be read in two ways is refused: docs/decisions/0001-integer-cents.md.
"""

import functools
import json
import re
import unicodedata
from decimal import Decimal

from giftshop.errors import AmountInTwoWaysError, AmountTooFineError, InvalidAmountError
from giftshop.money.currencies import Currency, get_currency
from giftshop.money.writing import home_sign, is_set_apart

_SPACES = r"[ \t\u1680\u200e\u200f]*"
"""What is left of spaces by NFKC, and the marks that pasted Arabic signs bring."""
_GROUPS = r".,\u066c '\u2018\u2019\u02bc\u2032"
_WHOLE = rf"([1-9][0-9]{{0,2}}([{_GROUPS}])[0-9]{{3}}(?:\3[0-9]{{3}})*|[0-9]+)"
_REST = r"(?:([.,\u066b])([0-9]+)|([.,:])[-\u2013\u2014]{1,2})?"
"""The decimals, or what stands for none of them ("95.-", "95,\u2013", "95:-")."""
_ONLY_BEFORE = ("k", "m")
"""Signs that mean thousands and millions when they stand behind a figure."""
_NEEDS_ESCAPE = re.compile(r"[.$*+?()\[\]{}|\\^/]")


def parse_amount(text: str, currency: str) -> int:
    """Read a typed amount as minor units of `currency` ("$1,250.50" → 125050, "12,50 €" → 1250).

    Takes any sign of the currency before or after, full-width figures and those of its own places' script, spaces and
    apostrophes between groups of three. Raises InvalidAmountError or a subclass that says more; never rounds.
    """
    kind = get_currency(currency)
    found = re.fullmatch(pattern_of(kind.code), _fold(text, kind.zero))
    if found is None or (found[1] and found[1] == found[7]):
        raise InvalidAmountError
    whole, group, sign, part = found[2], found[3] or "", found[4] or found[6] or "", found[5] or ""
    if group and group == sign:
        raise InvalidAmountError
    if group and not sign and _is_decimal_sign(group, whole, kind):
        whole, part = whole.split(group)
    figures = re.sub("[^0-9]", "", whole)
    if len(figures) > kind.figures:
        raise InvalidAmountError
    if len(part) > kind.fractions:
        raise AmountTooFineError
    cents: int = int(figures) * 10**kind.decimals + int(part.ljust(kind.decimals, "0") or "0")
    return cents


def read_exact(value: int | Decimal, currency: str) -> int:
    """Return a number that a program wrote as minor units. Raises InvalidAmountError, AmountTooFineError."""
    kind = get_currency(currency)
    cents = Decimal(value).scaleb(kind.decimals)
    if not cents.is_finite() or cents < 0 or cents >= 10 ** (kind.figures + kind.decimals):
        raise InvalidAmountError
    if cents != cents.to_integral_value() or (kind.fractions == 0 and cents % 10**kind.decimals):
        raise AmountTooFineError
    return int(cents)


def reading_rules(currency: str) -> str:
    """Return what static/js/amounts.js needs to read and write amounts as this module does, as JSON."""
    kind = get_currency(currency)
    sign, stands_after = home_sign(currency)
    rules = {
        "pattern": pattern_of(kind.code),
        "decimals": kind.decimals,
        "fractions": kind.fractions,
        "figures": kind.figures,
        "isWhole": kind.is_whole,
        "step": kind.step_cents,
        "zero": kind.zero,
        "sign": sign,
        "standsAfter": stands_after,
        "isSetApart": is_set_apart(sign),
    }
    return json.dumps(rules, ensure_ascii=False)


@functools.cache
def pattern_of(code: str) -> str:
    """Return the regular expression of an amount once folded, for Python and for browsers alike.

    Its groups: a sign before, the whole figures, what parts their groups, the decimal sign, the decimals, the sign
    before a dash that stands for none, a sign after.
    """
    kind = get_currency(code)
    signs = sorted({_sign(each) for each in (code, kind.sign, kind.abroad, *kind.also)}, key=lambda s: (-len(s), s))
    before = "|".join(map(_escaped, signs))
    after = "|".join(_escaped(sign) for sign in signs if sign not in _ONLY_BEFORE)
    return f"{_SPACES}({before})?{_SPACES}{_WHOLE}{_REST}{_SPACES}({after})?{_SPACES}"


def _is_decimal_sign(group: str, whole: str, kind: Currency) -> bool:
    """Tell whether the only sign among figures, with three of them behind it, parts units from decimals.

    As the shop itself writes: with a comma between thousands, and with a point before three decimals where there are
    three. Raises AmountInTwoWaysError where neither that nor the currency decides.
    """
    if group not in ".," or whole.count(group) > 1 or kind.is_whole:
        return False
    if kind.fractions == 3 and group == ".":
        return True
    if kind.fractions == 2 and group == ",":
        return False
    raise AmountInTwoWaysError


def _fold(text: str, zero: str) -> str:
    """Return a text in small letters and ASCII figures. Raises InvalidAmountError for figures that are no decimals."""
    if any(unicodedata.category(sign) == "No" for sign in text):  # "5²" would become 52
        raise InvalidAmountError
    figures = {ord(zero) + number: str(number) for number in range(10)}
    return unicodedata.normalize("NFKC", text).lower().translate(figures)


def _sign(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _escaped(sign: str) -> str:
    """Escape what a regular expression would read; browsers take no other escapes."""
    return _NEEDS_ESCAPE.sub(r"\\\g<0>", sign).replace(" ", "[ ]?")
