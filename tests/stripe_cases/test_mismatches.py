"""Cases 13 to 17: what is signed and not ours, or ours and not as the order says."""

from typing import Any

import pytest

from tests.stripe_cases.purchases import Purchase, fail_to_arrive
from tests.stripe_cases.scene import COMPLETED, Json, Scene
from tests.stripe_cases.verdicts import assert_issued_once, assert_nothing_issued, assert_page_says
from tests.workbench.running import stripe_client

IN_REVIEW, NOT_PAID = "We’re looking at this order", "Not paid yet"


def sold_elsewhere(scene: Scene, order: Purchase, metadata: dict[str, str]) -> str:
    """Sell something through the same account by another program, and lose the webhooks; return the session's id."""
    params: Any = {
        "mode": "payment",
        "success_url": "https://another.example/thanks",
        "client_reference_id": order.public_id,
        "metadata": metadata,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {"currency": "usd", "unit_amount": 50_00, "product_data": {"name": "Something else"}},
            }
        ],
    }
    session_id = stripe_client(scene.bench).v1.checkout.sessions.create(params=params).id
    order.settle_untold(session=session_id)
    return session_id


def reviewed(order: Purchase, **as_stripe_says: Any) -> Json:
    """Pay, let Stripe say something else than the order about it, tell the shop; return the event."""
    event = order.settle_untold()
    order.scene.bench.post(f"/objects/{order.session_id}", as_stripe_says)
    assert order.scene.tell(event).status_code == 200
    return event


def assert_in_review(order: Purchase, reason: str) -> None:
    """A person looks at the order: the buyer and the practice are told, nothing is issued, now or later."""
    assert (order.state, order.row["review_reason"]) == ("in_review", reason)
    (alert,) = order.scene.records.alerts(order.session_id)
    assert alert["kind"] == "in_review"
    order.wait_until_mailed()
    told = [mail for mail in order.scene.bench.mails("hello@focusedcare.example") if order.number in mail["text"]]
    assert [reason in mail["text"] for mail in told] == [True]
    assert_page_says(order, IN_REVIEW)
    assert order.scene.tell(order.scene.event(COMPLETED, order.session_id)).status_code == 200
    assert order.state == "in_review"
    assert_nothing_issued(order)
    assert len(order.scene.records.alerts(order.session_id)) == 1


@pytest.mark.parametrize("kind", ["unknown", "without metadata"])
def test_case_13_a_session_nobody_here_knows_is_answered_kindly(order: Purchase, scene: Scene, kind: str) -> None:
    unknown = {"id": "cs_test_a1unknown", "object": "checkout.session", "client_reference_id": order.public_id}
    event = scene.event(COMPLETED, unknown if kind == "unknown" else sold_elsewhere(scene, order, {}))
    before = order.everything()
    assert scene.tell(event).status_code == 200
    assert event["id"] in scene.log()
    assert [row["outcome"] for row in scene.records.events(event["id"])] in (["unknown session"], ["not ours"])
    assert order.everything() == before
    assert_nothing_issued(order)


def test_case_14_another_shop_of_the_same_account_cannot_pay_an_order_of_ours(order: Purchase, scene: Scene) -> None:
    theirs = sold_elsewhere(scene, order, {"shop": "shop_another", "order_id": order.public_id, "attempt": "1"})
    before = order.everything()
    assert scene.tell(scene.event(COMPLETED, theirs)).status_code == 200
    assert order.everything() == before
    assert_page_says(order, NOT_PAID)
    assert_nothing_issued(order)


def test_case_14_another_shop_cannot_even_pay_an_order_that_has_no_session_yet(scene: Scene) -> None:
    order = fail_to_arrive(scene)
    theirs = sold_elsewhere(scene, order, {"shop": "shop_another", "order_id": order.public_id, "attempt": "1"})
    before = order.everything()
    assert scene.tell(scene.event(COMPLETED, theirs)).status_code == 200
    assert order.everything() == before
    assert_nothing_issued(order)


def test_case_14_a_session_that_is_not_the_stored_one_cannot_pay_the_order(order: Purchase, scene: Scene) -> None:
    ours = {"shop": scene.records.instance_id(), "order_id": order.public_id, "attempt": "1"}
    other = sold_elsewhere(scene, order, ours)
    before = order.everything()
    assert scene.tell(scene.event(COMPLETED, other)).status_code == 200
    assert order.everything() == before
    assert_nothing_issued(order)
    scene.reconcile()
    assert [row["kind"] for row in scene.records.alerts(other)] == ["session_without_order"]
    assert order.everything() == before


def test_case_15_an_event_of_live_money_is_not_fulfilled_by_a_shop_without(order: Purchase, scene: Scene) -> None:
    event = order.settle_untold()
    live = {**scene.event(COMPLETED, order.session_id), "livemode": True}
    assert scene.tell(live).status_code == 200
    assert [row["kind"] for row in scene.records.alerts(live["id"])] == ["wrong_mode_event"]
    assert order.state == "awaiting_payment"
    assert_nothing_issued(order)
    assert scene.tell(event).status_code == 200
    assert_issued_once(order)


def test_case_15_a_session_of_live_money_is_not_fulfilled_by_a_shop_without(order: Purchase) -> None:
    reviewed(order, livemode=True)
    assert_in_review(order, "the mode differs")


def test_case_16_another_amount_is_reviewed_and_not_fulfilled(order: Purchase) -> None:
    reviewed(order, amount_total=40_00)
    assert_in_review(order, "the amount differs")


def test_case_17_another_currency_is_reviewed_and_not_fulfilled(order: Purchase) -> None:
    reviewed(order, currency="jpy")
    assert_in_review(order, "the currency differs")


def test_case_17_a_buyer_may_have_seen_the_price_in_another_currency(order: Purchase) -> None:
    reviewed(order, presentment_details={"presentment_amount": 46_00, "presentment_currency": "eur"})
    assert_issued_once(order)
