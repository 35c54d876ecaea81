"""Marks of links that the shop itself gave out: proof that a code was not guessed, without looking it up.

A mark is an HMAC of the code under the pepper, so nobody can make one who could not look codes up anyway. Links in
letters carry it, and browsers keep it of what they have opened; it opens nothing by itself.
"""

import hmac
from collections.abc import Iterable

from giftshop.certificates import encryption

MARK = "letter"
"""The parameter of an address in which the mark stands."""
_SIGNS = 20


def mark_of(code: str) -> str:
    """Return the mark of a code (16 symbols): 80 bits, in hexadecimal figures."""
    return _marks(code)[0]


def link_path(code: str) -> str:
    """Return the path of a certificate's page as letters have it."""
    return f"/c/{code}?{MARK}={mark_of(code)}"


def is_marked(code: str, marks: Iterable[str]) -> bool:
    """Tell whether one of the marks was made for this code, under whichever pepper."""
    known = [mark.encode() for mark in _marks(code)]
    return any(hmac.compare_digest(each, mark[:_SIGNS].encode("utf-8", "replace")) for mark in marks for each in known)


def _marks(code: str) -> list[str]:
    return [found.hex()[:_SIGNS] for found in encryption.lookups(f"link:{code}")]
