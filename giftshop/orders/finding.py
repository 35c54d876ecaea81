"""Finding orders: by the one search, by state and by month, page by page, for the office.

What nobody has paid is shown to who asks for it: anybody can leave an order unpaid, in anybody's name.

Pages are cut by the last order shown (keyset), so the hundredth page is as quick as the first.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.orders.models import Gift, Order
from giftshop.orders.search import select_gifts
from giftshop.orders.states import PAYABLE

PAGE = 50
UNPAID, ANY = "unpaid", "any"
MOST_COUNTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders: words as typed, a state, a span of time; `before` is the last order of the page before.

    Without a state those that were paid, or whose payment is under way; UNPAID is all others, ANY is all.
    """

    words: str = ""
    state: str = ""
    start: datetime | None = None
    end: datetime | None = None
    before: Order | None = None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of orders, newest first, with the messages of each; `has_more` when older ones fit too.

    `are_near` when nothing fits the words and these differ by a slip; `unpaid` is how many more fit that nobody has
    paid, at most MOST_COUNTED.
    """

    orders: list[Order]
    messages: dict[int, list[Delivery]]
    has_more: bool
    are_near: bool
    unpaid: int


def find_orders(wanted: Wanted) -> FoundPage:
    """Return a page of orders in a few questions to the database, however many there are."""
    conditions, are_near = _conditions(wanted)
    query = sa.select(Order).where(*conditions, *_in_state(wanted.state))
    query = query.order_by(Order.created_at.desc(), Order.id.desc())
    found = list(db.session.scalars(query.options(selectinload(Order.gifts)).limit(PAGE + 1)))
    orders = found[:PAGE]
    unpaid = 0
    if not wanted.state and wanted.before is None:
        some = sa.select(Order.id).where(*conditions, *_in_state(UNPAID)).limit(MOST_COUNTED)
        unpaid = db.session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0
    has_more = len(found) > PAGE
    return FoundPage(orders, _messages_of(orders), has_more=has_more, are_near=are_near, unpaid=unpaid)


def first_order_at() -> datetime | None:
    """Return when the first order was placed, or None before that."""
    return db.session.scalar(sa.select(Order.created_at).order_by(Order.created_at).limit(1))


def _in_state(state: str) -> list[sa.ColumnElement[bool]]:
    if state == ANY:
        return []
    if state in ("", UNPAID):
        return [Order.state.in_(PAYABLE) if state else Order.state.not_in(PAYABLE)]
    return [Order.state == state]


def _conditions(wanted: Wanted) -> tuple[list[sa.ColumnElement[bool]], bool]:
    """Return what orders must be beside their state, and whether that is only near to the words."""
    conditions: list[sa.ColumnElement[bool]] = [Order.purged_at.is_(None)]
    are_near = False
    if words := wanted.words.strip():
        gifts, are_near = select_gifts(words)
        conditions.append(Order.id.in_(sa.select(Gift.order_id).where(Gift.id.in_(gifts))))
    if wanted.start is not None:
        conditions.append(Order.created_at >= wanted.start)
    if wanted.end is not None:
        conditions.append(Order.created_at < wanted.end)
    if wanted.before is not None:
        last = (wanted.before.created_at, wanted.before.id)
        conditions.append(sa.tuple_(Order.created_at, Order.id) < last)
    return conditions, are_near


def _messages_of(orders: list[Order]) -> dict[int, list[Delivery]]:
    """Return the newest revision of each order's messages that bring a certificate."""
    query = sa.select(Delivery).where(
        Delivery.order_id.in_([order.id for order in orders]), Delivery.gift_id.is_not(None)
    )
    found: dict[int, list[Delivery]] = {}
    for delivery in db.session.scalars(query.order_by(Delivery.id)):
        found.setdefault(delivery.order_id or 0, []).append(delivery)
    return {order_id: _not_replaced(messages) for order_id, messages in found.items()}


def _not_replaced(messages: list[Delivery]) -> list[Delivery]:
    replaced = {message.replaces_id for message in messages}
    return [message for message in messages if message.id not in replaced]
