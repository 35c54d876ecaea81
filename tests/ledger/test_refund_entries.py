"""Refunds in the ledger: what each act writes, to the last column, and what becomes of the certificate."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.errors import CertificateVoidError, InsufficientBalanceError
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries as refunds
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.open_entries import list_open_entries, list_open_of
from tests import build
from tests.ledger.acts import written

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FACE = 120_00


def hold(certificate: Certificate, amount_cents: int, *, refund_id: int = 7) -> LedgerEntry:
    """Hold money to be paid back, as the owner would."""
    asked = {"actor": "staff:3", "reason_code": "refund", "at": NOON}
    return refunds.hold_refund(certificate.id, amount_cents, refund_id=refund_id, **asked)


def settle(held: LedgerEntry, *, refund_id: int = 7) -> LedgerEntry:
    """Say that Stripe has paid it back."""
    return refunds.settle_refund(held, refund_id=refund_id, stripe_refund_id="re_1", at=NOON)


def release(held: LedgerEntry, *, refund_id: int = 7) -> LedgerEntry:
    """Say that Stripe will not pay it back."""
    return refunds.release_refund(held, refund_id=refund_id, actor="staff:3", at=NOON)


def take_foreign(certificate: Certificate, amount_cents: int) -> int:
    """Say that the owner paid back in Stripe's dashboard."""
    return refunds.take_foreign_refund(certificate.id, amount_cents, stripe_refund_id="re_1", at=NOON)


def write_off(certificate: Certificate, amount_cents: int, *, external_ref: str = "re_1", **more: str) -> LedgerEntry:
    """Write off what was spent before Stripe took it back."""
    key = f"loss of {external_ref}"
    return refunds.post_loss(certificate.id, amount_cents, key=key, external_ref=external_ref, at=NOON, **more)


def entries(certificate: Certificate, kind: str) -> list[LedgerEntry]:
    """Return a certificate's entries of one kind."""
    return [entry for entry in certificate.entries if entry.kind == kind]


def standing(certificate: Certificate) -> tuple[int, str]:
    """Return what is on a certificate and what it is."""
    return certificate.balance_cents, certificate.status


