"""Finding orders: by the one search, by state and by month, page by page, for the office.

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

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders: words as typed, a state, a span of time; `before` is the last order of the page before."""

    words: str = ""
    state: str = ""
    start: datetime | None = None
    end: datetime | None = None
    before: Order | None = None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of orders, newest first, with the messages of each; `has_more` when older ones fit too."""

    orders: list[Order]
    messages: dict[int, list[Delivery]]
    has_more: bool


def find_orders(wanted: Wanted) -> FoundPage:
    """Return a page of orders in three questions to the database, however many there are."""
    query = sa.select(Order).where(*_conditions(wanted)).order_by(Order.created_at.desc(), Order.id.desc())
    found = list(db.session.scalars(query.options(selectinload(Order.gifts)).limit(PAGE + 1)))
    orders = found[:PAGE]
    return FoundPage(orders, _messages_of(orders), has_more=len(found) > PAGE)


def first_order_at() -> datetime | None:
    """Return when the first order was placed, or None before that."""
    return db.session.scalar(sa.select(Order.created_at).order_by(Order.created_at).limit(1))


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if words := wanted.words.strip():
        conditions.append(Order.id.in_(sa.select(Gift.order_id).where(Gift.id.in_(select_gifts(words)))))
    if wanted.state:
        conditions.append(Order.state == wanted.state)
    if wanted.start is not None:
        conditions.append(Order.created_at >= wanted.start)
    if wanted.end is not None:
        conditions.append(Order.created_at < wanted.end)
    if wanted.before is not None:
        last = (wanted.before.created_at, wanted.before.id)
        conditions.append(sa.tuple_(Order.created_at, Order.id) < last)
    return conditions


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
