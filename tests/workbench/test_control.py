"""The control API: only for who holds the token, and able to tell the shop anything."""

import base64
from typing import Any

import pytest
import requests
import stripe

from tests.workbench.receiver import Receiver
from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession

COMPLETED = "checkout.session.completed"


@pytest.mark.parametrize("token", ["", "wrong", "ключ"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "state"), ("GET", "requests"), ("POST", "reset"), ("POST", "hook")]
)
def test_nobody_gets_in_without_the_token(bench: RunningWorkbench, method: str, path: str, token: str) -> None:
    headers = {"X-Workbench-Token": token.encode()}
    answer = requests.request(method, f"{bench.url}/_sim/{path}", json={}, headers=headers, timeout=10)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [("nothing", {}), ("sessions/cs_1/fly", {}), ("hook", []), ("clock", None)],
)
def test_an_unknown_action_is_not_found(bench: RunningWorkbench, path: str, body: Any) -> None:
    answer = requests.post(
        f"{bench.url}/_sim/{path}", json=body, headers={"X-Workbench-Token": bench.token}, timeout=10
    )
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sessions/cs_none/settle", {}),
        ("objects/cs_none", {"status": "open"}),
        ("events/evt_none/redeliver", {}),
        ("events", {"type": COMPLETED, "object": "cs_none"}),
        ("disputes/dp_none/close", {"status": "won"}),
        ("refunds/re_none/fail", {}),
        ("warnings", {"charge": "ch_none"}),
    ],
)
def test_what_is_not_there_is_not_found(bench: RunningWorkbench, path: str, body: dict[str, Any]) -> None:
    answer = requests.post(
        f"{bench.url}/_sim/{path}", json=body, headers={"X-Workbench-Token": bench.token}, timeout=10
    )
    assert answer.status_code == 404
    assert "No such" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("refund-status", {"status": "lovely"}), ("events", {}), ("disputes", {"status": "none", "charge": "?"})],
)
def test_nonsense_is_refused(bench: RunningWorkbench, paid: dict[str, Any], path: str, body: dict[str, Any]) -> None:
    if "charge" in body:
        body = {**body, "charge": bench.get("/state")["charges"][0]["id"]}
    answer = requests.post(
        f"{bench.url}/_sim/{path}", json=body, headers={"X-Workbench-Token": bench.token}, timeout=10
    )
    assert answer.status_code == 400


