"""How events reach the shop: signed, repeated, and spoiled on demand."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.workbench.receiver import Receiver
from tests.workbench.running import RunningWorkbench, start_workbench, stripe_client
from tests.workbench.samples import MakeSession, session_params

COMPLETED = "checkout.session.completed"


def pay(bench: RunningWorkbench, session_id: str, **hook: Any) -> list[dict[str, Any]]:
    """Pay, telling the shop of the completed session only."""
    knobs = {"outcome": "pay", "hook": {"types": [COMPLETED], **hook}}
    events: list[dict[str, Any]] = bench.post(f"/sessions/{session_id}/settle", knobs)["events"]
    return [event for event in events if event["type"] == COMPLETED]


def completed(bench: RunningWorkbench, shop: Receiver) -> list[dict[str, Any]]:
    events = [each.event(bench.webhook_secret) for each in shop.received]
    return [event for event in events if event["type"] == COMPLETED]


def delivery_of(bench: RunningWorkbench, event: dict[str, Any]) -> dict[str, Any]:
    return next(d for d in bench.get("/state")["deliveries"] if d["event"] == event["id"])


def wait_for_state(bench: RunningWorkbench, event: dict[str, Any], state: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        delivery = delivery_of(bench, event)
        if delivery["state"] == state:
            return delivery
        time.sleep(0.02)
    raise AssertionError(f"not {state}: {delivery}")


def test_every_event_arrives_signed_as_the_sdk_expects(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    session = make_session()
    bench.post(f"/sessions/{session.id}/settle")
    received = shop.wait_for(5)
    assert {each.path for each in received} == {"/webhooks/stripe"}
    assert set(shop.types(bench.webhook_secret)) == {
        "payment_intent.created", "payment_intent.succeeded", "charge.succeeded", COMPLETED, "charge.updated",
    }  # fmt: skip
    assert json.loads(received[0].body)["api_version"] == "2026-10-28.endive"
    (event,) = completed(bench, shop)
    assert event["data"]["object"]["id"] == session.id
    assert event["livemode"] is False


def test_an_event_is_signed_with_the_first_of_several_secrets(tmp_path: Path, shop: Receiver) -> None:
    both = "whsec_sim_new00000000,whsec_sim_old00000000"
    with start_workbench(tmp_path, shop.url, STRIPE_WEBHOOK_SECRET=both) as rotated:
        session = stripe_client(rotated).v1.checkout.sessions.create(params=session_params())
        rotated.post(f"/sessions/{session.id}/expire")
        (received,) = shop.wait_for(1)
    assert received.event("whsec_sim_new00000000")["type"] == "checkout.session.expired"
    with pytest.raises(stripe.SignatureVerificationError):
        received.event("whsec_sim_old00000000")


def test_a_refused_event_is_sent_again_with_a_fresh_signature(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    shop.answers = [200] * 4 + [500]
    session = make_session()
    bench.post(f"/sessions/{session.id}/settle")
    received = shop.wait_for(6)
    again = [each for each in received if each.body == received[-1].body]
    assert len(again) == 2
    assert again[0].header != again[1].header
    assert again[1].event(bench.webhook_secret)
    event = json.loads(received[-1].body)
    delivery = wait_for_state(bench, event, "delivered")
    assert [attempt["code"] for attempt in delivery["attempts"]] == [500, 200]
    assert stripe_client(bench).v1.events.retrieve(event["id"]).pending_webhooks == 0


def test_a_shop_that_is_down_gets_its_events_when_it_is_back(
    bench: RunningWorkbench, make_session: MakeSession, shop: Receiver
) -> None:
    bench.post("/shop", {"url": "http://127.0.0.1:9"})
    (event,) = pay(bench, make_session().id)
    deadline = time.monotonic() + 10
    while not delivery_of(bench, event)["attempts"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "refused" in delivery_of(bench, event)["attempts"][0]["error"]
    pending = stripe_client(bench).v1.events.list(params={"delivery_success": False, "type": COMPLETED})
    assert [each.id for each in pending.data] == [event["id"]]
    bench.post("/shop", {"url": shop.url})
    shop.wait_for(1)
    wait_for_state(bench, event, "delivered")


def test_knobs_of_one_payment_hold_for_its_events_only(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    bench.post(f"/sessions/{make_session().id}/settle", {"hook": {"drop": -1}})
    bench.post(f"/sessions/{make_session().id}/expire")
    shop.wait_for(1)
    assert shop.types(bench.webhook_secret) == ["checkout.session.expired"]


def test_a_dropped_delivery_arrives_with_the_next_try(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    (event,) = pay(bench, make_session().id, drop=1)
    delivery = wait_for_state(bench, event, "delivered")
    assert [attempt["error"] for attempt in delivery["attempts"]] == ["dropped", None]


def test_an_event_nobody_takes_is_given_up_after_fifteen_tries(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    shop.answers = [404] * 15
    session = make_session()
    bench.post(f"/sessions/{session.id}/expire", {"hook": {"pace": 0}})
    shop.wait_for(15)
    delivery = wait_for_state(bench, bench.get("/state")["events"][0], "failed")
    assert [attempt["code"] for attempt in delivery["attempts"]] == [404] * 15


def test_what_is_lost_for_ever_can_be_delivered_again_by_hand(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    (event,) = pay(bench, make_session().id, drop=-1)
    assert delivery_of(bench, event)["state"] == "lost"
    bench.post(f"/events/{event['id']}/redeliver")
    wait_for_state(bench, event, "delivered")
    assert len(completed(bench, shop)) == 1


def test_duplicates_are_the_same_event(bench: RunningWorkbench, shop: Receiver, make_session: MakeSession) -> None:
    (event,) = pay(bench, make_session().id, dup=9)
    shop.wait_for(10 + 4)
    assert [each["id"] for each in completed(bench, shop)] == [event["id"]] * 10


def test_duplicates_go_out_at_the_same_time(bench: RunningWorkbench, shop: Receiver, make_session: MakeSession) -> None:
    shop.open.clear()
    session = make_session()
    bench.post(f"/sessions/{session.id}/expire", {"hook": {"dup": 9}})
    shop.wait_for(10)
    shop.open.set()


def test_a_reordered_payment_completes_last(bench: RunningWorkbench, shop: Receiver, make_session: MakeSession) -> None:
    bench.post("/hook", {"reorder": 1})
    bench.post(f"/sessions/{make_session().id}/settle")
    shop.wait_for(5)
    assert shop.types(bench.webhook_secret)[-1] == COMPLETED


def test_a_delayed_event_comes_later_than_its_fact(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    bench.post("/hook", {"delay": 1})
    pay(bench, make_session().id)
    bench.post("/hook", {})
    bench.post(f"/sessions/{make_session().id}/expire")
    shop.wait_for(6)
    assert shop.types(bench.webhook_secret).index("checkout.session.expired") < shop.types(bench.webhook_secret).index(
        COMPLETED
    )


@pytest.mark.parametrize("hook", [{"wrong_secret": True}, {"stale": 301}])
def test_spoiled_signatures_are_refused_by_the_sdk(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession, hook: dict[str, Any]
) -> None:
    bench.post(f"/sessions/{make_session().id}/expire", {"hook": hook})
    (received,) = shop.wait_for(1)
    with pytest.raises(stripe.SignatureVerificationError):
        received.event(bench.webhook_secret)


def test_events_can_be_altered_on_their_way(bench: RunningWorkbench, shop: Receiver, make_session: MakeSession) -> None:
    hook = {"livemode": True, "api_version": "2022-11-15", "foreign_metadata": True}
    bench.post(f"/sessions/{make_session().id}/expire", {"hook": hook})
    (received,) = shop.wait_for(1)
    event = received.event(bench.webhook_secret)
    assert (event["livemode"], event["api_version"]) == (True, "2022-11-15")
    assert event["data"]["object"]["metadata"]["shop"] == "another-shop"
    assert bench.get(f"/objects/{event['id']}")["livemode"] is False


def test_an_event_names_the_call_that_caused_it(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: Any
) -> None:
    client.v1.refunds.create(
        params={"charge": bench.get("/state")["charges"][0]["id"]}, options={"idempotency_key": "r"}
    )
    event = bench.get("/state")["events"][0]
    assert event["request"]["idempotency_key"] == "r"
    assert event["request"]["id"] == bench.requests()[-1]["id"]
