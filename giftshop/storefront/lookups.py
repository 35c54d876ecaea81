"""Looking a certificate up by its code, for strangers: guesses limited, one answer for all codes there never were."""

import time
from math import ceil

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from giftshop import clock
from giftshop.certificates.codes import find_codes
from giftshop.certificates.look_up import find_all, find_replaced
from giftshop.errors import ShopError
from giftshop.foundation.database import db, may_write
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.notifications.watch import note_guesses
from giftshop.storefront.trusted import is_trusted
from giftshop.web.limiter import client_address, count, look_at_count
from giftshop.words import ngettext

PER_ADDRESS = RateLimitItemPerMinute(10)
"""What was typed and opens nothing, whatever is wrong with it."""
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


def find_for_stranger(typed: str) -> Certificate | ReplacedCode | None:
    """Return the certificate with this code, also one that has ended, or what is known of a code that was replaced.

    None for every code that there never was; answers 429 past a limit. Who proves that the code was not guessed is not
    counted.

    Every code that stands in a text is a try. Tries are counted before they are looked at, or a hundred at once would
    all be, and those that exist are given back: an office may open as many certificates as it has. Counting writes,
    so it happens while no transaction of ours is open (SQLite would wait for itself). Raises LookUpsClosedError, and
    CountersLostError while nothing can be counted: a full disk or a lost Redis is no fault of the holder's.
    """
    db.session.rollback()
    codes = find_codes(typed)
    is_guess = len(codes) != 1 or not is_trusted(codes[0])
    found = _find_counted(codes) if is_guess else _find(codes)
    return found[0] if len(found) == 1 else None


def are_open(tries: int = 1) -> bool:
    """Tell whether so many codes are looked up for strangers now, or too many were guessed."""
    return count(BY_ALL_STRANGERS, _KEY, is_looking=True, cost=tries)


def _find_counted(codes: list[str]) -> list[Certificate | ReplacedCode]:
    """Look up all the codes of a text within the limits; what there is no code in is one try too."""
    tries = max(1, len(codes))
    if not count(PER_ADDRESS, _KEY, client_address(), cost=tries):
        raise TooManyRequests(retry_after=_seconds_left(PER_ADDRESS, client_address()))
    if not codes:
        return []
    if not are_open(tries):
        raise LookUpsClosedError(_seconds_left(BY_ALL_STRANGERS))
    found = _find(codes)
    db.session.rollback()
    if found:
        count(PER_ADDRESS, _KEY, client_address(), cost=-len(found))
    if guesses := tries - len(found):
        _count_guesses(guesses)
    return found


def _find(codes: list[str]) -> list[Certificate | ReplacedCode]:
    return [*find_all(codes), *find_replaced(codes)]


def _count_guesses(guesses: int) -> None:
    """Count codes that do not exist, and tell the practice of a run of them."""
    if not count(BY_ALL_STRANGERS, _KEY, cost=guesses):
        raise LookUpsClosedError(_seconds_left(BY_ALL_STRANGERS))
    may_write()
    note_guesses(look_at_count(BY_ALL_STRANGERS, _KEY).count, at=clock.now())
    db.session.commit()


def _seconds_left(item: RateLimitItem, *who: str) -> int:
    """Return how long until the window of a limit closes; all of it when nobody can tell."""
    found = look_at_count(item, _KEY, *who)
    return max(1, min(ceil(found.closes_at - time.time()), item.get_expiry()))
