"""A code that is scanned twice at once is found once, and both scans are answered."""

from collections.abc import Callable

import pytest
from flask import Flask, g

from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.staff.finds import get_found, remember_found
from giftshop.staff.found_certificates import CertificateFound
from giftshop.staff.models import StaffSession
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import all_at_once
from tests.overlapping import on_postgresql, overlap
from tests.signing_in import hire, signed_in


@pytest.fixture
def scan(app: Flask) -> Callable[[], None]:
    """Scan one certificate, each time in a request of its own, in one and the same sign-in."""
    certificate_id = build.certificate().id
    signed_in(app, hire("staff"))
    row_id = db.session.query(StaffSession).one().id

    def act() -> None:
        g.staff_session_row = db.session.get_one(StaffSession, row_id)
        remember_found(db.session.get_one(Certificate, certificate_id))

    return act


@on_postgresql
def test_a_second_scan_that_comes_before_the_first_has_ended_is_answered(app: Flask, scan: Callable[[], None]) -> None:
    assert overlap(app, scan, scan) == ("done", "done")
    assert db.session.query(CertificateFound).count() == 1


@both_databases
def test_of_six_scans_at_once_each_is_on_record_and_one_find_is_kept(app: Flask, scan: Callable[[], None]) -> None:
    assert all_at_once(app, 6, lambda _: scan()) == {"done": 6}
    assert db.session.query(CertificateFound).count() == 1
    assert db.session.query(ActivityEvent).filter_by(kind="scanned").count() == 6


@both_databases
def test_what_was_scanned_twice_opens(app: Flask, scan: Callable[[], None]) -> None:
    scan()
    scan()
    public_id = db.session.query(Certificate).one().public_id
    assert get_found(public_id).public_id == public_id
    db.session.commit()
