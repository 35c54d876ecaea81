"""The ledger on both databases: exact amounts, named refusals, one reversal, and no balance without its entry."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from giftshop import clock
from giftshop.certificates import audit, ledger
from giftshop.certificates.models import Certificate, LedgerEntry
from giftshop.database import db
from giftshop.errors import (
    AlreadyReversedError,
    CertificateExpiredError,
    CertificateFrozenError,
    CertificateVoidError,
    InsufficientBalanceError,
    InvalidAmountError,
    NotRedeemedByYouError,
    NotReversibleError,
    ReasonMissingError,
    ShopError,
    TooLateToUndoError,
    TooManyUndosError,
    WrongModeError,
)
from tests import build
from tests.conftest import both_databases

DESK = "staff:7"


def take(certificate: Certificate, amount_cents: Any, **changes: Any) -> LedgerEntry:
    values = {"on": date(2026, 11, 24), "mode": "simulated"}
    cause = build.cause("redeem:staff:7", build.request_key(), DESK, changes.pop("at", None))
    return ledger.redeem(certificate.id, amount_cents, cause=cause, **{**values, **changes})


def give_back(certificate: Certificate, entry: LedgerEntry, *, actor: str = DESK, **changes: Any) -> LedgerEntry:
    cause = ledger.Cause(
        actor=actor,
        scope=f"undo:{actor}",
        key=build.request_key(),
        at=changes.get("at", clock.now()),
        reason_code=changes.get("reason", ""),
    )
    return ledger.reverse(
        entry.id, certificate_id=certificate.id, is_manager=changes.get("is_manager", False), cause=cause
    )


@both_databases
def test_redeem_takes_exactly_the_amount_and_says_what_is_left(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    entry = take(certificate, 95_01)
    db.session.commit()
    assert (entry.sequence, entry.balance_after_cents, certificate.balance_cents) == (2, 24_99, 24_99)


@both_databases
def test_redeem_takes_the_last_cent(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    take(certificate, 120_00)
    db.session.commit()
    assert certificate.balance_cents == 0


@both_databases
def test_redeem_refuses_more_than_the_balance_by_one_cent(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    with pytest.raises(InsufficientBalanceError):
        take(certificate, 120_01)
    db.session.rollback()
    assert certificate.balance_cents == 120_00


@pytest.mark.parametrize("amount", [0, -5, 1.5, 10.0, True, "100", 2**63, None])
def test_redeem_refuses_whatever_is_not_a_positive_whole_number(app: Flask, amount: Any) -> None:
    certificate = build.certificate()
    with pytest.raises((InvalidAmountError, InsufficientBalanceError, OverflowError)):
        take(certificate, amount)
    db.session.rollback()
    assert certificate.balance_cents == 120_00


REFUSALS: list[tuple[dict[str, Any], dict[str, Any], type[ShopError]]] = [
    ({"status": "frozen"}, {}, CertificateFrozenError),
    ({"expires_on": date(2026, 11, 23)}, {}, CertificateExpiredError),
    ({"mode": "test"}, {}, WrongModeError),
]


@both_databases
@pytest.mark.parametrize(("made", "asked", "refusal"), REFUSALS)
def test_redeem_names_why_it_refuses(
    app: Flask, made: dict[str, Any], asked: dict[str, Any], refusal: type[ShopError]
) -> None:
    certificate = build.certificate(**made)
    with pytest.raises(refusal):
        take(certificate, 10_00, **asked)
    db.session.rollback()


def test_redeem_works_on_the_last_day(app: Flask) -> None:
    assert take(build.certificate(expires_on=date(2026, 11, 24)), 10_00).amount_cents == 10_00


def test_nothing_is_taken_from_an_ended_certificate(app: Flask) -> None:
    certificate = build.certificate(balance_cents=1)
    take(certificate, 1)
    certificate.status = "void"
    db.session.commit()
    with pytest.raises(CertificateVoidError):
        take(certificate, 1)
    db.session.rollback()


@both_databases
def test_undo_gives_back_what_was_taken_once(app: Flask) -> None:
    certificate = build.certificate()
    entry = take(certificate, 40_00)
    undone = give_back(certificate, entry)
    db.session.commit()
    assert (undone.amount_cents, undone.reverses_id, certificate.balance_cents) == (40_00, entry.id, 120_00)
    with pytest.raises(AlreadyReversedError):
        give_back(certificate, entry)
    db.session.rollback()


def test_an_undo_is_not_undone(app: Flask) -> None:
    certificate = build.certificate()
    undone = give_back(certificate, take(certificate, 40_00))
    with pytest.raises(NotReversibleError):
        give_back(certificate, undone)
    db.session.rollback()


def test_fifteen_minutes_are_fifteen_minutes(app: Flask) -> None:
    certificate, now = build.certificate(), clock.now()
    entry = take(certificate, 40_00, at=now - timedelta(minutes=15, seconds=1))
    with pytest.raises(TooLateToUndoError):
        give_back(certificate, entry, at=now)
    assert give_back(certificate, entry, at=now - timedelta(seconds=1)).amount_cents == 40_00
    db.session.commit()


def test_staff_undo_only_their_own(app: Flask) -> None:
    certificate = build.certificate()
    entry = take(certificate, 40_00)
    with pytest.raises(NotRedeemedByYouError):
        give_back(certificate, entry, actor="staff:8")
    db.session.rollback()


def test_the_fourth_undo_of_a_day_needs_a_manager_with_a_reason(app: Flask) -> None:
    certificate = build.certificate()
    for _ in range(3):
        give_back(certificate, take(certificate, 10_00))
    entry = take(certificate, 10_00)
    with pytest.raises(TooManyUndosError):
        give_back(certificate, entry)
    with pytest.raises(ReasonMissingError):
        give_back(certificate, entry, actor="staff:1", is_manager=True)
    assert give_back(certificate, entry, actor="staff:1", is_manager=True, reason="rang twice").reason_code
    db.session.commit()


@both_databases
def test_twenty_tills_take_300_from_1000_three_times(app: Flask) -> None:
    certificate_id = build.certificate(face_value_cents=1000).id
    db.session.rollback()

    def till(_: int) -> bool:
        with app.app_context():
            try:
                take(db.session.get_one(Certificate, certificate_id), 300)
                db.session.commit()
            except InsufficientBalanceError:
                db.session.rollback()
                return False
            return True

    with ThreadPoolExecutor(20) as tills:
        assert sum(tills.map(till, range(20))) == 3
    assert db.session.get_one(Certificate, certificate_id).balance_cents == 100


@both_databases
def test_reading_comparing_and_writing_is_stopped_by_the_database(app: Flask) -> None:
    """The negative control: the form that overspends elsewhere cannot even commit here."""
    certificate = build.certificate(face_value_cents=1000)
    statement = sa.text("UPDATE certificate SET balance_cents = balance_cents - 300 WHERE id = :id")
    with pytest.raises(DBAPIError):
        _commit(statement, id=certificate.id)


GUARDED = [
    "UPDATE certificate SET balance_cents = 5000 WHERE id = 1",
    "UPDATE certificate SET balance_cents = -1, last_sequence = last_sequence + 1 WHERE id = 1",
    "UPDATE certificate SET last_sequence = last_sequence + 1 WHERE id = 1",
    "UPDATE certificate SET last_sequence = last_sequence + 2 WHERE id = 1",
    "UPDATE certificate SET face_value_cents = 50000 WHERE id = 1",
    "UPDATE certificate SET currency = 'EUR' WHERE id = 1",
    "UPDATE certificate SET mode = 'live' WHERE id = 1",
    "UPDATE certificate SET public_id = 'ANOTHER' WHERE id = 1",
    "UPDATE certificate SET status = 'void' WHERE id = 1",
    "UPDATE certificate SET status = 'free' WHERE id = 1",
    "DELETE FROM certificate WHERE id = 1",
    "UPDATE ledger_entry SET amount_cents = 1",
    "UPDATE ledger_entry SET actor = 'nobody'",
    "DELETE FROM ledger_entry",
    "INSERT INTO ledger_entry (certificate_id, sequence, kind, debit_account, credit_account, amount_cents,"
    " balance_after_cents, actor, reason_code, request_scope, request_key, created_at, prev_hash, hash)"
    " SELECT certificate_id, 2, 'redeem', 'certificate_liability', 'service_revenue', 100, 11900, 'x', '', 's',"
    " 'keykeykey', created_at, hash, prev_hash FROM ledger_entry",
    "INSERT INTO ledger_entry (certificate_id, sequence, kind, debit_account, credit_account, amount_cents,"
    " balance_after_cents, actor, reason_code, request_scope, request_key, created_at, prev_hash, hash)"
    " SELECT certificate_id, 1, 'issue', 'stripe_clearing', 'certificate_liability', 12000, 12000, 'x', '', 's',"
    " 'keykeykey', created_at, prev_hash, prev_hash FROM ledger_entry",
]


@both_databases
@pytest.mark.parametrize("statement", GUARDED)
def test_the_database_refuses_what_the_ledger_would_never_do(app: Flask, statement: str) -> None:
    build.certificate()
    assert db.session.scalar(sa.select(sa.func.min(Certificate.id))) == 1
    with pytest.raises(DBAPIError):
        _commit(sa.text(statement))


def test_replace_does_not_rewrite_history_on_sqlite(app: Flask) -> None:
    build.certificate()
    for statement in (
        "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry",
        "INSERT OR REPLACE INTO certificate SELECT * FROM certificate",
        "INSERT OR IGNORE INTO ledger_entry SELECT * FROM ledger_entry",
    ):
        with pytest.raises(DBAPIError):
            db.session.execute(sa.text(statement))
        db.session.rollback()


def test_without_its_trigger_a_forged_entry_is_found_by_the_chain(app: Flask) -> None:
    certificate = build.certificate()
    take(certificate, 10_00)
    db.session.commit()
    db.session.execute(sa.text("DROP TRIGGER ledger_entry_no_update"))
    db.session.execute(sa.text("UPDATE ledger_entry SET actor = 'staff:9' WHERE sequence = 2"))
    forged = audit.find_forged_entry()
    assert forged is not None
    assert forged.sequence == 2
    db.session.rollback()


def _commit(statement: sa.TextClause, **values: object) -> None:
    """Run a statement and commit it: some guards speak at once, the deferred key only at COMMIT."""
    try:
        db.session.execute(statement, values)
        db.session.commit()
    finally:
        db.session.rollback()
