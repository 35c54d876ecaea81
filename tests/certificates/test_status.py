"""A certificate's standing: on hold and released, ended, given a new code; who may, when, and what is written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates import look_up, status
from giftshop.errors import CertificateVoidError, CodeReplacedError, NotFrozenByHandError, ReasonMissingError
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries, posting
from giftshop.ledger.models import Certificate, CertificateFreeze
from tests import build
from tests.ledger.acts import take

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHY: dict[str, Any] = {"reason_code": "rang twice", "actor": "staff:3", "at": NOON}


def void(certificate: Certificate, **changes: Any) -> Any:
    """End a certificate, as the owner would."""
    return status.void(certificate.id, request_key=build.request_key(), **{**WHY, **changes})


def noted(certificate: Certificate) -> list[str]:
    """Return what the activity log says has happened to a certificate."""
    query = (
        sa.select(ActivityEvent.kind).where(ActivityEvent.certificate_id == certificate.id).order_by(ActivityEvent.id)
    )
    return list(db.session.scalars(query))


def test_a_certificate_is_on_hold_while_any_reason_for_it_is_open(app: Flask) -> None:
    certificate, other = build.certificate(), build.certificate()
    assert status.freeze_by_hand(certificate.id, **WHY)
    assert not status.freeze_by_hand(certificate.id, **WHY)
    assert status.freeze(certificate.id, subject="dp_1", reason_code="disputed", actor="stripe", at=NOON)
    assert [each.subject for each in status.list_freezes(certificate.id)] == [status.BY_HAND, "dp_1"]
    assert status.lift(certificate.id, subject="dp_1", actor="stripe", at=NOON)
    assert not status.lift(certificate.id, subject="dp_1", actor="stripe", at=NOON)
    db.session.refresh(certificate)
    assert certificate.status == "frozen"
    assert status.lift(certificate.id, subject=status.BY_HAND, actor="staff:3", at=NOON)
    db.session.refresh(certificate)
    assert (certificate.status, other.status) == ("active", "active")
    assert noted(certificate) == ["frozen", "frozen", "unfrozen", "unfrozen"]
    ended = db.session.scalars(sa.select(CertificateFreeze)).all()
    assert {(each.lifted_at, each.lifted_by) for each in ended} == {(NOON, "stripe"), (NOON, "staff:3")}
    db.session.commit()


def test_a_manager_ends_every_hold_but_one_that_holds_disputed_money(app: Flask) -> None:
    certificate = build.certificate()
    status.freeze_by_hand(certificate.id, **WHY)
    status.freeze(certificate.id, subject="dp_1", reason_code="disputed", actor="stripe", at=NOON)
    dispute_entries.hold_disputed(certificate.id, 50_00, dispute_id="dp_1", at=NOON)
    with pytest.raises(NotFrozenByHandError):
        status.lift_all(certificate.id, **WHY)
    dispute_entries.release_disputed(certificate.id, dispute_id="dp_1", at=NOON)
    assert status.lift_all(certificate.id, **WHY) == 2
    assert status.lift_all(certificate.id, **WHY) == 0
    db.session.refresh(certificate)
    assert certificate.status == "active"


ACTS: list[Callable[..., Any]] = [status.freeze_by_hand, status.lift_all, status.reissue]


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_whatever_a_person_does_to_the_standing_needs_a_reason(app: Flask, reason: str) -> None:
    certificate = build.certificate()
    for act in ACTS:
        with pytest.raises(ReasonMissingError):
            act(certificate.id, **{**WHY, "reason_code": reason})
    with pytest.raises(ReasonMissingError):
        void(certificate, reason_code=reason)
    assert noted(certificate) == []


def test_an_ended_certificate_has_no_standing_to_change(app: Flask) -> None:
    certificate = build.certificate(balance_cents=0, status="void")
    for act in ACTS:
        with pytest.raises(CertificateVoidError):
            act(certificate.id, **WHY)
    with pytest.raises(CertificateVoidError):
        void(certificate)


def test_ending_a_certificate_pays_its_balance_out_and_leaves_nothing_to_end_again(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00, balance_cents=20_00)
    entry = void(certificate)
    assert (entry.kind, entry.amount_cents, entry.balance_after_cents) == ("void", 20_00, 0)
    assert (entry.debit_account, entry.credit_account) == ("certificate_liability", "cash_paid_out")
    assert (certificate.status, noted(certificate)) == ("void", ["voided"])
    with pytest.raises(CertificateVoidError):
        void(certificate)
    with pytest.raises(CertificateVoidError):
        void(build.certificate(balance_cents=0))


@pytest.mark.parametrize(("kind", "source"), [("promote", "promotion_expense"), ("import", "import_opening")])
def test_a_certificate_that_nobody_paid_at_stripe_is_ended_back_to_where_it_came_from(
    app: Flask, kind: str, source: str
) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    imported = Certificate(
        **{
            column.name: getattr(certificate, column.name)
            for column in Certificate.__table__.columns
            if column.name not in ("id", "balance_cents", "last_sequence", "code_lookup", "code_enc", "public_id")
        },
        public_id="IMPORTED01",
        code_lookup=b"x" * 32,
        code_enc=b"x" * 32,
    )
    db.session.add(imported)
    db.session.flush()
    opening = posting.Transfer(kind, source, posting.LIABILITY, 120_00)
    posting.post(imported.id, opening, build.cause("import", "import:1", "staff:3"))
    assert void(imported).credit_account == source


def test_a_new_code_opens_what_the_old_one_opened_and_staff_hear_that_the_old_is_replaced(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    take(certificate.id, 20_00)
    old = build.code_of(certificate)
    new = status.reissue(certificate.id, **WHY)
    assert look_up.get_by_code(new) is certificate
    assert look_up.code_of(certificate) == new
    with pytest.raises(CodeReplacedError):
        look_up.get_by_code(old)
    assert (look_up.find_by_code(old), certificate.balance_cents) == (None, 100_00)
    assert noted(certificate) == ["reissued"]
    db.session.commit()


def test_value_that_returns_to_an_ended_certificate_is_held_for_a_person_once(app: Flask) -> None:
    certificate, living = build.certificate(), build.certificate()
    db.session.execute(sa.update(Certificate).where(Certificate.id == certificate.id).values(status="frozen"))
    for each in (certificate, certificate, living):
        status.hold_what_returned(each.id, subject="re_1", reason_code="refund failed", at=NOON)
    assert [each.subject for each in status.list_freezes(certificate.id)] == ["re_1"]
    assert status.list_freezes(living.id) == []
    db.session.commit()
