"""The validators let through what the SDK sends and refuse every mutant of it."""

import copy
import time
from typing import Any

import pytest
import stripe
from stripe._encode import _api_encode

from tests.stripe_schema import StripeSchemaError, validate_event, validate_object, validate_request

SESSIONS = "/v1/checkout/sessions"


def session_form(**changes: Any) -> dict[str, str]:
    """The form the SDK sends for these parameters."""
    about = {"order_id": "17", "shop": "test", "attempt": "1"}
    params = {
        "mode": "payment",
        "success_url": "https://shop.example/orders/abc?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/orders/abc",
        "client_reference_id": "17",
        "customer_email": "ana@example.com",
        "expires_at": int(time.time()) + 2400,
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "metadata": about,
        "payment_intent_data": {"metadata": about, "statement_descriptor_suffix": "GIFT", "receipt_email": "a@b.c"},
        "line_items": [price(currency="usd", unit_amount=5000, product_data={"name": "Gift certificate"})],
        **changes,
    }
    return {key: str(value) for key, value in _api_encode(params)}


def price(**data: Any) -> dict[str, Any]:
    return {"quantity": 1, "price_data": data}


def charge(**changes: Any) -> dict[str, Any]:
    """A charge with what the SDK requires of one."""
    item = {
        "id": "ch_1", "object": "charge", "amount": 5000, "amount_captured": 5000, "amount_refunded": 0,
        "billing_details": {"email": "ana@example.com"}, "captured": True, "created": 1, "currency": "usd",
        "disputed": False, "livemode": False, "metadata": {"order_id": "17"}, "paid": True, "refunded": False,
        "status": "succeeded", "payment_intent": "pi_1",
    }  # fmt: skip
    return {**item, **changes}


def event(**changes: Any) -> dict[str, Any]:
    item = {
        "id": "evt_1", "object": "event", "api_version": "2026-10-28.endive", "created": 1, "livemode": False,
        "data": {"object": charge()}, "pending_webhooks": 1, "type": "charge.succeeded",
        "request": {"id": None, "idempotency_key": None},
    }  # fmt: skip
    return {**item, **changes}


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", SESSIONS, session_form()),
        ("GET", SESSIONS, {"limit": "100", "created[gte]": "1795000000", "status": "complete"}),
        ("GET", f"{SESSIONS}/cs_test_1", {"expand[0]": "payment_intent.latest_charge", "expand[1]": "line_items"}),
        ("POST", f"{SESSIONS}/cs_test_1/expire", {}),
        ("GET", f"{SESSIONS}/cs_test_1/line_items", {"limit": "100"}),
        ("GET", "/v1/payment_intents/pi_1", {"expand[0]": "latest_charge"}),
        ("GET", "/v1/charges/ch_1", {}),
        (
            "POST",
            "/v1/refunds",
            {"payment_intent": "pi_1", "amount": "1000", "reason": "duplicate", "metadata[a]": "b"},
        ),
        ("GET", "/v1/refunds/re_1", {}),
        ("GET", "/v1/refunds", {"payment_intent": "pi_1", "limit": "100"}),
        ("GET", "/v1/events", {"types[0]": "refund.created", "created[gte]": "1", "delivery_success": "false"}),
        ("GET", "/v1/events/evt_1", {}),
        ("GET", "/v1/disputes", {"payment_intent": "pi_1"}),
        ("GET", "/v1/disputes/dp_1", {}),
        ("POST", "/v1/disputes/dp_1", {"evidence[uncategorized_text]": "They came.", "submit": "true"}),
        ("POST", "/v1/disputes/dp_1/close", {}),
    ],
)
def test_the_calls_of_the_shop_are_valid(method: str, path: str, form: dict[str, str]) -> None:
    validate_request(method, path, form)


