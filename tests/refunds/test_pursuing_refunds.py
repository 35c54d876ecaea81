"""Pursuing refunds: Stripe is asked once, and told of again when an answer was lost; no transaction waits for it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop.catalog.practice import get_installation
from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order, Refund
from giftshop.refunds.outcomes import record_refund
from giftshop.refunds.requests import KEY_LIFE, pursue_refund
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import kinds_of, owner_was_told, standing_of
from tests.orders.stripe_side import StripeSide, Watched
from tests.workbench.running import stripe_client


@pytest.fixture
def sale(stripe_side: StripeSide) -> tuple[Order, Certificate]:
    """An order of one certificate of $50.00, sold at Stripe; what was asked until then is forgotten."""
    return stripe_side.sell_one(50_00)


def refund_calls(side: StripeSide) -> list[tuple[str, str, int]]:
    """What Stripe was asked about refunds, oldest first."""
    calls = [call for call in side.workbench.requests() if call["path"].startswith("/v1/refunds")]
    return [(call["method"], call["path"], call["status"]) for call in calls]


def metadata_of(refund: Refund, certificate: Certificate) -> dict[str, str]:
    return {
        "shop": get_installation().instance_id,
        "refund_id": refund.public_id,
        "certificate_id": certificate.public_id,
    }


def make_at_stripe(side: StripeSide, refund: Refund, *, key: str = "", **parameters: Any) -> str:
    """Make a refund at Stripe that the shop never hears of; return its id."""
    asked = {"payment_intent": refund.order.payment_intent_id, "amount": refund.amount_cents, **parameters}
    options: Any = {"idempotency_key": key} if key else {}
    made = stripe_client(side.workbench).v1.refunds.create(params=asked, options=options)  # type: ignore[arg-type]
    return str(made.id)


def key_of(refund: Refund) -> str:
    return f"{get_installation().instance_id}:refund:{refund.public_id}"


@both_databases
def test_stripe_is_asked_for_exactly_what_is_held(sale: tuple[Order, Certificate], stripe_side: StripeSide) -> None:
    order, certificate = sale
    refund = told.held(order, certificate, 20_00)
    assert pursue_refund(refund.id, stripe_side.gateway).state == "settled"
    (call,) = [each for each in stripe_side.workbench.requests() if each["path"] == "/v1/refunds"]
    assert call["form"] == {
        "payment_intent": order.payment_intent_id,
        "amount": "2000",
        "reason": "requested_by_customer",
        **{f"metadata[{name}]": value for name, value in metadata_of(refund, certificate).items()},
    }
    assert (call["method"], call["idempotency_key"]) == ("POST", key_of(refund))
    assert call["answer"]["id"] == refund.stripe_refund_id
    assert not db.session.new
    db.session.rollback()
    assert db.session.get_one(Refund, refund.id).state == "settled"


def test_a_refund_that_has_ended_is_not_asked_for_again(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    refund = told.held(*sale, 20_00)
    for _ in range(3):
        assert pursue_refund(refund.id, stripe_side.gateway) is refund
    assert refund_calls(stripe_side) == [("POST", "/v1/refunds", 200)]


def test_what_another_process_has_ended_is_seen(sale: tuple[Order, Certificate], stripe_side: StripeSide) -> None:
    refund = told.held(*sale, 20_00)
    assert refund.state == "held"
    quiet = {"synchronize_session": False}
    db.session.execute(sa.update(Refund).values(state="returned"), execution_options=quiet)
    assert pursue_refund(refund.id, stripe_side.gateway).state == "returned"
    assert refund_calls(stripe_side) == []
    db.session.rollback()


@pytest.mark.parametrize("stripe_refund_id", ["re_1", None])
def test_what_another_process_has_recorded_is_seen_when_stripe_answers(
    app: Flask, stripe_refund_id: str | None
) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    refund.stripe_refund_id = stripe_refund_id
    db.session.commit()
    assert refund.state == "held"
    quiet = {"synchronize_session": False}
    db.session.execute(sa.update(Refund).values(state="returned"), execution_options=quiet)
    assert record_refund(told.answer_to(refund), order.id) == "refund returned"
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("active", 30_00), "refund_hold")
    db.session.rollback()


@pytest.mark.parametrize(
    ("given", "patience"), [({}, "page"), ({"patience": "page"}, "page"), ({"patience": "job"}, "job")]
)
def test_no_transaction_waits_for_stripe_and_nobody_longer_than_they_may(
    sale: tuple[Order, Certificate], stripe_side: StripeSide, given: Any, patience: str
) -> None:
    watched = Watched(stripe_side.gateway)
    pursue_refund(told.held(*sale, 20_00).id, watched.gateway, **given)
    assert watched.asked == [("create_refund", patience, False)]


def test_a_pending_refund_is_read_by_its_id_until_it_ends(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    stripe_side.workbench.post("/refund-status", {"status": "pending"})
    refund = told.held(*sale, 20_00)
    watched = Watched(stripe_side.gateway)
    assert pursue_refund(refund.id, watched.gateway).state == "held"
    assert pursue_refund(refund.id, watched.gateway, patience="job").state == "held"
    stripe_side.workbench.post(f"/refunds/{refund.stripe_refund_id}/status", {"status": "succeeded"})
    assert pursue_refund(refund.id, watched.gateway).state == "settled"
    path = f"/v1/refunds/{refund.stripe_refund_id}"
    assert refund_calls(stripe_side) == [("POST", "/v1/refunds", 200), ("GET", path, 200), ("GET", path, 200)]
    assert [question.patience for question in watched.asked] == ["page", "job", "page"]


def test_a_definite_no_gives_the_value_back_and_is_kept_word_for_word(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    order, certificate = sale
    stripe_side.dispute(order)
    refund = pursue_refund(told.held(order, certificate, 20_00).id, stripe_side.gateway)
    assert refund.state == "released"
    assert refund.refusal.startswith("InvalidRequestError charge_disputed req_")
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("active", 50_00), "refund_released")
    assert [each.kind for each in owner_was_told()] == ["refund_refused"]


@pytest.mark.parametrize("fault", ["500", "429", "drop_before"])
def test_an_unknown_outcome_leaves_the_money_held(
    sale: tuple[Order, Certificate], stripe_side: StripeSide, fault: str
) -> None:
    stripe_side.workbench.post("/faults", {"do": fault, "path": "/v1/refunds", "times": -1})
    order, certificate = sale
    refund = told.held(order, certificate, 20_00)
    with pytest.raises(CheckoutUnavailableError):
        pursue_refund(refund.id, stripe_side.gateway)
    db.session.rollback()
    assert (refund.state, standing_of(certificate)) == ("held", ("active", 30_00))
    stripe_side.workbench.post("/faults/clear")
    assert pursue_refund(refund.id, stripe_side.gateway).state == "settled"


@pytest.mark.parametrize(("age", "method"), [(KEY_LIFE, "POST"), (KEY_LIFE + timedelta(microseconds=1), "GET")])
def test_an_old_refund_is_looked_up_and_never_asked_for_again(
    sale: tuple[Order, Certificate], stripe_side: StripeSide, age: timedelta, method: str
) -> None:
    refund = told.held(*sale, 20_00)
    with time_machine.travel(refund.created_at + age, tick=False):
        pursue_refund(refund.id, stripe_side.gateway)
    assert [call[0] for call in refund_calls(stripe_side)] == [method]


def test_an_old_refund_that_stripe_knows_is_settled(sale: tuple[Order, Certificate], stripe_side: StripeSide) -> None:
    order, certificate = sale
    refund = told.held(order, certificate, 20_00)
    mine = {**metadata_of(refund, certificate), "written": "by somebody in the dashboard"}
    make_at_stripe(stripe_side, refund, metadata={**mine, "refund_id": "rf_000000000000000000000000"}, amount=1_00)
    refund_id = make_at_stripe(stripe_side, refund, metadata=mine)
    make_at_stripe(stripe_side, refund, amount=2_00)
    watched = Watched(stripe_side.gateway)
    with time_machine.travel(refund.created_at + timedelta(days=2), tick=False):
        pursued = pursue_refund(refund.id, watched.gateway, patience="job")
    assert (pursued.state, pursued.stripe_refund_id, pursued.refusal) == ("settled", refund_id, "")
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("active", 30_00), "refund_settled")
    assert watched.asked == [("list_refunds", "job", False)]


def test_an_old_refund_is_looked_for_among_those_of_its_payment(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    order, certificate = sale
    other, _certificate = stripe_side.sell_one(60_00)
    refund = told.held(order, certificate, 20_00)
    stripe_side.refund(other, 20_00)
    with time_machine.travel(refund.created_at + timedelta(days=2), tick=False):
        pursue_refund(refund.id, stripe_side.gateway)
    listed = stripe_side.workbench.requests()[-1]
    assert listed["method"] == "GET"
    assert listed["answer"]["data"] == []


def test_an_old_refund_that_stripe_does_not_know_is_given_up(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    order, certificate = sale
    refund = told.held(order, certificate, 20_00)
    with time_machine.travel(refund.created_at + timedelta(days=2), tick=False):
        pursued = pursue_refund(refund.id, stripe_side.gateway)
    assert (pursued.state, pursued.refusal) == ("released", "Stripe does not know of it.")
    assert (standing_of(certificate), pursued.stripe_refund_id) == (("active", 50_00), None)
    assert stripe_side.workbench.get("/state")["refunds"] == []


def test_a_key_that_stripe_has_with_other_parameters_is_looked_up(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    order, certificate = sale
    refund = told.held(order, certificate, 20_00)
    metadata = metadata_of(refund, certificate)
    refund_id = make_at_stripe(stripe_side, refund, key=key_of(refund), metadata=metadata)
    watched = Watched(stripe_side.gateway)
    pursued = pursue_refund(refund.id, watched.gateway, patience="job")
    assert (pursued.state, pursued.stripe_refund_id) == ("settled", refund_id)
    assert watched.asked == [("create_refund", "job", False), ("list_refunds", "job", False)]


def test_a_key_that_stripe_has_for_something_else_leaves_the_money_held(
    sale: tuple[Order, Certificate], stripe_side: StripeSide
) -> None:
    order, certificate = sale
    refund = told.held(order, certificate, 20_00)
    make_at_stripe(stripe_side, refund, key=key_of(refund), amount=1_00)
    pursued = pursue_refund(refund.id, stripe_side.gateway)
    assert (pursued.state, pursued.refusal, pursued.stripe_refund_id) == ("held", "", None)
    assert (standing_of(certificate), owner_was_told()) == (("active", 30_00), [])
