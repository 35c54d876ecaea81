"""What a refused act had written by then is never kept, although its refusal is."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.errors import InsufficientBalanceError, ShopError, TooLateToUndoError, TooManyUndosError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, answer_once
from giftshop.ledger.models import Certificate, CertificateFreeze, LedgerEntry
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import take
from tests.overlapping import is_anybody_waiting, on_postgresql, transact

KEY = "a-key-of-twenty-sign"


def counts() -> list[int]:
    tables = (LedgerEntry, CertificateFreeze, ActivityEvent)
    return [db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


@both_databases
def test_money_holds_and_trail_of_a_refused_act_are_gone(app: Flask) -> None:
    certificate = build.certificate()

    def act() -> dict[str, object]:
        take(certificate.id, 40_00)
        standing.freeze(certificate.id, subject="x", reason_code="x", actor="staff:7", at=clock.now())
        activity_log.note("resent", actor="staff:7", certificate_id=certificate.id)
        db.session.flush()
        raise InsufficientBalanceError

    before = counts()
    for is_replayed in (False, True):
        answer = answer_once(scope="redeem:staff:7", key=KEY, body={}, act=act)
        db.session.commit()
        assert answer == Answer(409, {}, "InsufficientBalanceError", InsufficientBalanceError().message, is_replayed)
        assert (certificate.balance_cents, certificate.status, counts()) == (120_00, "active", before)


@both_databases
def test_what_an_act_added_and_did_not_send_yet_is_gone_too(app: Flask) -> None:
    def act() -> dict[str, object]:
        activity_log.note("resent", actor="staff:7")
        raise InsufficientBalanceError

    answer_once(scope="redeem:staff:7", key=KEY, body={}, act=act)
    db.session.commit()
    assert db.session.query(ActivityEvent).count() == 0


@pytest.mark.parametrize(
    ("refusal", "status"), [(TooManyUndosError, 403), (TooLateToUndoError, 409), (InsufficientBalanceError, 409)]
)
def test_only_what_a_manager_has_to_confirm_is_forbidden(app: Flask, refusal: type[ShopError], status: int) -> None:
    def act() -> dict[str, object]:
        raise refusal

    assert answer_once(scope="undo:staff:7", key=KEY, body={}, act=act).status == status
    db.session.commit()


@on_postgresql
def test_a_copy_that_was_let_in_by_a_refusal_answers_for_both(app: Flask) -> None:
    """The first copy is refused, and the second, which waited, is not: there is one answer, and money moves once."""
    certificate_id = build.certificate().id
    answers: dict[str, Answer] = {}
    second: Future[str] | None = None

    def refuse_once_the_copy_waits() -> dict[str, object]:
        nonlocal second
        second = copies.submit(transact, app, lambda: press("second", lambda: {"entry": take(certificate_id, 1).id}))
        while not is_anybody_waiting():
            time.sleep(0.02)
        raise InsufficientBalanceError

    def press(name: str, act) -> None:  # type: ignore[no-untyped-def]
        answers[name] = answer_once(scope="redeem:staff:7", key=KEY, body={}, act=act)

    db.session.rollback()
    with ThreadPoolExecutor(2) as copies:
        first = copies.submit(transact, app, lambda: press("first", refuse_once_the_copy_waits))
        assert first.result() == "done"
        assert second is not None
        assert second.result() == "done"
    assert {name: answer.is_replayed for name, answer in answers.items()} == {"first": True, "second": False}
    assert answers["first"].facts == answers["second"].facts
    assert db.session.get_one(Certificate, certificate_id).balance_cents == 119_99
