"""Money back: by refund, by dispute, and where one stands in the other's way."""

from typing import Any

import pytest
import stripe

from tests.workbench.running import RunningWorkbench


def told(bench: RunningWorkbench) -> list[str]:
    return [event["type"] for event in bench.get("/state")["events"]][::-1]


def charge_of(bench: RunningWorkbench) -> dict[str, Any]:
    charge: dict[str, Any] = bench.get("/state")["charges"][0]
    return charge


def refund(client: stripe.StripeClient, session: dict[str, Any], amount: int | None = None) -> stripe.Refund:
    params: Any = {"payment_intent": session["payment_intent"], **({} if amount is None else {"amount": amount})}
    return client.v1.refunds.create(params=params)


def test_refunds_add_up_to_the_charge_and_never_beyond(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    refund(client, paid, 1000)
    assert (charge_of(bench)["amount_refunded"], charge_of(bench)["refunded"]) == (1000, False)
    with pytest.raises(stripe.InvalidRequestError, match="4000"):
        refund(client, paid, 4001)
    assert refund(client, paid).amount == 4000
    assert charge_of(bench)["refunded"] is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, paid, 1)
    assert refused.value.code == "charge_already_refunded"


def test_a_refund_tells_what_changed_on_the_charge(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    refund(client, paid, 1000)
    changed, made = bench.get("/state")["events"][:2]
    assert (made["type"], made["data"]["object"]["amount"]) == ("refund.created", 1000)
    assert changed["type"] == "charge.refunded"
    assert changed["data"]["object"]["amount_refunded"] == 1000
    assert changed["data"]["previous_attributes"] == {"amount_refunded": 0}


@pytest.mark.parametrize("amount", [0, -1, "10.5"])
def test_a_refund_is_a_whole_positive_amount(client: stripe.StripeClient, paid: dict[str, Any], amount: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        refund(client, paid, amount)


def test_what_was_not_paid_is_not_refunded(
    bench: RunningWorkbench, client: stripe.StripeClient, make_session: Any
) -> None:
    session_id = make_session().id
    bench.post(f"/sessions/{session_id}/settle", {"outcome": "pay_later_ok"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, bench.get(f"/objects/{session_id}"))
    assert refused.value.code == "charge_not_refundable"


@pytest.mark.parametrize("params", [{}, {"payment_intent": "pi_none"}, {"charge": "ch_none"}])
def test_a_refund_needs_something_to_refund(client: stripe.StripeClient, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create(params=params)


def test_a_refund_made_in_the_dashboard_is_told_like_any_other(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    made = bench.post("/refunds", {"session": paid["id"], "amount": 700})
    assert (made["amount"], made["metadata"]) == (700, {})
    assert told(bench)[-2:] == ["refund.created", "charge.refunded"]


@pytest.mark.parametrize(
    ("status", "events"), [("failed", ["refund.updated", "refund.failed"]), ("canceled", ["refund.updated"])]
)
def test_a_refund_that_fails_gives_the_charge_its_money_back(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any], status: str, events: list[str]
) -> None:
    made = refund(client, paid, 1000)
    bench.post(f"/refunds/{made.id}/status", {"status": status})
    assert charge_of(bench)["amount_refunded"] == 0
    assert told(bench)[-len(events) :] == events
    assert client.v1.refunds.retrieve(made.id).status == status


def test_new_refunds_can_start_pending_and_succeed_later(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    bench.post("/refund-status", {"status": "pending"})
    made = refund(client, paid, 1000)
    assert made.status == "pending"
    bench.post(f"/refunds/{made.id}/status", {"status": "succeeded"})
    assert told(bench)[-1] == "refund.updated"
    assert charge_of(bench)["amount_refunded"] == 1000


def test_a_refund_fails_only_once(bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]) -> None:
    made = refund(client, paid, 1000)
    bench.post(f"/refunds/{made.id}/fail")
    with pytest.raises(AssertionError, match="400"):
        bench.post(f"/refunds/{made.id}/fail")


def test_a_disputed_charge_cannot_be_refunded_until_the_dispute_is_won(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    dispute = bench.post("/disputes", {"session": paid["id"]})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, paid, 100)
    assert refused.value.code == "charge_disputed"
    bench.post(f"/disputes/{dispute['id']}/close", {"status": "won"})
    assert refund(client, paid, 100).status == "succeeded"


def test_a_charge_under_inquiry_can_be_refunded(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    bench.post("/disputes", {"session": paid["id"], "status": "warning_needs_response"})
    assert refund(client, paid, 100).status == "succeeded"


@pytest.mark.parametrize(
    ("steps", "events"),
    [
        (["won"], ["closed", "funds_reinstated"]),
        (["lost"], ["closed"]),
        (["under_review", "lost"], ["updated", "closed"]),
        (["prevented"], ["closed"]),
        (["lost", "appeal_needs_response", "appeal_under_review", "won"],
         ["closed", "updated", "updated", "closed", "funds_reinstated"]),
    ],
)  # fmt: skip
def test_a_dispute_runs_its_course(
    bench: RunningWorkbench, paid: dict[str, Any], steps: list[str], events: list[str]
) -> None:
    dispute = bench.post("/disputes", {"session": paid["id"], "amount": 4000, "reason": "product_not_received"})
    assert (dispute["amount"], dispute["reason"], dispute["is_charge_refundable"]) == (
        4000,
        "product_not_received",
        False,
    )
    before = told(bench)
    assert before[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    for status in steps:
        dispute = bench.post(f"/disputes/{dispute['id']}/status", {"status": status})
    assert told(bench)[len(before) :] == [f"charge.dispute.{name}" for name in events]
    moved = [movement["amount"] for movement in dispute["balance_transactions"]]
    assert moved == ([-4000, 4000] if steps[-1] == "won" else [-4000])


def test_an_inquiry_moves_no_money_unless_it_becomes_a_dispute(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    inquiry = bench.post("/disputes", {"session": paid["id"], "status": "warning_needs_response"})
    assert (inquiry["balance_transactions"], inquiry["is_charge_refundable"]) == ([], True)
    assert told(bench)[-1] == "charge.dispute.created"
    dispute = bench.post(f"/disputes/{inquiry['id']}/status", {"status": "needs_response"})
    assert dispute["is_charge_refundable"] is False
    assert told(bench)[-2:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]


def test_an_inquiry_can_just_close(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    inquiry = bench.post("/disputes", {"session": paid["id"], "status": "warning_needs_response"})
    bench.post(f"/disputes/{inquiry['id']}/close", {"status": "warning_closed"})
    assert told(bench)[-2:] == ["charge.dispute.created", "charge.dispute.closed"]


@pytest.mark.parametrize(
    ("opened", "words", "status"),
    [
        ("needs_response", "winning_evidence", "won"),
        ("needs_response", "losing_evidence", "lost"),
        ("needs_response", "They came twice.", "under_review"),
        ("warning_needs_response", "winning_evidence", "warning_closed"),
        ("warning_needs_response", "They came twice.", "warning_under_review"),
    ],
)
def test_evidence_decides_a_dispute(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any], opened: str, words: str, status: str
) -> None:
    dispute = bench.post("/disputes", {"session": paid["id"], "status": opened})
    draft = client.v1.disputes.update(
        dispute["id"], params={"evidence": {"uncategorized_text": words}, "submit": False}
    )
    assert draft.status == opened
    assert client.v1.disputes.update(dispute["id"], params={"submit": True}).status == status


def test_a_dispute_that_is_over_takes_no_more_evidence(
    bench: RunningWorkbench, client: stripe.StripeClient, paid: dict[str, Any]
) -> None:
    dispute = bench.post("/disputes", {"session": paid["id"]})
    assert client.v1.disputes.close(dispute["id"]).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(dispute["id"])
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(dispute["id"], params={"submit": True})


def test_a_fraud_warning_names_the_charge(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    warning = bench.post("/warnings", {"payment_intent": paid["payment_intent"]})
    assert warning["charge"] == charge_of(bench)["id"]
    assert told(bench)[-1] == "radar.early_fraud_warning.created"
