"""What becomes of refunds of ours: paid, refused, failed days later, or found when nobody looked for them any more."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.models import Payback, Refund
from giftshop.payments.facts import Refusal
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import is_recorded, record_refund, release_refund
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import (
    Told,
    entries_of,
    facts_of,
    holds_on,
    kinds_of,
    messages,
    moves_of,
    owner_was_told,
    standing_of,
    trail_of,
)

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)

ANSWERS = [
    ("succeeded", "settled", 30_00, ["refund_hold", "refund_settled"]),
    ("pending", "held", 30_00, ["refund_hold"]),
    ("requires_action", "held", 30_00, ["refund_hold"]),
    ("failed", "released", 50_00, ["refund_hold", "refund_released"]),
    ("canceled", "released", 50_00, ["refund_hold", "refund_released"]),
]


@pytest.mark.parametrize(("status", "state", "left_cents", "kinds"), ANSWERS)
def test_what_stripe_answers_ends_a_refund_once_or_leaves_it_held(
    app: Flask, status: str, state: str, left_cents: int, kinds: list[str]
) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    for _ in range(3):
        assert record_refund(told.answer_to(refund, status), order.id) == f"refund {state}"
        db.session.commit()
    assert (refund.state, refund.stripe_refund_id) == (state, "re_1")
    assert (refund.ended_at is None) == (state == "held")
    assert refund.refusal == ("The bank did not take it." if state == "released" else "")
    assert standing_of(certificate) == ("active", left_cents)
    assert kinds_of(certificate) == ["issue", *kinds]
    assert (order.state, db.session.query(Refund).count()) == ("fulfilled", 1)


def test_a_pending_refund_ends_when_the_bank_has_it(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund, "pending"), order.id)
    with time_machine.travel(NOON, tick=False):
        record_refund(told.answer_to(refund, metadata={}), order.id)
    assert (refund.state, refund.ended_at) == ("settled", NOON)
    settled = db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.kind == "refund_settled")).one()
    assert (settled.external_ref, settled.created_at, settled.actor) == ("re_1", NOON, "stripe")
    assert settled.request_key == f"refund:{refund.id}:settled"


def test_a_refund_that_is_paid_is_told_to_the_buyer_and_kept(app: Flask) -> None:
    order, certificate = told.sold_one()
    record_refund(told.answer_to(told.held(order, certificate, 20_00)), order.id)
    (mail,) = messages(order, "refund")
    facts = facts_of(mail)
    assert (mail.to_address, facts["amount"], facts["left"]) == ("marko@example.com", "$20.00", "$30.00")
    assert trail_of(order)[-1] == (
        "refund_settled",
        "stripe",
        {"amount_cents": 20_00, "reason": "changed their mind"},
    )


def test_a_refund_that_is_refused_gives_the_value_back_and_asks_a_person(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            release_refund(refund.id, Refusal("No such payment."))
    assert (refund.state, refund.ended_at, refund.refusal) == ("released", NOON, "No such payment.")
    assert standing_of(certificate) == ("active", 50_00)
    assert kinds_of(certificate) == ["issue", "refund_hold", "refund_released"]
    released = db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.kind == "refund_released")).one()
    assert (released.actor, released.created_at) == ("stripe", NOON)
    assert released.request_key == f"refund:{refund.id}:released"
    assert [event[:2] for event in trail_of(order)][-1] == ("refund_refused", "stripe")
    assert messages(order, "refund") == []
    detail = f"The refund for order {order.number} was refused. The certificate has its value again."
    path = f"/office/orders/{order.id}"
    assert owner_was_told() == [Told("refund_refused", f"refund {refund.id}", detail, "A refund was refused", path)]


def test_a_refund_that_ended_meanwhile_is_not_released(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    assert refund.state == "held"
    quiet = {"synchronize_session": False}
    db.session.execute(sa.update(Refund).values(state="returned"), execution_options=quiet)
    release_refund(refund.id, Refusal("too late"))
    assert (standing_of(certificate), owner_was_told()) == (("active", 30_00), [])
    db.session.rollback()


def test_value_that_comes_back_to_a_certificate_that_had_ended_waits_for_a_person(app: Flask) -> None:
    order, certificate = told.sold_one()
    paid, refused = (told.held(order, certificate, amount_cents) for amount_cents in (20_00, 30_00))
    record_refund(told.answer_to(paid), order.id)
    assert standing_of(certificate) == ("void", 0)
    record_refund(told.answer_to(refused, "failed", id="re_2"), order.id)
    assert standing_of(certificate) == ("frozen", 30_00)
    assert holds_on(certificate) == [(refused.public_id, "refund_refused", "stripe")]


@both_databases
def test_a_refund_that_fails_days_later_is_back_on_hold_and_told_once(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 50_00)
    record_refund(told.answer_to(refund), order.id)
    assert (order.state, standing_of(certificate)) == ("refunded", ("void", 0))
    with time_machine.travel(NOON, tick=False):
        for status in ("failed", "failed", "canceled"):
            assert record_refund(told.answer_to(refund, status), order.id) == "refund returned"
    assert (refund.state, refund.ended_at) == ("returned", NOON)
    assert standing_of(certificate) == ("frozen", 50_00)
    assert kinds_of(certificate) == ["issue", "refund_hold", "refund_settled", "refund_returned"]
    assert holds_on(certificate) == [("re_1", "refund_failed", "stripe")]
    assert moves_of(order)[-2:] == [("fulfilled", "refunded", "stripe"), ("refunded", "fulfilled", "stripe")]
    assert [event[:2] for event in trail_of(order)][-1] == ("refund_returned", "stripe")
    detail = (
        f"The refund for order {order.number} failed: the money is back with you and on the certificate, on hold. "
        "A gift’s message was cancelled with the refund: end the hold, then send it from the order’s page. "
        "The buyer was told that you will be in touch."
    )
    assert owner_was_told() == [Told("refund_failed", "re_1", detail, "A refund failed", f"/office/orders/{order.id}")]


def test_the_moment_a_refund_came_back_is_kept_in_the_ledger_and_the_hold(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund), order.id)
    with time_machine.travel(NOON, tick=False):
        record_refund(told.answer_to(refund, "failed"), order.id)
    returned = db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.kind == "refund_returned")).one()
    assert (returned.external_ref, returned.created_at) == ("re_1", NOON)
    assert order.state == "fulfilled"
    assert ("fulfilled", "fulfilled", "stripe") not in moves_of(order)


@pytest.mark.parametrize("status", ["succeeded", "pending"])
def test_a_refund_that_was_given_up_and_made_all_the_same_is_taken_off(app: Flask, status: str) -> None:
    """Stripe did not know of it for a day, and had made it nevertheless."""
    order = told.sold(build.gift_request(quantity=3))
    first, second, third = list_certificates(order.id)
    refund = told.held(order, second, 40_00)
    release_refund(refund.id, Refusal("Stripe does not know of it."))
    with time_machine.travel(NOON, tick=False):
        for _ in range(2):
            assert record_refund(told.answer_to(refund, status), order.id) == "refund settled"
    assert (refund.state, refund.stripe_refund_id, refund.ended_at) == ("settled", "re_1", NOON)
    assert [standing_of(each) for each in (first, second, third)] == [
        ("active", 95_00),
        ("active", 55_00),
        ("active", 95_00),
    ]
    assert kinds_of(second)[-1] == "refund_external"
    assert db.session.query(Refund).count() == 1


def test_a_refund_that_was_given_up_and_failed_stays_given_up(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    release_refund(refund.id, Refusal("Stripe does not know of it."))
    assert record_refund(told.answer_to(refund, "failed"), order.id) == "refund released"
    assert (refund.stripe_refund_id, refund.refusal) == ("re_1", "Stripe does not know of it.")
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("active", 50_00), "refund_released")
    assert len(owner_was_told()) == 1


FOREIGN: dict[str, dict[str, Any]] = {
    "of another shop": {"shop": "shop_0000000000000000"},
    "without a shop": {"shop": ""},
    "that names no refund": {"refund_id": ""},
    "that names another refund": {"refund_id": "rf_000000000000000000000000"},
}


@pytest.mark.parametrize("metadata", FOREIGN.values(), ids=FOREIGN)
def test_a_refund_that_is_not_marked_as_ours_leaves_ours_held(app: Flask, metadata: dict[str, str]) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    answer = told.answer_to(refund)
    foreign = told.answer_to(refund, metadata={**answer.metadata, **metadata})
    assert record_refund(foreign, order.id) == "refund made at Stripe"
    assert (refund.state, refund.stripe_refund_id) == ("held", None)
    assert standing_of(certificate) == ("active", 10_00)


def test_a_refund_of_another_order_is_not_taken_for_ours(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    other = build.certificate()
    other_order = db.session.scalars(sa.select(Refund.order_id)).one() + 1
    record_refund(told.answer_to(refund), other_order)
    assert (refund.state, standing_of(certificate)) == ("held", ("active", 30_00))
    assert standing_of(other) == ("active", 100_00)


def test_a_second_refund_with_the_marks_of_ours_is_one_of_its_own(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund), order.id)
    assert record_refund(told.answer_to(refund, id="re_2"), order.id) == "refund made at Stripe"
    assert (refund.stripe_refund_id, standing_of(certificate)) == ("re_1", ("active", 10_00))
    assert [entry.kind for entry in entries_of(certificate)][-1] == "refund_external"


@pytest.mark.parametrize(
    ("state", "agrees_with"),
    [
        ("held", set[str]()),
        ("settled", {"succeeded", "pending", "requires_action"}),
        ("released", {"failed", "canceled"}),
        ("returned", {"failed", "canceled"}),
    ],
)
def test_a_refund_is_recorded_when_its_state_says_what_stripe_says(
    app: Flask, state: str, agrees_with: set[str]
) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    refund.stripe_refund_id, refund.state = "re_1", state
    statuses = ("succeeded", "pending", "requires_action", "failed", "canceled")
    assert {each for each in statuses if is_recorded(told.refund_of(order, 20_00, status=each))} == agrees_with
    assert not is_recorded(told.refund_of(order, 20_00, id="re_2"))
    db.session.rollback()


@pytest.mark.parametrize(
    ("is_ours", "told_of"), [(True, ("staff:7", "paid twice")), (False, ("stripe", "made at Stripe"))]
)
def test_a_payment_paid_back_whole_keeps_who_asked_for_it_here_and_why(
    app: Flask, is_ours: bool, told_of: tuple[str, str]
) -> None:
    order, _certificate = told.sold_one()
    db.session.add(Payback(order_id=order.id, actor="staff:7", reason="paid twice", asked_at=clock.now()))
    db.session.commit()
    marks = {"shop": get_installation().instance_id} if is_ours else {}
    record_refund(told.refund_of(order, order.total_cents, metadata=marks), order.id)
    db.session.commit()
    refund = db.session.query(Refund).one()
    assert (refund.actor, refund.reason) == told_of
