"""What becomes of a payment: each outcome's objects and events, told as Stripe tells them."""

from typing import Any

import pytest
import requests
import stripe

from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession


def told(bench: RunningWorkbench) -> list[str]:
    """The types of the events so far, oldest first."""
    return [event["type"] for event in bench.get("/state")["events"]][::-1]


def settle(bench: RunningWorkbench, session_id: str, outcome: str, **options: Any) -> dict[str, Any]:
    session: dict[str, Any] = bench.post(f"/sessions/{session_id}/settle", {"outcome": outcome, **options})["session"]
    return session


def test_a_payment_completes_the_session(
    bench: RunningWorkbench, make_session: MakeSession, client: stripe.StripeClient
) -> None:
    session = settle(bench, make_session().id, "pay")
    assert (session["status"], session["payment_status"], session["url"]) == ("complete", "paid", None)
    assert session["customer_details"]["email"] == "ana@example.com"
    intent = client.v1.payment_intents.retrieve(session["payment_intent"], params={"expand": ["latest_charge"]})
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (intent.status, intent.amount_received, intent.description) == ("succeeded", 5000, "A gift")
    assert (charge.amount, charge.paid, charge.captured, charge.refunded) == (5000, True, True, False)
    assert intent.metadata["order_id"] == charge.metadata["order_id"] == "17"
    assert told(bench) == [
        "payment_intent.created", "payment_intent.succeeded", "charge.succeeded", "checkout.session.completed",
        "charge.updated",
    ]  # fmt: skip


def test_metadata_of_the_session_does_not_reach_the_payment(bench: RunningWorkbench, make_session: MakeSession) -> None:
    session = settle(bench, make_session(payment_intent_data={"description": "A gift"}).id, "pay")
    assert bench.get(f"/objects/{session['payment_intent']}")["metadata"] == {}


def test_an_event_shows_the_object_as_it_was(bench: RunningWorkbench, make_session: MakeSession) -> None:
    settle(bench, make_session().id, "pay")
    created = bench.get("/state")["events"][-1]
    assert created["data"]["object"]["status"] == "requires_payment_method"
    assert created["data"]["object"]["latest_charge"] is None


def test_a_declined_card_leaves_the_session_open_for_another_try(
    bench: RunningWorkbench, make_session: MakeSession
) -> None:
    session_id = make_session().id
    session = settle(bench, session_id, "decline")
    assert (session["status"], session["payment_intent"]) == ("open", None)
    settle(bench, session_id, "decline")
    assert settle(bench, session_id, "pay")["payment_status"] == "paid"
    assert told(bench) == [
        "payment_intent.created", "charge.failed", "payment_intent.payment_failed", "charge.failed",
        "payment_intent.payment_failed", "payment_intent.succeeded", "charge.succeeded", "checkout.session.completed",
        "charge.updated",
    ]  # fmt: skip
    state = bench.get("/state")
    assert len(state["payment_intents"]) == 1
    assert [charge["status"] for charge in state["charges"]] == ["succeeded", "failed", "failed"]


def test_a_delayed_payment_arrives(bench: RunningWorkbench, make_session: MakeSession) -> None:
    session = settle(bench, make_session().id, "pay_later_ok")
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert told(bench)[-1] == "checkout.session.completed"
    arrived = bench.post(f"/sessions/{session['id']}/arrive", {"outcome": "ok"})["session"]
    assert arrived["payment_status"] == "paid"
    assert told(bench)[-3:] == [
        "charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded",
    ]  # fmt: skip


def test_a_delayed_payment_fails(bench: RunningWorkbench, make_session: MakeSession) -> None:
    session = settle(bench, make_session().id, "pay_later_fail")
    failed = bench.post(f"/sessions/{session['id']}/arrive", {"outcome": "fail"})["session"]
    assert (failed["status"], failed["payment_status"]) == ("complete", "unpaid")
    assert told(bench)[-1] == "checkout.session.async_payment_failed"
    assert bench.get(f"/objects/{session['payment_intent']}")["status"] == "requires_payment_method"


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        ("pay_later_ok", "checkout.session.async_payment_succeeded"),
        ("pay_later_fail", "checkout.session.async_payment_failed"),
        ("pay_then_dispute", "charge.dispute.created"),
    ],
)
def test_what_comes_later_comes_by_the_simulated_clock(
    bench: RunningWorkbench, make_session: MakeSession, outcome: str, event: str
) -> None:
    settle(bench, make_session().id, outcome, after=3600)
    assert event not in told(bench)
    bench.post("/clock", {"advance": 3600})
    assert event in told(bench)


def test_a_payment_can_be_disputed_at_once(bench: RunningWorkbench, make_session: MakeSession) -> None:
    settle(bench, make_session().id, "pay_then_dispute")
    assert told(bench)[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert bench.get("/state")["charges"][0]["disputed"] is True


def test_cancelling_changes_nothing(bench: RunningWorkbench, make_session: MakeSession) -> None:
    assert settle(bench, make_session().id, "cancel")["status"] == "open"
    assert told(bench) == []


def test_a_buyer_can_do_only_what_the_page_offers(bench: RunningWorkbench, make_session: MakeSession) -> None:
    with pytest.raises(AssertionError, match="pay_later_ok"):
        settle(bench, make_session().id, "fly")


@pytest.mark.parametrize(("path", "body"), [("settle", {"outcome": "pay"}), ("arrive", {"outcome": "ok"})])
def test_a_session_that_is_over_can_not_be_paid_again(
    bench: RunningWorkbench, paid: dict[str, Any], path: str, body: dict[str, str]
) -> None:
    answer = requests.post(
        f"{bench.url}/_sim/sessions/{paid['id']}/{path}",
        json=body,
        headers={"X-Workbench-Token": bench.token},
        timeout=10,
    )
    assert answer.status_code == 400
    assert len(bench.get("/state")["charges"]) == 1
