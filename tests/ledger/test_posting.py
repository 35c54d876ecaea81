"""The ledger on both databases: exact amounts, named refusals, one chain of entries for each certificate."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.certificates import encryption
from giftshop.certificates.issue import issue, new_code
from giftshop.errors import (
    CertificateExpiredError,
    CertificateFrozenError,
    CertificateNotFoundError,
    CertificateVoidError,
    InsufficientBalanceError,
    InvalidAmountError,
    ShopError,
    WrongModeError,
)
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.models import Certificate, LedgerEntry, RedemptionNote
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import DESK, take, written

FACE = 120_00
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def figures(certificate: Certificate) -> tuple[int, int, int]:
    """Return what the database holds now: balance, last sequence, number of entries."""
    db.session.expire_all()
    count = sa.select(sa.func.count()).where(LedgerEntry.certificate_id == certificate.id)
    return certificate.balance_cents, certificate.last_sequence, db.session.scalar(count) or 0


@both_databases
def test_issue_stores_the_certificate_with_its_first_entry(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    (entry,) = certificate.entries
    assert (entry.kind, entry.debit_account, entry.credit_account) == (
        "issue",
        "stripe_clearing",
        "certificate_liability",
    )
    assert (entry.sequence, entry.amount_cents, entry.balance_after_cents) == (1, FACE, FACE)
    assert (certificate.issued_at, entry.prev_hash, entry.actor) == (entry.created_at, bytes(32), "stripe")
    assert figures(certificate) == (FACE, 1, 1)


def test_issue_keeps_the_code_only_as_hmac_and_ciphertext(app: Flask) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    assert certificate.code_lookup == encryption.lookup(code)
    row = db.session.execute(sa.text("SELECT * FROM certificate")).one()
    assert all(code.encode() not in str(value).encode() for value in row)


@pytest.mark.parametrize("face", [0, -1, 1.5, True, None])
def test_issue_refuses_a_face_value_that_is_no_amount(app: Flask, face: Any) -> None:
    certificate = Certificate(face_value_cents=face)
    with pytest.raises(InvalidAmountError):
        issue(certificate, code=new_code(), cause=build.cause("order", "issue:1:1:1", "stripe"))
    assert certificate not in db.session


@both_databases
def test_redeem_takes_exactly_the_amount_and_says_what_is_left(app: Flask) -> None:
    for amount, left in ((1, 119_99), (95_01, 24_99), (FACE - 1, 1), (FACE, 0)):
        certificate = build.certificate(face_value_cents=FACE)
        entry = take(certificate.id, amount, note="60 minutes")
        assert certificate.balance_cents == left, "a loaded certificate shows the new balance at once"
        db.session.commit()
        facts = (entry.kind, entry.amount_cents, entry.sequence, entry.balance_after_cents)
        assert facts == ("redeem", amount, 2, left)
        assert (entry.debit_account, entry.credit_account) == ("certificate_liability", "service_revenue")
        assert figures(certificate) == (left, 2, 2)
        assert db.session.get_one(RedemptionNote, entry.id).text == "60 minutes"


def test_a_redemption_without_words_leaves_no_note(app: Flask) -> None:
    take(build.certificate(face_value_cents=FACE).id, 10_00)
    assert db.session.scalars(sa.select(RedemptionNote)).all() == []
    db.session.commit()


@both_databases
def test_redeem_refuses_more_than_the_balance_by_one_cent(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=24_99)
    with pytest.raises(InsufficientBalanceError):
        take(certificate.id, 25_00)
    db.session.rollback()
    assert figures(certificate) == (24_99, 2, 2)


@both_databases
def test_redeem_refuses_whatever_is_not_a_positive_whole_number(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    wrong: list[Any] = [0, -5, 1.5, 10.0, True, "100", None, float("nan"), 2**63, 10**400]
    for amount in wrong:
        with pytest.raises(InvalidAmountError):
            take(certificate.id, amount)
    with pytest.raises(InsufficientBalanceError):
        take(certificate.id, 2**63 - 1)
    db.session.rollback()
    assert figures(certificate) == (FACE, 1, 1)


REFUSALS: list[tuple[dict[str, Any], dict[str, Any], type[ShopError]]] = [
    ({"status": "frozen"}, {}, CertificateFrozenError),
    ({"expires_on": date(2026, 11, 23)}, {}, CertificateExpiredError),
    ({"expires_on": date(2026, 11, 24)}, {"on": date(2026, 11, 25)}, CertificateExpiredError),
    ({"mode": "test"}, {}, WrongModeError),
    ({}, {"mode": "live"}, WrongModeError),
    ({"mode": "test", "status": "frozen"}, {}, WrongModeError),
    ({"status": "frozen", "expires_on": date(2026, 11, 23)}, {}, CertificateFrozenError),
]


@both_databases
def test_redeem_names_why_it_refuses_and_moves_nothing(app: Flask) -> None:
    for made, asked, refusal in REFUSALS:
        certificate = build.certificate(face_value_cents=FACE, **made)
        with pytest.raises(refusal):
            take(certificate.id, 10_00, **asked)
        db.session.commit()
        assert figures(certificate) == (FACE, 1, 1)


@both_databases
def test_redeem_works_until_the_end_of_the_last_day(app: Flask) -> None:
    for on in (date(2026, 11, 23), date(2026, 11, 24)):
        certificate = build.certificate(expires_on=date(2026, 11, 24))
        assert take(certificate.id, 10_00, on=on).amount_cents == 10_00
        db.session.commit()


@both_databases
def test_nothing_is_taken_from_an_ended_certificate(app: Flask) -> None:
    certificate = build.certificate(balance_cents=0, status="void")
    with pytest.raises(CertificateVoidError):
        take(certificate.id, 1)
    db.session.rollback()


def test_on_the_last_day_too_much_is_refused_as_too_much(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE, expires_on=date(2026, 11, 24))
    with pytest.raises(InsufficientBalanceError):
        take(certificate.id, FACE + 1, on=date(2026, 11, 24))


def test_whatever_takes_more_than_is_left_is_refused_as_too_much_unless_it_says_otherwise(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    transfer = posting.Transfer("refund_external", "certificate_liability", "stripe_clearing", FACE + 1)
    with pytest.raises(InsufficientBalanceError):
        posting.post(certificate.id, transfer, build.cause("stripe", "refund:re_1:cert:1", "stripe"))
    assert figures(certificate) == (FACE, 1, 1)


def test_a_refusal_says_what_the_database_holds_and_not_what_was_read_before(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    assert certificate.status == "active"
    db.session.execute(sa.text("UPDATE certificate SET status = 'frozen' WHERE id = :id"), {"id": certificate.id})
    with pytest.raises(CertificateFrozenError):
        take(certificate.id, 10_00)


def test_a_certificate_that_is_held_is_as_the_database_has_it_and_not_as_it_was_read_before(app: Flask) -> None:
    certificate = build.certificate()
    assert certificate.status == "active"
    db.session.execute(sa.update(Certificate).values(status="frozen").execution_options(synchronize_session=False))
    assert posting.lock_certificate(certificate.id).status == "frozen"
    db.session.rollback()


def test_every_entry_says_who_moved_it_and_why_and_by_which_request(app: Flask) -> None:
    certificate, other = build.certificate(face_value_cents=FACE), build.certificate(face_value_cents=FACE)
    cause = posting.Cause(
        actor=DESK, scope="till", key="the-key-of-this-form", at=NOON, reason_code="why", external_ref="re_1"
    )
    transfer = posting.Transfer("refund_external", "certificate_liability", "stripe_clearing", 20_00)
    entry = posting.post(certificate.id, transfer, cause)
    assert written(entry) == {
        "kind": "refund_external",
        "debit_account": "certificate_liability",
        "credit_account": "stripe_clearing",
        "amount_cents": 20_00,
        "balance_after_cents": 100_00,
        "actor": DESK,
        "reason_code": "why",
        "external_ref": "re_1",
        "request_scope": "till",
        "request_key": "the-key-of-this-form",
        "reverses_id": None,
        "created_at": NOON,
    }
    assert (entry.certificate_id, figures(certificate), figures(other)) == (
        certificate.id,
        (100_00, 2, 2),
        (FACE, 1, 1),
    )


def test_nothing_is_taken_from_a_certificate_that_is_not_there_and_none_is_held(app: Flask) -> None:
    for act in (lambda: take(4711, 1), lambda: posting.lock_certificate(4711)):
        with pytest.raises(CertificateNotFoundError):
            act()
        db.session.rollback()


def test_what_was_redeemed_and_not_committed_never_happened(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    take(certificate.id, 10_00)
    db.session.rollback()
    assert figures(certificate) == (FACE, 1, 1)


@both_databases
def test_entries_form_one_chain_of_hashes(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    for amount in (10_00, 20_00, 30_00):
        take(certificate.id, amount)
    db.session.commit()
    before = bytes(32)
    for number, entry in enumerate(certificate.entries, 1):
        assert (entry.sequence, entry.prev_hash) == (number, before)
        assert entry.hash == hashlib.sha256(before + documented_form(entry)).digest()
        before = entry.hash


def documented_form(entry: LedgerEntry) -> bytes:
    """Write an entry as the decision record says it is hashed, independently of the shop."""
    moment = entry.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    names = (
        "certificate_id sequence kind debit_account credit_account amount_cents balance_after_cents actor "
        "reason_code external_ref request_scope request_key reverses_id"
    )
    fields = [*(getattr(entry, name) for name in names.split()), moment]
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode()


@both_databases
def test_one_request_key_moves_money_once_even_without_its_stored_answer(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    cause = posting.Cause(actor=DESK, scope="redeem:staff:7", key="one-and-the-same-key", at=clock.now())
    posting.redeem(certificate.id, 10_00, on=date(2026, 1, 1), mode="simulated", cause=cause)
    db.session.commit()
    with pytest.raises(sa.exc.IntegrityError):
        posting.redeem(certificate.id, 10_00, on=date(2026, 1, 1), mode="simulated", cause=cause)
    db.session.rollback()
    assert figures(certificate) == (110_00, 2, 2)


def test_a_new_code_reads_back(app: Flask) -> None:
    assert len(new_code()) == 16
