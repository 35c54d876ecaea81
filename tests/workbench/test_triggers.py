"""The calls with which Stripe's command line tool sets off events, in the order and form it makes them."""

from typing import Any

import pytest

from tests.workbench.running import RunningWorkbench


def call(bench: RunningWorkbench, method: str, path: str, **form: Any) -> dict[str, Any]:
    """Call as the tool does: with the key, but without a version."""
    headers = {"Authorization": f"Bearer {bench.stripe_key}"}
    answer = bench.http.request(method, f"{bench.url}/v1/{path}", data=form, headers=headers, timeout=10)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(bench: RunningWorkbench) -> list[str]:
    return [event["type"] for event in bench.get("/state")["events"]]


def make_session(bench: RunningWorkbench) -> dict[str, Any]:
    product = call(bench, "POST", "products", name="myproduct", description="(created by a tool)")
    price = call(bench, "POST", "prices", product=product["id"], unit_amount="1500", currency="usd")
    form = {
        "success_url": "https://example.com", "cancel_url": "https://example.com", "mode": "payment",
        "payment_method_types[0]": "card", "line_items[0][price]": price["id"], "line_items[0][quantity]": "2",
    }  # fmt: skip
    return call(bench, "POST", "checkout/sessions", **form)


@pytest.mark.parametrize(
    ("method", "last"),
    [
        ({"type": "card", "card[token]": "tok_visa"}, "checkout.session.completed"),
        (
            {"type": "sepa_debit", "sepa_debit[iban]": "AT321904300235473204"},
            "checkout.session.async_payment_succeeded",
        ),
        ({"type": "bacs_debit", "bacs_debit[account_number]": "33333335"}, "checkout.session.async_payment_failed"),
    ],
)
def test_confirming_the_payment_page_pays_by_the_method(
    bench: RunningWorkbench, method: dict[str, str], last: str
) -> None:
    session = make_session(bench)
    assert session["amount_total"] == 3000
    assert call(bench, "GET", f"payment_pages/{session['id']}")["id"] == session["id"]
    made = call(bench, "POST", "payment_methods", **method)
    call(bench, "POST", f"payment_pages/{session['id']}/confirm", payment_method=made["id"], expected_amount="3000")
    assert last in told(bench)[:2]


def test_an_unknown_payment_method_pays_nothing(bench: RunningWorkbench) -> None:
    session = make_session(bench)
    with pytest.raises(AssertionError, match="No such payment_method"):
        call(bench, "POST", f"payment_pages/{session['id']}/confirm", payment_method="pm_none")


def test_a_session_can_be_expired(bench: RunningWorkbench) -> None:
    call(bench, "POST", f"checkout/sessions/{make_session(bench)['id']}/expire")
    assert told(bench) == ["checkout.session.expired"]


@pytest.mark.parametrize(
    ("method", "events", "status"),
    [
        ("pm_card_visa", ["charge.succeeded", "payment_intent.succeeded", "payment_intent.created"], None),
        ("pm_card_createDispute", ["charge.dispute.funds_withdrawn", "charge.dispute.created"], "needs_response"),
        ("pm_card_createDisputeInquiry", ["charge.dispute.created"], "warning_needs_response"),
    ],
)
def test_the_name_of_a_test_card_says_what_becomes_of_a_payment_intent(
    bench: RunningWorkbench, method: str, events: list[str], status: str | None
) -> None:
    form = {"amount": "100", "currency": "usd", "payment_method": method, "confirm": "true"}
    intent = call(bench, "POST", "payment_intents", **form)
    assert intent["status"] == "succeeded"
    assert told(bench)[: len(events)] == events
    assert [dispute["status"] for dispute in bench.get("/state")["disputes"]] == ([status] if status else [])
    if status is None:
        assert call(bench, "POST", "refunds", payment_intent=intent["id"])["amount"] == 100


def test_an_intent_that_is_not_confirmed_waits(bench: RunningWorkbench) -> None:
    assert call(bench, "POST", "payment_intents", amount="100", currency="usd")["status"] == "requires_payment_method"
    assert told(bench) == ["payment_intent.created"]
