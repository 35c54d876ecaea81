"""What decides about money, read from Stripe's objects: plain facts, amounts in minor units, for gateway.py.

Only ids, states, sums and our own metadata are read: objects of older API versions give the same facts.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum, auto
from typing import Any


class RefusalKind(StrEnum):
    """Whom a refusal is about: the shop's key and its rights, this request, or what Stripe or a bank does not know."""

    KEY = auto()
    REQUEST = auto()
    UNKNOWN = auto()
    BANK = auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was refused: in words, whom it is about, Stripe's own code and HTTP status where it gave them."""

    words: str
    kind: RefusalKind = RefusalKind.REQUEST
    code: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line of a session: what was sold, how often, the price of one in minor units, and our own metadata."""

    name: str
    quantity: int
    unit_cents: int
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A Checkout Session; what is read of its payment and its lines is empty unless they were read with it."""

    id: str
    url: str | None
    status: str | None
    payment_status: str
    livemode: bool
    currency: str
    amount_total: int
    client_reference_id: str
    metadata: dict[str, str]
    payment_intent_id: str | None
    payment_intent_status: str
    buyer_email: str
    success_url: str
    lines: tuple[LineFacts, ...]

    @property
    def is_paid(self) -> bool:
        """Tell whether Stripe has the money: a completed session alone may still wait for a bank."""
        return self.payment_status == "paid"


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """What a card was charged with, `amount_cents` as captured; nothing when the charge failed."""

    id: str
    amount_cents: int
    payment_intent_id: str
    metadata: dict[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund; `status` is pending, requires_action, succeeded, failed or canceled."""

    id: str
    status: str
    amount_cents: int
    payment_intent_id: str
    metadata: dict[str, str]
    created_at: datetime

    @property
    def has_failed(self) -> bool:
        """Tell whether the money stayed with us, or came back."""
        return self.status in ("failed", "canceled")


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """Money that moved, in minor units, and when; who keeps it says in which direction."""

    amount_cents: int
    at: datetime


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A dispute, or the inquiry before one (`warning_…`); `withdrawn_cents` is what the bank has taken and kept.

    `withdrawals` are its parts: what the bank took, and below zero what it gave back.
    """

    id: str
    status: str
    amount_cents: int
    withdrawn_cents: int
    reason: str
    payment_intent_id: str
    evidence_due_at: datetime | None
    created_at: datetime
    withdrawals: tuple[MovementFacts, ...] = ()


def session_facts(session: Any) -> SessionFacts:
    """Read a Checkout Session, its payment expanded or not."""
    data = session.to_dict()
    intent = data.get("payment_intent")
    is_expanded = isinstance(intent, dict)
    return SessionFacts(
        id=data["id"],
        url=data.get("url"),
        status=data.get("status"),
        payment_status=data["payment_status"],
        livemode=data["livemode"],
        currency=(data.get("currency") or "").upper(),
        amount_total=data.get("amount_total") or 0,
        client_reference_id=data.get("client_reference_id") or "",
        metadata=dict(data.get("metadata") or {}),
        payment_intent_id=intent["id"] if is_expanded else intent,
        payment_intent_status=intent["status"] if is_expanded else "",
        buyer_email=data.get("customer_email") or (data.get("customer_details") or {}).get("email") or "",
        success_url=data.get("success_url") or "",
        lines=tuple(_line_facts(line) for line in (data.get("line_items") or {}).get("data", [])),
    )


def _line_facts(line: dict[str, Any]) -> LineFacts:
    price = line.get("price") or {}
    return LineFacts(
        name=line.get("description") or "",
        quantity=line.get("quantity") or 0,
        unit_cents=price.get("unit_amount") or 0,
        metadata=dict(line.get("metadata") or {}),
    )


def charge_facts(charge: Any) -> ChargeFacts:
    """Read a charge."""
    data = charge.to_dict()
    return ChargeFacts(
        id=data["id"],
        amount_cents=data["amount_captured"],
        payment_intent_id=_id_of(data.get("payment_intent")),
        metadata=dict(data.get("metadata") or {}),
        created_at=_created_at(data),
    )


def refund_facts(refund: Any) -> RefundFacts:
    """Read a refund."""
    data = refund.to_dict()
    return RefundFacts(
        id=data["id"],
        status=data.get("status") or "pending",
        amount_cents=data["amount"],
        payment_intent_id=_id_of(data.get("payment_intent")),
        metadata=dict(data.get("metadata") or {}),
        created_at=_created_at(data),
    )


def dispute_facts(dispute: Any) -> DisputeFacts:
    """Read a dispute."""
    data = dispute.to_dict()
    due_by = (data.get("evidence_details") or {}).get("due_by")
    moves = data.get("balance_transactions") or []
    return DisputeFacts(
        id=data["id"],
        status=data["status"],
        amount_cents=data["amount"],
        withdrawn_cents=-sum(move["amount"] for move in moves),
        reason=data.get("reason") or "",
        payment_intent_id=_id_of(data.get("payment_intent")),
        evidence_due_at=_moment(due_by) if due_by else None,
        created_at=_created_at(data),
        withdrawals=tuple(MovementFacts(-move["amount"], _created_at(move)) for move in moves),
    )


def payment_intent_of(item: Any) -> str:
    """Return the id of the payment that a charge or a fraud warning belongs to, empty when it has none."""
    return _id_of(item.to_dict().get("payment_intent"))


def _id_of(named: Any) -> str:
    """Return an id from a field that holds it or, expanded, its object."""
    found = named.get("id") if isinstance(named, dict) else named
    return found or ""


def _created_at(data: dict[str, Any]) -> datetime:
    return _moment(data["created"])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
