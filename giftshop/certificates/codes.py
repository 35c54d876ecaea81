"""The code, the one secret on a certificate: made, read as people type it, written as people read it.

16 symbols of Crockford's base32: 15 random ones (75 bits) and a check symbol over GF(32) that catches every
single wrong symbol and every swap of two.
"""

import functools
import operator
import re
import secrets
import unicodedata
from collections.abc import Sequence

from giftshop.errors import InvalidCodeError, WrongCheckSymbolError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_WEIGHTS = (2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28, 29, 31)  # α¹ … α¹⁵ of GF(32)
_FORGIVEN = str.maketrans("OIL", "011")
_ADDRESS = re.compile(r".*/C/", re.IGNORECASE | re.ASCII | re.DOTALL)
_MAX_TYPED = 400


def new_code() -> str:
    """Return a fresh code of 16 symbols without dashes."""
    symbols = [secrets.randbelow(32) for _ in range(LENGTH - 1)]
    return _written([*symbols, check_value(symbols)])


def normalise_code(text: str) -> str:
    """Read a typed or scanned code, or the address a QR code holds, as 16 symbols.

    Forgives case, spaces, dashes, O for 0, I and L for 1. Raises InvalidCodeError, or its subclass
    WrongCheckSymbolError when all 16 symbols are there but do not fit together.
    """
    if len(text) > _MAX_TYPED:
        raise InvalidCodeError
    folded = unicodedata.normalize("NFKC", text)
    tail = _ADDRESS.sub("", folded).split("?")[0].split("#")[0].rstrip("/")
    bare = re.sub(r"[\s\-\u2010-\u2015\u2212]", "", tail)
    if not bare.isascii():  # before upper(), which turns some foreign letters into ours
        raise InvalidCodeError
    symbols = bare.upper().translate(_FORGIVEN)
    if len(symbols) != LENGTH or any(symbol not in ALPHABET for symbol in symbols):
        raise InvalidCodeError
    values = [ALPHABET.index(symbol) for symbol in symbols]
    if check_value(values[:-1]) != values[-1]:
        raise WrongCheckSymbolError
    return symbols


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
