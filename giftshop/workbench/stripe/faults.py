"""Failures on demand: the API answers wrong, late or never; for the API and the control API."""

import socket
from collections.abc import Callable
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

from flask import Response, request

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError

KINDS = ("500", "503", "429", "timeout", "drop_before", "drop_after", "html502")
_PLAIN = {"saved": False, "made": False}
_HTML = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"
_MESSAGES = {"500": "An unknown error occurred", "503": "Service unavailable", "429": "Too many requests"}


def add_fault(bench: Workbench, fault: Json) -> list[Json]:
    """Add a fault and return all of them; ApiError for one that makes no sense.

    `do` is one of KINDS; `method` and `path` (with `*`) say which calls, `times` how many (-1: for ever),
    `probability` how likely, `seconds` how long a timeout lasts. `made` makes the call before a timeout;
    `saved` keeps a 500, 503 or 429 under the call's key, so that a retry gets it again.
    """
    if str(fault.get("do")) not in KINDS:
        raise ApiError(f"`do` must be one of {', '.join(KINDS)}.", param="do")
    entry = {"method": "*", "path": "/v1/*", "times": 1, "probability": 1, "seconds": 30, **_PLAIN, **fault}
    faults = [*bench.store.setting("faults", bench.config.faults), {**entry, "do": str(entry["do"])}]
    bench.store.set_setting("faults", faults)
    return faults


def take_fault(bench: Workbench, method: str, path: str) -> Json | None:
    """Return the fault that strikes this call and count it, or None; -1 times strikes for ever."""
    with bench.store.transaction():
        faults: list[Json] = bench.store.setting("faults", bench.config.faults)
        for fault in faults:
            if fault["times"] and _matches(fault, method, path) and bench.chance() < fault["probability"]:
                fault["times"] -= fault["times"] > 0
                bench.store.set_setting("faults", [left for left in faults if left["times"]])
                return fault
    return None


def strike(bench: Workbench, fault: Json, answer: Callable[[], Response]) -> Response:
    """Spoil a call as the fault says; `answer` makes the call, for faults that come after it;
    it takes the fault's seconds itself when it is a timeout, for its key is in use meanwhile.

    Raises ApiError for the faults that are an answer in Stripe's shape: 500, 503, 429.
    """
    kind = fault["do"]
    if kind == "html502":
        return Response(_HTML, status=502, content_type="text/html")
    if kind in _MESSAGES and not fault["saved"]:
        raise error_of(fault)
    if kind in _MESSAGES:
        return answer()
    if kind == "drop_after" or fault["made"]:
        answer()
    elif kind == "timeout":
        bench.pause(fault["seconds"])
    return NoAnswer(status=500)


class NoAnswer(Response):
    """What a caller gets who is hung up on; it is hung up once the call is recorded, for then it may call again."""

    def hang_up(self) -> None:
        """Close the connection without a word."""
        connection: Any = request.environ["gunicorn.socket"]
        with suppress(OSError):  # the caller may have left before
            connection.shutdown(socket.SHUT_RDWR)


def error_of(fault: Json) -> ApiError:
    """Return the refusal in Stripe's shape for the faults that are one: 500, 503, 429."""
    is_limit = fault["do"] == "429"
    return ApiError(
        _MESSAGES[fault["do"]], status=int(fault["do"]), kind="invalid_request_error" if is_limit else "api_error",
        code="rate_limit" if is_limit else None, is_decided=fault["saved"],
    )  # fmt: skip


def _matches(fault: Json, method: str, path: str) -> bool:
    return fault["method"] in ("*", method) and fnmatchcase(path, fault["path"])
