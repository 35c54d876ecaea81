"""How fast the whole ledger is verified and sealed, beside a bare SELECT with SHA-256 over the same rows.

`python -m bench.ledger [CERTIFICATES] [ENTRIES OF EACH]`; a million entries unless said otherwise.
"""

import hashlib
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO

import sqlalchemy as sa

from bench.books import build_books
from bench.databases import fresh_shops
from bench.report import describe_machine, print_table, show_progress
from giftshop import clock
from giftshop.commands.ledger import verify_books
from giftshop.foundation.database import db, may_write, only_reads
from giftshop.ledger import integrity, seals
from giftshop.ledger.models import LedgerEntry
from giftshop.orders import integrity as orders_audit

SEALS, RUNS = 10, 2
HEAD = ("", "s", "rows/s", "× bare")


def main(certificates: int = 100_000, rounds: int = 10) -> None:
    """Print a table for each database."""
    for kind in ("sqlite", "postgresql"):
        with fresh_shops(kind):
            build_seconds = _build(certificates, rounds)
            _measure(kind, certificates * rounds, build_seconds)


def _build(certificates: int, rounds: int) -> float:
    """Fill the books, and seal them several times on the way; return how long filling them took."""
    every, spent = certificates * rounds // SEALS, 0.0
    started, due = time.monotonic(), every
    for entries in build_books(db.engine, certificates=certificates, rounds=rounds):
        show_progress(f"{entries} entries")
        spent += time.monotonic() - started
        if entries >= due:
            _seal()
            due += every
        started = time.monotonic()
    return spent


def _seal() -> None:
    db.session.add(seals.build_seal(at=clock.now()))
    db.session.commit()


def _measure(kind: str, entries: int, build_seconds: float) -> None:
    bare = _best(_read_bare)
    acts: dict[str, Callable[[], None]] = {
        "every hash, chain and seal": _verify,
        "the invariants of both audits": _check_invariants,
        "`flask ledger verify`: both, side by side": _verify_books,
        "one more seal": _seal,
    }
    rows = [_row("bare SELECT and SHA-256", bare, bare, entries)]
    rows += [_row(name, _best(act), bare, entries) for name, act in acts.items()]
    note = f"Filled at {entries / build_seconds:,.0f} entries/s with every trigger on. Best of {RUNS} runs each."
    print_table(f"{kind}: {entries:,} entries, {SEALS} seals", HEAD, rows, note)


def _row(name: str, seconds: float, bare: float, entries: int) -> tuple[str, str, str, str]:
    return name, f"{seconds:.1f}", f"{entries / seconds:,.0f}", f"{seconds / bare:.2f}"


def _best(act: Callable[[], None]) -> float:
    spent = []
    for _ in range(RUNS):
        show_progress(act.__name__)
        started = time.monotonic()
        act()
        spent.append(time.monotonic() - started)
        db.session.rollback()
    return min(spent)


def _read_bare() -> None:
    """Read every column of every entry in order and hash it: what no verification can do without."""
    query = sa.select(*LedgerEntry.__table__.columns).order_by(LedgerEntry.certificate_id, LedgerEntry.sequence)
    text = str(query.compile(db.engine))
    with db.engine.connect().execution_options(only_reads=True, stream_results=True) as connection:
        for row in connection.exec_driver_sql(text).yield_per(10_000):
            hashlib.sha256(row[-2] + repr(row[:-2]).encode()).digest()


def _verify() -> None:
    only_reads()
    for _ in seals.verify():
        db.session.rollback()
    may_write()


def _check_invariants() -> None:
    only_reads()
    for wrong in integrity.check_invariants({**integrity.INVARIANTS, **orders_audit.INVARIANTS}):
        assert not wrong, wrong
        db.session.rollback()
    may_write()


def _verify_books() -> None:
    with redirect_stdout(StringIO()):
        verify_books()


if __name__ == "__main__":
    print(describe_machine())
    main(*(int(number) for number in sys.argv[1:]))
