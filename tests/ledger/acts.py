"""What tests of the ledger do to a certificate: take from it, give back, and several people at the same moment."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

from flask import Flask

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.models import LedgerEntry
from tests import build

DESK = "staff:7"
TODAY = date(2026, 11, 24)


def take(certificate_id: int, amount_cents: Any, *, actor: str = DESK, **changes: Any) -> LedgerEntry:
    """Redeem as the desk would, today, in simulated money; `at`, `on`, `mode` and `note` can differ."""
    cause = build.cause(f"redeem:{actor}", build.request_key(), actor, changes.pop("at", None))
    return posting.redeem(certificate_id, amount_cents, cause=cause, **{"on": TODAY, "mode": "simulated", **changes})


def give_back(
    entry: LedgerEntry, *, actor: str = DESK, is_manager: bool = False, reason: str = "", at: datetime | None = None
) -> LedgerEntry:
    """Undo a redemption as the desk would."""
    cause = posting.Cause(
        actor=actor, scope=f"undo:{actor}", key=build.request_key(), at=at or clock.now(), reason_code=reason
    )
    return posting.reverse(entry.id, certificate_id=entry.certificate_id, is_manager=is_manager, cause=cause)


def all_at_once(app: Flask, people: int, act: Callable[[int], object]) -> Counter[str]:
    """Let several people act and commit at the same moment, each on a connection of their own.

    Returns how often each outcome came: "done", or the name of the exception.
    """
    start = threading.Barrier(people)

    def person(number: int) -> str:
        with app.app_context():
            start.wait()
            try:
                act(number)
                db.session.commit()
            except Exception as refusal:
                db.session.rollback()
                return type(refusal).__name__
            return "done"

    db.session.rollback()  # whoever holds a writing transaction here would make everybody wait
    with ThreadPoolExecutor(people) as threads:
        return Counter(threads.map(person, range(people)))


def written(entry: LedgerEntry) -> dict[str, object]:
    """Return what an entry says, by column: all but what the ledger counts and hashes by itself."""
    counted = {"id", "certificate_id", "sequence", "prev_hash", "hash"}
    names = [column.name for column in LedgerEntry.__table__.columns]
    return {name: getattr(entry, name) for name in names if name not in counted}
