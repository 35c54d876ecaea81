"""Looking a certificate up by its code, for strangers: guesses limited, one answer for all codes there never were."""

from typing import NoReturn

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from giftshop.certificates.codes import find_codes
from giftshop.certificates.look_up import find_all, find_replaced
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.web.limiter import client_address, count

PER_ADDRESS = RateLimitItemPerMinute(10)
"""What was typed and opens nothing, whatever is wrong with it."""
BY_ALL_STRANGERS = RateLimitItemPerHour(1000)
"""Well-formed codes that don't exist, guessed by anyone: keeps 75 random bits out of reach of any crowd."""
_KEY = "code-lookup"


def find_for_stranger(typed: str) -> Certificate | ReplacedCode | None:
    """Return the certificate with this code, also one that has ended, or what is known of a code that was replaced.

    None for every code that there never was; answers 429 past a limit.

    Every code that stands in a text is a try. Tries are counted before they are looked at, or a hundred at once would
    all be, and those that exist are given back: an office may open as many certificates as it has. Counting writes,
    so it happens while no transaction of ours is open (SQLite would wait for itself). Raises CountersLostError while
    nothing can be counted: a full disk or a lost Redis is no fault of the holder's.
    """
    db.session.rollback()
    codes = find_codes(typed)
    tries = max(1, len(codes))
    _count(PER_ADDRESS, client_address(), tries=tries)
    if not codes:
        return None
    if not count(BY_ALL_STRANGERS, _KEY, is_looking=True, cost=tries):
        _refuse(BY_ALL_STRANGERS)
    found: list[Certificate | ReplacedCode] = [*find_all(codes)]
    found += find_replaced(codes)
    guesses = tries - len(found)
    db.session.rollback()
    if found:
        count(PER_ADDRESS, _KEY, client_address(), cost=-len(found))
    if guesses:
        _count(BY_ALL_STRANGERS, tries=guesses)
    return found[0] if len(found) == 1 else None


def _count(item: RateLimitItem, *who: str, tries: int) -> None:
    if not count(item, _KEY, *who, cost=tries):
        _refuse(item)


def _refuse(item: RateLimitItem) -> NoReturn:
    raise TooManyRequests(retry_after=item.get_expiry())
