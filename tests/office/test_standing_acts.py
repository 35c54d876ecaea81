"""Holding, releasing, ending and renewing certificates from the office: each once, with a reason, said on the page."""

import pytest

from giftshop.certificates import look_up, status
from giftshop.delivery.models import Delivery
from giftshop.errors import CodeReplacedError
from giftshop.foundation.database import db
from giftshop.ledger.models import CertificateFreeze
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk
from tests.orders.stripe_side import StripeSide


def messages(order: Order, kind: str) -> list[Delivery]:
    return [each for each in db.session.query(Delivery).order_by(Delivery.id) if each.kind == kind]


def mark_sent(order: Order) -> None:
    for message in db.session.query(Delivery).filter(Delivery.order_id == order.id):
        message.state = "sent"
    db.session.commit()


@both_databases
def test_a_hold_is_put_on_and_ended_by_a_manager(manager: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    page = manager.read(manager.act(certificate, "freeze", reason="screenshot went round").location)
    assert "It is on hold." in page
    assert "On hold: screenshot went round Manager" in page
    assert certificate.status == "frozen"
    assert "The hold is over." in manager.read(manager.act(certificate, "unfreeze", reason="it was a friend").location)
    assert certificate.status == "active"


def test_the_same_hold_twice_is_one(manager: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    for key in (build.request_key(), build.request_key()):
        for _ in range(2):
            assert manager.act(certificate, "freeze", request_key=key).status_code == 303
    assert db.session.query(CertificateFreeze).count() == 1


@both_databases
def test_the_owner_ends_a_certificate_and_nobody_else(owner: Desk, manager: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    assert manager.act(certificate, "void").status_code == 403
    assert certificate.status == "active"
    assert "It has ended." in owner.read(owner.act(certificate, "void", reason="paid back in cash").location)
    assert (certificate.status, certificate.balance_cents) == ("void", 0)
    again = owner.act(certificate, "void")
    assert (again.status_code, "has ended" in again.text) == (409, True)


@both_databases
def test_a_new_code_goes_to_the_recipient_and_the_old_one_is_dead(manager: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    old = build.code_of(certificate)
    mark_sent(order)
    page = manager.read(manager.act(certificate, "reissue", reason="lost her phone").location)
    assert "The new certificate is on its way." in page
    with pytest.raises(CodeReplacedError):
        look_up.get_by_code(old)
    assert look_up.get_by_code(build.code_of(certificate)).id == certificate.id
    (message,) = messages(order, "reissued")
    assert (message.to_address, message.state) == ("ana@example.com", "scheduled")
    assert certificate.balance_cents == 50_00


def test_a_second_new_code_is_told_too(manager: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    mark_sent(order)
    for _ in range(2):
        assert manager.act(certificate, "reissue").status_code == 303
    assert len(messages(order, "reissued")) == 2


def test_a_new_code_does_not_spoil_a_gift_that_is_still_to_come(manager: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    page = manager.read(manager.act(certificate, "reissue").location)
    assert "The message that is still to come brings it." in page
    assert messages(order, "reissued") == []


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_new_code_whose_message_did_not_go_out_is_to_be_sent(
    manager: Desk, stripe_side: StripeSide, state: str
) -> None:
    order = stripe_side.sell(*[build.gift_request(offer="amount", amount_cents=50_00)] * 2)
    first, second = list_certificates(order.id)
    messages(order, "gift")[0].state = state
    db.session.commit()
    page = manager.read(manager.act(first, "reissue").location)
    assert "Nobody has the new one: its message did not go out. Send it below, under Messages." in page
    assert "still to come" not in page
    page = manager.read(manager.act(second, "reissue").location)
    assert "The message that is still to come brings it." in page
    assert messages(order, "reissued") == []


def test_a_certificate_that_went_to_the_buyer_is_renewed_to_the_buyer(manager: Desk, stripe_side: StripeSide) -> None:
    order = stripe_side.sell(build.gift_request(delivery="print", recipient_email=""))
    (certificate,) = [each.certificate_id for gift in order.gifts for each in gift.issued]
    found = db.session.get_one(look_up.Certificate, certificate)
    manager.act(found, "reissue")
    assert [each.to_address for each in messages(order, "reissued")] == ["marko@example.com"]


@pytest.mark.parametrize("name", ["freeze", "unfreeze", "reissue", "void"])
def test_nothing_is_done_without_a_reason_or_a_key_or_to_what_has_ended(
    owner: Desk, stripe_side: StripeSide, name: str
) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    without = owner.act(certificate, name, reason="")
    assert (without.status_code, "Please say why" in without.text) == (422, True)
    assert owner.act(certificate, name, request_key="short").status_code == 400
    assert (certificate.status, certificate.balance_cents, status.list_freezes(certificate.id)) == (
        "active",
        50_00,
        [],
    )
    owner.act(certificate, "void")
    assert owner.act(certificate, name).status_code == 409
    assert owner.open(f"/office/certificates/NOSUCHONE0/{name}").status_code == 404
