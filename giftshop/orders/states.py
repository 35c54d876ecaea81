"""The states of an order as data: which move may follow which state, and the one function that moves."""

from giftshop.errors import MoveNotAllowedError
from giftshop.foundation import activity_log
from giftshop.orders.models import Order

MOVES = {
    "awaiting_payment": {"processing", "paid", "expired", "failed", "in_review"},
    "processing": {"paid", "failed", "in_review"},
    "expired": {"awaiting_payment", "processing", "paid", "in_review"},
    "failed": {"awaiting_payment", "paid", "in_review"},
    "in_review": {"paid", "refunded"},
    "paid": {"fulfilled", "refunded"},
    "fulfilled": {"refunded"},
    "refunded": {"fulfilled", "in_review"},
}

PAYABLE = ("awaiting_payment", "expired", "failed")
OPEN = ("awaiting_payment", "processing")


def move(order: Order, state: str, *, actor: str = "stripe") -> None:
    """Move an order to `state` because of `actor`, and keep that in its trail.

    Raises MoveNotAllowedError when that does not follow from where it is.
    """
    if not may_move(order, state):
        raise MoveNotAllowedError(f"An order that is {order.state} cannot become {state}.")
    activity_log.note("order_moved", actor=actor, order_id=order.id, before=order.state, after=state)
    order.state = state


def may_move(order: Order, state: str) -> bool:
    """Tell whether `state` may follow the order's state."""
    return state in MOVES[order.state]
