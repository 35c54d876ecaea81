"""The trail: what happened, who did it and when, appended once and never changed."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from tests import build
from tests.conftest import both_databases


def test_events_come_back_oldest_first_by_order_and_by_certificate(app: Flask) -> None:
    certificate = build.certificate()
    activity_log.note("viewed", actor="staff:1", certificate_id=certificate.id)
    activity_log.note("order_moved", actor="stripe", order_id=1, before="paid", after="fulfilled")
    activity_log.note("scan_failed", actor="staff:1")
    db.session.commit()
    told = [event.kind for event in activity_log.list_events(order_id=1, certificate_ids=[certificate.id])]
    assert told == ["viewed", "order_moved"]
    assert [event.kind for event in activity_log.list_events(certificate_ids=[certificate.id])] == ["viewed"]


@both_databases
@pytest.mark.parametrize("statement", ["UPDATE trail_event SET actor = 'staff:2'", "DELETE FROM trail_event"])
def test_the_database_refuses_to_change_or_forget_what_happened(app: Flask, statement: str) -> None:
    activity_log.note("viewed", actor="staff:1", certificate_id=build.certificate().id)
    db.session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(sa.text(statement))
    db.session.rollback()


def test_no_row_takes_anothers_place(app: Flask) -> None:
    activity_log.note("viewed", actor="staff:1")
    db.session.commit()
    with pytest.raises(DBAPIError, match="duplicate trail_event"):
        db.session.execute(sa.text("INSERT OR REPLACE INTO trail_event SELECT * FROM trail_event WHERE true"))
    db.session.rollback()
