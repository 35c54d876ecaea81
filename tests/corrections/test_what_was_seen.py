"""Acts carry what their page showed: of eight pages the first press acts, the others learn that it has changed."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates import requests as certificate_requests
from giftshop.certificates import status
from giftshop.certificates.look_up import get_certificate
from giftshop.certificates.requests import Asked
from giftshop.corrections import certificates, gifts
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, key_for
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.orders.look_up import certificates_of, get_order
from giftshop.orders.models import Gift, Refund
from giftshop.refunds.requests import ask_refund
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import all_at_once
from tests.orders import told

PEOPLE = 8
Act = Callable[[Certificate, Asked], Answer]


def refund(certificate: Certificate, asked: Asked) -> Answer:
    order_id = db.session.query(Gift.order_id).scalar()
    return ask_refund(order_id, certificate, 5_00, asked, limit_cents=None)


ACTS: dict[str, Act] = {
    "reissue": certificates.reissue,
    "freeze": certificates.freeze,
    "void": certificates.void,
    "refund": refund,
}


def pages_of(certificate: Certificate, number: int = PEOPLE) -> list[str]:
    """Open that many pages of a certificate; return the request keys of their forms."""
    return [key_for(*status.version_of(certificate)) for _ in range(number)]


def press_all(app: Flask, keys: list[str], press: Callable[[str, str], Answer]) -> tuple[Counter[str], list[str]]:
    """Let everybody press at the same moment; return how often they could not, and what each was told."""
    told_to: list[str] = []

    def act(person: int) -> None:
        told_to.append(press(keys[person], f"staff:{person + 1}").refusal)

    return all_at_once(app, len(keys), act), told_to


def press_on(public_id: str, act: Act) -> Callable[[str, str], Answer]:
    return lambda key, actor: act(get_certificate(public_id), Asked(actor=actor, reason="lost", key=key))


@both_databases
@pytest.mark.parametrize("name", ACTS)
def test_of_eight_open_pages_one_acts(app: Flask, name: str) -> None:
    _order, certificate = told.sold_one()
    keys, public_id = pages_of(certificate), certificate.public_id
    outcomes, told_to = press_all(app, keys, press_on(public_id, ACTS[name]))
    assert outcomes == {"done": PEOPLE}
    assert Counter(told_to) == {"": 1, "ChangedMeanwhileError": PEOPLE - 1}
    assert db.session.query(ReplacedCode).count() == (name == "reissue")
    assert db.session.query(Refund).count() == (name == "refund")


@both_databases
def test_without_the_version_all_eight_act(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same race with the guard removed."""
    monkeypatch.setattr(certificate_requests, "refuse_changed", lambda *_seen: None)
    _order, certificate = told.sold_one()
    keys, public_id = pages_of(certificate), certificate.public_id
    _outcomes, told_to = press_all(app, keys, press_on(public_id, certificates.reissue))
    assert told_to == [""] * PEOPLE
    assert db.session.query(ReplacedCode).count() == PEOPLE


@both_databases
def test_a_double_click_is_one_press_and_both_are_told_that_it_is_done(app: Flask) -> None:
    _order, certificate = told.sold_one()
    (key,), public_id = pages_of(certificate, 1), certificate.public_id
    form = Asked(actor="staff:1", reason="lost", key=key)
    answers: list[Answer] = []
    press = lambda _number: answers.append(certificates.reissue(get_certificate(public_id), form))  # noqa: E731
    assert all_at_once(app, 2, press) == {"done": 2}
    assert [(each.status, each.refusal) for each in answers] == [(200, "")] * 2
    assert db.session.query(ReplacedCode).count() == 1


def redeem(certificate: Certificate) -> None:
    build.redeem(certificate, 5_00)


def hold_and_release(certificate: Certificate) -> None:
    for act in (certificates.freeze, certificates.unfreeze):
        act(certificate, Asked(actor="staff:9", reason="rang", key=build.request_key()))


def reissue(certificate: Certificate) -> None:
    build.reissue(certificate)


@pytest.mark.parametrize("happens", [redeem, hold_and_release, reissue])
@pytest.mark.parametrize("name", ACTS)
def test_whatever_happened_meanwhile_is_to_be_looked_at_first(
    app: Flask, name: str, happens: Callable[[Certificate], None]
) -> None:
    _order, certificate = told.sold_one()
    (key,) = pages_of(certificate, 1)
    happens(certificate)
    db.session.commit()
    answer = ACTS[name](certificate, Asked(actor="staff:1", reason="lost", key=key))
    assert (answer.status, answer.refusal) == (409, "ChangedMeanwhileError")
    (again,) = pages_of(certificate, 1)
    assert ACTS[name](certificate, Asked(actor="staff:1", reason="lost", key=again)).refusal == ""


@both_databases
def test_of_eight_pages_that_correct_an_address_one_sends(app: Flask) -> None:
    order = told.sold(build.gift_request())
    order_id, mine = order.id, certificates_of(order)
    (gift,) = order.gifts
    facts = gifts.version_of(gift, gifts.find_message(gift), mine[gift.id])
    keys = [key_for(*facts) for _ in range(PEOPLE)]

    def press(key: str, _actor: str) -> Answer:
        (found,) = get_order(order_id).gifts
        return gifts.send_to(found, "ana@example.org", key=key)

    outcomes, told_to = press_all(app, keys, press)
    assert outcomes == {"done": PEOPLE}
    assert Counter(told_to) == {"": 1, "ChangedMeanwhileError": PEOPLE - 1}
    sent = sa.select(sa.func.count()).where(Delivery.kind == "gift", Delivery.to_address == "ana@example.org")
    assert db.session.scalar(sent) == 1


CHANGES: dict[str, Callable[[Gift, str], Answer]] = {
    "another day": lambda gift, key: gifts.send_on(gift, None, key=key),
    "not at all": lambda gift, key: gifts.keep_back(gift, key=key),
    "another address": lambda gift, key: gifts.send_to(gift, "ana@example.org", key=key),
}


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_a_buyers_second_page_does_not_undo_what_the_first_did(app: Flask, first: str, second: str) -> None:
    (gift,) = told.sold(build.gift_request()).gifts
    facts: Any = gifts.version_of(gift, gifts.find_message(gift), certificates_of(gift.order)[gift.id])
    keys = [key_for(*facts) for _ in range(2)]
    assert CHANGES[first](gift, keys[0]).refusal == ""
    answer = CHANGES[second](gift, keys[1])
    assert (answer.status, answer.refusal) == (409, "ChangedMeanwhileError")
