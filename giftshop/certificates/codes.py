"""The code, the one secret on a certificate: made, read as people type it, written as people read it.

16 symbols of Crockford's base32: 15 random ones (75 bits) and a check symbol over GF(32) that catches every
single wrong symbol and every swap of two.
"""

import functools
import operator
import re
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from giftshop.errors import InvalidCodeError, SeveralCodesError, WrongCheckSymbolError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_WEIGHTS = (2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28, 29, 31)  # α¹ … α¹⁵ of GF(32)
_FORGIVEN = str.maketrans("OIL", "011")
_MOST_TYPED = 4000
"""What a person may paste: a whole mail, with the code somewhere in it."""
_PREFIX = re.compile(r"^\s*\][A-Za-z][0-9A-Za-z]")
"""What a scanner may say first: the kind of symbol it read (AIM, ISO/IEC 15424), like `]Q1`."""
_QUOTED = re.compile(r"(?<=\n)[>|\s]+")
_BORDER = re.compile(r"[^\w\s\-\u2010-\u2015\u2212.,·•∙⋅*'’|~+]+")
"""What never stands within a code; what may: spaces, dashes, and what people write in their place."""
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
"""Signs without a look of their own that are not of Unicode's category for them (Cf)."""
_FOREIGN = "ß"


def new_code() -> str:
    """Return a fresh code of 16 symbols without dashes."""
    symbols = [secrets.randbelow(32) for _ in range(LENGTH - 1)]
    return _written([*symbols, check_value(symbols)])


def find_codes(text: str) -> list[str]:
    """Return every code that stands in what was typed, pasted or scanned, each as 16 symbols, once, in their order.

    A code may stand among other words, in an address, in brackets or quotes, behind a label; in groups, spelled out or
    in one piece. Case, invisible signs and the width of letters don't matter, O is read as 0, I and L as 1. Its check
    symbol is right; so is that of one in 32 other runs of 16 signs: only the register knows which one exists.
    """
    fitting = (symbols for symbols, _ in _runs(text) if is_fitting(symbols))
    return list(dict.fromkeys(fitting))


def normalise_code(text: str) -> str:
    """Return the one code that stands in a text, as 16 symbols.

    Raises InvalidCodeError, or its subclasses: WrongCheckSymbolError when all 16 symbols are there but do not fit
    together, SeveralCodesError.
    """
    found = find_codes(text)
    if len(found) == 1:
        return found[0]
    if found:
        raise SeveralCodesError
    raise WrongCheckSymbolError if looks_like_code(text) else InvalidCodeError


def looks_like_code(text: str) -> bool:
    """Tell whether a text holds what can hardly be anything but a code, be it one that fits together or not.

    Of the words of a search, too, some that follow each other have 16 letters.
    """
    return any(is_code_like for _, is_code_like in _runs(text))


def is_fitting(symbols: str) -> bool:
    """Tell whether 16 symbols fit together: the last one checks the others."""
    values = [ALPHABET.index(symbol) for symbol in symbols]
    return check_value(values[:-1]) == values[-1]


def format_code(code: str) -> str:
    """Write 16 symbols in four groups, as they are printed and read aloud."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def last_four(code: str) -> str:
    """Return the part of a code that staff may see."""
    return code[-4:]


def read_end(text: str) -> str | None:
    """Read the last four symbols of a code as people say them, or None for what cannot be that."""
    symbols = text.upper().translate(_FORGIVEN) if text.isascii() else ""
    return symbols if re.fullmatch(f"[{ALPHABET}]{{4}}", symbols) else None


def check_value(values: Sequence[int]) -> int:
    """Return the check symbol's value (0–31) for the 15 values before it."""
    products = (_times(weight, value) for weight, value in zip(_WEIGHTS, values, strict=True))
    return functools.reduce(operator.xor, products)


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every run of whole words that has the 16 symbols of a code, and whether it can hardly be anything else."""
    for words in _lines_of_words(text):
        for start in range(len(words)):
            signs, end = "", start
            while len(signs) < LENGTH and end < len(words):
                signs, end = signs + words[end], end + 1
            symbols = signs.upper().translate(_FORGIVEN) if signs.isascii() else ""
            if len(symbols) == LENGTH and all(symbol in ALPHABET for symbol in symbols):
                yield symbols, _is_code_like(words, words[start:end])


def _is_code_like(words: list[str], taken: list[str]) -> bool:
    """Tell whether a run is all there is, in one piece or in groups, and has a figure; hardly any code has none."""
    is_in_form = taken == words or len(taken) == 1 or all(len(word) == LENGTH // 4 for word in taken)
    has_figure = any(sign.isdigit() for word in taken for sign in word)
    return is_in_form and (has_figure or words == taken == taken[:1])


def _lines_of_words(text: str) -> Iterator[list[str]]:
    """Yield words between which nothing stands but what people put into a code; with a foreign letter, none is ours."""
    if len(text) > _MOST_TYPED or any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text):
        return
    if "%" in text:
        text = unquote(text)
    for part in _BORDER.split(_QUOTED.sub("", _PREFIX.sub(" ", _seen(text)))):
        yield [word for word in re.split(r"[\W_]+", part) if word]


def _seen(text: str) -> str:
    """Return a text without signs that nobody sees, in plain letters; a mark makes a foreign letter of its own."""
    seen = (sign for sign in text if unicodedata.category(sign) != "Cf" and not _UNSEEN.match(sign))
    plain = unicodedata.normalize("NFKC", "".join(" " if unicodedata.category(sign) == "So" else sign for sign in seen))
    return "".join(_FOREIGN if unicodedata.category(sign)[0] == "M" else sign for sign in plain)


def _written(values: Sequence[int]) -> str:
    return "".join(ALPHABET[value] for value in values)


def _times(first: int, second: int) -> int:
    """Multiply in GF(32) with the polynomial x⁵ + x² + 1."""
    product = 0
    while second:
        if second & 1:
            product ^= first
        first <<= 1
        if first & 32:
            first ^= 0b100101
        second >>= 1
    return product
