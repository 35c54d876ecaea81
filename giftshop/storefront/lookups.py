"""Looking a certificate up by its code, for strangers: limited, and one answer for all codes that there never were."""

from typing import NoReturn

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from giftshop.certificates.codes import normalise_code
from giftshop.certificates.look_up import find_by_code, find_replaced
from giftshop.errors import InvalidCodeError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.web.limiter import client_address, count

PER_ADDRESS = RateLimitItemPerMinute(10)
BY_ALL_STRANGERS = RateLimitItemPerHour(1000)
"""Well-formed codes that don't exist, guessed by anyone: keeps 75 random bits out of reach of any crowd."""
_KEY = "code-lookup"


def find_for_stranger(typed: str) -> Certificate | ReplacedCode | None:
    """Return the certificate with this code, also one that has ended, or what is known of a code that was replaced.

    None for every code that there never was; answers 429 past a limit.

    Raises CountersLostError while nothing can be counted: a full disk or a lost Redis is no fault of the holder's.
    Counting writes, so it happens while no transaction of ours is open (SQLite would wait for itself).
    """
    db.session.rollback()
    _count(PER_ADDRESS, client_address())
    if not _is_well_formed(typed):
        return None
    if not count(BY_ALL_STRANGERS, _KEY, is_looking=True):
        _refuse(BY_ALL_STRANGERS)
    found = find_by_code(typed) or find_replaced(typed)
    if found is None:
        db.session.rollback()
        _count(BY_ALL_STRANGERS)
    return found


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
