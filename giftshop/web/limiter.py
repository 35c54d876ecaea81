"""Who may ask how often: the limiter that pages share, counting strangers by address."""

import logging
import re
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from flask import request
from flask_limiter import Limiter
from limits import RateLimitItem
from limits.errors import StorageError
from sqlalchemy.exc import SQLAlchemyError

from giftshop.errors import CountersLostError

STORE_LOST: tuple[type[Exception], ...] = (SQLAlchemyError, StorageError)
"""What asking the limiter raises when its counters cannot be reached."""
log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 1
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
_NAT64 = IPv6Network("64:ff9b::/96")


def client_address() -> str:
    """Return the address a request came from; an IPv6 one by its /64, which is what one person has."""
    address = read_address(request.remote_addr or "")
    if address and ":" in address:
        return str(ip_network((address, 64), strict=False))
    return address or "unknown"


def read_address(text: str) -> str | None:
    """Return an address as everybody writes it, however a proxy did; None where it is none.

    With a port, in brackets or quotes, with a zone. An IPv4 address within an IPv6 one is the visitor's own: to count
    `::ffff:…` (what a socket for both kinds sees) or `64:ff9b::…` (NAT64) by their /64 would make all of them one.
    """
    bare = text.strip().strip('"')
    found = _WITH_PORT.fullmatch(bare)
    try:
        parsed = ip_address((found["v6"] or found["v4"] if found else bare).partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or (IPv4Address(int(parsed) & 0xFFFFFFFF) if parsed in _NAT64 else None)
        return str(inner or parsed)
    return str(parsed)


def may_count(item: RateLimitItem, *who: str, is_looking: bool = False, cost: int = 1) -> bool:
    """Count `cost` more for `who`, or only look, and tell whether it is within the limit; what can't be counted is not.

    Less than nothing gives back what was counted. Counts on a connection of its own: no writing transaction of ours
    may be open (SQLite would wait for itself).
    """
    try:
        return count(item, *who, is_looking=is_looking, cost=cost)
    except CountersLostError:
        return False


def count(item: RateLimitItem, *who: str, is_looking: bool = False, cost: int = 1) -> bool:
    """Do the same, for those who must not be told of a limit where there is none. Raises CountersLostError."""
    window = limiter.limiter
    try:
        return window.test(item, *who, cost=cost) if is_looking else window.hit(item, *who, cost=cost)
    except STORE_LOST as lost:
        log.warning("the counters cannot be reached: %s", type(lost).__name__, exc_info=True)
        raise CountersLostError from None


def forget_count(item: RateLimitItem, *who: str) -> bool:
    """Forget what was counted for `who`; tell whether there was something. Writes only then."""
    window = limiter.limiter
    try:
        if window.get_window_stats(item, *who).remaining == item.amount:
            return False
        window.clear(item, *who)
    except STORE_LOST:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was counted, and the second since 1970 at which that is forgotten."""

    count: int
    closes_at: float


def look_at_count(item: RateLimitItem, *who: str) -> Count:
    """Return how often `who` was counted in the open window; as if it began now when nobody can tell."""
    try:
        found = limiter.limiter.get_window_stats(item, *who)
    except STORE_LOST:
        return Count(item.amount, time.time() + item.get_expiry())
    return Count(item.amount - found.remaining, found.reset_time)


def limiter_config(uri: str, *, database_url: str) -> dict[str, Any]:
    """Return Flask-Limiter's settings: counters at the address `uri`, in the shop's own database when it is empty.

    Every option is said each time: the limiter keeps those of the app before.
    """
    options = {"socket_connect_timeout": _PATIENCE_SECONDS, "socket_timeout": _PATIENCE_SECONDS}
    return {
        "RATELIMIT_STORAGE_URI": uri or f"shop+{database_url}",
        "RATELIMIT_STORAGE_OPTIONS": {**options, "wrap_exceptions": bool(uri)},
    }


def close_counters() -> None:
    """Close the connections of the counters: the database's own store has them, of Redis its client."""
    storage: Any = limiter.storage
    client = getattr(storage, "storage", storage)
    if callable(close := getattr(client, "close", None)):
        close()


limiter = Limiter(key_func=client_address, headers_enabled=False, strategy="fixed-window", swallow_errors=True)
"""Signed-in staff, whose pages it guards by itself, go on while its counters are lost."""
