"""Tries at a password: how many are looked at, counted for an account, an address, or a device that is known.

A try is counted before its password is looked at, or a hundred at once would all be; one that was right is given back.
"""

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from giftshop.foundation.database import db
from giftshop.staff.devices import find_device
from giftshop.web.limiter import client_address, limiter

PER_ACCOUNT = (RateLimitItemPerMinute(5, 15), RateLimitItemPerHour(30))
PER_ADDRESS = RateLimitItemPerMinute(20, 15)

Counter = tuple[RateLimitItem, tuple[str, ...]]


def count_sign_in(email: str) -> list[Counter]:
    """Return what counts tries to sign in: on a device where the person has been before nothing but that device."""
    if device := find_device(email):
        return [(item, ("staff-device", device)) for item in PER_ACCOUNT]
    account = ("staff", email.strip().lower()[:320])
    return [(PER_ADDRESS, ("staff-address", client_address())), *((item, account) for item in PER_ACCOUNT)]


def count_confirming(email: str) -> list[Counter]:
    """Return what counts tries of somebody who is signed in and confirms it: strangers cannot use them up."""
    return [(item, ("staff-confirming", email)) for item in PER_ACCOUNT]


def take_try(counters: list[Counter]) -> bool:
    """Count a try, and tell whether it may be looked at.

    Counting writes, so what was read of whoever is signed in already is ended first (SQLite would wait for itself).
    """
    db.session.rollback()
    return all(limiter.limiter.hit(item, *who) for item, who in counters)


def is_used_up(counters: list[Counter]) -> bool:
    """Tell whether it is the person's own tries that are used up, and not only those of a network's address."""
    mine = [(item, who) for item, who in counters if item is not PER_ADDRESS]
    return not all(limiter.limiter.test(item, *who) for item, who in mine)


def give_back_try(counters: list[Counter]) -> None:
    """Take back what `take_try` counted, because the password was right. No transaction of ours may be open."""
    for item, who in counters:
        limiter.limiter.hit(item, *who, cost=-1)
