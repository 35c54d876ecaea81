"""What people write beside money: read as one line that gives no code away, for notes and reasons of every form.

Reasons are kept for ever, in ledger and activity log, and mailed; notes are read by everyone who works here. A code in
one of them would be spendable by all of them.
"""

import re
import unicodedata
from enum import StrEnum, auto

from giftshop.certificates.codes import normalise_code
from giftshop.errors import InvalidCodeError, NoteTellsCodeError, NoteTooLongError, ReasonMissingError, ShopError

MOST_NOTE = 140


class HoldReason(StrEnum):
    """Why the shop itself puts a certificate on hold; a person's own words stand for themselves."""

    DISPUTED = auto()
    FRAUD_WARNING = auto()
    REFUND_FAILED = auto()
    REFUND_REFUSED = auto()
    REFUND_OVER_BALANCE = auto()


_SIGN, _GAP = "[0-9A-Za-z]", "[^0-9A-Za-z]"
_CODE_LIKE = re.compile(
    rf"(?=({_SIGN}{{16}}))"  # in one piece, whatever stands around it
    rf"|(?<!{_SIGN})(?=((?:{_SIGN}{{4}}{_GAP}{{0,3}}){{3}}{_SIGN}{{4}})(?!{_SIGN}))"  # in groups of four
    rf"|(?=((?:{_SIGN}{_GAP}{{1,3}}){{15}}{_SIGN}))"  # spelled out
)
"""Looks only where a code can be: any 16 signs of a sentence fit together once in 32, and sentences have many."""


def read_words(typed: str) -> str:
    """Read what was typed as one line without controls."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in typed).split())


def read_note(typed: str) -> str:
    """Read a note, which may be empty: one line of at most 140 characters without a code.

    Raises NoteTooLongError, NoteTellsCodeError.
    """
    note = read_words(typed)
    if len(note) > MOST_NOTE:
        raise NoteTooLongError
    if tells_code(note):
        raise NoteTellsCodeError
    return note


def tells_code(words: str) -> bool:
    """Tell whether a code stands among these words, whole, in groups or spelled out, as it may be typed at the till."""
    found = _CODE_LIKE.findall(unicodedata.normalize("NFKC", words))
    return any(_is_code(re.sub(_GAP, "", "".join(forms))) for forms in found)


def _is_code(signs: str) -> bool:
    try:
        normalise_code(signs)
    except InvalidCodeError:
        return False
    return True


MOST_REASON = 40


class ReasonTooLongError(ShopError):
    """Say why in at most 40 characters. A note on the order can hold more."""


class ReasonTellsTooMuchError(ShopError):
    """Leave codes and e-mail addresses out of the reason: it is kept for ever."""


def read_reason(typed: str) -> str:
    """Read a typed reason: one line of at most 40 characters, free of secrets, because ledger and activity log keep it.

    Raises ReasonMissingError, ReasonTooLongError, ReasonTellsTooMuchError.
    """
    reason = read_words(typed)
    if not reason:
        raise ReasonMissingError
    if len(reason) > MOST_REASON:
        raise ReasonTooLongError
    if "@" in reason or tells_code(reason):
        raise ReasonTellsTooMuchError
    return reason
