"""Disputes and fraud warnings: opened, answered, closed, appealed; for the API, payments and the control API."""

import stripe

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.objects.skeletons import build
from giftshop.workbench.stripe.webhooks.events import Fact, emit

_FEE = 1500
_OVER = ("won", "lost", "warning_closed", "prevented")
STATUSES = (
    "warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review", "won", "lost",
    "prevented", "appeal_needs_response", "appeal_under_review",
)  # fmt: skip


def open_dispute(
    bench: Workbench,
    charge: Json,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    status: str = "needs_response",
    hook: Json | None = None,
) -> Json:
    """Dispute a charge and return the dispute; a `warning_…` status is an inquiry, for which no money moves."""
    _check_status(status)
    inquiry = status.startswith("warning_")
    sum_ = charge["amount"] if amount is None else amount
    dispute = build(
        stripe.Dispute, id=bench.new_id("dp_1"), amount=sum_, charge=charge["id"], created=bench.now(),
        currency=charge["currency"], is_charge_refundable=inquiry, payment_intent=charge["payment_intent"],
        reason=reason, status=status, network_reason_code="10.4",
        evidence_details={**build(stripe.Dispute.EvidenceDetails), "due_by": bench.now() + 9 * 86400},
        payment_method_details=_card(inquiry),
    )  # fmt: skip
    money = _money_moves(bench, dispute)
    bench.store.put(dispute)
    bench.store.put({**charge, "disputed": True})
    facts = [Fact("charge.dispute.created", dispute), *(Fact(moved, dispute) for moved in money)]
    emit(bench, facts, hook=hook)
    return dispute


def change_dispute(bench: Workbench, dispute_id: str, status: str, *, hook: Json | None = None) -> Json:
    """Give a dispute another status; the end of one closes it, and a dispute won gives the money back."""
    _check_status(status)
    dispute = get_dispute(bench, dispute_id)
    previous = {} if dispute["status"] == status else {"status": dispute["status"]}
    dispute |= {"status": status, "is_charge_refundable": status.startswith("warning_")}
    kind = "charge.dispute.closed" if status in _OVER else "charge.dispute.updated"
    money = _money_moves(bench, dispute)
    bench.store.put(dispute)
    emit(bench, [Fact(kind, dispute, previous), *(Fact(moved, dispute) for moved in money)], hook=hook)
    return dispute


def update_dispute(bench: Workbench, dispute_id: str, params: Json) -> Json:
    """Take evidence from the shop; submitted, the words `winning_evidence` and `losing_evidence` decide at once."""
    dispute = get_dispute(bench, dispute_id)
    if dispute["status"] in _OVER:
        raise ApiError("This dispute is already closed.")
    dispute["evidence"] |= params.get("evidence") or {}
    dispute["metadata"] |= params.get("metadata") or {}
    submitted = params.get("submit", True)
    dispute["evidence_details"]["has_evidence"] = True
    dispute["evidence_details"]["submission_count"] += int(submitted)
    bench.store.put(dispute)
    return change_dispute(bench, dispute_id, _after_evidence(dispute) if submitted else dispute["status"])


def close_dispute(bench: Workbench, dispute_id: str) -> Json:
    """Give a dispute up, which loses it."""
    if get_dispute(bench, dispute_id)["status"] in _OVER:
        raise ApiError("This dispute is already closed.")
    return change_dispute(bench, dispute_id, "lost")


def warn_of_fraud(bench: Workbench, charge: Json, *, hook: Json | None = None) -> Json:
    """Make the early fraud warning that a card network sends before a dispute."""
    warning = build(
        stripe.radar.EarlyFraudWarning, id=bench.new_id("issfr_1"), actionable=True, charge=charge["id"],
        created=bench.now(), fraud_type="made_with_stolen_card", payment_intent=charge["payment_intent"],
    )  # fmt: skip
    bench.store.put(warning)
    emit(bench, [Fact("radar.early_fraud_warning.created", warning)], hook=hook)
    return warning


def get_dispute(bench: Workbench, dispute_id: str) -> Json:
    """Return the dispute; ApiError (404) when there is none."""
    dispute = bench.store.find(dispute_id, "dispute")
    if dispute is None:
        raise no_such("dispute", dispute_id, param="dispute")
    return dispute


def is_refundable(bench: Workbench, charge: Json) -> bool:
    """Say whether the charge's disputes leave it refundable: only inquiries, or none that is lost or still open."""
    disputes = bench.store.all("dispute", charge=charge["id"])
    return all(d["is_charge_refundable"] or d["status"] in ("won", "prevented") for d in disputes)


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise ApiError(f"A dispute's status must be one of {', '.join(STATUSES)}.", param="status")


def _after_evidence(dispute: Json) -> str:
    words = dispute["evidence"]["uncategorized_text"] or ""
    inquiry = dispute["status"].startswith("warning_")
    if "winning_evidence" in words:
        return "warning_closed" if inquiry else "won"
    if "losing_evidence" in words:
        return "lost"
    return "warning_under_review" if inquiry else "under_review"


def _money_moves(bench: Workbench, dispute: Json) -> list[str]:
    """Take the sum away, or give it back, as the status says; return the events that tell of it."""
    moves, status = dispute["balance_transactions"], dispute["status"]
    if status == "won" and moves:
        moves.append(_movement(bench, dispute, dispute["amount"]))
        return ["charge.dispute.funds_reinstated"]
    if not moves and not status.startswith("warning_") and status != "prevented":
        moves.append(_movement(bench, dispute, -dispute["amount"]))
        return ["charge.dispute.funds_withdrawn"]
    return []


def _movement(bench: Workbench, dispute: Json, amount: int) -> Json:
    """Return the movement on the account's balance: the disputed sum, and the fee when it is taken."""
    fee = _FEE if amount < 0 else 0
    return build(
        stripe.BalanceTransaction, id=bench.new_id("txn_1"), amount=amount, available_on=bench.now(),
        balance_type="payments", created=bench.now(), currency=dispute["currency"], fee=fee, net=amount - fee,
        reporting_category="dispute" if amount < 0 else "dispute_reversal", source=dispute["id"], status="available",
        type="adjustment",
    )  # fmt: skip


def _card(inquiry: bool) -> Json:
    details = build(stripe.Dispute.PaymentMethodDetails.Card, brand="visa", network_reason_code="10.4")
    return {"type": "card", "card": {**details, "case_type": "inquiry" if inquiry else "chargeback"}}