def test_a_hold_takes_money_off_the_balance_and_says_for_which_refund(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    assert written(hold(certificate, 50_00)) == {
        "kind": "refund_hold",
        "debit_account": "certificate_liability",
        "credit_account": "refund_due",
        "amount_cents": 50_00,
        "balance_after_cents": 70_00,
        "actor": "staff:3",
        "reason_code": "refund",
        "external_ref": None,
        "request_scope": "refund",
        "request_key": "refund:7:hold",
        "reverses_id": None,
        "created_at": NOON,
    }
    assert standing(certificate) == (70_00, "active")


def test_all_that_is_left_can_be_held_also_while_frozen_and_the_standing_stays(app: Flask) -> None:
    for status in ("active", "frozen"):
        certificate = build.certificate(face_value_cents=FACE, status=status)
        hold(certificate, FACE, refund_id=certificate.id)
        assert standing(certificate) == (0, status)


def test_no_cent_more_than_is_left_is_held(app: Flask) -> None:
    for status in ("active", "frozen"):
        certificate = build.certificate(face_value_cents=FACE, balance_cents=24_99, status=status)
        with pytest.raises(InsufficientBalanceError):
            hold(certificate, 25_00)
        assert standing(certificate) == (24_99, status)


def test_nothing_is_held_of_a_certificate_that_has_ended(app: Flask) -> None:
    with pytest.raises(CertificateVoidError):
        hold(build.certificate(balance_cents=0, status="void"), 1)


def test_a_settled_hold_leaves_through_stripe_and_the_balance_stays(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    held = hold(certificate, 50_00)
    assert written(settle(held)) == {
        "kind": "refund_settled",
        "debit_account": "refund_due",
        "credit_account": "stripe_clearing",
        "amount_cents": 50_00,
        "balance_after_cents": 70_00,
        "actor": "stripe",
        "reason_code": "",
        "external_ref": "re_1",
        "request_scope": "refund",
        "request_key": "refund:7:settled",
        "reverses_id": held.id,
        "created_at": NOON,
    }


@pytest.mark.parametrize(("held_cents", "after"), [(FACE - 1, (1, "active")), (FACE, (0, "void"))])
def test_a_certificate_ends_with_the_refund_of_its_last_cent(
    app: Flask, held_cents: int, after: tuple[int, str]
) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    settle(hold(certificate, held_cents))
    assert standing(certificate) == after


def test_a_released_hold_is_on_the_certificate_again(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    held = hold(certificate, 50_00)
    assert written(release(held)) == {
        "kind": "refund_released",
        "debit_account": "refund_due",
        "credit_account": "certificate_liability",
        "amount_cents": 50_00,
        "balance_after_cents": FACE,
        "actor": "staff:3",
        "reason_code": "",
        "external_ref": None,
        "request_scope": "refund",
        "request_key": "refund:7:released",
        "reverses_id": held.id,
        "created_at": NOON,
    }
    assert standing(certificate) == (FACE, "active")


def test_money_that_comes_back_to_an_ended_certificate_leaves_it_frozen(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    paid_back, refused = hold(certificate, 70_00), hold(certificate, 50_00, refund_id=8)
    settled = settle(paid_back)
    assert standing(certificate) == (0, "void")
    release(refused, refund_id=8)
    assert standing(certificate) == (50_00, "frozen")
    assert refunds.return_refund("re_1", at=NOON) == [settled]
    assert standing(certificate) == (FACE, "frozen")


FOREIGN = [
    # left, paid back -> taken, missing, what the certificate is then
    (FACE, FACE, FACE, 0, "void"),
    (FACE, FACE - 1, FACE - 1, 0, "active"),
    (20_00, 20_00, 20_00, 0, "void"),
    (20_00, 20_01, 20_00, 1, "active"),
    (20_00, FACE, 20_00, 100_00, "active"),
    (1, 2, 1, 1, "active"),
    (1, 1, 1, 0, "void"),
    (0, 1, 0, 1, "active"),
]


@pytest.mark.parametrize(("left", "paid_back", "taken", "missing", "status"), FOREIGN)
def test_a_refund_made_at_stripe_takes_what_is_left_and_writes_off_the_rest(
    app: Flask, left: int, paid_back: int, taken: int, missing: int, status: str
) -> None:
    certificate, _other = build.certificate(face_value_cents=FACE, balance_cents=left), build.certificate()
    assert take_foreign(certificate, paid_back) == missing
    assert [entry.amount_cents for entry in entries(certificate, "refund_external")] == [taken] * (taken > 0)
    assert [entry.amount_cents for entry in entries(certificate, "loss")] == [missing] * (missing > 0)
    assert standing(certificate) == (left - taken, status)


def test_both_entries_of_a_refund_made_at_stripe_name_it_and_the_certificate(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=20_00)
    take_foreign(certificate, 50_00)
    both = {
        "balance_after_cents": 0,
        "actor": "stripe",
        "reason_code": "",
        "external_ref": "re_1",
        "request_scope": "stripe",
        "reverses_id": None,
        "created_at": NOON,
        "credit_account": "stripe_clearing",
    }
    (taken,), (loss,) = entries(certificate, "refund_external"), entries(certificate, "loss")
    assert written(taken) == both | {
        "kind": "refund_external",
        "debit_account": "certificate_liability",
        "amount_cents": 20_00,
        "request_key": f"refund:re_1:cert:{certificate.id}",
    }
    assert written(loss) == both | {
        "kind": "loss",
        "debit_account": "write_off",
        "amount_cents": 30_00,
        "request_key": f"refund:re_1:loss:{certificate.id}",
    }


def test_a_refund_that_failed_after_all_is_given_back_by_a_linked_entry(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    take_foreign(certificate, 50_00)
    (taken,) = entries(certificate, "refund_external")
    assert refunds.return_refund("re_1", at=NOON) == [taken]
    (returned,) = entries(certificate, "refund_returned")
    assert written(returned) == {
        "kind": "refund_returned",
        "debit_account": "stripe_clearing",
        "credit_account": "certificate_liability",
        "amount_cents": 50_00,
        "balance_after_cents": FACE,
        "actor": "stripe",
        "reason_code": "",
        "external_ref": "re_1",
        "request_scope": "stripe",
        "request_key": f"refund:re_1:returned:{taken.id}",
        "reverses_id": taken.id,
        "created_at": NOON,
    }
    assert standing(certificate) == (FACE, "active")


def test_a_refund_that_ended_a_certificate_and_failed_after_all_leaves_it_frozen(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    take_foreign(certificate, FACE)
    assert standing(certificate) == (0, "void")
    (taken,) = entries(certificate, "refund_external")
    assert refunds.return_refund("re_1", at=NOON) == [taken]
    assert standing(certificate) == (FACE, "frozen")


def test_a_loss_leaves_balance_and_standing_unless_it_ends_an_empty_certificate(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=0)
    loss = write_off(certificate, FACE)
    assert (loss.request_key, loss.amount_cents, loss.balance_after_cents) == ("loss of re_1", FACE, 0)
    assert standing(certificate) == (0, "active")
    write_off(certificate, 1, external_ref="dp_1", status=refunds.VOID_WHEN_EMPTY)
    assert standing(certificate) == (0, "void")


def test_a_recovered_loss_closes_it_and_leaves_the_certificate_unless_it_is_to_be_looked_at(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=0)
    loss = write_off(certificate, FACE, status="void")
    assert written(refunds.recover_loss(loss, external_ref="dp_1", at=NOON)) == {
        "kind": "loss_recovered",
        "debit_account": "stripe_clearing",
        "credit_account": "write_off",
        "amount_cents": FACE,
        "balance_after_cents": 0,
        "actor": "stripe",
        "reason_code": "",
        "external_ref": "dp_1",
        "request_scope": "stripe",
        "request_key": f"loss:{loss.id}:recovered",
        "reverses_id": loss.id,
        "created_at": NOON,
    }
    assert standing(certificate) == (0, "void")
    again = refunds.post_loss(certificate.id, FACE, key="the same again", external_ref="dp_1", at=NOON)
    refunds.recover_loss(again, external_ref="dp_1", at=NOON, status=refunds.BACK_FROM_VOID)
    assert standing(certificate) == (0, "frozen")


def test_what_was_taken_beyond_all_shares_is_a_loss_once(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    loss = refunds.lose_beyond(certificate.id, 5_00, external_ref="re_1", at=NOON)
    assert (loss.kind, loss.amount_cents, loss.external_ref) == ("loss", 5_00, "re_1")
    assert (loss.request_key, loss.created_at) == ("loss:re_1:beyond", NOON)
    assert standing(certificate) == (FACE, "active")


@pytest.mark.parametrize(("by_cents", "rest"), [(FACE, []), (FACE - 1, [1]), (1, [FACE - 1])])
def test_a_loss_that_becomes_smaller_is_closed_and_its_rest_written_off_anew(
    app: Flask, by_cents: int, rest: list[int]
) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=0)
    loss = write_off(certificate, FACE, external_ref="dp_1", status="void")
    refunds.shrink_loss(loss, by_cents, at=NOON)
    (closing,) = entries(certificate, "loss_recovered")
    assert (closing.reverses_id, closing.external_ref, closing.created_at) == (loss.id, "dp_1", NOON)
    left = list_open_of([certificate.id], EntryKind.LOSS)
    assert [each.amount_cents for each in left] == rest
    for each in left:
        assert (each.request_key, each.external_ref, each.created_at) == (f"loss:{loss.id}:rest", "dp_1", NOON)
    assert standing(certificate) == (0, "void")


@pytest.mark.parametrize(
    ("lost", "paid", "after"),
    [(FACE, FACE, (0, "void")), (FACE, FACE - 1, (1, "active")), (FACE + 1, FACE, (0, "active"))],
)
def test_value_that_came_back_is_what_a_refund_took_when_it_was_not_there(
    app: Flask, lost: int, paid: int, after: tuple[int, str]
) -> None:
    loser, payer = build.certificate(face_value_cents=FACE, balance_cents=0), build.certificate(face_value_cents=FACE)
    loss = write_off(loser, lost)
    refunds.pay_loss(loss, payer.id, paid, at=NOON)
    (taken,) = entries(payer, "refund_external")
    assert written(taken) == {
        "kind": "refund_external",
        "debit_account": "certificate_liability",
        "credit_account": "stripe_clearing",
        "amount_cents": paid,
        "balance_after_cents": FACE - paid,
        "actor": "stripe",
        "reason_code": "",
        "external_ref": "re_1",
        "request_scope": "stripe",
        "request_key": f"loss:{loss.id}:paid",
        "reverses_id": None,
        "created_at": NOON,
    }
    assert standing(payer) == after
    assert [each.created_at for each in loser.entries if each.id > loss.id] == [NOON] * (1 + (paid < lost))
    assert sum(each.amount_cents for each in list_open_of([loser.id], EntryKind.LOSS)) == lost - paid
    assert list_open_of([payer.id], EntryKind.LOSS) == []


def test_open_entries_are_those_of_one_object_and_kind_that_nothing_has_closed_in_their_order(app: Flask) -> None:
    db.session.execute(sa.text("PRAGMA reverse_unordered_selects = ON"))  # an order that is not asked for is chance
    certificate, other = (build.certificate(face_value_cents=FACE, balance_cents=20_00) for _ in range(2))
    take_foreign(certificate, 50_00)
    take_foreign(other, 50_00)
    write_off(certificate, 1, external_ref="re_2")
    first, second = entries(certificate, "loss")[0], entries(other, "loss")[0]
    assert list_open_entries("re_1", EntryKind.LOSS) == [first, second]
    taken = [*entries(certificate, "refund_external"), *entries(other, "refund_external")]
    both = list_open_entries("re_1", EntryKind.REFUND_EXTERNAL, EntryKind.LOSS)
    assert both == sorted([first, second, *taken], key=lambda entry: entry.id)
    refunds.recover_loss(first, external_ref="re_1", at=NOON)
    assert list_open_entries("re_1", EntryKind.LOSS) == [second]
    assert list_open_entries("re_3", EntryKind.LOSS) == []
