"""What a buyer can do on the payment page, and the bank's later answer; for the page and the control API."""

from collections.abc import Callable
from typing import NamedTuple

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError
from giftshop.workbench.stripe.objects.charges import (
    build_charge,
    build_intent,
    complete_session,
    intent_and_charge,
    last_error,
)
from giftshop.workbench.stripe.objects.disputes import open_dispute
from giftshop.workbench.stripe.objects.sessions import get_open_session, get_session
from giftshop.workbench.stripe.webhooks.events import Fact, emit


class Visit(NamedTuple):
    """One buyer at one open session, with the delivery knobs and the delay of what comes later."""

    bench: Workbench
    session: Json
    hook: Json | None
    after: int | None


def settle(
    bench: Workbench, session_id: str, outcome: str, *, hook: Json | None = None, after: int | None = None
) -> list[Json]:
    """Let the buyer of an open session do one of OUTCOMES; return the events of the visit, in order.

    What comes later (the bank's answer, the dispute) comes `after` that many seconds of the simulated clock;
    None means: the bank's answer when `arrive` is called, the dispute at once.
    Raises ApiError when the session is not open or the outcome unknown.
    """
    session = get_open_session(bench, session_id)
    if outcome not in OUTCOMES:
        raise ApiError(f"The outcome must be one of {', '.join(OUTCOMES)}.", param="outcome")
    return OUTCOMES[outcome](Visit(bench, session, hook, after))


def arrive(bench: Workbench, session_id: str, outcome: str, *, hook: Json | None = None) -> list[Json]:
    """Let a delayed payment succeed (`ok`) or fail (`fail`); ApiError unless the session waits for one."""
    session = get_session(bench, session_id)
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise ApiError("This Checkout Session does not wait for a delayed payment.")
    intent, charge = intent_and_charge(bench, session)
    if outcome == "fail":
        return _bounced(bench, session, intent, charge, hook)
    charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
    charge["balance_transaction"] = bench.new_id("txn_3")
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    session["payment_status"] = "paid"
    return _happened(bench, hook, [
        ("charge.succeeded", charge), ("payment_intent.succeeded", intent),
        ("checkout.session.async_payment_succeeded", session),
    ])  # fmt: skip


def run_due_plans(bench: Workbench) -> None:
    """Do what was planned for later and is due by the simulated clock."""
    for plan in bench.store.due("plan", "due_at", bench.now()):
        bench.store.delete(plan["id"])
        _run(bench, plan)


def _pay(visit: Visit) -> list[Json]:
    bench, session, hook, _ = visit
    intent = build_intent(bench, session)
    made = ("payment_intent.created", dict(intent))
    charge = build_charge(bench, session, intent, status="succeeded")
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    intent["last_payment_error"] = None
    done = complete_session(session, intent, "paid")
    return _happened(bench, hook, [
        made, ("payment_intent.succeeded", intent), ("charge.succeeded", charge),
        ("checkout.session.completed", done), ("charge.updated", charge),
    ])  # fmt: skip


def _decline(visit: Visit) -> list[Json]:
    bench, session, hook, _ = visit
    intent = build_intent(bench, session)
    made = ("payment_intent.created", dict(intent))
    charge = build_charge(bench, session, intent, status="failed")
    charge |= {"failure_code": "card_declined", "failure_message": "Your card was declined."}
    intent |= {"latest_charge": charge["id"], "last_payment_error": last_error(charge)}
    return _happened(bench, hook, [made, ("charge.failed", charge), ("payment_intent.payment_failed", intent)])


def _pay_later(visit: Visit, then: str) -> list[Json]:
    bench, session, hook, after = visit
    intent = build_intent(bench, session)
    made = ("payment_intent.created", dict(intent))
    charge = build_charge(bench, session, intent, status="pending")
    intent |= {"status": "processing", "latest_charge": charge["id"], "payment_method_types": ["us_bank_account"]}
    done = complete_session(session, intent, "unpaid")
    if after is not None:
        _plan(visit, then, after)
    return _happened(bench, hook, [
        made, ("payment_intent.processing", intent), ("charge.pending", charge), ("checkout.session.completed", done),
    ])  # fmt: skip


def _pay_then_dispute(visit: Visit) -> list[Json]:
    events = _pay(visit)
    if visit.after is None:
        open_dispute(visit.bench, intent_and_charge(visit.bench, visit.session)[1], hook=visit.hook)
    else:
        _plan(visit, "dispute", visit.after)
    return events


def _bounced(bench: Workbench, session: Json, intent: Json, charge: Json, hook: Json | None) -> list[Json]:
    charge |= {"status": "failed", "failure_code": "insufficient_funds", "failure_message": "Not enough money."}
    intent |= {"status": "requires_payment_method", "last_payment_error": last_error(charge)}
    return _happened(bench, hook, [
        ("charge.failed", charge), ("payment_intent.payment_failed", intent),
        ("checkout.session.async_payment_failed", session),
    ])  # fmt: skip


def _happened(bench: Workbench, hook: Json | None, facts: list[tuple[str, Json]]) -> list[Json]:
    """Save what each fact is about, then tell the shop; an intent's creation is told once only."""
    news = [(kind, item) for kind, item in facts if not kind.endswith(".created") or not item["latest_charge"]]
    for _, item in news:
        bench.store.put(item)
    return emit(bench, [Fact(kind, item) for kind, item in news], hook=hook)


def _plan(visit: Visit, does: str, after: int) -> None:
    bench = visit.bench
    plan = {"id": bench.new_id("plan_"), "session": visit.session["id"], "does": does, "hook": visit.hook}
    bench.store.put({**plan, "due_at": bench.now() + after}, kind="plan")


def _run(bench: Workbench, plan: Json) -> None:
    session = get_session(bench, plan["session"])
    if plan["does"] == "dispute":
        open_dispute(bench, intent_and_charge(bench, session)[1], hook=plan["hook"])
    elif session["payment_status"] == "unpaid":
        arrive(bench, session["id"], plan["does"], hook=plan["hook"])


OUTCOMES: dict[str, Callable[[Visit], list[Json]]] = {
    "pay": _pay,
    "decline": _decline,
    "pay_later_ok": lambda visit: _pay_later(visit, "ok"),
    "pay_later_fail": lambda visit: _pay_later(visit, "fail"),
    "pay_then_dispute": _pay_then_dispute,
    "cancel": lambda _: [],
    "pay_no_return": _pay,
}
