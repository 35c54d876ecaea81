"""Requests that move money: one effect, and the first answer for every copy."""

import threading
from collections import Counter

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.errors import (
    ChangedMeanwhileError,
    InsufficientBalanceError,
    RequestKeyMissingError,
    RequestKeyReusedError,
)
from giftshop.foundation.database import db
from giftshop.ledger import idempotency
from giftshop.ledger.idempotency import Answer, answer_once
from giftshop.ledger.models import MoneyRequest
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import all_at_once, take

KEY = "a-key-of-twenty-sign"


class Till:
    """A till that counts how often it really acted."""

    def __init__(self, certificate_id: int, amount_cents: int = 40_00) -> None:
        self.certificate_id, self.amount_cents, self.acted = certificate_id, amount_cents, 0

    def act(self) -> dict[str, object]:
        self.acted += 1
        entry = take(self.certificate_id, self.amount_cents)
        return {"entry": entry.id, "balance_after": entry.balance_after_cents}

    def press(self, *, key: str = KEY, scope: str = "redeem:staff:7", **body: object) -> Answer:
        content = {"certificate": self.certificate_id, "amount": self.amount_cents, **body}
        return answer_once(scope=scope, key=key, body=content, act=self.act)


@pytest.fixture
def till(app: Flask) -> Till:
    return Till(build.certificate().id)


@both_databases
def test_the_second_copy_gets_the_first_answer_and_moves_nothing(till: Till) -> None:
    first = till.press()
    db.session.commit()
    again = till.press()
    db.session.commit()
    assert (first.status, first.refusal, first.message, first.is_replayed) == (200, "", "", False)
    assert first.facts["balance_after"] == 80_00
    assert again == Answer(200, first.facts, "", "", is_replayed=True)
    assert till.acted == 1


@both_databases
def test_the_same_key_with_other_content_is_refused(till: Till) -> None:
    till.press()
    db.session.commit()
    with pytest.raises(RequestKeyReusedError):
        till.press(amount=40_01)
    db.session.rollback()
    assert till.acted == 1


def test_the_order_of_the_content_makes_no_difference(app: Flask) -> None:
    def act() -> dict[str, object]:
        return {"done": 1}

    answer_once(scope="s", key=KEY, body={"a": 1, "b": 2}, act=act)
    assert answer_once(scope="s", key=KEY, body={"b": 2, "a": 1}, act=act).is_replayed
    db.session.rollback()


def test_the_same_key_in_another_scope_is_another_request(till: Till) -> None:
    till.press(scope="redeem:staff:7")
    assert not till.press(scope="redeem:staff:8").is_replayed
    db.session.commit()
    assert till.acted == 2


@both_databases
def test_a_refusal_is_kept_and_given_again_even_when_it_would_now_succeed(app: Flask) -> None:
    certificate = build.certificate(status="frozen")
    till = Till(certificate.id)
    first = till.press()
    db.session.commit()
    assert (first.status, first.refusal, first.facts) == (409, "CertificateFrozenError", {})
    assert first.message == "This certificate is on hold. Please don’t redeem it."
    status.lift_all(certificate.id, reason_code="cleared up", actor="staff:3", at=clock.now())
    db.session.commit()
    again = till.press()
    db.session.commit()
    assert (again.refusal, again.message, again.is_replayed, till.acted) == (first.refusal, first.message, True, 1)
    assert till.press(key="a-fresh-key-of-the-form").status == 200
    db.session.commit()


def test_something_broken_is_never_stored(till: Till) -> None:
    def break_down() -> dict[str, object]:
        raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError):
        answer_once(scope="redeem:staff:7", key=KEY, body={}, act=break_down)
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MoneyRequest)) == 0
    assert till.press().status == 200
    db.session.commit()


def test_answer_key_and_money_are_one_commit(till: Till) -> None:
    till.press()
    db.session.rollback()
    assert not till.press().is_replayed
    db.session.commit()
    assert till.acted == 2


