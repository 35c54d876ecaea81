"""Looking a certificate up by its code, for strangers: limited, and with one answer for every bad code."""

import time
from math import ceil
from typing import NoReturn

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from giftshop import clock
from giftshop.certificates.codes import normalise_code
from giftshop.certificates.look_up import find_by_code
from giftshop.errors import InvalidCodeError, ShopError
from giftshop.foundation.database import db, may_write
from giftshop.ledger.models import Certificate
from giftshop.notifications.watch import note_guesses
from giftshop.storefront.trusted import is_trusted
from giftshop.web.limiter import client_address, look_at_count, may_count
from giftshop.words import ngettext

PER_ADDRESS = RateLimitItemPerMinute(10)
BY_ALL_STRANGERS = RateLimitItemPerHour(1000)
"""Well-formed codes that don't exist, guessed by anyone: keeps 75 random bits out of reach of any crowd."""
_KEY = "code-lookup"


class LookUpsClosedError(ShopError):
    """Somebody is trying many codes just now, so we look none up for a while. The link in our email opens yours."""

    def __init__(self, wait_seconds: int) -> None:
        """Say how long it takes."""
        message = ngettext(
            "Somebody is trying many codes just now, so for %(num)s minute we look none up. The link in our email "
            "opens your certificate all the same, and so does a browser that opened it before. Or call us.",
            "Somebody is trying many codes just now, so for %(num)s minutes we look none up. The link in our email "
            "opens your certificate all the same, and so does a browser that opened it before. Or call us.",
            ceil(wait_seconds / 60),
        )
        super().__init__(message)
        self.wait_seconds = wait_seconds


def find_for_stranger(typed: str) -> Certificate | None:
    """Return the certificate with this code, or None for every bad code alike; answers 429 past a limit.

    Who proves that the code was not guessed is not counted. Counting writes, so it happens while no transaction of ours
    is open (SQLite would wait for itself). Raises LookUpsClosedError.
    """
    db.session.rollback()
    code = _read(typed)
    if code and is_trusted(code):
        return find_by_code(code)
    if not may_count(PER_ADDRESS, _KEY, client_address()):
        _refuse_address()
    if not code:
        return None
    if not are_open():
        raise LookUpsClosedError(_seconds_left(BY_ALL_STRANGERS))
    certificate = find_by_code(typed)
    if certificate is None:
        db.session.rollback()
        _count_guess()
    return certificate


def are_open() -> bool:
    """Tell whether codes are looked up for strangers now, or too many were guessed."""
    return may_count(BY_ALL_STRANGERS, _KEY, is_looking=True)


def _read(typed: str) -> str:
    """Return the code that was typed, 16 symbols; "" when it is none."""
    try:
        return normalise_code(typed)
    except InvalidCodeError:
        return ""


def _count_guess() -> None:
    """Count a code that does not exist, and tell the practice of a run of them."""
    if not may_count(BY_ALL_STRANGERS, _KEY):
        raise LookUpsClosedError(_seconds_left(BY_ALL_STRANGERS))
    may_write()
    note_guesses(look_at_count(BY_ALL_STRANGERS, _KEY).count, at=clock.now())
    db.session.commit()


def _refuse_address() -> NoReturn:
    raise TooManyRequests(retry_after=_seconds_left(PER_ADDRESS, client_address()))


def _seconds_left(item: RateLimitItem, *who: str) -> int:
    """Return how long until the window of a limit closes; all of it when nobody can tell."""
    found = look_at_count(item, _KEY, *who)
    return max(1, min(ceil(found.closes_at - time.time()), item.get_expiry()))
