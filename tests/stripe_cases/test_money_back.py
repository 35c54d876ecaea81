"""Cases 26 to 28: money goes back after use, never more than is left, whatever gets lost or comes from elsewhere."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stripe_cases.counter import Practice, balance_of, charge_of, kinds_of
from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.scene import Scene, until

REFUNDS = {"method": "POST", "path": "/v1/refunds"}


@pytest.fixture
def used_order(order: Purchase, practice: Practice) -> Purchase:
    """An order of $50.00, paid, of which $20.00 is redeemed."""
    order.pay()
    assert practice.redeem(order, 20_00) == 200
    return order


def refund_events(order: Purchase) -> list[dict[str, object]]:
    """Return the events at Stripe that tell of the order's refunds."""
    events = order.scene.bench.get("/state")["events"]
    charge_id = charge_of(order)["id"]
    about = [each for each in events if each["type"].startswith("refund.") or each["type"] == "charge.refunded"]
    return [each for each in about if charge_id in (each["data"]["object"].get("charge"), each["data"]["object"]["id"])]


def test_case_26_a_part_is_paid_back_after_use_and_its_webhooks_change_nothing(
    used_order: Purchase, practice: Practice, scene: Scene
) -> None:
    assert "is paid back" in practice.refund(used_order, 10_00).text
    assert balance_of(used_order) == ("active", 20_00)
    assert charge_of(used_order)["amount_refunded"] == 10_00
    assert kinds_of(used_order) == ["issue", "redeem", "refund_hold", "refund_settled"]
    before = used_order.everything()
    events = refund_events(used_order)
    assert {event["type"] for event in events} == {"refund.created", "charge.refunded"}
    for event in events * 2:
        assert scene.tell(event).status_code == 200
    assert used_order.everything() == before
    assert [mail["subject"] for mail in used_order.mails()[0]].count("$10.00 is on its way back") == 1


def test_case_27_more_than_is_left_is_refused_before_stripe_is_asked(
    used_order: Purchase, practice: Practice, scene: Scene
) -> None:
    asked = len([call for call in scene.bench.requests() if call["path"] == REFUNDS["path"]])
    answer = practice.refund(used_order, 35_00)
    assert answer.status_code == 409
    assert "more than can be paid back" in answer.text
    assert balance_of(used_order) == ("active", 30_00)
    assert len([call for call in scene.bench.requests() if call["path"] == REFUNDS["path"]]) == asked


def test_case_27_of_two_refunds_at_once_that_are_too_much_together_exactly_one_goes_through(
    used_order: Purchase, practice: Practice
) -> None:
    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(lambda _: practice.refund(used_order, 20_00).status_code, range(2)))
    assert sorted(answers) == [200, 409]
    assert balance_of(used_order) == ("active", 10_00)
    assert charge_of(used_order)["amount_refunded"] == 20_00


def test_case_28_a_refund_whose_answer_was_lost_is_held_and_ends_by_reconciliation(
    used_order: Purchase, practice: Practice, scene: Scene
) -> None:
    scene.bench.post("/hook", {"drop": -1, "types": ["refund.created", "charge.refunded"]})
    scene.bench.post("/faults", {"do": "drop_after", "times": 2, **REFUNDS})
    assert "is held" in practice.refund(used_order, 30_00).text
    assert balance_of(used_order) == ("active", 0)
    assert practice.redeem(used_order, 1_00) == 409, "held money can\u2019t be spent"
    scene.bench.post("/hook", {})
    scene.reconcile()
    assert kinds_of(used_order) == ["issue", "redeem", "refund_hold", "refund_settled"]
    assert charge_of(used_order)["amount_refunded"] == 30_00
    assert balance_of(used_order) == ("void", 0)


def test_case_28_a_refund_made_in_the_dashboard_is_taken_off_and_too_much_is_looked_at(
    used_order: Purchase, scene: Scene
) -> None:
    scene.bench.post("/refunds", {"payment_intent": used_order.row["payment_intent_id"], "amount": 10_00})
    until(lambda: balance_of(used_order) == ("active", 20_00), "the refund is taken off")
    scene.bench.post("/refunds", {"payment_intent": used_order.row["payment_intent_id"], "amount": 25_00})
    until(lambda: balance_of(used_order) == ("frozen", 0), "the certificate is on hold")
    assert kinds_of(used_order) == ["issue", "redeem", "refund_external", "refund_external", "loss"]
    assert [row["kind"] for row in scene.records.messages(used_order.public_id)].count("alert") == 1


def test_case_28_a_refund_that_fails_days_later_is_given_back_once(
    used_order: Purchase, practice: Practice, scene: Scene
) -> None:
    practice.refund(used_order, 10_00)
    (refund,) = [each for each in scene.bench.get("/state")["refunds"] if each["charge"] == charge_of(used_order)["id"]]
    scene.bench.post(f"/refunds/{refund['id']}/fail")
    until(lambda: balance_of(used_order) == ("frozen", 30_00), "the refund is given back")
    for _ in range(2):
        assert scene.tell(scene.event("refund.failed", refund["id"])).status_code == 200
    assert kinds_of(used_order).count("refund_returned") == 1
    assert [row["kind"] for row in scene.records.messages(used_order.public_id)].count("alert") == 1
