"""The states of orders, attempts to pay, refunds and disputes as data, and the one function that moves each."""

from enum import StrEnum, auto
from typing import TYPE_CHECKING

from giftshop.errors import MoveNotAllowedError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity

if TYPE_CHECKING:
    from giftshop.orders.models import Order, Refund


class OrderState(StrEnum):
    """How far an order has come."""

    AWAITING_PAYMENT = auto()
    PROCESSING = auto()
    PAID = auto()
    FULFILLED = auto()
    EXPIRED = auto()
    FAILED = auto()
    IN_REVIEW = auto()
    REFUNDED = auto()


MOVES = {
    OrderState.AWAITING_PAYMENT: {
        OrderState.PROCESSING,
        OrderState.PAID,
        OrderState.EXPIRED,
        OrderState.FAILED,
        OrderState.IN_REVIEW,
    },
    OrderState.PROCESSING: {OrderState.PAID, OrderState.FAILED, OrderState.IN_REVIEW},
    OrderState.EXPIRED: {
        OrderState.AWAITING_PAYMENT,
        OrderState.PROCESSING,
        OrderState.PAID,
        OrderState.IN_REVIEW,
    },
    OrderState.FAILED: {OrderState.AWAITING_PAYMENT, OrderState.PAID, OrderState.IN_REVIEW},
    OrderState.IN_REVIEW: {OrderState.PAID, OrderState.REFUNDED},
    OrderState.PAID: {OrderState.FULFILLED, OrderState.REFUNDED},
    OrderState.FULFILLED: {OrderState.REFUNDED},
    OrderState.REFUNDED: {OrderState.FULFILLED, OrderState.IN_REVIEW},
}
PAYABLE = (OrderState.AWAITING_PAYMENT, OrderState.EXPIRED, OrderState.FAILED)
"""Nobody has paid, and no bank is asked: it may still be paid."""
OPEN = (OrderState.AWAITING_PAYMENT, OrderState.PROCESSING)
BOUGHT = (
    OrderState.AWAITING_PAYMENT,
    OrderState.PROCESSING,
    OrderState.PAID,
    OrderState.FULFILLED,
    OrderState.IN_REVIEW,
)
"""What counts toward how much one buyer may buy in a day: paid, or still payable."""


class AttemptState(StrEnum):
    """What became of one attempt to pay: not at Stripe yet, its page open, paid or at the bank, or over."""

    CREATED = auto()
    OPEN = auto()
    COMPLETE = auto()
    EXPIRED = auto()


class RefundState(StrEnum):
    """Whether a refund's money is held here, gone to the buyer, back here unsent, or back here from the bank."""

    HELD = auto()
    SETTLED = auto()
    RELEASED = auto()
    RETURNED = auto()


REFUND_MOVES = {
    RefundState.HELD: {RefundState.SETTLED, RefundState.RELEASED},
    RefundState.SETTLED: {RefundState.RETURNED},
    RefundState.RELEASED: {RefundState.SETTLED},
    RefundState.RETURNED: set[RefundState](),
}
"""A refund that was given up may have gone out after all; one that came back from the bank is over."""


class DisputeState(StrEnum):
    """Stripe's own words for how far a dispute, or the inquiry before one, has come."""

    WARNING_NEEDS_RESPONSE = auto()
    WARNING_UNDER_REVIEW = auto()
    WARNING_CLOSED = auto()
    NEEDS_RESPONSE = auto()
    UNDER_REVIEW = auto()
    LOST = auto()
    APPEAL_NEEDS_RESPONSE = auto()
    APPEAL_UNDER_REVIEW = auto()
    PREVENTED = auto()
    WON = auto()


RANKS = {state: min(rank, 8) for rank, state in enumerate(DisputeState)}
"""How far a dispute has come: a later state is never followed by an earlier one, but for an appeal that is lost.

The two that end it well come to the same.
"""
INQUIRY = (DisputeState.WARNING_NEEDS_RESPONSE, DisputeState.WARNING_UNDER_REVIEW)
DISPUTED = (DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW)
APPEAL = (DisputeState.APPEAL_NEEDS_RESPONSE, DisputeState.APPEAL_UNDER_REVIEW)
ENDED_WELL = (DisputeState.WARNING_CLOSED, DisputeState.PREVENTED, DisputeState.WON)
ENDED = (DisputeState.LOST, *ENDED_WELL)
BEFORE_A_DISPUTE = ("", *INQUIRY, DisputeState.WARNING_CLOSED)
"""What may be known of a payment, from nothing on, before its bank takes money."""


def move(order: "Order", state: OrderState, *, actor: str = "stripe") -> None:
    """Move an order to `state` because of `actor`, and keep that in the activity log.

    Raises MoveNotAllowedError when that does not follow from where it is.
    """
    if not may_move(order, state):
        raise MoveNotAllowedError(f"An order that is {order.state} cannot become {state}.")
    activity_log.note(Activity.ORDER_MOVED, actor=actor, order_id=order.id, before=order.state, after=state)
    order.state = state


def may_move(order: "Order", state: OrderState) -> bool:
    """Tell whether `state` may follow the order's state."""
    return state in MOVES[OrderState(order.state)]


def move_refund(refund: "Refund", state: RefundState) -> None:
    """Move a refund to `state`. Raises MoveNotAllowedError when that does not follow from where it is."""
    if state not in REFUND_MOVES[RefundState(refund.state)]:
        raise MoveNotAllowedError(f"A refund that is {refund.state} cannot become {state}.")
    refund.state = state


def follows(status: str, known: str) -> bool:
    """Tell whether a dispute's state may be what became of a known one, and is no older news.

    States that Stripe may add one day count as the earliest.
    """
    # The one way back: an appeal ranks above a loss, and ends in one when it fails.
    is_lost_appeal = status == DisputeState.LOST and known in APPEAL
    return is_lost_appeal or _rank(status) >= _rank(known)


def _rank(status: str) -> int:
    return RANKS[DisputeState(status)] if status in list(DisputeState) else 0
