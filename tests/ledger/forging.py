"""What somebody can do who owns the database: change the books without guards, and recompute every hash after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from giftshop.foundation.database import db
from giftshop.ledger import hash_chain, raw_rows, seals
from giftshop.ledger.models import LedgerEntry, LedgerSeal

_SQLITE = ("PRAGMA ignore_check_constraints = 1", "PRAGMA defer_foreign_keys = 1")
_GUARDED = ("certificate", "ledger_entry", "ledger_seal")


@contextmanager
def unguarded() -> Iterator[None]:
    """Work in a transaction whose database has no triggers, and minds no CHECK and no foreign key before its end.

    It is rolled back: nothing of it is ever committed.
    """
    db.session.rollback()
    is_sqlite = db.engine.dialect.name == "sqlite"
    try:
        run("SELECT 1")
        for statement in _drop_triggers() if is_sqlite else [f"ALTER TABLE {t} DISABLE TRIGGER ALL" for t in _GUARDED]:
            run(statement)
        for statement in _SQLITE if is_sqlite else ():
            run(statement)
        yield
    finally:
        db.session.rollback()
        if is_sqlite:
            run("PRAGMA ignore_check_constraints = 0")
            db.session.rollback()


def run(statement: str, **values: Any) -> None:
    """Run one statement in the open transaction."""
    db.session.execute(sa.text(statement), values)


def rebuild_chains() -> None:
    """Recompute every hash, as a forger would who has read hash_chain.py."""
    db.session.expire_all()
    entries = db.session.scalars(sa.select(LedgerEntry).order_by(LedgerEntry.certificate_id, LedgerEntry.sequence))
    before: dict[int, bytes] = {}
    for entry in entries.all():
        values = [getattr(entry, name) for name in hash_chain.FIELDS[:-1]]
        prev_hash = before.get(entry.certificate_id, hash_chain.FIRST)
        link = hash_chain.link(prev_hash, (*values, entry.created_at.isoformat(timespec="microseconds")))
        run("UPDATE ledger_entry SET prev_hash = :p, hash = :h WHERE id = :id", p=prev_hash, h=link, id=entry.id)
        before[entry.certificate_id] = link
    db.session.expire_all()


def rebuild_seals() -> None:
    """Recompute every seal, as somebody would who also forges what the owner was mailed about."""
    before = hash_chain.FIRST
    for seal in db.session.execute(sa.select(*LedgerSeal.__table__.columns).order_by(LedgerSeal.id)).all():
        recount = seals.Recount([SimpleNamespace(**{**seal._mapping, "prev_digest": before})])
        recount.add(raw_rows.read_entries(0, 10**9))
        digest = recount._digests[0].digest()
        changes = "prev_digest = :prev_digest, digest = :digest, certificates = :certificates"
        values = {"prev_digest": before, "digest": digest, "certificates": recount._certificates[0], "id": seal.id}
        run(f"UPDATE ledger_seal SET {changes} WHERE id = :id", **values)
        before = digest
    db.session.expire_all()


def last_digest() -> str:
    """The newest seal as the owner got it by mail."""
    return db.session.scalars(sa.select(LedgerSeal.digest).order_by(LedgerSeal.id.desc())).first().hex()  # type: ignore[union-attr]


def _drop_triggers() -> list[str]:
    names = db.session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    return [f"DROP TRIGGER {name}" for name in names]
