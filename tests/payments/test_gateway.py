"""The gateway: only what Stripe has just signed is an event, and each of Stripe's refusals has its name."""

import hmac
import json
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.payments import gateway as stripe_gateway
from giftshop.payments.errors import ParametersChangedError, WebhookReason, WebhookRefusedError
from giftshop.payments.gateway import StripeGateway
from giftshop.payments.sdk import named_errors
from tests import build
from tests.delivery.mail_servers import self_signed
from tests.orders.stripe_side import StripeSide

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
SECRET, OLDER, FOREIGN = "whsec_sim_newer", "whsec_sim_older", "whsec_sim_of_somebody_else"
EVENT = {"id": "evt_1", "object": "event", "type": "refund.created"}


@pytest.fixture
def listening() -> StripeGateway:
    """A gateway between two webhook secrets; it asks nobody."""
    return StripeGateway(secret_key="sk_test_sim_1", api_base="", webhook_secrets=[SECRET, OLDER])


def signed(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> str:
    """Return the header Stripe sends with a body: HMAC-SHA-256 over the time, a full stop and the bytes."""
    stamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    return f"t={stamp},v1={digest}"


def body_of(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_an_event_signed_with_either_secret_is_read(listening: StripeGateway, secret: str, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    body = body_of(data={"object": {"id": "re_1"}})
    assert listening.read_event(body, signed(body, secret=secret), NOW) == json.loads(body)


@pytest.mark.parametrize(
    ("age", "is_read"),
    [
        (timedelta(seconds=300), True),
        (timedelta(seconds=-300), True),
        (timedelta(seconds=-301), False),
    ],
)
def test_a_signature_from_the_future_is_good_for_five_minutes(
    listening: StripeGateway, age: timedelta, is_read: bool, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert is_accepted(listening, body_of(), signed(body_of(), at=NOW - age)) == is_read


@pytest.mark.parametrize(("seconds", "is_read"), [(300, True), (301, False)])
def test_a_signature_of_the_past_is_good_for_five_minutes(
    listening: StripeGateway, seconds: int, is_read: bool, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert is_accepted(listening, body_of(), signed(body_of(), at=NOW - timedelta(seconds=seconds))) == is_read


def is_accepted(gateway: StripeGateway, body: bytes, header: str | None) -> bool:
    try:
        gateway.read_event(body, header, NOW)
    except WebhookRefusedError:
        return False
    return True


HEADERS = {
    "none": None,
    "empty": "",
    "of another secret": signed(body_of(), secret=FOREIGN),
    "of another body": signed(body_of(id="evt_2")),
    "without its moment": signed(body_of()).partition(",")[2],
    "without its signature": signed(body_of()).partition(",")[0],
    "with a moment that is no number": signed(body_of()).replace("t=", "t=x"),
    "beyond ASCII": f"{signed(body_of())},v1=ü",
    "too long": signed(body_of()) + ",v1=" + "0" * 2000,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_body_without_a_right_signature_is_refused(
    listening: StripeGateway, header: str | None, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert is_accepted(listening, body_of(), signed(body_of()))
    assert not is_accepted(listening, body_of(), header)


BODIES = {
    "no text": b"\xff\xfe",
    "no JSON": b"{",
    "too deep": b"[" * 100_000 + b"]" * 100_000,
    "a list": b"[]",
    "a thin event": body_of(object="v2.core.event"),
    "without an id": body_of(id=None),
    "with an id that is no name": body_of(id="evt 1"),
    "with an empty type": body_of(type=""),
    "with a type too long": body_of(type="x" * 256),
    "with an id beyond ASCII": body_of(id="évt_1"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_rightly_signed_body_that_is_no_event_is_refused(
    listening: StripeGateway, body: bytes, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert is_accepted(listening, body_of(type="x" * 255), signed(body_of(type="x" * 255)))
    assert not is_accepted(listening, body, signed(body))


def test_what_stripe_does_not_know_is_none(stripe_side: StripeSide) -> None:
    gateway = stripe_side.gateway
    for patience in ("page", "job"):
        assert gateway.retrieve_session("cs_nobody", patience=patience) is None  # type: ignore[arg-type]
        assert gateway.retrieve_refund("re_nobody", patience=patience) is None  # type: ignore[arg-type]
        assert gateway.retrieve_dispute("dp_nobody", patience=patience) is None  # type: ignore[arg-type]
        assert gateway.find_payment_of_warning("issfr_nobody", patience=patience) == ""  # type: ignore[arg-type]
        assert gateway.find_payment_of_charge("ch_nobody", patience=patience) == ""  # type: ignore[arg-type]


def test_a_session_that_is_not_open_any_more_is_not_ended(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    session_id = order.attempts[-1].session_id or ""
    assert [stripe_side.gateway.expire_session(session_id) for _ in range(2)] == [True, False]
    assert stripe_side.workbench.get(f"/objects/{session_id}")["status"] == "expired"


@pytest.mark.parametrize("fault", ["500", "503", "429", "html502", "drop_before", "drop_after"])
def test_an_answer_that_tells_nothing_is_unavailable(stripe_side: StripeSide, fault: str) -> None:
    session_id = stripe_side.place().attempts[-1].session_id or ""
    stripe_side.workbench.post("/faults", {"do": fault, "times": -1})
    with pytest.raises(CheckoutUnavailableError):
        stripe_side.gateway.retrieve_session(session_id)


def test_a_key_that_stripe_does_not_take_is_refused_by_name(stripe_side: StripeSide) -> None:
    wrong = StripeGateway(secret_key="sk_test_sim_wrong", api_base=stripe_side.workbench.url, webhook_secrets=[])
    with pytest.raises(CheckoutRefusedError, match=r"^AuthenticationError "):
        wrong.retrieve_session("cs_1")


def test_parameters_that_stripe_does_not_take_are_refused_by_name(stripe_side: StripeSide) -> None:
    with pytest.raises(CheckoutRefusedError, match=r"^InvalidRequestError .*req_"):
        stripe_side.gateway.create_session({"mode": "nonsense"}, build.request_key())


def test_a_question_that_stripe_does_not_take_is_not_answered_with_unknown(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = stripe_side.place().attempts[-1].session_id or ""
    monkeypatch.setattr(stripe_gateway, "_EXPAND", ["nonsense"])
    with pytest.raises(CheckoutRefusedError, match=r"^InvalidRequestError "):
        stripe_side.gateway.retrieve_session(session_id)


def test_a_key_with_other_parameters_is_named(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    asked, key = {"payment_intent": order.payment_intent_id, "amount": 1_00}, build.request_key()
    stripe_side.gateway.create_refund(asked, key, patience="page")
    with pytest.raises(ParametersChangedError):
        stripe_side.gateway.create_refund({**asked, "amount": 2_00}, key, patience="page")


def test_what_is_listed_lies_between_its_moments(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    refund_id, dispute_id = stripe_side.refund(order, 10_00), stripe_side.dispute(order, 40_00)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    gateway, at = stripe_side.gateway, datetime.fromtimestamp(charge["created"], tz=UTC)
    before, after = at - timedelta(minutes=10), at + timedelta(minutes=10)
    assert [each.id for each in gateway.list_charges(before, after)] == [charge["id"]]
    assert list(gateway.list_charges(after, after + timedelta(1))) == list(gateway.list_charges(before, at)) == []
    assert [each.id for each in gateway.list_refunds(since=before)] == [refund_id]
    assert list(gateway.list_refunds(since=after)) == list(gateway.list_refunds(since=before, until=before)) == []
    assert [each.id for each in gateway.list_disputes(before)] == [dispute_id]
    assert list(gateway.list_disputes(before, before)) == []
    assert [each.id for each in gateway.list_completed_sessions(before)] == [order.attempts[-1].session_id]
    assert list(gateway.list_completed_sessions(after)) == []
    assert [event["type"] for event in gateway.list_events(["refund.created"], before)] == ["refund.created"]
    assert list(gateway.list_events(["refund.created"], after)) == []


def test_the_newest_session_of_a_payment_is_found_by_it(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    found = stripe_side.gateway.find_session_of_payment(order.payment_intent_id or "")
    assert found is not None
    assert (found.id, found.payment_intent_id) == (order.attempts[-1].session_id, order.payment_intent_id)
    assert stripe_side.gateway.find_session_of_payment("pi_nobody", patience="job") is None


@pytest.mark.parametrize(("times", "is_made"), [(1, True), (3, True), (4, False)])
def test_stripe_that_is_too_busy_is_asked_again_with_the_same_key(
    stripe_side: StripeSide, times: int, is_made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stripe.HTTPClient.INITIAL_DELAY", 0.01)
    bench, gateway = stripe_side.workbench, stripe_side.gateway
    order, _certificate = stripe_side.sell_one(50_00)
    asked = {"payment_intent": order.payment_intent_id, "amount": 1_00}
    bench.post("/faults", {"do": "429", "path": "/v1/refunds", "times": times})
    if is_made:
        assert gateway.create_refund(asked, "one-key", patience="page").id.startswith("re_")
    else:
        with pytest.raises(CheckoutUnavailableError):
            gateway.create_refund(asked, "one-key", patience="page")
    calls = [call for call in bench.requests() if call["path"] == "/v1/refunds"]
    assert [call["status"] for call in calls] == [429] * times + [200] * is_made
    assert {call["idempotency_key"] for call in calls} == {"one-key"}


@pytest.mark.parametrize(
    ("signed_by", "age", "reason"),
    [
        (FOREIGN, timedelta(0), WebhookReason.FOREIGN),
        (FOREIGN, timedelta(days=1), WebhookReason.FOREIGN),
        (SECRET, timedelta(minutes=6), WebhookReason.LATE),
        (OLDER, timedelta(minutes=-6), WebhookReason.EARLY),
    ],
)
def test_a_refused_signature_says_why(
    listening: StripeGateway, signed_by: str, age: timedelta, reason: WebhookReason, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    with pytest.raises(WebhookRefusedError) as refused:
        listening.read_event(body_of(), signed(body_of(), secret=signed_by, at=NOW - age), NOW)
    assert refused.value.reason == reason


def test_an_old_signature_is_not_made_young_by_a_second_time_beside_it(
    listening: StripeGateway, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    old, fresh = NOW - timedelta(days=1), int(NOW.timestamp())
    for header in (f"{signed(body_of(), at=old)},t={fresh}", f"t={fresh},{signed(body_of(), at=old)}"):
        assert not is_accepted(listening, body_of(), header)


def test_a_right_that_a_key_lacks_is_named_and_nothing_else_of_what_stripe_writes() -> None:
    words = (
        "The provided key 'rk_live_*********abcd' does not have the required permissions for this endpoint on account"
        " 'acct_1'. Having the 'rak_checkout_session_write' permission would allow this request to continue."
    )
    with pytest.raises(CheckoutRefusedError) as refused, named_errors():
        raise stripe.PermissionError(words, http_status=403, headers={"request-id": "req_1"})
    assert refused.value.message == "PermissionError  lacks rak_checkout_session_write req_1"


def test_a_certificate_that_is_not_trusted_names_the_bundle_of_the_sdk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listener = self_signed(tmp_path).wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
    thread = threading.Thread(target=lambda: suppressed(listener.accept), daemon=True)
    thread.start()
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    gateway = StripeGateway(secret_key="sk_test_sim_1", api_base=address, webhook_secrets=[])
    with pytest.raises(CheckoutUnavailableError):
        gateway.retrieve_session("cs_1")
    thread.join(10)
    listener.close()
    assert "certificate verify failed" in caplog.text
    assert f"trusts only its own bundle, {stripe.ca_bundle_path}, not the system's" in caplog.text


def suppressed(act: Any) -> None:
    with suppress(OSError):
        act()


def test_nobody_who_listens_is_named_as_that(caplog: pytest.LogCaptureFixture) -> None:
    gateway = StripeGateway(secret_key="sk_test_sim_1", api_base="http://127.0.0.1:9", webhook_secrets=[])
    with pytest.raises(CheckoutUnavailableError):
        gateway.retrieve_session("cs_1")
    assert "Stripe could not be reached: ConnectionRefusedError" in caplog.text
