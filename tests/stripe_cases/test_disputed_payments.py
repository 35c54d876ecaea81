"""Case 29, and case 20 for money that goes back: a disputed payment stops its certificate until the bank decides."""

import pytest

from tests.stripe_cases.counter import Practice, balance_of, certificate_of, charge_of, kinds_of
from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.scene import Scene, until


@pytest.fixture
def used_order(order: Purchase, practice: Practice) -> Purchase:
    """An order of $50.00, paid, of which $20.00 is redeemed."""
    order.pay()
    assert practice.redeem(order, 20_00) == 200
    return order


def dispute(order: Purchase, status: str = "needs_response", *, held: int = 0) -> str:
    """Let the buyer's bank question the payment, and wait until the certificate is on hold."""
    asked = {"payment_intent": order.row["payment_intent_id"], "status": status}
    dispute_id: str = order.scene.bench.post("/disputes", asked)["id"]
    until(lambda: balance_of(order) == ("frozen", held), "the certificate is on hold")
    return dispute_id


def decide(order: Purchase, dispute_id: str, status: str) -> None:
    order.scene.bench.post(f"/disputes/{dispute_id}/status", {"status": status})


def tell_again(scene: Scene, dispute_id: str) -> None:
    """Tell everything about a dispute once more, the end first and the beginning last."""
    for step in ("closed", "funds_reinstated", "updated", "funds_withdrawn", "created"):
        assert scene.tell(scene.event(f"charge.dispute.{step}", dispute_id)).status_code == 200


def test_case_29_an_open_dispute_refuses_redemption_and_refund(used_order: Purchase, practice: Practice) -> None:
    dispute(used_order)
    assert practice.redeem(used_order, 1_00) == 409
    answer = practice.refund(used_order, 1_00)
    assert answer.status_code == 409
    assert charge_of(used_order)["amount_refunded"] == 0


def test_case_29_won_gives_back_the_exact_old_balance_in_any_order_and_twice(
    used_order: Purchase, practice: Practice, scene: Scene
) -> None:
    dispute_id = dispute(used_order)
    decide(used_order, dispute_id, "won")
    until(lambda: balance_of(used_order) == ("active", 30_00), "the certificate is free again")
    tell_again(scene, dispute_id)
    assert balance_of(used_order) == ("active", 30_00)
    assert kinds_of(used_order) == ["issue", "redeem", "dispute_hold", "dispute_released"]
    assert practice.redeem(used_order, 30_00) == 200


def test_case_29_lost_ends_the_certificate_and_shows_what_was_used_as_a_loss(
    used_order: Purchase, scene: Scene
) -> None:
    dispute_id = dispute(used_order)
    decide(used_order, dispute_id, "lost")
    until(lambda: balance_of(used_order) == ("void", 0), "the certificate has ended")
    tell_again(scene, dispute_id)
    entries = scene.records.entries(used_order.public_id)
    told = [(entry["kind"], entry["amount_cents"]) for entry in entries[2:]]
    assert told == [("dispute_hold", 30_00), ("dispute_lost", 30_00), ("loss", 20_00)]


def test_case_29_an_inquiry_that_is_closed_changes_no_money(used_order: Purchase, scene: Scene) -> None:
    dispute_id = dispute(used_order, "warning_needs_response", held=30_00)
    decide(used_order, dispute_id, "warning_closed")
    until(lambda: balance_of(used_order) == ("active", 30_00), "the certificate is free again")
    tell_again(scene, dispute_id)
    assert balance_of(used_order) == ("active", 30_00)
    assert kinds_of(used_order) == ["issue", "redeem"]


def test_case_29_a_lost_dispute_that_is_won_on_appeal_can_be_restored(used_order: Purchase, scene: Scene) -> None:
    dispute_id = dispute(used_order)
    decide(used_order, dispute_id, "lost")
    until(lambda: balance_of(used_order) == ("void", 0), "the certificate has ended")
    decide(used_order, dispute_id, "appeal_needs_response")
    decide(used_order, dispute_id, "won")
    until(lambda: balance_of(used_order) == ("frozen", 30_00), "it has its value again, on hold")
    tell_again(scene, dispute_id)
    assert balance_of(used_order) == ("frozen", 30_00), "told once more, it still waits for a person"
    public_id = certificate_of(used_order)["public_id"]
    told = ("--reason", "won on appeal", "--actor", "owner@example.com")
    scene.shop.command("certificates", "unfreeze", public_id, *told)
    assert balance_of(used_order) == ("active", 30_00)


@pytest.mark.parametrize("first", ["refunded", "disputed"])
def test_case_20_what_comes_before_the_payment_is_heard_of_ends_as_in_order(
    first: str, order: Purchase, scene: Scene
) -> None:
    completed = order.settle_untold()
    payment = order.session()["payment_intent"]
    if first == "refunded":
        refund_id = scene.bench.post("/refunds", {"payment_intent": payment, "amount": 10_00, "hook": {"drop": -1}})[
            "id"
        ]
        assert scene.tell(scene.event("refund.created", refund_id)).status_code == 200
    else:
        dispute_id = scene.bench.post("/disputes", {"payment_intent": payment, "hook": {"drop": -1}})["id"]
        assert scene.tell(scene.event("charge.dispute.created", dispute_id)).status_code == 200
    assert scene.tell(completed).status_code == 200
    assert order.state == "fulfilled"
    assert balance_of(order) == (("active", 40_00) if first == "refunded" else ("frozen", 0))