def test_fields_of_a_session_can_be_made_to_disagree_with_the_order(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    bench.post(f"/objects/{paid['id']}", {"amount_total": 4000, "currency": "jpy", "livemode": True, "metadata": {}})
    read = client.v1.checkout.sessions.retrieve(paid["id"])
    assert (read.amount_total, read.currency, read.livemode) == (4000, "jpy", True)
    presented = {"presentment_amount": 4700, "presentment_currency": "eur"}
    bench.post(f"/objects/{paid['id']}", {"presentment_details": presented})
    details = client.v1.checkout.sessions.retrieve(paid["id"]).presentment_details
    assert details is not None
    assert details.presentment_currency == "eur"


def test_any_event_about_a_known_object_can_be_posted(
    bench: RunningWorkbench, shop: Receiver, client: stripe.StripeClient, make_session: MakeSession
) -> None:
    session_id = make_session().id
    told = bench.post("/events", {"type": COMPLETED, "object": session_id, "copies": 10})
    assert [answer["code"] for answer in told["answers"]] == [200] * 10
    assert len(shop.received) == 10
    assert {each.event(bench.webhook_secret)["id"] for each in shop.received} == {told["event"]["id"]}
    assert client.v1.events.retrieve(told["event"]["id"]).type == COMPLETED


def test_an_event_about_something_the_workbench_does_not_know_can_be_posted(
    bench: RunningWorkbench, shop: Receiver
) -> None:
    foreign = {"id": "cus_1", "object": "customer", "livemode": False, "created": 1}
    told = bench.post("/events", {"type": "customer.created", "object": foreign, "event": {"account": "acct_1"}})
    (received,) = shop.received
    assert received.event(bench.webhook_secret)["account"] == "acct_1"
    assert told["event"]["data"]["object"] == foreign


def test_the_answer_of_the_shop_is_reported(bench: RunningWorkbench, shop: Receiver, make_session: MakeSession) -> None:
    session_id = make_session().id
    shop.answers = [400, 200]
    told = bench.post("/events", {"type": COMPLETED, "object": session_id})
    assert [answer["code"] for answer in told["answers"]] == [400]
    bench.post("/events", {"type": COMPLETED, "object": session_id})
    assert [delivery["state"] for delivery in bench.get("/state")["deliveries"]] == ["delivered", "failed"]


def test_a_thin_event_is_posted_but_not_kept(bench: RunningWorkbench, shop: Receiver) -> None:
    bench.post("/events", {"type": COMPLETED, "event": {"object": "v2.core.event"}})
    assert b"v2.core.event" in shop.received[0].body
    assert bench.get("/state")["events"] == []


@pytest.mark.parametrize(
    "sign", [{"secret": "whsec_sim_other"}, {"age": 301}, {"header": ""}, {"header": "t=1"}, {"header": "t=1,v1=é"}]
)
def test_an_event_can_be_signed_wrongly(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession, sign: dict[str, Any]
) -> None:
    session_id = make_session().id
    bench.post("/events", {"type": COMPLETED, "object": session_id, "sign": sign})
    (received,) = shop.received
    with pytest.raises((stripe.SignatureVerificationError, TypeError)):
        received.event(bench.webhook_secret)


def test_an_event_can_go_without_a_signature_or_come_from_the_future(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    session_id = make_session().id
    bench.post("/events", {"type": COMPLETED, "object": session_id, "sign": {"header": None}})
    bench.post("/events", {"type": COMPLETED, "object": session_id, "sign": {"age": -301}})
    without, ahead = shop.received
    assert without.header is None
    assert ahead.event(bench.webhook_secret)["type"] == COMPLETED


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        ({"raw": "[]"}, b"[]"),
        ({"raw": "no json"}, b"no json"),
        ({"raw_base64": base64.b64encode(b"\xff\xfe").decode()}, b"\xff\xfe"),
    ],
)
def test_any_bytes_can_be_posted_rightly_signed(
    bench: RunningWorkbench, shop: Receiver, raw: dict[str, str], body: bytes
) -> None:
    bench.post("/events", raw)
    (received,) = shop.received
    assert received.body == body
    assert received.header is not None
    if body.isascii():
        stripe.WebhookSignature.verify_header(body.decode(), received.header, bench.webhook_secret, tolerance=300)


def test_the_state_shows_everything(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    bench.post("/hook", {"delay": 2})
    bench.post("/faults", {"do": "429", "times": 3})
    state = bench.get("/state")
    assert [session["id"] for session in state["sessions"]] == [paid["id"]]
    assert state["hook"] == {"delay": 2}
    assert [(fault["do"], fault["times"]) for fault in state["faults"]] == [("429", 3)]
    assert len(state["deliveries"]) == len(state["events"]) == 5


def test_a_reset_forgets_everything(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    assert paid["status"] == "complete"
    bench.post("/hook", {"drop": -1})
    bench.post("/clock", {"advance": 60})
    bench.post("/reset")
    state = bench.get("/state")
    assert [state[kind] for kind in ("sessions", "events", "deliveries", "hook", "faults")] == [[], [], [], {}, []]
    assert bench.requests() == []


def test_the_clock_can_be_moved_back(bench: RunningWorkbench, make_session: MakeSession) -> None:
    bench.post("/clock", {"advance": 7200})
    with pytest.raises(stripe.InvalidRequestError):
        make_session()
    bench.post("/clock", {"advance": -7200})
    assert make_session().status == "open"
