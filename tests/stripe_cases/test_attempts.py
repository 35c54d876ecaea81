"""Cases 21, 22, 24 and 25: one order and several attempts to pay it, because time passes or an answer is lost."""

from typing import Any

import pytest

from tests.stripe_cases.purchases import CREATE, Purchase, fail_to_arrive
from tests.stripe_cases.records import change
from tests.stripe_cases.scene import COMPLETED, Scene, at_once, until
from tests.stripe_cases.verdicts import assert_issued_once, assert_nothing_issued, assert_page_says
from tests.workbench.running import stripe_client

EXPIRED, EXPIRED_PAGE = "checkout.session.expired", "This order ran out of time"
FORTY_MINUTES = 41 * 60


def pay_again(order: Purchase) -> None:
    """Press Pay now; a new session, and only a new one, is what the buyer is led to."""
    earlier = order.session_id
    answer = order.press_pay()
    assert (answer.status_code, answer.headers["Location"]) == (303, order.session()["url"])
    assert order.session_id != earlier


def let_attempt_age(order: Purchase) -> None:
    """Let the shop's newest attempt be over by the shop's clock, while Stripe's session is still open."""
    moment = "2026-01-01T00:00:00.000000+00:00"
    sql = f"UPDATE checkout_attempt SET expires_at = '{moment}' WHERE session_id = '{order.session_id}'"
    change(order.scene.records.path, sql)


def test_case_21_a_session_that_expires_can_be_paid_anew(scene: Scene) -> None:
    order = Purchase(scene).place(**{"gifts-0-amount": "2000"})
    first = order.session_id
    scene.bench.post("/clock", {"advance": FORTY_MINUTES})
    scene.bench.post("/clock", {"advance": -FORTY_MINUTES})
    until(lambda: order.state == "expired", "time has passed")
    assert [row["state"] for row in scene.records.attempts(order.public_id)] == ["expired"]
    assert_page_says(order, EXPIRED_PAGE)
    assert_nothing_issued(order)
    pay_again(order)
    assert_issued_once(order.pay(), cents=2000_00)
    assert_changes_nothing(order, first)


def assert_changes_nothing(order: Purchase, session_id: str) -> None:
    """Another `expired` of an old attempt is answered kindly and forgotten."""
    before = order.everything()
    assert order.scene.bench.get(f"/objects/{session_id}")["status"] == "expired"
    assert order.scene.tell(order.scene.event(EXPIRED, session_id)).status_code == 200
    assert order.everything() == before


def test_case_21_reconciliation_expires_an_order_whose_event_was_lost(order: Purchase, scene: Scene) -> None:
    first = order.session_id
    scene.bench.post(f"/sessions/{first}/expire", {"hook": {"drop": -1}})
    assert order.state == "awaiting_payment"
    scene.reconcile()
    assert order.state == "expired"
    assert_page_says(order, EXPIRED_PAGE)
    assert_nothing_issued(order)
    pay_again(order)
    assert_changes_nothing(order, first)
    assert_page_says(order, "Not paid yet")
    assert_issued_once(order.pay())


def test_case_22_a_new_attempt_closes_the_old_one_first(order: Purchase, scene: Scene) -> None:
    first = order.session_id
    let_attempt_age(order)
    pay_again(order)
    recorded, created = scene.bench.requests(), order.created()
    calls = [(call["method"], call["path"], call["status"]) for call in recorded]
    opened = [place for place, call in enumerate(recorded) if call in created]
    assert len(opened) == 2
    assert opened[0] < calls.index(("POST", f"/v1/checkout/sessions/{first}/expire", 200)) < opened[1]
    with pytest.raises(AssertionError, match="only an open one can change"):
        order.settle(session=first)
    assert_issued_once(order.pay())


def test_case_22_an_attempt_that_was_paid_meanwhile_is_fulfilled_instead_of_followed(order: Purchase) -> None:
    order.settle_untold()
    let_attempt_age(order)
    answer = order.press_pay()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{order.token}")
    assert len(order.created()) == 1
    assert_issued_once(order)


