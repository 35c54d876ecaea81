"""Refunds: made by the shop or in the dashboard, failed later; for the API and the control API."""

from stripe import Refund

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.currencies import check_step
from giftshop.workbench.stripe.objects.disputes import is_refundable
from giftshop.workbench.stripe.objects.session_rules import check_metadata
from giftshop.workbench.stripe.objects.skeletons import build
from giftshop.workbench.stripe.webhooks.events import Fact, emit

STATUSES = ("succeeded", "pending", "requires_action", "failed", "canceled")
_GIVEN_BACK = ("failed", "canceled")


def create_refund(bench: Workbench, params: Json, *, hook: Json | None = None) -> Json:
    """Refund a charge in full or part and return the refund.

    Raises ApiError: no such charge or intent, unpaid, disputed, more than what the charge has left.
    """
    charge = get_charge(bench, params)
    check_metadata(params.get("metadata") or {}, "metadata")
    amount = _checked_amount(bench, charge, params.get("amount"))
    refund = build(
        Refund, id=bench.new_id("re_3"), amount=amount, balance_transaction=bench.new_id("txn_3"),
        charge=charge["id"], created=bench.now(), currency=charge["currency"], metadata=params.get("metadata") or {},
        payment_intent=charge["payment_intent"], reason=params.get("reason"),
        status=bench.store.setting("refund_status", "succeeded"),
        destination_details={"type": "card", "card": {"type": "refund", "reference_status": "pending"}},
    )  # fmt: skip
    previous = _move(bench, charge, amount)
    bench.store.put(refund)
    emit(bench, [Fact("refund.created", refund), Fact("charge.refunded", charge, previous)], hook=hook)
    return refund


def change_refund(bench: Workbench, refund_id: str, status: str, *, hook: Json | None = None) -> Json:
    """Give a refund another status, as the bank does days later; failed or canceled gives the charge its money back."""
    refund = bench.store.find(refund_id, "refund")
    if refund is None:
        raise no_such("refund", refund_id)
    if status not in STATUSES or refund["status"] in _GIVEN_BACK:
        raise ApiError(f"A refund that is {refund['status']} cannot become {status}.")
    previous = {"status": refund["status"]}
    refund |= {"status": status, "failure_reason": "unknown" if status == "failed" else None}
    bench.store.put(refund)
    if status in _GIVEN_BACK:
        _move(bench, get_charge(bench, {"charge": refund["charge"]}), -refund["amount"])
    failed = [Fact("refund.failed", refund)] if status == "failed" else []
    emit(bench, [Fact("refund.updated", refund, previous), *failed], hook=hook)
    return refund


def get_charge(bench: Workbench, params: Json) -> Json:
    """Return the charge that `charge`, `payment_intent` or `session` in the parameters leads to; ApiError if none."""
    charge_id = params.get("charge") or _latest_charge(bench, params)
    charge = bench.store.find(charge_id, "charge")
    if charge is None:
        raise no_such("charge", charge_id, param="charge")
    return charge


def _latest_charge(bench: Workbench, params: Json) -> str:
    intent_id = params.get("payment_intent")
    if "session" in params:
        intent_id = (bench.store.find(params["session"], "checkout.session") or {}).get("payment_intent")
    if not intent_id:
        raise ApiError("One of the following params should be provided: payment_intent or charge.")
    intent = bench.store.find(intent_id, "payment_intent")
    if intent is None:
        raise no_such("payment_intent", intent_id, param="payment_intent")
    return intent["latest_charge"] or ""


def _checked_amount(bench: Workbench, charge: Json, asked: int | None) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    amount = left if asked is None else asked
    if charge["status"] != "succeeded":
        raise _refused("This charge has not been paid.", code="charge_not_refundable")
    if not is_refundable(bench, charge):
        raise _refused("This charge has been charged back.", code="charge_disputed")
    if left == 0:
        raise _refused("This charge has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise ApiError(f"The refund must be from 1 to {left}, the unrefunded amount.", param="amount", is_decided=True)
    check_step(amount, charge["currency"], param="amount")
    return amount


def _refused(message: str, *, code: str) -> ApiError:
    return ApiError(message, code=code, param="charge", is_decided=True)


def _move(bench: Workbench, charge: Json, amount: int) -> Json:
    """Add to what the charge has refunded; return the previous attributes."""
    previous = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    bench.store.put(charge)
    return {name: value for name, value in previous.items() if charge[name] != value}
