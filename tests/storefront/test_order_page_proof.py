"""Whose order it is: the browser that placed it, or one that opened a link from the buyer's mail; nobody else's."""

import json

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates import encryption
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from tests import build
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor
from tests.storefront.order_buyer import LATER, NEXT_WEEK, Buyer, buy, messages, only_code


@pytest.fixture
def waiting(visitor: Visitor, stripe_side: StripeSide) -> Buyer:
    """The buyer of a gift that goes out in a week."""
    return buy(visitor, stripe_side, deliver_on=NEXT_WEEK.isoformat())


@pytest.fixture
def stranger(waiting: Buyer, app: Flask) -> Buyer:
    """Somebody the order's address was passed on to."""
    return Buyer(Visitor(app.test_client(), waiting.visitor.base_url), waiting.path)


@pytest.mark.parametrize("way", ["address", "day", "cancel", "copy"])
def test_a_stranger_with_the_orders_address_changes_nothing(stranger: Buyer, way: str) -> None:
    answer = stranger.change(way, address="stranger@example.org", day=LATER.isoformat())
    assert answer.status_code == 403
    assert "First show that the order is yours" in answer.text
    (message,) = messages()
    assert (message.state, message.to_address) == ("scheduled", "ana@example.com")
    assert only_code() not in answer.text


def way_in(buyer: Buyer) -> str:
    """Ask for the link that proves whose order it is; return it from the mail that carries it."""
    buyer.open()
    answer = buyer.visitor.send(f"{buyer.path}/link")
    assert (answer.status_code, answer.location) == (303, f"{buyer.path}?done=link")
    mail = db.session.query(Delivery).filter_by(kind="way_in").order_by(Delivery.id.desc()).first()
    assert mail is not None
    assert mail.to_address == "marko@example.com"
    path = json.loads(encryption.open_sealed(mail.facts_enc, mail.message_id))["order_path"]
    db.session.rollback()
    return str(path)


def test_who_reads_the_buyers_mail_may_change_the_gift_in_any_browser(stranger: Buyer) -> None:
    path = way_in(stranger)
    assert stranger.visitor.open(path).location == f"{stranger.path}?done=yours"
    assert stranger.change("address", address="ana@example.org").status_code == 303


@pytest.mark.parametrize("added", [".", ")", ">.", "%20", "…"])
def test_the_link_proves_with_a_full_stop_behind_it_too(stranger: Buyer, added: str) -> None:
    assert stranger.visitor.open(way_in(stranger) + added).location == f"{stranger.path}?done=yours"


def test_proof_of_one_order_is_none_of_another(stranger: Buyer, stripe_side: StripeSide) -> None:
    proof = way_in(stranger).rsplit("/", 1)[1]
    other = f"/orders/{token_of(stripe_side.sell(build.gift_request()))}"
    db.session.commit()
    for forged in (proof, "x", proof[:-2]):
        assert stranger.visitor.open(f"{other}/yours/{forged}").status_code == 410
    assert stranger.visitor.open(f"{stranger.path}/yours/{proof[:-2]}").status_code == 410
    assert stranger.change("cancel").status_code == 403


def test_proof_ends_after_an_hour_and_when_the_buyers_address_is_corrected(
    stranger: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = way_in(stranger)
    monkeypatch.setattr("giftshop.storefront.order.proof.LINK_SECONDS", -1)
    assert stranger.visitor.open(path).status_code == 410
    monkeypatch.undo()
    db.session.execute(sa.update(Order).values(buyer_email="right@example.com"))
    db.session.commit()
    assert stranger.visitor.open(path).status_code == 410


def test_links_are_mailed_three_times_an_hour_and_the_answer_stays_the_same(stranger: Buyer) -> None:
    stranger.open()
    for _ in range(5):
        fields = {"request_key": build.request_key()}
        answer = stranger.visitor.send(f"{stranger.path}/link", fields)
        assert (answer.status_code, answer.location) == (303, f"{stranger.path}?done=link")
    assert db.session.query(Delivery).filter_by(kind="way_in").count() == 3


def test_too_many_links_asked_for_by_others_do_not_keep_the_buyer_from_a_change(
    stranger: Buyer, waiting: Buyer
) -> None:
    for _ in range(4):
        way_in(stranger)
    assert waiting.change("address", address="ana@example.org").status_code == 303