BAD_KEYS = [
    "",
    "short",
    "x" * 15,
    "x" * 256,
    "a key with spaces in it",
    "k" * 20 + "\n",
    "\0" * 20,
    "ключ" * 5,
    "\ud800" * 20,
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_bad_key_is_refused_before_anything_happens(till: Till, key: str) -> None:
    with pytest.raises(RequestKeyMissingError):
        till.press(key=key)
    assert till.acted == 0


@pytest.mark.parametrize("key", ["x" * 16, "x" * 255, "".join(map(chr, range(0x21, 0x7F)))])
def test_a_key_of_16_to_255_visible_signs_is_taken(till: Till, key: str) -> None:
    assert till.press(key=key).status == 200
    db.session.commit()


@both_databases
def test_of_eight_copies_at_once_one_acts_and_all_hear_the_same(app: Flask) -> None:
    till, heard = Till(build.certificate().id), []

    def press(_: int) -> None:
        heard.append(till.press())

    assert all_at_once(app, 8, press) == {"done": 8}
    assert till.acted == 1
    assert len({str(answer.facts) for answer in heard}) == 1
    assert Counter(answer.is_replayed for answer in heard) == {False: 1, True: 7}


@both_databases
def test_of_eight_copies_of_a_refused_request_all_hear_the_refusal(app: Flask) -> None:
    till, heard = Till(build.certificate(face_value_cents=120_00).id, 120_01), []

    def press(_: int) -> None:
        heard.append(till.press().refusal)

    assert all_at_once(app, 8, press) == {"done": 8}
    assert heard == [InsufficientBalanceError.__name__] * 8
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MoneyRequest)) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_control_without_waiting_for_copies_the_losers_break(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock that makes copies wait is taken away: all eight act, and the table's own key stops seven of them."""
    till, everyone_has_looked = Till(build.certificate().id), threading.Barrier(8)
    monkeypatch.setattr(idempotency, "wait_for_copies", lambda *_: None)
    act = till.act

    def act_together() -> dict[str, object]:
        everyone_has_looked.wait()
        return act()

    monkeypatch.setattr(till, "act", act_together)
    assert all_at_once(app, 8, lambda _: till.press()) == {"done": 1, "IntegrityError": 7}


SHOWN = (3, "active", b"\x01\x02", None, clock.now())


def test_a_key_says_what_its_page_showed_and_when(app: Flask) -> None:
    before = clock.now()
    key = idempotency.key_for(*SHOWN)
    idempotency.refuse_unusable_key(key)
    idempotency.refuse_changed(key, *SHOWN)
    assert before <= (idempotency.seen_at(key) or before) <= clock.now()
    assert idempotency.key_for(*SHOWN) != key


@pytest.mark.parametrize("now", [(), (4, *SHOWN[1:]), (*SHOWN, None), (*SHOWN[:1], "frozen", *SHOWN[2:]), SHOWN[:-1]])
def test_a_request_whose_page_showed_something_else_is_refused(app: Flask, now: tuple[idempotency.Fact, ...]) -> None:
    key = idempotency.key_for(*SHOWN)
    for each in (key, idempotency.renew(key)):
        with pytest.raises(ChangedMeanwhileError):
            idempotency.refuse_changed(each, *now)


def test_a_renewed_key_is_another_one_that_has_seen_the_same(app: Flask) -> None:
    key = idempotency.key_for(*SHOWN)
    again = idempotency.renew(key)
    assert (again != key, idempotency.seen_at(again)) == (True, idempotency.seen_at(key))
    idempotency.refuse_changed(again, *SHOWN)


@pytest.mark.parametrize(
    "key", ["till-0001-of-the-race", "x" * 16, f"{'x' * 24}.a.b", f"{'x' * 20}.{'0' * 13}.{'g' * 16}"]
)
def test_a_key_that_saw_no_page_compares_nothing(key: str) -> None:
    idempotency.refuse_changed(key, "anything")
    assert idempotency.seen_at(key) is None
    assert idempotency.seen_at(idempotency.renew(key)) is None
