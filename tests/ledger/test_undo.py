"""Undo: exactly once, exactly what was taken, by whom and how soon the rules allow."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.errors import (
    AlreadyReversedError,
    CertificateNotFoundError,
    CertificateVoidError,
    NotRedeemedByYouError,
    NotReversibleError,
    ReasonMissingError,
    TooLateToUndoError,
    TooManyUndosError,
)
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries, undo
from giftshop.ledger.models import LedgerEntry
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import DESK, all_at_once, give_back, take

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@both_databases
def test_undo_gives_back_exactly_what_was_taken(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    entry = take(certificate.id, 40_01)
    undone = give_back(entry)
    assert certificate.balance_cents == 120_00, "a loaded certificate shows the new balance at once"
    db.session.commit()
    assert (undone.kind, undone.reverses_id, undone.amount_cents) == ("reversal", entry.id, 40_01)
    assert (undone.debit_account, undone.credit_account) == ("service_revenue", "certificate_liability")
    assert (undone.sequence, undone.balance_after_cents) == (3, 120_00)
    found = undo.find_reversal(entry.id)
    assert found is not None
    assert found.id == undone.id


@both_databases
def test_a_second_undo_is_refused_also_for_a_manager(app: Flask) -> None:
    certificate = build.certificate()
    entry = take(certificate.id, 40_00)
    give_back(entry)
    db.session.commit()
    for is_manager in (False, True):
        with pytest.raises(AlreadyReversedError):
            give_back(entry, is_manager=is_manager, reason="again")
    db.session.rollback()
    assert certificate.balance_cents == 120_00


@both_databases
def test_of_eight_undos_at_once_one_is_done_and_the_others_hear_why(app: Flask) -> None:
    certificate = build.certificate()
    entry_id = take(certificate.id, 40_00).id
    db.session.commit()
    outcomes = all_at_once(app, 8, lambda _: give_back(db.session.get_one(LedgerEntry, entry_id)))
    assert outcomes == {"done": 1, "AlreadyReversedError": 7}
    assert certificate.balance_cents == 120_00


def test_an_undo_cannot_be_undone_nor_a_sale(app: Flask) -> None:
    certificate = build.certificate()
    undone = give_back(take(certificate.id, 40_00))
    for entry in (undone, certificate.entries[0]):
        with pytest.raises(NotReversibleError):
            give_back(entry, is_manager=True, reason="why not")
    db.session.commit()


def test_after_an_undo_the_same_money_can_be_redeemed_and_undone_again(app: Flask) -> None:
    certificate = build.certificate()
    for _ in range(2):
        give_back(take(certificate.id, 120_00))
    db.session.commit()
    assert (certificate.balance_cents, certificate.last_sequence) == (120_00, 5)


@pytest.mark.parametrize(
    ("later", "is_allowed"),
    [
        (timedelta(0), True),
        (timedelta(minutes=14, seconds=59), True),
        (timedelta(minutes=15), True),
        (timedelta(minutes=15, microseconds=1), False),
        (timedelta(minutes=15, seconds=1), False),
        (timedelta(days=1), False),
    ],
)
def test_fifteen_minutes_are_fifteen_minutes(app: Flask, later: timedelta, is_allowed: bool) -> None:
    with time_machine.travel(NOON, tick=False) as traveller:
        entry = take(build.certificate().id, 40_00)
        assert undo.undo_ends_at(entry) == NOON + timedelta(minutes=15)
        traveller.move_to(NOON + later)
        assert undo.may_undo_own(entry, actor=DESK, at=clock.now()) == is_allowed
        if is_allowed:
            give_back(entry)
        else:
            with pytest.raises(TooLateToUndoError):
                give_back(entry)
        db.session.commit()


def test_staff_undo_only_their_own(app: Flask) -> None:
    entry = take(build.certificate().id, 40_00)
    assert not undo.may_undo_own(entry, actor="staff:8", at=clock.now())
    with pytest.raises(NotRedeemedByYouError):
        give_back(entry, actor="staff:8")
    db.session.rollback()


@both_databases
def test_the_fourth_undo_within_a_day_needs_a_manager(app: Flask) -> None:
    certificate = build.certificate()
    for hour in (0, 8, 16):
        at = NOON + timedelta(hours=hour)
        give_back(take(certificate.id, 10_00, at=at), at=at)
    soon, later = NOON + timedelta(hours=24, microseconds=-1), NOON + timedelta(hours=24)
    entry = take(certificate.id, 10_00, at=soon)
    with pytest.raises(TooManyUndosError):
        give_back(entry, at=soon)
    assert give_back(entry, at=later).balance_after_cents == 120_00
    db.session.commit()


def test_undos_are_counted_for_each_person_alone(app: Flask) -> None:
    certificate = build.certificate()
    for _ in range(3):
        give_back(take(certificate.id, 10_00))
    assert give_back(take(certificate.id, 10_00, actor="staff:8"), actor="staff:8").actor == "staff:8"
    db.session.commit()


def test_a_manager_undoes_anything_at_any_time_with_a_reason(app: Flask) -> None:
    certificate = build.certificate()
    entry = take(certificate.id, 10_00, at=NOON)
    with pytest.raises(ReasonMissingError):
        give_back(entry, actor="staff:1", is_manager=True, at=NOON + timedelta(days=400))
    undone = give_back(entry, actor="staff:1", is_manager=True, reason="rang twice", at=NOON + timedelta(days=400))
    assert undone.reason_code == "rang twice"
    db.session.commit()


def test_a_manager_undoes_the_own_redemption_like_anyone(app: Flask) -> None:
    assert give_back(take(build.certificate().id, 10_00), is_manager=True).reason_code == ""
    db.session.commit()


def test_an_undo_is_possible_while_frozen_but_not_on_an_ended_certificate(app: Flask) -> None:
    frozen, ended = build.certificate(), build.certificate()
    kept, spent = take(frozen.id, 40_00), take(ended.id, 120_00)
    status.freeze(frozen.id, subject="dp_1", reason_code="disputed", actor="stripe", at=NOON)
    ended.status = "void"
    db.session.commit()
    assert give_back(kept).balance_after_cents == 120_00
    db.session.commit()
    with pytest.raises(CertificateVoidError):
        give_back(spent)
    db.session.rollback()


@pytest.mark.parametrize("is_on_hold", [False, True])
def test_what_is_given_back_after_a_refund_emptied_the_certificate_can_be_used_unless_it_is_on_hold(
    app: Flask, is_on_hold: bool
) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    entry = take(certificate.id, 40_00)
    if is_on_hold:
        status.freeze_by_hand(certificate.id, reason_code="she called", actor=DESK, at=clock.now())
    refund_entries.take_foreign_refund(certificate.id, 80_00, stripe_refund_id="re_1", at=clock.now())
    assert certificate.status == "void"
    give_back(entry)
    assert (certificate.balance_cents, certificate.status) == (40_00, "frozen" if is_on_hold else "active")


def test_an_undo_reaches_only_entries_of_the_certificate_at_hand(app: Flask) -> None:
    entry, other = take(build.certificate().id, 40_00), build.certificate()
    db.session.commit()
    entry_id = entry.id
    for asked in (
        LedgerEntry(id=entry_id, certificate_id=other.id),
        LedgerEntry(id=4711, certificate_id=other.id),
    ):
        with pytest.raises(CertificateNotFoundError):
            give_back(asked)
    db.session.rollback()
