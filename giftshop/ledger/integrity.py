"""The audit: re-add every ledger and name what does not add up; run from the command line and after every test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain as chain_together
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from giftshop.foundation.database import db
from giftshop.ledger import hash_chain, raw_rows
from giftshop.ledger.kinds import FIRST_KINDS, HOLDING, LIABILITY, EntryKind, in_sql
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.raw_rows import CONTENT, HASH, ID, PREV_HASH, Standing
from giftshop.ledger.states import CertificateStatus

SEQUENCE, DEBIT, CREDIT, AMOUNT, BALANCE, REVERSES = map(
    hash_chain.FIELDS.index,
    ("sequence", "debit_account", "credit_account", "amount_cents", "balance_after_cents", "reverses_id"),
)
_NOTHING = (*(0 for _ in hash_chain.FIELDS), 0, b"", hash_chain.FIRST)
"""What stands before a certificate's first entry, as a row."""

_EFFECT = (
    f"CASE WHEN credit_account = '{LIABILITY}' THEN amount_cents"
    f" WHEN debit_account = '{LIABILITY}' THEN -amount_cents ELSE 0 END"
)
_VOID, _ACTIVE, _FROZEN = CertificateStatus.VOID, CertificateStatus.ACTIVE, CertificateStatus.FROZEN
_HOLDS = " UNION ALL ".join(f"SELECT '{account}' AS account, '{kind}' AS kind" for account, kind in HOLDING.items())

