"""Cases 18 and 19: methods of payment whose bank answers days later, with yes or with no."""

from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.scene import COMPLETED, Scene, until
from tests.stripe_cases.verdicts import assert_issued_once, assert_nothing_issued, assert_page_says

WAITING, FAILED = "Your bank is confirming the payment", "The payment didn’t go through"


def wait_for_bank(order: Purchase, outcome: str) -> None:
    """Pay by a delayed method, and wait until the shop waits for the bank too."""
    order.settle(outcome)
    until(lambda: order.state == "processing", "the payment is on its way")


def hear_from_bank(order: Purchase, answer: str, state: str) -> None:
    """Let the bank answer, and wait until the shop has heard it."""
    order.scene.bench.post(f"/sessions/{order.session_id}/arrive", {"outcome": answer})
    until(lambda: order.state == state, f"the bank said {answer}")


def test_case_18_a_delayed_payment_makes_a_certificate_when_it_arrives_and_not_before(order: Purchase) -> None:
    wait_for_bank(order, "pay_later_ok")
    assert_page_says(order, WAITING)
    assert_nothing_issued(order)
    assert order.press_pay().headers["Location"].endswith(f"/orders/{order.token}"), "nothing to pay meanwhile"
    assert len(order.created()) == 1
    hear_from_bank(order, "ok", "fulfilled")
    assert_issued_once(order)


def test_case_19_a_delayed_payment_that_fails_is_told_and_can_be_paid_again(order: Purchase, scene: Scene) -> None:
    wait_for_bank(order, "pay_later_fail")
    first = order.session_id
    hear_from_bank(order, "fail", "failed")
    order.wait_until_mailed()
    assert_page_says(order, FAILED)
    assert_nothing_issued(order)
    assert_told_of_failure_once(order)
    assert_reopens_nothing(order, first)
    answer = order.press_pay()
    assert (answer.status_code, answer.headers["Location"]) == (303, order.session()["url"])
    assert order.session_id != first
    assert [call["idempotency_key"].rpartition(":")[2] for call in order.created()] == ["1", "2"]
    assert_reopens_nothing(order, first)
    assert_page_says(order, "Not paid yet")
    assert_issued_once(order.pay())
    assert_reopens_nothing(order, first)
    assert_told_of_failure_once(order)


def assert_told_of_failure_once(order: Purchase) -> None:
    told = [mail for mail in order.mails()[0] if f"Your bank said no to order {order.number}" in mail["text"]]
    assert [order.address in mail["links"] for mail in told] == [True]


def assert_reopens_nothing(order: Purchase, session_id: str) -> None:
    """Late and doubled news of the failed session leave the order as it is."""
    before = order.everything()
    late = order.scene.event(COMPLETED, session_id)
    assert late["data"]["object"]["payment_status"] == "unpaid"
    failed = order.scene.event("checkout.session.async_payment_failed", session_id)
    assert [order.scene.tell(event).status_code for event in (late, late, failed)] == [200, 200, 200]
    assert order.everything() == before
