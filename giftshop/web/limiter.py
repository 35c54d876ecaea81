"""Who may ask how often: the limiter that pages share, counting strangers by address."""

import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import request
from flask_limiter import Limiter
from limits import RateLimitItem
from limits.errors import StorageError
from sqlalchemy.exc import SQLAlchemyError

STORE_LOST: tuple[type[Exception], ...] = (SQLAlchemyError, StorageError)
"""What asking the limiter raises when its counters cannot be reached; who asks for a stranger then refuses."""
_PATIENCE_SECONDS = 1


def client_address() -> str:
    """Return the address a request came from; an IPv6 one by its /64, which is what one person has."""
    address = request.remote_addr or "unknown"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def may_count(item: RateLimitItem, *who: str, is_looking: bool = False) -> bool:
    """Count one more for `who`, or only look, and tell whether it is within the limit; what cannot be counted is not.

    Counts on a connection of its own: no writing transaction of ours may be open (SQLite would wait for itself).
    """
    window = limiter.limiter
    try:
        return window.test(item, *who) if is_looking else window.hit(item, *who)
    except STORE_LOST:
        return False


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
