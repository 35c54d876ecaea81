"""Disputes in the ledger: what is held, given back, lost and recovered, once each, and what the certificate is then."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from giftshop.ledger import dispute_entries as disputes
from giftshop.ledger import refund_entries as refunds
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate
from giftshop.ledger.open_entries import list_open_entries, list_open_of
from tests import build
from tests.ledger.acts import take

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FACE = 120_00


def hold(certificate: Certificate, share_cents: int = FACE) -> int:
    """Let the bank question the certificate's share of a payment."""
    return disputes.hold_disputed(certificate.id, share_cents, dispute_id="dp_1", at=NOON)


def lose(certificate: Certificate, share_cents: int = FACE) -> int:
    """Let the bank decide for the buyer."""
    return disputes.lose_disputed(certificate.id, share_cents, dispute_id="dp_1", at=NOON)


def release(certificate: Certificate) -> None:
    """Let the bank decide for the practice."""
    disputes.release_disputed(certificate.id, dispute_id="dp_1", at=NOON)


def moves(certificate: Certificate) -> list[tuple[str, int]]:
    """Return what the dispute has moved, in order."""
    return [(entry.kind, entry.amount_cents) for entry in certificate.entries if entry.external_ref == "dp_1"]


def standing(certificate: Certificate) -> tuple[int, str]:
    """Return what is on a certificate and what it is."""
    return certificate.balance_cents, certificate.status


HOLDS = [
    # left, share -> held, what the certificate is then
    (FACE, FACE, FACE, (0, "frozen")),
    (FACE, 50_00, 50_00, (70_00, "frozen")),
    (20_00, FACE, 20_00, (0, "frozen")),
    (1, FACE, 1, (0, "frozen")),
    (0, FACE, 0, (0, "active")),
]


@pytest.mark.parametrize(("left", "share", "held", "after"), HOLDS)
def test_what_is_left_of_the_share_is_held(
    app: Flask, left: int, share: int, held: int, after: tuple[int, str]
) -> None:
    certificate, other = build.certificate(face_value_cents=FACE, balance_cents=left), build.certificate()
    assert hold(certificate, share) == held
    assert (moves(certificate), moves(other)) == ([("dispute_hold", held)] * (held > 0), [])
    assert standing(certificate) == after


def test_a_dispute_told_of_again_holds_only_what_has_come_back_up_to_the_share(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    take(certificate.id, 100_00)
    assert [hold(certificate, 50_00), hold(certificate, 50_00)] == [20_00, 20_00]
    refill = disputes.post(
        certificate.id,
        disputes.Transfer("reversal", "service_revenue", "certificate_liability", 100_00, certificate.entries[1].id),
        build.cause("test", build.request_key(), "staff:1"),
    )
    assert refill.balance_after_cents == 100_00
    assert hold(certificate, 50_00) == 50_00
    assert moves(certificate) == [("dispute_hold", 20_00), ("dispute_hold", 30_00)]
    assert len({entry.request_key for entry in certificate.entries}) == 5


def test_a_dispute_that_was_won_gives_back_exactly_what_it_held_once(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE)
    hold(certificate, 50_00)
    release(certificate)
    release(certificate)
    assert moves(certificate) == [("dispute_hold", 50_00), ("dispute_released", 50_00)]
    assert certificate.entries[2].reverses_id == certificate.entries[1].id
    assert standing(certificate) == (FACE, "frozen"), "orders/ lifts the hold that has a name"


LOSSES = [
    # left, share -> lost from the balance, written off, what the certificate is then
    (FACE, FACE, FACE, 0, (0, "void")),
    (FACE, 50_00, 50_00, 0, (70_00, "frozen")),
    (20_00, 50_00, 20_00, 30_00, (0, "void")),
    (0, 50_00, 0, 50_00, (0, "void")),
]


@pytest.mark.parametrize(("left", "share", "lost", "written_off", "after"), LOSSES)
def test_a_lost_dispute_takes_what_is_left_and_writes_off_the_rest_once(
    app: Flask, left: int, share: int, lost: int, written_off: int, after: tuple[int, str]
) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=left)
    assert lose(certificate, share) == written_off
    gone = [("dispute_hold", lost), ("dispute_lost", lost)] if lost else []
    assert moves(certificate) == gone + [("loss", written_off)] * (written_off > 0)
    assert standing(certificate) == after


def test_an_appeal_that_was_won_brings_everything_back_and_the_certificate_frozen(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=FACE, balance_cents=20_00)
    lose(certificate, 50_00)
    for _ in range(2):
        disputes.recover_disputed(dispute_id="dp_1", at=NOON)
    assert moves(certificate)[3:] == [("dispute_recovered", 20_00), ("loss_recovered", 30_00)]
    assert standing(certificate) == (20_00, "frozen")


def refunded(certificate: Certificate, amount_cents: int) -> None:
    """Let so much be paid back in Stripe's dashboard."""
    refunds.take_foreign_refund(certificate.id, amount_cents, stripe_refund_id="re_1", at=NOON)


def come_back() -> None:
    """Let that refund fail."""
    (taken,) = list_open_entries("re_1", EntryKind.REFUND_EXTERNAL)
    assert refunds.return_refund("re_1", at=NOON) == [taken]


PAID = [
    # what is lost, what pays for it -> what stays lost, what the certificate that paid is then
    (50_00, 50_00, [], (20_00, "frozen")),
    (50_00, 30_00, [20_00], (40_00, "frozen")),
    (70_00, 70_00, [], (0, "void")),
]


@pytest.mark.parametrize("is_its_own", [True, False])
@pytest.mark.parametrize(("lost", "paid", "rest", "after"), PAID)
def test_what_comes_back_goes_to_the_bank_that_had_taken_it_already(
    app: Flask, lost: int, paid: int, rest: list[int], after: tuple[int, str], is_its_own: bool
) -> None:
    payer = build.certificate(face_value_cents=FACE, balance_cents=70_00)
    refunded(payer, 70_00)
    loser = payer if is_its_own else build.certificate(face_value_cents=FACE, balance_cents=0)
    assert lose(loser, lost) == lost
    come_back()
    (loss,) = list_open_of([loser.id], EntryKind.LOSS)
    disputes.pay_loss(loss, payer.id, paid, at=NOON)
    assert [entry.amount_cents for entry in list_open_of([loser.id], EntryKind.LOSS)] == rest
    assert [entry.external_ref for entry in list_open_of([loser.id], EntryKind.LOSS)] == ["dp_1"] * len(rest)
    assert standing(payer) == after
    assert is_its_own or standing(loser) == (0, "void")
    disputes.recover_disputed(dispute_id="dp_1", at=NOON)
    assert standing(payer) == (70_00, "frozen")
    assert list_open_of([loser.id], EntryKind.LOSS) == []
