"""The audit: with the guards taken away, every way of cooking the books is named."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger import integrity, posting
from giftshop.ledger.models import Certificate, LedgerEntry
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.ledger.forging import rebuild_chains
from tests.ledger.whole_ledger import find_forged_entry


@both_databases
def test_honest_books_add_up(app: Flask) -> None:
    assert (integrity.list_broken_invariants(), find_forged_entry()) == ([], None)
    certificate = build.certificate()
    give_back(take(certificate.id, 40_00))
    take(certificate.id, 120_00)
    build.certificate(status="frozen")
    db.session.commit()
    assert (integrity.list_broken_invariants(), find_forged_entry()) == ([], None)


COOKED = {
    "a balance is the sum of its entries": "UPDATE certificate SET balance_cents = balance_cents + 1",
    "entries are numbered 1 to n without a gap": "DELETE FROM ledger_entry WHERE sequence = 2",
    "every balance follows from the one before": (
        "UPDATE ledger_entry SET balance_after_cents = balance_after_cents - 1 WHERE sequence = 4"
    ),
    "no balance is below zero or above the face value": (
        "UPDATE ledger_entry SET balance_after_cents = 12001 WHERE sequence = 3"
    ),
    "holding accounts hold exactly the open holds": (
        "UPDATE ledger_entry SET kind = 'refund_hold', credit_account = 'refund_due' WHERE sequence = 2"
    ),
    "an entry is closed at most once, by its exact mirror": (
        "UPDATE ledger_entry SET amount_cents = amount_cents - 1 WHERE sequence = 3"
    ),
    "a certificate starts with one issue at face value": "UPDATE certificate SET face_value_cents = 13000",
    "a status tells the truth": "UPDATE certificate SET status = 'void'",
    "a certificate is on hold while a hold is open, and only then": "UPDATE certificate SET status = 'frozen'",
    "the hash chain links": "UPDATE ledger_entry SET prev_hash = randomblob(32) WHERE sequence = 3",
}


@pytest.fixture
def unguarded(app: Flask) -> Certificate:
    """A certificate redeemed, undone and redeemed again, in a transaction without triggers that is never committed."""
    certificate = build.certificate(face_value_cents=120_00)
    give_back(take(certificate.id, 40_00))
    take(certificate.id, 10_00)
    db.session.commit()
    db.session.execute(sa.text("SELECT 1"))
    for name in db.session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        db.session.execute(sa.text(f"DROP TRIGGER {name}"))
    return certificate


def cook(statement: str) -> None:
    """Change what CHECKs would not let through, nor foreign keys before COMMIT."""
    db.session.execute(sa.text("PRAGMA ignore_check_constraints = 1"))
    db.session.execute(sa.text("PRAGMA defer_foreign_keys = 1"))
    db.session.execute(sa.text(statement))
    db.session.execute(sa.text("PRAGMA ignore_check_constraints = 0"))


@pytest.mark.parametrize(("name", "statement"), COOKED.items())
def test_every_broken_invariant_is_named_with_its_rows(unguarded: Certificate, name: str, statement: str) -> None:
    cook(statement)
    assert any(line.startswith(f"{name}: 1") for line in integrity.list_broken_invariants())
    db.session.rollback()


def test_every_invariant_has_a_case_that_breaks_it() -> None:
    assert COOKED.keys() == integrity.INVARIANTS.keys()


def test_an_active_certificate_with_an_open_dispute_is_named(unguarded: Certificate) -> None:
    cook("UPDATE ledger_entry SET kind = 'dispute_hold', credit_account = 'dispute_hold' WHERE sequence = 4")
    assert integrity.list_broken_invariants() == ["a status tells the truth: 1"]
    db.session.rollback()


CHANGED_COLUMNS = {
    "certificate_id": "certificate_id + 1",
    "sequence": "sequence + 100",
    "kind": "'loss'",
    "debit_account": "'breakage'",
    "credit_account": "'breakage'",
    "amount_cents": "amount_cents + 1",
    "balance_after_cents": "balance_after_cents + 1",
    "actor": "'staff:8'",
    "reason_code": "'other'",
    "external_ref": "'re_1'",
    "request_scope": "'other'",
    "request_key": "'another-key'",
    "reverses_id": "1",
    "created_at": "'2026-01-01T00:00:00.000000+00:00'",
    "prev_hash": "zeroblob(32)",
    "hash": "zeroblob(32)",
}


def test_every_column_of_an_entry_is_under_its_hash() -> None:
    assert CHANGED_COLUMNS.keys() == {column.name for column in LedgerEntry.__table__.columns} - {"id"}


@pytest.mark.parametrize(("column", "value"), CHANGED_COLUMNS.items())
def test_a_change_of_any_column_is_found_and_its_row_named(unguarded: Certificate, column: str, value: str) -> None:
    build.certificate()
    cook(f"UPDATE ledger_entry SET {column} = {value} WHERE sequence = 4")
    forged = find_forged_entry()
    assert forged is not None
    assert db.session.scalar(sa.select(LedgerEntry.actor).where(LedgerEntry.id == forged.id)) != "stripe"
    db.session.rollback()


def remove_the_middle(certificate: Certificate) -> None:
    cook("UPDATE ledger_entry SET reverses_id = NULL")
    cook("DELETE FROM ledger_entry WHERE sequence = 2")


def exchange_two(certificate: Certificate) -> None:
    cook("UPDATE ledger_entry SET sequence = sequence + 10 WHERE sequence = 2")
    cook("UPDATE ledger_entry SET sequence = 2 WHERE sequence = 3")
    cook("UPDATE ledger_entry SET sequence = 3 WHERE sequence = 12")


def write_one_in_with_a_right_hash(certificate: Certificate) -> None:
    cause = posting.Cause(actor="staff:8", scope="forged", key="forged-by-the-owner", at=clock.now())
    cook("UPDATE ledger_entry SET sequence = 5 WHERE sequence = 4")
    transfer = posting.Transfer("redeem", "certificate_liability", "service_revenue", 1)
    db.session.add(posting._build_entry(certificate.id, transfer, cause, sequence=4, balance=119_99))
    db.session.flush()


@pytest.mark.parametrize("forge", [remove_the_middle, exchange_two, write_one_in_with_a_right_hash])
def test_rows_removed_exchanged_or_written_in_break_the_chain(
    unguarded: Certificate, forge: Callable[[Certificate], None]
) -> None:
    forge(unguarded)
    assert find_forged_entry() is not None
    db.session.rollback()


REBUILT = [
    (
        "UPDATE ledger_entry SET amount_cents = 999 WHERE sequence = 4",
        "its balance does not follow from the one before",
    ),
    (
        "UPDATE ledger_entry SET reverses_id = (SELECT id FROM ledger_entry WHERE sequence = 4) WHERE sequence = 3",
        "it closes no entry before it",
    ),
    ("UPDATE ledger_entry SET reverses_id = 4711 WHERE sequence = 3", "it closes no entry before it"),
    (
        "UPDATE ledger_entry SET debit_account = 'cash_paid_out' WHERE sequence = 3",
        "it is no mirror of the entry it closes",
    ),
    ("UPDATE certificate SET face_value_cents = 13000", "its face value is not what was issued"),
]


@pytest.mark.parametrize(("statement", "words"), REBUILT)
def test_a_forger_who_recomputes_every_hash_must_also_make_the_figures_agree(
    unguarded: Certificate, statement: str, words: str
) -> None:
    cook(statement)
    rebuild_chains()
    found = find_forged_entry()
    assert found is not None
    assert (found.public_id, found.wrong) == (unguarded.public_id, words)
    db.session.rollback()


def test_a_certificate_that_cannot_be_read_ends_the_audit_with_the_databases_own_words(unguarded: Certificate) -> None:
    cook("UPDATE certificate SET public_id = CAST(x'ff' AS TEXT)")
    with pytest.raises(OperationalError, match="UTF-8"):
        find_forged_entry()
    db.session.rollback()