REQUEST_MUTANTS: dict[str, dict[str, Any]] = {
    "payment_method_types": {"payment_method_types": ["card"]},
    "unknown parameter": {"colour": "red"},
    "old ui_mode": {"ui_mode": "hosted"},
    "float amount": {"line_items": [price(currency="usd", unit_amount=50.5, product_data={"name": "x"})]},
    "missing currency": {"line_items": [price(unit_amount=5000, product_data={"name": "x"})]},
    "missing name": {"line_items": [price(currency="usd", unit_amount=5000, product_data={"description": "x"})]},
    "reference of 201": {"client_reference_id": "x" * 201},
    "descriptor of 23": {"payment_intent_data": {"statement_descriptor_suffix": "A" * 23}},
    "nested metadata": {"metadata": {"a": {"b": "c"}}},
    "51 metadata keys": {"metadata": {f"k{n}": "v" for n in range(51)}},
    "metadata key of 41": {"metadata": {"k" * 41: "v"}},
    "metadata value of 501": {"metadata": {"k": "v" * 501}},
    "textual expires_at": {"expires_at": "tomorrow"},
    "typo in a nested key": {"payment_intent_data": {"recept_email": "a@b.c"}},
    "textual boolean": {"adaptive_pricing": {"enabled": "no"}},
    "101 lines": {"line_items": [price(currency="usd", unit_amount=1, product_data={"name": "x"})] * 101},
    "text of 1201": {"custom_text": {"submit": {"message": "x" * 1201}}},
}


@pytest.mark.parametrize("changes", REQUEST_MUTANTS.values(), ids=REQUEST_MUTANTS.keys())
def test_a_mutant_of_a_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(StripeSchemaError):
        validate_request("POST", SESSIONS, session_form(**changes))


@pytest.mark.parametrize("changes", [{"reason": "because"}, {"amount": "10.5"}, {"amount": "1e3"}, {"id": "re_1"}])
def test_a_mutant_of_a_refund_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(StripeSchemaError):
        validate_request("POST", "/v1/refunds", {"payment_intent": "pi_1", "amount": "1000", **changes})


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/customers"), ("DELETE", SESSIONS), ("GET", "/v1/refunds/a/b")]
)
def test_a_call_the_shop_never_makes_is_refused(method: str, path: str) -> None:
    with pytest.raises(StripeSchemaError, match="not a call the shop makes"):
        validate_request(method, path, {})


def test_the_message_says_where_and_what() -> None:
    with pytest.raises(StripeSchemaError, match=r"POST /v1/checkout/sessions.*'colour' was unexpected"):
        validate_request("POST", SESSIONS, session_form(colour="red"))


def test_an_object_and_a_list_of_them_are_valid() -> None:
    validate_object(charge())
    validate_object({"object": "list", "data": [charge()], "has_more": False, "url": "/v1/charges"})


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "great"}, {"status": None}, {"amount": "5000"}, {"amount": 5000.0}, {"amount": True},
        {"colour": "red"}, {"metadata": {"a": 1}}, {"billing_details": {"mail": "x"}}, {"payment_intent": 7},
        {"payment_intent": {"id": "pi_1", "object": "payment_intent"}},
    ],
)  # fmt: skip
def test_a_mutant_of_an_object_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(StripeSchemaError):
        validate_object(charge(**changes))


@pytest.mark.parametrize("name", ["livemode", "amount", "status", "id", "billing_details"])
def test_an_object_without_a_required_field_is_refused(name: str) -> None:
    item = charge()
    del item[name]
    with pytest.raises(StripeSchemaError):
        validate_object(item)


@pytest.mark.parametrize("item", [None, [], {}, {"object": "voucher"}, {"object": "list", "data": []}])
def test_what_is_no_object_of_stripes_is_refused(item: Any) -> None:
    with pytest.raises(StripeSchemaError):
        validate_object(item)


def test_an_event_is_valid_with_its_object() -> None:
    validate_event(event())
    validate_event(event(data={"object": charge(), "previous_attributes": {"amount_refunded": 0}}))


@pytest.mark.parametrize(
    "changes",
    [{"type": "charge.exploded"}, {"livemode": None}, {"data": {}}, {"data": {"object": charge(status="great")}}],
)
def test_a_mutant_of_an_event_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(StripeSchemaError):
        validate_event(event(**changes))


def test_an_object_is_not_an_event() -> None:
    with pytest.raises(StripeSchemaError):
        validate_event(charge())


def test_checking_changes_nothing() -> None:
    item = event()
    before = copy.deepcopy(item)
    validate_event(item)
    assert item == before


def test_the_examples_speak_the_installed_version() -> None:
    assert event()["api_version"] == stripe.api_version
