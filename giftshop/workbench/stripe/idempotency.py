"""Remembers the answers to calls that carried an Idempotency-Key, for the API: once made, never made again."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError

_KEPT = 24 * 60 * 60
_KIND = "idempotency"


@contextmanager
def in_flight(bench: Workbench, key: str) -> Iterator[None]:
    """Hold a key while its call is answered; ApiError (409) for a second call with the key meanwhile."""
    with bench.guard:
        keys = bench.keys_in_flight
        if key in keys:
            message = "There is currently another in-progress request using this Idempotency Key."
            raise ApiError(message, status=409, kind="idempotency_error", code="idempotency_key_in_use")
        keys.add(key)
    try:
        yield
    finally:
        with bench.guard:
            keys.discard(key)


def find_answer(bench: Workbench, key: str, fingerprint: str) -> Json | None:
    """Return the saved answer {status, body, request_id} to this very call, or None.

    Raises ApiError (400, idempotency_error) when the key was used with other parameters.
    """
    saved = bench.store.find(f"key:{key}", _KIND)
    if saved is None or saved["at"] < bench.now() - _KEPT:
        return None
    if saved["fingerprint"] != fingerprint:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise ApiError(message, kind="idempotency_error")
    return saved


def save_answer(bench: Workbench, key: str, fingerprint: str, answer: Json) -> None:
    """Keep the answer {status, body, request_id} for 24 hours."""
    item = {**answer, "id": f"key:{key}", "fingerprint": fingerprint, "at": bench.now()}
    bench.store.put(item, kind=_KIND)


def forget_old_answers(bench: Workbench) -> None:
    """Drop what is older than 24 hours."""
    sql = "DELETE FROM objects WHERE kind = ? AND json_extract(body, '$.at') < ?"
    bench.store.rows(sql, _KIND, bench.now() - _KEPT)


def fingerprint(method: str, path: str, pairs: list[tuple[str, str]]) -> str:
    """Return what two calls have in common exactly when they ask for the same thing."""
    return hashlib.sha256(json.dumps([method, path, sorted(pairs)]).encode()).hexdigest()
