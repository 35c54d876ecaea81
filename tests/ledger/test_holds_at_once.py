"""A hold that is put on while another one is being ended: the certificate stays on hold, whoever comes first."""

from collections.abc import Callable

import pytest
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from tests import build
from tests.overlapping import on_postgresql, overlap

DISPUTE, WARNING = "dp_1", "issfr_1"


@pytest.fixture
def disputed(app: Flask) -> int:
    """A certificate that one dispute holds."""
    certificate = build.certificate()
    status.freeze(certificate.id, subject=DISPUTE, reason_code="disputed", actor="stripe", at=clock.now())
    db.session.commit()
    return certificate.id


def warn(certificate_id: int) -> Callable[[], bool]:
    return lambda: status.freeze(
        certificate_id, subject=WARNING, reason_code="fraud_warning", actor="stripe", at=clock.now()
    )


def win(certificate_id: int) -> Callable[[], bool]:
    return lambda: status.lift(certificate_id, subject=DISPUTE, actor="stripe", at=clock.now())


def release(certificate_id: int) -> Callable[[], int]:
    return lambda: status.lift_all(certificate_id, reason_code="cleared up", actor="staff:3", at=clock.now())


def status_of(certificate_id: int) -> str:
    return db.session.get_one(Certificate, certificate_id, populate_existing=True).status


@on_postgresql
def test_a_won_dispute_does_not_overlook_a_warning_that_is_being_recorded(app: Flask, disputed: int) -> None:
    assert overlap(app, warn(disputed), win(disputed)) == ("done", "done")
    assert status_of(disputed) == "frozen"
    assert [hold.subject for hold in status.list_freezes(disputed)] == [WARNING]


@on_postgresql
def test_a_warning_does_not_overlook_a_dispute_that_is_being_won(app: Flask, disputed: int) -> None:
    assert overlap(app, win(disputed), warn(disputed)) == ("done", "done")
    assert status_of(disputed) == "frozen"
    assert [hold.subject for hold in status.list_freezes(disputed)] == [WARNING]


@on_postgresql
def test_a_manager_who_releases_waits_for_a_warning_and_ends_it_too(app: Flask, disputed: int) -> None:
    assert overlap(app, warn(disputed), release(disputed)) == ("done", "done")
    assert (status_of(disputed), status.list_freezes(disputed)) == ("active", [])


@on_postgresql
def test_the_same_warning_told_twice_at_once_is_one_hold(app: Flask, disputed: int) -> None:
    assert overlap(app, warn(disputed), warn(disputed)) == ("done", "done")
    assert [hold.subject for hold in status.list_freezes(disputed)] == [DISPUTE, WARNING]


@on_postgresql
def test_nothing_is_put_on_hold_that_is_just_being_ended(app: Flask) -> None:
    certificate_id = build.certificate().id

    def end() -> None:
        key = build.request_key()
        status.void(certificate_id, reason_code="paid back", request_key=key, actor="staff:3", at=clock.now())

    def hold() -> None:
        status.freeze_by_hand(certificate_id, reason_code="lost", actor="staff:3", at=clock.now())

    assert overlap(app, end, hold) == ("done", "CertificateVoidError")
    assert (status_of(certificate_id), status.list_freezes(certificate_id)) == ("void", [])
