"""The audit: re-add every ledger and name what does not add up; run from the command line and after every test."""

from collections.abc import Iterator

import sqlalchemy as sa

from giftshop.certificates import chain
from giftshop.certificates.models import LedgerEntry
from giftshop.database import db

_EFFECT = (
    "CASE WHEN credit_account = 'certificate_liability' THEN amount_cents"
    " WHEN debit_account = 'certificate_liability' THEN -amount_cents ELSE 0 END"
)

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
    "holding accounts hold exactly the open holds": """
        SELECT count(*) FROM (SELECT h.account,
            (SELECT coalesce(sum(CASE WHEN credit_account = h.account THEN amount_cents ELSE -amount_cents END), 0)
               FROM ledger_entry WHERE h.account IN (debit_account, credit_account)) AS posted,
            (SELECT coalesce(sum(e.amount_cents), 0) FROM ledger_entry e WHERE e.kind = h.kind
               AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)) AS still_open
          FROM (SELECT 'refund_due' AS account, 'refund_hold' AS kind
                UNION ALL SELECT 'dispute_hold', 'dispute_hold') h) x WHERE posted <> still_open""",
    "an entry is closed at most once, by its exact mirror": """
        SELECT count(*) FROM ledger_entry r JOIN ledger_entry o ON o.id = r.reverses_id
         WHERE r.certificate_id <> o.certificate_id OR r.amount_cents <> o.amount_cents
            OR r.debit_account <> o.credit_account OR r.id <= o.id
            OR (SELECT count(*) FROM ledger_entry z WHERE z.reverses_id = o.id) <> 1""",
    "a certificate starts with one issue at face value": """
        SELECT count(*) FROM certificate c WHERE (SELECT count(*) FROM ledger_entry e WHERE e.certificate_id = c.id
          AND e.kind IN ('issue','promote','import') AND e.sequence = 1
          AND e.amount_cents = c.face_value_cents) <> 1""",
    "a status tells the truth": """
        SELECT count(*) FROM certificate c WHERE (c.status = 'void' AND c.balance_cents <> 0)
          OR (c.status = 'active' AND EXISTS (SELECT 1 FROM ledger_entry e WHERE e.certificate_id = c.id
              AND e.kind = 'dispute_hold' AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)))""",
    "a certificate is on hold while a hold is open, and only then": """
        SELECT count(*) FROM certificate c WHERE c.status <> 'void' AND (c.status = 'frozen') <> EXISTS (
          SELECT 1 FROM certificate_freeze f WHERE f.certificate_id = c.id AND f.lifted_at IS NULL)""",
    "the hash chain links": """
        SELECT count(*) FROM (SELECT prev_hash,
            lag(hash) OVER (PARTITION BY certificate_id ORDER BY sequence) AS hash_before,
            row_number() OVER (PARTITION BY certificate_id ORDER BY sequence) AS place
          FROM ledger_entry) x WHERE place > 1 AND prev_hash <> hash_before""",
}


def list_broken_invariants() -> list[str]:
    """Return the invariants that do not hold, each with the number of rows that break it."""
    counts = {name: db.session.scalar(sa.text(query)) for name, query in INVARIANTS.items()}
    return [f"{name}: {count}" for name, count in counts.items() if count]


def find_forged_entry() -> LedgerEntry | None:
    """Return the first entry whose hash does not fit its content and its predecessor, or None."""
    before: dict[int, bytes] = {}
    for entry in _entries_in_order():
        expected = before.get(entry.certificate_id, chain.FIRST)
        if entry.prev_hash != expected or entry.hash != chain.entry_hash(entry):
            return entry
        before = {entry.certificate_id: entry.hash}
    return None


def _entries_in_order() -> Iterator[LedgerEntry]:
    query = sa.select(LedgerEntry).order_by(LedgerEntry.certificate_id, LedgerEntry.sequence)
    yield from db.session.scalars(query.execution_options(yield_per=1000))