INVARIANTS = {
    "a balance is the sum of its entries": f"""
        SELECT count(*) FROM certificate c WHERE c.balance_cents <> (
          SELECT coalesce(sum({_EFFECT}), 0) FROM ledger_entry e WHERE e.certificate_id = c.id)""",
    "entries are numbered 1 to n without a gap": """
        SELECT count(*) FROM certificate c WHERE c.last_sequence < 1
          OR c.last_sequence <> (SELECT count(*) FROM ledger_entry WHERE certificate_id = c.id)
          OR c.last_sequence <> (SELECT coalesce(max(sequence), 0) FROM ledger_entry WHERE certificate_id = c.id)""",
    "every balance follows from the one before": f"""
        SELECT count(*) FROM (SELECT balance_after_cents
          - coalesce(lag(balance_after_cents) OVER (PARTITION BY certificate_id ORDER BY sequence), 0)
          - {_EFFECT} AS difference FROM ledger_entry) x WHERE difference <> 0""",
    "no balance is below zero or above the face value": """
        SELECT count(*) FROM ledger_entry e JOIN certificate c ON c.id = e.certificate_id
         WHERE e.balance_after_cents < 0 OR e.balance_after_cents > c.face_value_cents""",
    "holding accounts hold exactly the open holds": f"""
        SELECT count(*) FROM (SELECT h.account,
            (SELECT coalesce(sum(CASE WHEN credit_account = h.account THEN amount_cents ELSE -amount_cents END), 0)
               FROM ledger_entry WHERE h.account IN (debit_account, credit_account)) AS posted,
            (SELECT coalesce(sum(e.amount_cents), 0) FROM ledger_entry e WHERE e.kind = h.kind
               AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)) AS still_open
          FROM ({_HOLDS}) h) x WHERE posted <> still_open""",
    "an entry is closed at most once, by its exact mirror": """
        SELECT count(*) FROM ledger_entry r JOIN ledger_entry o ON o.id = r.reverses_id
         WHERE r.certificate_id <> o.certificate_id OR r.amount_cents <> o.amount_cents
            OR r.debit_account <> o.credit_account OR r.id <= o.id
            OR (SELECT count(*) FROM ledger_entry z WHERE z.reverses_id = o.id) <> 1""",
    "a certificate starts with one issue at face value": f"""
        SELECT count(*) FROM certificate c WHERE (SELECT count(*) FROM ledger_entry e WHERE e.certificate_id = c.id
          AND e.kind IN ({in_sql(FIRST_KINDS)}) AND e.sequence = 1
          AND e.amount_cents = c.face_value_cents) <> 1""",
    "a status tells the truth": f"""
        SELECT count(*) FROM certificate c WHERE (c.status = '{_VOID}' AND c.balance_cents <> 0)
          OR (c.status = '{_ACTIVE}' AND EXISTS (SELECT 1 FROM ledger_entry e WHERE e.certificate_id = c.id
              AND e.kind = '{EntryKind.DISPUTE_HOLD}'
              AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)))""",
    "a certificate is on hold while a hold is open, and only then": f"""
        SELECT count(*) FROM certificate c WHERE c.status <> '{_VOID}' AND (c.status = '{_FROZEN}') <> EXISTS (
          SELECT 1 FROM certificate_freeze f WHERE f.certificate_id = c.id AND f.lifted_at IS NULL)""",
    "the hash chain links": """
        SELECT count(*) FROM (SELECT prev_hash,
            lag(hash) OVER (PARTITION BY certificate_id ORDER BY sequence) AS hash_before,
            row_number() OVER (PARTITION BY certificate_id ORDER BY sequence) AS place
          FROM ledger_entry) x WHERE place > 1 AND prev_hash <> hash_before""",
}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is wrong, by its table and id, whose certificate it is about, and what is wrong with it."""

    table: str
    id: int
    public_id: str
    wrong: str

    def __str__(self) -> str:
        about = f" (certificate {self.public_id})" if self.public_id else ""
        return f"{self.table} {self.id}{about}: {self.wrong}"


def list_broken_invariants() -> list[str]:
    """Return the invariants that do not hold, each with the number of rows that break it."""
    return list(filter(None, check_invariants(INVARIANTS)))


def check_invariants(queries: dict[str, str]) -> Iterator[str]:
    """Ask each query how many rows break its invariant; yield what to say of it, nothing when it holds."""
    for name, query in queries.items():
        count = db.session.scalar(sa.text(query))
        yield f"{name}: {count}" if count else ""


def find_bad_row(low: int, high: int) -> BadRow | None:
    """Return the first row that is wrong about the certificates with ids from `low` to `high`, or None."""
    try:
        rows, standings = raw_rows.read_entries(low, high), raw_rows.read_standings(low, high)
    except (UnicodeDecodeError, SQLAlchemyError):
        unreadable = raw_rows.find_unreadable(low, high)
        if unreadable is None:
            raise
        return BadRow("ledger_entry", unreadable, "", "it cannot be read")
    return check_rows(rows, standings)


def find_moved_row() -> BadRow | None:
    """Return an entry whose own id was changed: SQLite numbers them 1 to n, PostgreSQL leaves gaps by right."""
    if db.engine.dialect.name != "sqlite":
        return None
    ids = sa.select(sa.func.min(LedgerEntry.id), sa.func.max(LedgerEntry.id), sa.func.count())
    low, high, count = db.session.execute(ids).one()
    if not count or (low, high) == (1, count):
        return None
    return BadRow("ledger_entry", low if low < 1 else high, "", "the ids of entries have a gap")


def check_rows(rows: Sequence[Any], standings: dict[int, Standing]) -> BadRow | None:
    """Return the first row that is wrong among entries in order and the certificates they belong to, or None."""
    chains = {certificate_id: list(found) for certificate_id, found in groupby(rows, key=itemgetter(0))}
    forged = (_check_chain(standings.get(number), entries) for number, entries in chains.items())
    untrue = (_check_standing(standing, chains.get(number, [])) for number, standing in standings.items())
    return next(filter(None, chain_together(forged, untrue)), None)


def _check_chain(standing: Standing | None, entries: list[Any]) -> BadRow | None:
    """Check the entries of one certificate against one another."""
    public_id = standing.public_id if standing else ""
    before: Any = _NOTHING
    for entry in entries:
        if wrong := _what_is_wrong(entry, before):
            return BadRow("ledger_entry", entry[ID], public_id, wrong)
        before = entry
    by_id = {each[ID]: each for each in entries}
    for entry in filter(itemgetter(REVERSES), entries):
        if wrong := _what_is_wrong_with_closing(entry, by_id.get(entry[REVERSES])):
            return BadRow("ledger_entry", entry[ID], public_id, wrong)
    return None if standing else BadRow("ledger_entry", entries[0][ID], "", "its certificate is gone")


def _what_is_wrong(entry: Any, before: Any) -> str:
    """Say what is wrong with an entry behind the one before it; empty when all is right."""
    if entry[SEQUENCE] != before[SEQUENCE] + 1:
        return "an entry before it is missing"
    if entry[PREV_HASH] != before[HASH]:
        return "it does not continue the entry before it"
    if entry[HASH] != hash_chain.link(entry[PREV_HASH], entry[CONTENT]):
        return "its content does not fit its hash"
    if entry[BALANCE] != before[BALANCE] + entry[AMOUNT] * ((entry[CREDIT] == LIABILITY) - (entry[DEBIT] == LIABILITY)):
        return "its balance does not follow from the one before"
    return "" if entry[ID] > before[ID] else "its id is out of order"


def _what_is_wrong_with_closing(entry: Any, closed: Any) -> str:
    """Say what is wrong with an entry that closes another one of its certificate; empty when it mirrors that."""
    if closed is None or closed[SEQUENCE] >= entry[SEQUENCE]:
        return "it closes no entry before it"
    fits = (closed[AMOUNT], closed[CREDIT]) == (entry[AMOUNT], entry[DEBIT])
    return "" if fits else "it is no mirror of the entry it closes"


def _check_standing(standing: Standing, entries: list[Any]) -> BadRow | None:
    """Check what a certificate's row says against its entries."""
    wrong = _what_is_untrue(standing, entries)
    return BadRow(Certificate.__tablename__, standing.id, standing.public_id, wrong) if wrong else None


def _what_is_untrue(standing: Standing, entries: list[Any]) -> str:
    if not entries:
        return "it has no entries"
    if standing.last_sequence != entries[-1][SEQUENCE]:
        return "it does not end with its last entry"
    if standing.balance_cents != entries[-1][BALANCE]:
        return "its balance is not what its entries come to"
    if standing.face_value_cents != entries[0][AMOUNT]:
        return "its face value is not what was issued"
    is_off = max(each[BALANCE] for each in entries) > standing.face_value_cents
    return "its balance was above its face value" if is_off else ""
