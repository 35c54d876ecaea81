"""The simulated API, called by the real SDK and by hand."""

import time
from typing import Any

import pytest
import requests
import stripe

from tests.stripe_schema import validate_recorded
from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession, headers_of, line, priced, session_params

VERSION = "2026-10-28.endive"


def call(bench: RunningWorkbench, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {bench.stripe_key}", **options.pop("headers", {})}
    return bench.http.request(method, f"{bench.url}{path}", headers=headers, timeout=10, **options)


def test_the_calls_for_sessions_are_answered_in_the_shape_of_the_sdk(
    bench: RunningWorkbench, client: stripe.StripeClient
) -> None:
    sessions = client.v1.checkout.sessions
    session = sessions.create(params=session_params(), options={"idempotency_key": "shop:order:17:cs:1"})
    bench.post(f"/sessions/{session.id}/settle", {"outcome": "pay"})
    other = sessions.create(params=session_params())
    assert sessions.expire(other.id).status == "expired"
    expanded = sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge", "line_items"]})
    assert (expanded.status, expanded.payment_status, expanded.amount_total) == ("complete", "paid", 5000)
    intent, lines = expanded.payment_intent, expanded.line_items
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert lines is not None
    assert [item.description for item in lines.data] == ["Gift certificate"]
    listed = sessions.list(params={"limit": 100, "created": {"gte": int(time.time()) - 100}, "status": "complete"})
    assert [found.id for found in listed.auto_paging_iter()] == [session.id]
    assert sessions.line_items.list(session.id, params={"limit": 100}).data[0].amount_total == 5000
    assert client.v1.payment_intents.retrieve(intent.id, params={"expand": ["latest_charge"]}).amount_received == 5000
    assert client.v1.charges.retrieve(intent.latest_charge.id).paid is True
    validate_recorded(bench.requests())


def test_the_calls_for_money_back_are_answered_in_the_shape_of_the_sdk(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    refunds, disputes, intent = client.v1.refunds, client.v1.disputes, paid["payment_intent"]
    asked: Any = {"payment_intent": intent, "amount": 1000, "reason": "requested_by_customer"}
    asked["metadata"] = {"refund_id": "7"}
    refund = refunds.create(params=asked, options={"idempotency_key": "shop:refund:7"})
    assert refunds.retrieve(refund.id).status == "succeeded"
    assert [found.id for found in refunds.list(params={"payment_intent": intent, "limit": 100}).data] == [refund.id]
    dispute_id = bench.post("/disputes", {"session": paid["id"]})["id"]
    assert disputes.retrieve(dispute_id).status == "needs_response"
    disputes.update(dispute_id, params={"evidence": {"uncategorized_text": "They came."}, "submit": True})
    assert disputes.list(params={"payment_intent": intent}).data[0].status == "under_review"
    assert disputes.close(dispute_id).status == "lost"
    wanted: Any = {"types": ["refund.created", "charge.dispute.closed"], "delivery_success": False, "limit": 100}
    wanted["created"] = {"gte": int(time.time()) - 100}
    events = client.v1.events.list(params=wanted)
    assert [event.type for event in events.data] == ["charge.dispute.closed", "refund.created"]
    assert client.v1.events.retrieve(events.data[0].id).data.object["id"] == dispute_id
    validate_recorded(bench.requests())


def test_an_answer_carries_stripes_headers(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(params=session_params(), options={"idempotency_key": "k"})
    headers = headers_of(session)
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == VERSION
    assert headers["Idempotency-Key"] == "k"
    assert "Idempotent-Replayed" not in headers


def test_a_new_session_is_open_and_carries_what_the_shop_sent(
    bench: RunningWorkbench, make_session: MakeSession
) -> None:
    session = make_session()
    assert session.url == f"{bench.url}/c/pay/{session.id}"
    assert session.success_url.endswith("?session_id={CHECKOUT_SESSION_ID}")
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.client_reference_id, session.livemode) == ("17", False)
    assert session.metadata["order_id"] == "17"
    assert "line_items" not in session


@pytest.mark.parametrize("key", ["sk_test_other", "sk_live_0123456789", "rk_test_sim_x", ""])
def test_only_the_key_of_this_workbench_is_let_in(bench: RunningWorkbench, key: str) -> None:
    answer = call(bench, "GET", "/v1/events", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_wrong_key_is_an_authentication_error_for_the_sdk(bench: RunningWorkbench) -> None:
    stranger = stripe.StripeClient("sk_test_sim_someone_else", base_addresses={"api": bench.url})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.events.list()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("GET", "/v1/refunds/re_none"), ("POST", "/v1/checkout/sessions/../../v1/refunds/x/y")],
)
def test_an_unknown_address_or_id_is_a_404_in_stripes_shape(bench: RunningWorkbench, method: str, path: str) -> None:
    answer = call(bench, method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_id_is_an_invalid_request_for_the_sdk(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.retrieve("cs_test_none")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"colour": "red"}, "colour"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"line_items": [line("50.5")]}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line("49e2")]}, "line_items[0][price_data][unit_amount]"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"metadata": {"a": {"b": "c"}}}, "metadata[a]"),
        ({"adaptive_pricing": {"enable": "false"}}, "adaptive_pricing[enable]"),
        ({"adaptive_pricing": {"enabled": "yes"}}, "adaptive_pricing[enabled]"),
        ({"line_items": [priced(product_data={"name": "x"})]}, "line_items[0][price_data][currency]"),
        (
            {"line_items": [priced(currency="usd", product_data={"description": "x"})]},
            "line_items[0][price_data][product_data][name]",
        ),
        ({"line_items": "all"}, "line_items"),
    ],
)  # fmt: skip
def test_parameters_the_sdk_does_not_know_are_refused_by_name(
    make_session: MakeSession, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(**changes)
    assert refused.value.param == param


def test_callers_of_another_version_may_send_what_we_do_not_know(bench: RunningWorkbench) -> None:
    form = {
        "success_url": "https://example.com", "payment_method_types[]": "card", "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": "500",
        "line_items[0][price_data][product_data][name]": "x",
    }  # fmt: skip
    old = call(bench, "POST", "/v1/checkout/sessions", data=form, headers={"Stripe-Version": "2022-11-15"})
    assert old.status_code == 200
    assert old.headers["Stripe-Version"] == "2022-11-15"
    ours = call(bench, "POST", "/v1/checkout/sessions", data=form, headers={"Stripe-Version": VERSION})
    assert ours.json()["error"]["code"] == "parameter_unknown"


@pytest.mark.parametrize("body", ["a[b=1", "[x]=1", "a=1&a[b]=2", "%00=1", "a[b][c"])
def test_a_form_that_makes_no_sense_is_refused(bench: RunningWorkbench, body: str) -> None:
    answer = call(bench, "POST", "/v1/refunds", data=body)
    assert answer.status_code == 400


def test_lists_are_newest_first_and_page_both_ways(make_session: MakeSession, client: stripe.StripeClient) -> None:
    made = [make_session().id for _ in range(5)][::-1]
    sessions = client.v1.checkout.sessions
    first = sessions.list(params={"limit": 2})
    assert ([s.id for s in first.data], first.has_more) == (made[:2], True)
    second = sessions.list(params={"limit": 2, "starting_after": made[1]})
    assert ([s.id for s in second.data], second.has_more) == (made[2:4], True)
    last = sessions.list(params={"limit": 2, "starting_after": made[3]})
    assert ([s.id for s in last.data], last.has_more) == (made[4:], False)
    back = sessions.list(params={"limit": 2, "ending_before": made[3]})
    assert ([s.id for s in back.data], back.has_more) == (made[1:3], True)
    assert [s.id for s in sessions.list(params={"limit": 2}).auto_paging_iter()] == made


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"starting_after": "cs_none"}])
def test_a_page_that_cannot_be_is_refused(client: stripe.StripeClient, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.list(params=params)


def test_lists_filter_by_field(make_session: MakeSession, client: stripe.StripeClient, paid: dict[str, Any]) -> None:
    make_session()
    sessions = client.v1.checkout.sessions
    assert [s.id for s in sessions.list(params={"payment_intent": paid["payment_intent"]}).data] == [paid["id"]]
    assert [s.id for s in sessions.list(params={"status": "complete"}).data] == [paid["id"]]
    assert sessions.list(params={"customer": "cus_none"}).data == []


def test_lists_filter_by_time(make_session: MakeSession, client: stripe.StripeClient) -> None:
    session = make_session()
    sessions = client.v1.checkout.sessions
    assert len(sessions.list(params={"created": session.created}).data) == 1
    assert len(sessions.list(params={"created": {"lte": session.created}}).data) == 1
    assert sessions.list(params={"created": {"gt": session.created}}).data == []


@pytest.mark.parametrize("path", ["url", "nothing", "id"])
def test_what_is_no_object_cannot_be_expanded(
    make_session: MakeSession, client: stripe.StripeClient, path: str
) -> None:
    session = make_session()
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.checkout.sessions.retrieve(session.id, params={"expand": [path]})


def test_expanding_the_refunds_of_a_charge_and_a_list_of_sessions(
    client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    client.v1.refunds.create(params={"payment_intent": paid["payment_intent"], "amount": 100})
    listed = client.v1.checkout.sessions.list(params={"expand": ["data.payment_intent.latest_charge"]})
    intent = listed.data[0].payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    charge = client.v1.charges.retrieve(intent.latest_charge.id, params={"expand": ["refunds"]})
    assert charge.refunds is not None
    assert [refund.amount for refund in charge.refunds.data] == [100]


def test_every_call_is_recorded_without_the_key(bench: RunningWorkbench, make_session: MakeSession) -> None:
    make_session()
    recorded = bench.requests()[-1]
    assert (recorded["method"], recorded["path"], recorded["status"]) == ("POST", "/v1/checkout/sessions", 200)
    assert recorded["form"]["line_items[0][price_data][unit_amount]"] == "5000"
    assert "success_url=http" in recorded["body"]
    assert recorded["version"] == VERSION
    assert recorded["answer"]["object"] == "checkout.session"
    assert bench.stripe_key not in str(recorded)
