"""Checkout Sessions: made, read, expired; for the API, the payment page and the control API."""

from stripe.checkout import Session

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.objects.line_items import build_line_item
from giftshop.workbench.stripe.objects.session_rules import check_items, check_session
from giftshop.workbench.stripe.objects.skeletons import build
from giftshop.workbench.stripe.webhooks.events import Fact, emit

_LASTS = 24 * 60 * 60
_COPIED = (
    "allowed_payment_method_types", "cancel_url", "client_reference_id", "customer_email", "locale", "submit_type",
    "success_url",
)  # fmt: skip


def create_session(bench: Workbench, params: Json) -> Json:
    """Make an open session from checked parameters and return it."""
    now = bench.now()
    check_session(params, now=now)
    items = [build_line_item(bench, line, number) for number, line in enumerate(params["line_items"])]
    check_items(items)
    session_id = bench.new_id("cs_test_a1", 56)
    total = sum(item["amount_total"] for item in items)
    session = build(
        Session, id=session_id, amount_subtotal=total, amount_total=total, created=now,
        currency=items[0]["currency"], expires_at=params.get("expires_at", now + _LASTS), mode="payment",
        payment_method_types=["card"], payment_status="unpaid", status="open", ui_mode="hosted_page",
        url=f"{bench.config.checkout_url}/c/pay/{session_id}", metadata=params.get("metadata") or {},
        **{name: params[name] for name in _COPIED if name in params}, **_constants(params),
    )  # fmt: skip
    hidden = {"line_items": items, "payment_intent_data": params.get("payment_intent_data", {})}
    return bench.store.put(session, hidden=hidden)


def get_session(bench: Workbench, session_id: str) -> Json:
    """Return the session; ApiError (404) when there is none."""
    session = bench.store.find(session_id, "checkout.session")
    if session is None:
        raise no_such("checkout.session", session_id, param="session")
    return session


def get_open_session(bench: Workbench, session_id: str) -> Json:
    """Return the session if it can still be paid; ApiError (400) when it is complete or expired."""
    session = get_session(bench, session_id)
    if session["status"] != "open":
        raise ApiError(f"This Checkout Session is {session['status']}; only an open one can change.")
    return session


def expire_session(bench: Workbench, session_id: str, *, hook: Json | None = None) -> Json:
    """End an open session and say so in an event."""
    session = get_open_session(bench, session_id)
    bench.store.put({**session, "status": "expired", "url": None})
    session = get_session(bench, session_id)
    emit(bench, [Fact("checkout.session.expired", session)], hook=hook)
    return session


def expire_due_sessions(bench: Workbench) -> None:
    """End every open session whose time has come."""
    for session in bench.store.due("checkout.session", "expires_at", bench.now()):
        if session["status"] == "open":
            expire_session(bench, session["id"])


def _constants(params: Json) -> Json:
    """Return the nested parts that Stripe fills in for every hosted payment page."""
    return {
        "adaptive_pricing": build(
            Session.AdaptivePricing, enabled=params.get("adaptive_pricing", {}).get("enabled", True)
        ),
        "customer_creation": "if_required",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "phone_number_collection": {"enabled": False},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "custom_text": _custom_text(params),
    }


def _custom_text(params: Json) -> Json:
    given = {name: text or None for name, text in params.get("custom_text", {}).items()}
    return {**build(Session.CustomText), **given}
