"""Holding a certificate on PostgreSQL, where others go on meanwhile: who reads before writing waits for who wrote."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.errors import AlreadyReversedError
from giftshop.foundation.database import db
from giftshop.ledger import posting, refund_entries
from giftshop.ledger.models import CertificateFreeze, LedgerEntry
from tests import build
from tests.ledger.acts import give_back, take

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def begin_while_open(app: Flask, act: Callable[[], object]) -> tuple[bool, Future[object]]:
    """Let another person act while this session's transaction is open, then commit it.

    Returns whether the other had to wait for that, and what comes of the act.
    """

    def other() -> object:
        with app.app_context():
            outcome = act()
            db.session.commit()
            return outcome

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(other)
        had_to_wait = False
        while not (had_to_wait or coming.done()):
            with db.engine.connect() as observer:
                had_to_wait = observer.scalar(WAITING) == 1
        db.session.commit()
    return had_to_wait, coming


def test_a_refund_made_at_stripe_counts_what_a_till_is_taking_at_that_moment(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    certificate_id = certificate.id

    def refund_all() -> int:
        now = clock.now()
        return refund_entries.take_foreign_refund(certificate_id, 120_00, stripe_refund_id="re_1", at=now)

    take(certificate_id, 20_00)
    had_to_wait, missing = begin_while_open(app, refund_all)
    assert (had_to_wait, missing.result()) == (True, 20_00)
    assert (certificate.balance_cents, certificate.status) == (0, "active")


def test_the_second_of_two_undos_hears_that_it_was_undone(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    entry_id = take(certificate.id, 20_00).id
    db.session.commit()
    give_back(db.session.get_one(LedgerEntry, entry_id))
    had_to_wait, undone = begin_while_open(app, lambda: give_back(db.session.get_one(LedgerEntry, entry_id)))
    assert had_to_wait
    assert isinstance(undone.exception(), AlreadyReversedError)
    assert certificate.balance_cents == 120_00


def test_a_held_certificate_keeps_nobody_from_writing_beside_it_or_to_another(app: Flask) -> None:
    held, other = build.certificate(), build.certificate()
    held_id, other_id = held.id, other.id

    def note_a_freeze_and_take_from_the_other() -> None:
        ended = {"frozen_at": clock.now(), "lifted_at": clock.now(), "actor": "staff:3", "reason_code": "test"}
        db.session.add(CertificateFreeze(certificate_id=held_id, subject="test", **ended))
        take(other_id, 1)

    posting.lock_certificate(held_id)
    had_to_wait, _ = begin_while_open(app, note_a_freeze_and_take_from_the_other)
    assert not had_to_wait
