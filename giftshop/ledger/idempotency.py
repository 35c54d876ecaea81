"""Requests that move money are answered once: the first answer is kept and given to every copy.

The key is made when the form is shown. The same key with the same content gets the first answer again,
refusals too; with other content it is refused (409). Key, answer and money are one commit. A refusal is committed
too, and so what the act wrote before it refused is rolled back first.

The key also says what its page showed. Eight pages of one certificate may be open at eight desks: the first press acts;
each of the others saw what is no longer so, and its person looks again before they act. A key that a program chose saw
no page, and is only answered once.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.errors import (
    ChangedMeanwhileError,
    RequestKeyMissingError,
    RequestKeyReusedError,
    ShopError,
    TooManyUndosError,
)
from giftshop.foundation.database import db
from giftshop.ledger.models import MoneyRequest

DONE, FORBIDDEN, REFUSED = 200, 403, 409
_KEY = re.compile(r"[\x21-\x7e]{16,255}")
Fact = str | int | bytes | bool | datetime | None
"""What a page shows and an act may change, as it goes into a request key."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMPED = re.compile(r"[A-Za-z0-9_-]{16,}(?P<stamp>\.(?P<at>[0-9a-f]{12,16})\.(?P<version>[0-9a-f]{16}))")


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
    of the transaction). Call it before anything is written: a refusal ends the transaction and begins another.
    Raises RequestKeyMissingError (400), RequestKeyReusedError (409).
    """
    refuse_unusable_key(key)
    digest = _digest(body)
    if stored := _find_stored(scope, key):
        return _replayed(stored, digest)
    facts, refusal = _acted(act)
    # Acting may have rolled back, and with it went the lock: a copy that waited for it may have answered meanwhile.
    if refusal and (stored := _find_stored(scope, key)):
        return _replayed(stored, digest)
    answer = {"facts": facts, "refusal": type(refusal).__name__ if refusal else "", "message": str(refusal or "")}
    status = _status(refusal)
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


def find_answer(*, scope: str, key: str, body: Mapping[str, object]) -> Answer | None:
    """Return what a request was answered before, for acts that commit on their way. Raises RequestKeyReusedError."""
    stored = db.session.get(MoneyRequest, (scope, key))
    return _replayed(stored, _digest(body)) if stored else None


def new_request_key() -> str:
    """Return a fresh request key, for a form that is about to be shown or an act without one."""
    return secrets.token_urlsafe(18)


def key_for(*shown: Fact) -> str:
    """Return a fresh request key for a form on a page that shows these facts, the same in each call."""
    microseconds = (clock.now() - _EPOCH) // timedelta(microseconds=1)
    return f"{new_request_key()}.{microseconds:x}.{_version(shown)}"


def renew(key: str) -> str:
    """Return a fresh key that says what `key` says was seen, for a form that comes back because of what was typed."""
    found = _STAMPED.fullmatch(key)
    return new_request_key() + (found["stamp"] if found else "")


def seen_at(key: str) -> datetime | None:
    """Return when the page was shown from which a request comes, or None for a key that saw none."""
    found = _STAMPED.fullmatch(key)
    return _EPOCH + timedelta(microseconds=int(found["at"], 16)) if found else None


def refuse_changed(key: str, *facts: Fact) -> None:
    """Let a request pass whose page showed what is so now; call it once what it acts on is locked.

    Raises ChangedMeanwhileError.
    """
    found = _STAMPED.fullmatch(key)
    if found and found["version"] != _version(facts):
        raise ChangedMeanwhileError


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


def _find_stored(scope: str, key: str) -> MoneyRequest | None:
    """Return the request as it was answered before, once no copy of it is under way."""
    wait_for_copies(scope, key)
    return db.session.get(MoneyRequest, (scope, key))


def _acted(act: Callable[[], dict[str, object]]) -> tuple[dict[str, object], ShopError | None]:
    """Run `act`; when it refuses, nothing is left of what it had written by then."""
    try:
        return act(), None
    except ShopError as refusal:
        db.session.rollback()
        return {}, refusal


def _digest(body: Mapping[str, object]) -> bytes:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).digest()


def _status(refusal: ShopError | None) -> int:
    if refusal is None:
        return DONE
    return FORBIDDEN if isinstance(refusal, TooManyUndosError) else REFUSED


def _replayed(stored: MoneyRequest, digest: bytes) -> Answer:
    if stored.body_sha256 != digest:
        raise RequestKeyReusedError
    answer = json.loads(stored.answer)
    return Answer(stored.status, answer["facts"], answer["refusal"], answer["message"], is_replayed=True)


def _version(facts: tuple[Fact, ...]) -> str:
    written = json.dumps([each.hex() if isinstance(each, bytes) else str(each) for each in facts])
    return hashlib.sha256(written.encode()).hexdigest()[:16]
