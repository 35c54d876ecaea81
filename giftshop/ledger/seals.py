"""Seals: once a day one digest over the heads of all chains, for the owner to keep where nobody here can reach it.

A seal covers the entries that stood at its mark, the highest entry id then. Entries are never changed or deleted,
so what stood at a mark can be read for ever after, a thousand certificates at a time, each in a short transaction
of its own: nobody at the till waits for a seal, and sales that go on meanwhile do not disturb it. Only the mark has to
be exact. On SQLite there is one writer, and ids ascend in the order of commits. On PostgreSQL a sale may hold a lower
id and commit later; so the mark is taken under a SHARE lock on `certificate`, which every posting updates before it
inserts: the lock is had when no posting is under way, and is held for one query. (A repeatable-read snapshot would
be exact too, but would have to stay open for the whole reading, and could not be read again to prove it.)

The seal's row needs no column for its mark: it covers the first `entries` entries by id.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from giftshop.errors import ShopError
from giftshop.foundation.database import db, may_write, only_reads
from giftshop.ledger import hash_chain, raw_rows
from giftshop.ledger.integrity import SEQUENCE, BadRow, check_rows, find_bad_row, find_moved_row
from giftshop.ledger.models import LedgerEntry, LedgerSeal
from giftshop.ledger.raw_rows import HASH, ID

_NEVER = 2**63 - 1


class TamperedLedgerError(ShopError):
    """No seal of this ledger has that digest: it was changed since, or restored from a backup made before the seal."""


def find_last_seal(*, until: datetime | None = None) -> LedgerSeal | None:
    """Return the newest seal, or None; of those dated `until` a moment, where a clock that was ahead must not count."""
    seals = sa.select(LedgerSeal).order_by(LedgerSeal.id.desc()).limit(1)
    return db.session.scalar(seals if until is None else seals.where(LedgerSeal.created_at <= until))


def build_seal(*, at: datetime) -> LedgerSeal:
    """Compute the seal over all entries committed by now; ends the open transaction, and many short ones of its own.

    The caller stores it, in the transaction that also tells the owner; of two at once UNIQUE refuses one.
    """
    db.session.rollback()
    try:
        mark = _take_mark()
        only_reads()
        return _read_seal(mark, at=at)
    finally:
        may_write()


def verify(*, mailed: str = "") -> Iterator[int]:
    """Check every hash, every chain and every seal; yield how many entries were read so far.

    `mailed` is the digest of a seal as the owner got it: it must be one of ours. The caller may end its transaction
    at each yield. Raises TamperedLedgerError, which names the first row that is wrong.
    """
    recount = Recount(_read_seals(), mailed=mailed)
    done = 0
    for low, high in raw_rows.list_ranges():
        yield done
        raw_rows.begin_snapshot()
        done += _verify_range(low, high, recount)
    yield done
    refuse(find_moved_row() or recount.find_wrong_seal())


def refuse(found: BadRow | None) -> None:
    """Raise TamperedLedgerError if a wrong row was found."""
    if found:
        raise TamperedLedgerError(f"The ledger does not verify: {found}.")


class Recount:
    """Computes every stored seal anew while all entries pass by once, certificate by certificate."""

    def __init__(self, seals: Sequence[Any], *, mailed: str = "") -> None:
        self._seals, self._marks = seals, _marks_of(seals)
        self._digests = [hashlib.sha256(seal.prev_digest) for seal in seals]
        self._certificates = [0] * len(seals)
        wanted = re.sub(r"[\s:-]", "", mailed).lower()
        if wanted and wanted not in {seal.digest.hex() for seal in seals}:
            raise TamperedLedgerError

    def add(self, rows: Sequence[Any]) -> None:
        """Take the entries of the next certificates, in order, into every seal that covers them.

        What a seal says of these certificates differs from the seal before only where an entry came between.
        """
        places: dict[int, int] = {}
        changes: dict[int, dict[int, Any]] = {}
        for row in rows:
            place = places.setdefault(row[0], len(places))
            changes.setdefault(bisect_left(self._marks, row[ID]), {})[place] = row
        # Seals lie in order: between two of them only the chains with an entry in between say something new.
        heads, text = [b""] * len(places), b""
        for number, digest in enumerate(self._digests):
            if number in changes:
                for place, row in changes[number].items():
                    heads[place] = hash_chain.head(row[0], row[SEQUENCE], row[HASH])
                text = b"".join(heads)
            digest.update(text)
            self._certificates[number] += len(text) // hash_chain.HEAD_BYTES

    def find_wrong_seal(self) -> BadRow | None:
        """Return the first seal that does not say what its entries come to, or None."""
        before = hash_chain.FIRST
        for seal, mark, digest, certificates in zip(
            self._seals, self._marks, self._digests, self._certificates, strict=True
        ):
            if wrong := _what_is_wrong(seal, before, mark, (certificates, digest.digest())):
                made = f"made {seal.created_at:%Y-%m-%d %H:%M} UTC"
                return BadRow("ledger_seal", seal.id, "", f"{made}, digest {seal.digest.hex()}: {wrong}")
            before = seal.digest
        return None


def _what_is_wrong(seal: Any, before: bytes, mark: int, found: tuple[int, bytes]) -> str:
    if seal.prev_digest != before:
        return "it does not continue the seal before it"
    if mark == _NEVER:
        return "entries it covers are gone"
    if found != (seal.certificates, seal.digest):
        return "entries it covers were changed, removed or added since it was made"
    return ""


def _verify_range(low: int, high: int, recount: Recount) -> int:
    """Check some certificates and take them into the seals; return how many entries they have."""
    try:
        rows, standings = raw_rows.read_entries(low, high), raw_rows.read_standings(low, high)
    except (UnicodeDecodeError, SQLAlchemyError):
        refuse(find_bad_row(low, high))
        raise
    refuse(check_rows(rows, standings))
    recount.add(rows)
    return len(rows)


def _marks_of(seals: Sequence[Any]) -> list[int]:
    """Return for each seal the id of the last entry it covers, ascending."""
    numbered = sa.select(LedgerEntry.id, sa.func.row_number().over(order_by=LedgerEntry.id).label("place")).subquery()
    places = {seal.entries for seal in seals}
    query = sa.select(numbered.c.place, numbered.c.id).where(numbered.c.place.in_(places))
    ids = {0: 0, **{row.place: row.id for row in db.session.execute(query)}} if places else {}
    return sorted(ids.get(seal.entries, _NEVER) for seal in seals)


def _read_seals() -> Sequence[Any]:
    return db.session.execute(sa.select(*LedgerSeal.__table__.columns).order_by(LedgerSeal.id)).all()


def _read_seal(mark: int, *, at: datetime) -> LedgerSeal:
    """Read the heads of all chains as they stood at `mark`, and build the seal that continues the last one."""
    last = find_last_seal()
    seal = LedgerSeal(
        created_at=at,
        certificates=0,
        entries=raw_rows.count_entries(upto=mark),
        prev_digest=last.digest if last else hash_chain.FIRST,
    )
    digest = hashlib.sha256(seal.prev_digest)
    for low, high in raw_rows.list_ranges():
        db.session.rollback()
        heads = raw_rows.read_heads(low, high, mark=mark)
        digest.update(b"".join(hash_chain.head(*each) for each in heads))
        seal.certificates += len(heads)
    seal.digest = digest.digest()
    return seal


def _take_mark() -> int:
    """Return the highest id of an entry, when no entry with a lower one can still come."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.text("LOCK TABLE certificate IN SHARE MODE"))
    else:
        only_reads()
    mark = db.session.scalar(sa.select(sa.func.max(LedgerEntry.id)))
    db.session.rollback()
    return mark or 0
