"""Requests that move money are answered once: the first answer is kept and given to every copy.

The key is made when the form is shown. The same key with the same content gets the first answer again,
refusals too; with other content it is refused (409). Key, answer and money are one commit.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates.models import MoneyRequest
from giftshop.database import db
from giftshop.errors import RequestKeyMissingError, RequestKeyReusedError, ShopError

DONE, REFUSED = 200, 409
_KEY = re.compile(r"[\x21-\x7e]{16,255}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first of a request's copies was told: ids and figures, no personal data."""

    status: int
    facts: dict[str, object]
    refusal: str
    message: str
    is_replayed: bool


def answer_once(*, scope: str, key: str, body: Mapping[str, object], act: Callable[[], dict[str, object]]) -> Answer:
    """Run `act` unless this key was answered before; store what it returned, or the refusal it raised.

    Waits for copies that are under way (SQLite: the writers' turn; PostgreSQL: an advisory lock held to the end
    of the transaction). Raises RequestKeyMissingError (400), RequestKeyReusedError (409).
    """
    refuse_unusable_key(key)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()
    wait_for_copies(scope, key)
    stored = db.session.get(MoneyRequest, (scope, key))
    if stored is not None:
        return _replayed(stored, digest)
    facts, refusal = _acted(act)
    answer = {"facts": facts, "refusal": type(refusal).__name__ if refusal else "", "message": str(refusal or "")}
    status = REFUSED if refusal else DONE
    db.session.add(
        MoneyRequest(
            scope=scope,
            key=key,
            body_sha256=digest,
            status=status,
            answer=json.dumps(answer),
            created_at=clock.now(),
        )
    )
    db.session.flush()
    return Answer(status, facts, str(answer["refusal"]), str(answer["message"]), is_replayed=False)


def refuse_unusable_key(key: str) -> None:
    """Let every key pass that tells copies of a request from others: 16 to 255 signs of visible ASCII, whoever chose
    it. Raises RequestKeyMissingError; a key is never changed, or a second copy would count as a new request.
    """
    if not _KEY.fullmatch(key):
        raise RequestKeyMissingError


def wait_for_copies(scope: str, key: str) -> None:
    """Hold this transaction until every other one with the same scope and key has ended (at most 5 s)."""
    if db.engine.dialect.name == "postgresql":
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        db.session.execute(lock, {"name": f"{scope} {key}"})


def _acted(act: Callable[[], dict[str, object]]) -> tuple[dict[str, object], ShopError | None]:
    try:
        return act(), None
    except ShopError as refusal:
        return {}, refusal


def _replayed(stored: MoneyRequest, digest: bytes) -> Answer:
    if stored.body_sha256 != digest:
        raise RequestKeyReusedError
    answer = json.loads(stored.answer)
    return Answer(stored.status, answer["facts"], answer["refusal"], answer["message"], is_replayed=True)
