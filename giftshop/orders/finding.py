"""Finding orders: by number, address, name or Stripe's id, by state and by month, page by page, for the office.

Pages are cut by the last order shown (keyset), so the hundredth page is as quick as the first. Only a name looks
through every gift (0.1 s for 100,000 orders, where all else takes 6 ms): all else is read through an index.
"""

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import CheckoutAttempt, Dispute, Gift, GiftCertificate, Order, Refund

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


def find_exactly(words: str) -> int | None:
    """Return the id of the one order that a number or one of Stripe's ids names, or None."""
    one = _named_by(words.strip())
    return db.session.scalar(sa.select(Order.id).where(one)) if one is not None else None


def first_order_at() -> datetime | None:
    """Return when the first order was placed, or None before that."""
    return db.session.scalar(sa.select(Order.created_at).order_by(Order.created_at).limit(1))


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if words := wanted.words.strip():
        conditions.append(_fits(words))
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


def _fits(words: str) -> sa.ColumnElement[bool]:
    named = _named_by(words)
    if named is not None:
        return named
    if "@" in words:
        spelled = {words, words.lower()}
        buyers = sa.select(Order.id).where(Order.buyer_email.in_(spelled))
        return Order.id.in_(sa.union(buyers, sa.select(Gift.order_id).where(Gift.recipient_email.in_(spelled))))
    return Order.id.in_(_by_name(words))


def _named_by(words: str) -> sa.ColumnElement[bool] | None:
    """Return the condition for words that name one order: its number, or the id of something of it at Stripe."""
    if number := re.fullmatch(r"(?:[Gg]-)?([0-9]{4,12})", words, re.ASCII):
        return Order.id == int(number[1]) - 1000
    if words.startswith("pi_"):
        return Order.payment_intent_id == words
    named = {
        "cs_": sa.select(CheckoutAttempt.order_id).where(CheckoutAttempt.session_id == words),
        "re_": sa.select(Refund.order_id).where(Refund.stripe_refund_id == words),
        "dp_": sa.select(Dispute.order_id).where(Dispute.stripe_dispute_id == words),
    }
    named["du_"] = named["dp_"]
    return Order.id.in_(named[words[:3]]) if words[:3] in named else None


def _by_name(words: str) -> sa.CompoundSelect[tuple[int]]:
    """Return the orders with a gift to or from somebody whose name holds the words, or with that certificate."""
    spelled = {words, words.title()}  # SQLite folds only ASCII letters: "żaneta" is tried as "Żaneta" too
    names = [
        column.icontains(spelling, autoescape=True)
        for column in (Gift.recipient_name, Gift.giver_name)
        for spelling in spelled
    ]
    by_id = (
        sa.select(Gift.order_id)
        .join(GiftCertificate, GiftCertificate.gift_id == Gift.id)
        .join(Certificate, Certificate.id == GiftCertificate.certificate_id)
        .where(Certificate.public_id == words.upper())
    )
    return sa.union(sa.select(Gift.order_id).where(sa.or_(*names)), by_id)


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
