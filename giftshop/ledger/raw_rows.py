"""The ledger read raw, some certificates at a time, for whoever checks or seals all of it.

Plain columns and no objects: a million entries pass in seconds. Nothing here spans two reads, so a caller may end
its transaction between them: on SQLite a reader that stays would keep every till waiting.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from giftshop.foundation.database import db
from giftshop.ledger import hash_chain
from giftshop.ledger.models import Certificate
from giftshop.ledger.models import LedgerEntry as Entry

CERTIFICATES_AT_ONCE = 1_000
CONTENT = slice(0, len(hash_chain.FIELDS))
"""Where an entry's hashed columns stand in its row; behind them come its id, prev_hash and hash."""
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
ID, PREV_HASH, HASH = range(CONTENT.stop, CONTENT.stop + 3)


class Standing(NamedTuple):
    """What a certificate's own row says of itself."""

    id: int
    public_id: str
    face_value_cents: int
    balance_cents: int
    last_sequence: int


def list_ranges() -> list[tuple[int, int]]:
    """Return ranges of certificate ids, first and last, which together leave out no number there is.

    They end at ids of certificates, so that an entry whose certificate was changed to a far number stands in one
    too, and costs no more than the others.
    """
    place = sa.func.row_number().over(order_by=Certificate.id).label("place")
    numbered = sa.select(Certificate.id, place).subquery()
    query = sa.select(numbered.c.id).where(numbered.c.place % CERTIFICATES_AT_ONCE == 0).order_by(numbered.c.id)
    ends = [_LOWEST - 1, *db.session.scalars(query), _HIGHEST]
    return [(before + 1, end) for before, end in pairwise(ends)]


def begin_snapshot() -> None:
    """Begin a transaction whose reads all see the same instant, unless one is open already.

    SQLite's transactions do so anyway; PostgreSQL's would see what each statement finds.
    """
    if db.engine.dialect.name == "postgresql" and not db.session().in_transaction():
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def count_entries(*, upto: int | None = None) -> int:
    """Return how many entries there are, all or those with ids up to one."""
    query = sa.select(sa.func.count()).select_from(Entry)
    return db.session.scalar(query if upto is None else query.where(Entry.id <= upto)) or 0


def read_entries(low: int, high: int) -> Sequence[Any]:
    """Return the entries of the certificates with ids from `low` to `high`, certificate by certificate, in sequence.

    They are the driver's own tuples: building SQLAlchemy's rows takes as long as reading them.
    Raises UnicodeDecodeError or a SQLAlchemyError for a row that cannot be read.
    """
    return _fetch_tuples(_entries().where(Entry.certificate_id.between(low, high)))


def read_heads(low: int, high: int, *, mark: int) -> Sequence[Any]:
    """Return certificate_id, sequence and hash of the last entry of each chain, as things stood at entry id `mark`."""
    in_range = Entry.certificate_id.between(low, high)  # said twice, or PostgreSQL reads the whole table each time
    last = (
        sa.select(sa.func.max(Entry.sequence).label("sequence"), Entry.certificate_id)
        .where(in_range, Entry.id <= mark)
        .group_by(Entry.certificate_id)
        .subquery()
    )
    query = sa.select(Entry.certificate_id, Entry.sequence, Entry.hash).join(
        last, sa.and_(Entry.certificate_id == last.c.certificate_id, Entry.sequence == last.c.sequence)
    )
    return _run(query.where(in_range).order_by(Entry.certificate_id)).all()


def read_standings(low: int, high: int) -> dict[int, Standing]:
    """Return the certificates with ids from `low` to `high` by their ids, which ascend."""
    columns = [getattr(Certificate, name) for name in Standing._fields]
    query = sa.select(*columns).where(Certificate.id.between(low, high)).order_by(Certificate.id)
    return {row[0]: Standing._make(row) for row in _run(query)}


def find_unreadable(low: int, high: int) -> int | None:
    """Return the id of the first entry in a range whose columns cannot even be read, or None."""
    ids = sa.select(Entry.id).where(Entry.certificate_id.between(low, high)).order_by(Entry.certificate_id)
    return next((entry_id for (entry_id,) in _run(ids) if not _can_be_read(entry_id)), None)


def _can_be_read(entry_id: int) -> bool:
    try:
        _fetch_tuples(_entries().where(Entry.id == entry_id))
    except (UnicodeDecodeError, SQLAlchemyError):
        return False
    return True


def _entries() -> sa.Select[Any]:
    content = [getattr(Entry, name) for name in hash_chain.FIELDS[:-1]]
    query = sa.select(*content, _moment_as_text(), Entry.id, Entry.prev_hash, Entry.hash)
    return query.order_by(Entry.certificate_id, Entry.sequence)


def _moment_as_text() -> sa.ColumnElement[str]:
    """Return the entry's moment as it was hashed: on SQLite what is stored, so that every byte of it counts."""
    if db.engine.dialect.name == "sqlite":
        return sa.type_coerce(Entry.created_at, sa.Text())
    utc = sa.func.timezone("UTC", Entry.created_at)
    return sa.func.to_char(utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')


def _run(query: Any) -> sa.CursorResult[Any]:
    return db.session.connection().execute(query)


def _fetch_tuples(query: Any) -> list[tuple[Any, ...]]:
    """Return rows past SQLAlchemy, but say in its words what goes wrong."""
    with _run(query) as result:
        assert result.cursor is not None
        try:
            return list(result.cursor.fetchall())
        except db.engine.dialect.loaded_dbapi.Error as error:
            raise DatabaseError(str(query), None, error) from error