def test_case_22_two_sessions_paid_at_once_make_one_certificate_and_a_flag(order: Purchase, scene: Scene) -> None:
    first = order.session()
    let_attempt_age(order)
    pay_again(order)
    both = [first["id"], order.session_id]
    scene.bench.post(f"/objects/{first['id']}", {"status": "open", "url": first["url"]})
    told = [order.settle_untold(session=session_id) for session_id in both]
    assert at_once([lambda: scene.tell(told[0]), lambda: scene.tell(told[1])]) == {200}
    assert_issued_once(order)
    assert_one_is_flagged(order, both)
    before = order.everything()
    assert {scene.tell(scene.event(COMPLETED, session_id)).status_code for session_id in both} == {200}
    assert order.everything() == before
    assert_issued_once(order)
    assert_one_is_flagged(order, both)


def assert_one_is_flagged(order: Purchase, session_ids: list[str]) -> None:
    """The session that did not pay for the certificate is flagged to be refunded, once."""
    paid_by = order.row["payment_intent_id"]
    sessions = [order.scene.bench.get(f"/objects/{session_id}") for session_id in session_ids]
    for session in sessions:
        kinds = [alert["kind"] for alert in order.scene.records.alerts(session["id"])]
        assert kinds == ([] if session["payment_intent"] == paid_by else ["paid_twice"])


@pytest.mark.parametrize("times", [1, 2], ids=["the SDK tries again", "the buyer tries again"])
def test_case_24_a_lost_answer_never_makes_a_second_session(scene: Scene, times: int) -> None:
    scene.bench.post("/faults", {"do": "drop_after", "times": times, **CREATE})
    scene.may_answer |= {503} if times == 2 else set()
    order = Purchase(scene)
    answer = order.send()
    if times == 2:
        assert answer.status_code == 503
        answer = order.press_pay()
    (session,) = order.sessions_at_stripe()
    assert (answer.status_code, answer.headers["Location"]) == (303, session["url"])
    assert [row["session_id"] for row in scene.records.attempts(order.public_id)] == [session["id"]]
    calls = order.created()
    assert len(calls) == times + 1
    assert len({(call["idempotency_key"], call["body"]) for call in calls}) == 1
    assert_issued_once(order.pay())


def test_case_25_a_key_that_stripe_knows_with_other_parameters_leads_to_the_next_attempt(scene: Scene) -> None:
    order = fail_to_arrive(scene)
    key = f"{scene.records.instance_id()}:order:{order.public_id}:cs:1"
    price = {"currency": "usd", "unit_amount": 40_00, "product_data": {"name": "Gift certificate"}}
    params: Any = {
        "success_url": order.address,
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    stripe_client(scene.bench).v1.checkout.sessions.create(params=params, options={"idempotency_key": key})
    answer = order.press_pay()
    assert (answer.status_code, answer.headers["Location"]) == (303, order.session()["url"])
    *_, refused, made = order.created()
    assert (refused["idempotency_key"], refused["status"]) == (key, 400)
    assert refused["answer"]["error"]["type"] == "idempotency_error"
    assert (made["idempotency_key"], made["form"]["metadata[attempt]"]) == (key[:-1] + "2", "2")
    assert [row["number"] for row in scene.records.attempts(order.public_id)] == [1, 2]
    assert_issued_once(order.pay())


def test_case_25_an_amount_edited_between_two_tries_is_an_order_of_its_own(scene: Scene) -> None:
    first = fail_to_arrive(scene)
    edited = Purchase(scene, buyer_email=first.buyer_email)
    answer = edited.send(**{"gifts-0-amount": "60", "replaces": first.token})
    assert (answer.status_code, answer.headers["Location"]) == (303, edited.session()["url"])
    (call,) = edited.created()
    assert call["form"]["line_items[0][price_data][unit_amount]"] == "6000"
    assert call["status"] == 200
    assert_page_says(first, EXPIRED_PAGE)
    assert_issued_once(edited.pay(), cents=60_00)
    assert_nothing_issued(first)
