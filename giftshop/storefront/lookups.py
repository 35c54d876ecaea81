"""Looking a certificate up by its code, for strangers: limited, and with one answer for every bad code."""

from typing import NoReturn

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from giftshop.certificates.codes import normalise_code
from giftshop.certificates.look_up import find_by_code
from giftshop.errors import InvalidCodeError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.web.limiter import client_address, count

PER_ADDRESS = RateLimitItemPerMinute(10)
BY_ALL_STRANGERS = RateLimitItemPerHour(1000)
"""Well-formed codes that don't exist, guessed by anyone: keeps 75 random bits out of reach of any crowd."""
_KEY = "code-lookup"


def find_for_stranger(typed: str) -> Certificate | None:
    """Return the certificate with this code, or None for every bad code alike; answers 429 past a limit.

    Raises CountersLostError while nothing can be counted: a full disk or a lost Redis is no fault of the holder's.
    Counting writes, so it happens while no transaction of ours is open (SQLite would wait for itself).
    """
    db.session.rollback()
    _count(PER_ADDRESS, client_address())
    if not _is_well_formed(typed):
        return None
    if not count(BY_ALL_STRANGERS, _KEY, is_looking=True):
        _refuse(BY_ALL_STRANGERS)
    certificate = find_by_code(typed)
    if certificate is None:
        db.session.rollback()
        _count(BY_ALL_STRANGERS)
    return certificate


def _is_well_formed(typed: str) -> bool:
    try:
        normalise_code(typed)
    except InvalidCodeError:
        return False
    return True


def _count(item: RateLimitItem, *who: str) -> None:
    if not count(item, _KEY, *who):
        _refuse(item)


def _refuse(item: RateLimitItem) -> NoReturn:
    raise TooManyRequests(retry_after=item.get_expiry())
