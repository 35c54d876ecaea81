"""Paying back from the office: Stripe’s answer is said, one form pays once, nobody pays back more than they may."""

import pytest
from flask import Flask

from giftshop.catalog.models import Practice
from giftshop.foundation.database import db
from giftshop.orders.models import Order, Refund
from giftshop.payments.gateway import StripeGateway
from giftshop.refunds import requests as refund_rules
from giftshop.refunds.requests import Refundable, list_refundable, pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk, path_of
from tests.orders import told
from tests.orders.stripe_side import StripeSide


def refunds() -> list[tuple[int, str]]:
    return [(each.amount_cents, each.state) for each in db.session.query(Refund).order_by(Refund.id)]


def let_managers_refund(limit_cents: int) -> None:
    db.session.get_one(Practice, 1).manager_refund_limit_cents = limit_cents
    db.session.commit()


@both_databases
def test_the_owner_pays_a_part_back_and_reads_that_it_went_out(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    answer = owner.act(certificate, "refund", amount="20")
    assert answer.status_code == 303
    page = owner.read(answer.location)
    assert "$20.00 is paid back" in page
    assert "$30.00 left" in page
    assert refunds() == [(20_00, "settled")]
    (refund,) = db.session.query(Refund)
    assert (refund.actor, refund.reason, refund.order_id) == (owner.actor, "they asked", order.id)


def test_the_form_says_the_most_that_can_go_back_and_asks_for_it(owner: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 15_00)
    db.session.commit()
    page = owner.open(f"/office/certificates/{certificate.public_id}/refund").text
    assert "At most $35.00" in page
    assert 'name="amount" value="35.00"' in page


@both_databases
def test_the_same_form_twice_pays_back_once_and_leads_to_the_same_page(owner: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    key = build.request_key()
    first, second = (owner.act(certificate, "refund", amount="20", request_key=key) for _ in range(2))
    assert first.location == second.location
    assert refunds() == [(20_00, "settled")]
    assert owner.act(certificate, "refund", amount="21", request_key=key).status_code == 409
    assert refunds() == [(20_00, "settled")]


REFUSED = [
    ({"amount": "50.01"}, 409, "more than can be paid back"),
    ({"amount": "0"}, 422, "Enter an amount in figures"),
    ({"amount": "ten"}, 422, "Enter an amount in figures"),
    ({"amount": "10.001"}, 422, "Enter an amount in figures"),
    ({"amount": "10", "reason": " "}, 422, "Please say why"),
    ({"amount": "10", "reason": "x" * 41}, 422, "at most 40 characters"),
    ({"amount": "10", "reason": "for ana@example.com"}, 422, "Leave codes and e-mail addresses out"),
    ({"amount": "10", "reason": "lost K7M2-QX9R-TB4D-HVWR"}, 422, "Leave codes and e-mail addresses out"),
]


@pytest.mark.parametrize(("fields", "status", "sentence"), REFUSED)
def test_what_cannot_be_paid_back_is_refused_in_the_form_and_nothing_moves(
    owner: Desk, stripe_side: StripeSide, fields: dict[str, str], status: int, sentence: str
) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    answer = owner.act(certificate, "refund", **fields)
    assert answer.status_code == status
    assert sentence in answer.text
    assert f'name="amount" value="{fields["amount"]}"' in answer.text
    assert "<title>Error: " in answer.text
    assert (refunds(), certificate.balance_cents) == ([], 50_00)


def test_a_definite_no_from_stripe_is_said_and_the_value_is_back(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    stripe_side.dispute(order)
    page = owner.read(owner.act(certificate, "refund", amount="20").location)
    assert "$20.00 was not paid back" in page
    assert "the buyer’s bank disputes the payment" in page
    assert (refunds(), certificate.balance_cents) == ([(20_00, "released")], 50_00)


def test_an_answer_that_never_came_leaves_the_money_held_and_says_so(owner: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    stripe_side.workbench.post("/faults", {"do": "drop_after", "path": "/v1/refunds", "times": 2})
    key = build.request_key()
    answer = owner.act(certificate, "refund", amount="20", request_key=key)
    page = owner.read(answer.location)
    assert "The money is held; we keep asking" in page
    assert (refunds(), certificate.balance_cents) == ([(20_00, "held")], 30_00)
    assert "is held to be paid back" in owner.read("/office/")
    again = owner.act(certificate, "refund", amount="20", request_key=key)
    assert "$20.00 is paid back" in owner.read(again.location)
    assert refunds() == [(20_00, "settled")]


def test_a_key_that_stripe_does_not_accept_leaves_the_money_held_and_says_whom_to_tell(
    app: Flask, owner: Desk, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    revoked = StripeGateway(secret_key="sk_test_sim_revoked", api_base=stripe_side.workbench.url, webhook_secrets=[])
    with monkeypatch.context() as patched:
        patched.setitem(app.extensions, "stripe_gateway", revoked)
        answer = owner.act(certificate, "refund", amount="20")
    page = owner.read(answer.location)
    assert "Stripe doesn’t accept the shop’s key. The money is held" in page
    assert (refunds(), certificate.balance_cents) == ([(20_00, "held")], 30_00)
    assert "so a refund for order G-1001 waits and its money stays held." in owner.read("/office/")
    pursue_refund(db.session.query(Refund).one().id, stripe_side.gateway)
    assert "$20.00 is paid back" in owner.read(answer.location)
    assert "waits and its money stays held" not in owner.read("/office/")


def test_a_refund_that_stripe_does_not_know_any_more_is_to_be_looked_at_there(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    refund.stripe_refund_id = "re_of_another_account"
    db.session.commit()
    pursue_refund(refund.id, stripe_side.gateway)
    assert "Stripe doesn’t say what became of it. The money is held" in owner.read(path_of(order))


def test_a_refund_that_came_back_is_on_the_certificate_which_was_put_on_hold(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    owner.act(certificate, "refund", amount="20")
    fail(stripe_side)
    page = owner.read(path_of(order))
    assert "$20.00 came back The buyer’s bank didn’t take it." in page
    assert "The money is with you, and back on the certificate, which was put on hold." in page


def test_a_refund_of_an_order_in_review_that_came_back_is_on_no_certificate(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order = stripe_side.place()
    stripe_side.pay(order)
    order.total_cents += 1
    db.session.commit()
    stripe_side.tell("checkout.session.completed", order.attempts[-1].session_id or "")
    stripe_side.tell("refund.created", stripe_side.refund(order, order.received_cents or 0))
    fail(stripe_side)
    page = owner.read(path_of(order))
    assert "The money is with you. No certificate was issued: the order is in review." in page
    assert "on the certificate" not in page


def test_a_refund_of_what_was_used_up_that_came_back_is_with_the_practice_alone(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 50_00)
    db.session.commit()
    stripe_side.tell("refund.created", stripe_side.refund(order, 20_00))
    fail(stripe_side)
    page = owner.read(path_of(order))
    assert "The buyer’s bank didn’t take it. The money is with you. " in page
    assert "on the certificate" not in page


def lose_all(side: StripeSide, order: Order) -> None:
    """Let the bank take the whole payment for good."""
    dispute_id = side.dispute(order)
    side.tell("charge.dispute.created", dispute_id)
    side.decide(dispute_id, "lost")
    side.tell("charge.dispute.closed", dispute_id)


def test_a_refund_that_came_back_after_the_bank_took_the_payment_is_with_nobody(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    owner.act(certificate, "refund", amount="20")
    lose_all(stripe_side, order)
    fail(stripe_side)
    page = owner.read(path_of(order))
    assert "The buyer’s bank didn’t take it. Its money had gone already: the order’s history says how." in page
    assert "The money is with you" not in page


def test_a_refund_that_was_refused_after_the_bank_took_the_payment_gives_the_certificate_nothing(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    lose_all(stripe_side, order)
    pursue_refund(refund.id, stripe_side.gateway)
    page = owner.read(path_of(order))
    assert "$20.00 was not paid back" in page
    assert "The certificate has ended: the order’s history says why." in page
    assert "value again" not in page.split("was not paid back")[1].split("history says why")[0]


def fail(side: StripeSide) -> None:
    """Let the only refund fail days after it went out."""
    refund_id = db.session.query(Refund).one().stripe_refund_id or ""
    side.workbench.post(f"/refunds/{refund_id}/status", {"status": "failed"})
    side.tell("refund.failed", refund_id)


def test_a_manager_pays_nothing_back_unless_the_owner_says_how_much(manager: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    form = f"/office/certificates/{certificate.public_id}/refund"
    assert manager.open(form).status_code == 403
    assert manager.act(certificate, "refund", amount="1").status_code == 403
    assert form not in manager.open(path_of(order)).text
    let_managers_refund(20_00)
    assert "At most $20.00" in manager.open(form).text
    assert form in manager.open(path_of(order)).text
    too_much = manager.act(certificate, "refund", amount="20.01")
    assert (too_much.status_code, "ask the owner" in too_much.text) == (409, True)
    assert manager.act(certificate, "refund", amount="20").status_code == 303
    assert refunds() == [(20_00, "settled")]


def test_a_certificate_that_was_used_up_offers_no_refund(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 50_00)
    db.session.commit()
    form = f"/office/certificates/{certificate.public_id}/refund"
    assert form not in owner.open(path_of(order)).text
    assert "Nothing to pay back" in owner.read(form)
    assert owner.act(certificate, "refund", amount="1").status_code == 409


def test_a_redemption_that_wins_the_race_leaves_no_refund_behind(
    owner: Desk, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The till may take the money between our look at the balance and our hold."""
    _order, certificate = stripe_side.sell_one(50_00)

    def look_too_early(order: Order) -> list[Refundable]:
        seen = list_refundable(order)
        build.redeem(seen[0].certificate, 40_00)
        return seen

    monkeypatch.setattr(refund_rules, "list_refundable", look_too_early)
    assert owner.act(certificate, "refund", amount="20").status_code == 409
    assert refunds() == []
