"""What Stripe's rules say about Checkout Sessions beyond the types of their parameters."""

import time
from typing import Any

import pytest
import stripe

from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession, line, session_params


def intent_data(**data: Any) -> dict[str, Any]:
    return {"payment_intent_data": data}


@pytest.mark.parametrize("seconds", [31 * 60, 24 * 60 * 60 - 60])
def test_a_session_may_last_from_half_an_hour_to_a_day(make_session: MakeSession, seconds: int) -> None:
    expires_at = int(time.time()) + seconds
    assert make_session(expires_at=expires_at).expires_at == expires_at


@pytest.mark.parametrize("seconds", [-60, 29 * 60, 24 * 60 * 60 + 60])
def test_a_session_may_not_expire_too_soon_or_too_late(make_session: MakeSession, seconds: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(expires_at=int(time.time()) + seconds)
    assert refused.value.param == "expires_at"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line(49)], "amount_too_small"),
        ([line(100_000_000)], "amount_too_large"),
        ([line(50_000_000, quantity=2)], "amount_too_large"),
        ([line(0)], "amount_too_small"),
        ([line(-100)], "parameter_invalid_integer"),
        ([line(5000, quantity=0)], "parameter_missing"),
        ([line(5000), line(5000, currency="eur")], None),
        ([line(5000)] * 101, None),
    ],
)
def test_line_items_that_stripe_does_not_take(
    make_session: MakeSession, lines: list[dict[str, Any]], code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(line_items=lines)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("lines", "total"), [([line(50)], 50), ([line(99_999_999)], 99_999_999), ([line(1)] * 100, 100)]
)
def test_totals_at_the_bounds_are_taken(make_session: MakeSession, lines: list[dict[str, Any]], total: int) -> None:
    assert make_session(line_items=lines).amount_total == total


@pytest.mark.parametrize(
    ("data", "param"),
    [
        ({"currency": "usd"}, "line_items[0][price_data][product_data]"),
        (
            {"currency": "usd", "unit_amount_decimal": "12.5", "product": "prod_1"},
            "line_items[0][price_data][unit_amount]",
        ),
        (
            {"currency": "usd", "unit_amount_decimal": "a lot", "product": "prod_1"},
            "line_items[0][price_data][unit_amount_decimal]",
        ),
    ],
)
def test_a_price_is_whole_and_of_something(make_session: MakeSession, data: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_session(line_items=[{"quantity": 1, "price_data": data}])
    assert refused.value.param == param


def test_an_unknown_price_is_refused(make_session: MakeSession) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such price"):
        make_session(line_items=[{"quantity": 1, "price": "price_none"}])


def test_amounts_are_whole_minor_units_of_their_currency(make_session: MakeSession) -> None:
    session = make_session(line_items=[line(5000, currency="JPY", quantity=3)])
    assert (session.amount_total, session.currency) == (15000, "jpy")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_reference_id": "x" * 201},
        {"metadata": {f"k{n}": "v" for n in range(51)}},
        {"metadata": {"k" * 41: "v"}},
        {"metadata": {"k": "v" * 501}},
        {"success_url": "orders/abc"},
        {"cancel_url": "javascript:alert(1)"},
        {"customer_email": "nobody"},
        {"mode": "subscription"},
        {"ui_mode": "elements"},
        {"line_items": []},
        {"custom_text": {"submit": {"message": "x" * 1201}}},
        intent_data(statement_descriptor_suffix="A" * 23),
        intent_data(statement_descriptor_suffix="1234"),
        intent_data(statement_descriptor_suffix="GIFT*"),
        intent_data(metadata={"k": "v" * 501}),
    ],
)
def test_lengths_and_kinds_that_stripe_does_not_take(make_session: MakeSession, changes: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        make_session(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_reference_id": "x" * 200},
        {"metadata": {"k" * 40: "v" * 500, **{f"k{n}": "v" for n in range(49)}}},
        {"custom_text": {"submit": {"message": "x" * 1200}}},
        intent_data(statement_descriptor_suffix="A" * 22),
    ],
)
def test_the_longest_that_stripe_takes(make_session: MakeSession, changes: dict[str, Any]) -> None:
    assert make_session(**changes).status == "open"


def test_a_success_address_is_needed(client: stripe.StripeClient) -> None:
    params: Any = {name: value for name, value in session_params().items() if name != "success_url"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(params=params)
    assert refused.value.param == "success_url"


def test_an_expired_session_says_so_once(
    bench: RunningWorkbench, make_session: MakeSession, client: stripe.StripeClient
) -> None:
    session = make_session()
    expired = client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)
    assert [event["type"] for event in bench.get("/state")["events"]] == ["checkout.session.expired"]


def test_a_complete_session_cannot_expire(client: stripe.StripeClient, paid: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(paid["id"])
    assert client.v1.checkout.sessions.retrieve(paid["id"]).status == "complete"


def test_a_session_expires_when_its_time_has_come(bench: RunningWorkbench, make_session: MakeSession) -> None:
    session = make_session()
    bench.post("/clock", {"advance": 39 * 60})
    assert bench.get(f"/objects/{session.id}")["status"] == "open"
    bench.post("/clock", {"advance": 60})
    assert bench.get(f"/objects/{session.id}")["status"] == "expired"
    assert [event["type"] for event in bench.get("/state")["events"]] == ["checkout.session.expired"]
