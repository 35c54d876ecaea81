"""Admission: what must be true when an order is placed, and when it goes to Stripe's page, for placing and checkout.

An order is only a wish: until it is paid, prices change, sales pause, and one buyer places many. So the rules are
asked where a new page for paying is made, one buyer after the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice, is_open_for_sales
from giftshop.catalog.prices import get_price
from giftshop.errors import (
    AmountOutOfBoundsError,
    BuyerLimitError,
    OfferChangedError,
    OfferNotFoundError,
    OrderTooOldError,
    SalesPausedError,
    TooManyOpenCheckoutsError,
)
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import wait_for_copies
from giftshop.orders.models import CheckoutAttempt, Gift, Order
from giftshop.orders.states import BOUGHT, AttemptState

PAYABLE_FOR = timedelta(days=7)
"""How long an order may be paid under the words it was placed with."""
OPEN_CHECKOUTS, CHECKOUTS_AN_HOUR = 5, 10
SIMULATED_LENIENCE = 100
"""No card can be tested at the simulated Stripe, and developers and tests buy from one address all day."""
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who wants to pay: by e-mail address, however it is spelled, and by where the request came from."""

    email: str
    client_address: str


def admit(order: Order, *, client_address: str, at: datetime) -> None:
    """Refuse another payment page for an order that may not be sold now as it was placed.

    Holds buyer and address until the transaction ends, so that the attempt made next is counted by whoever comes
    after; the address first, always, so that two of these never wait for each other. Raises OrderTooOldError,
    OfferChangedError, and what `check_limits` and `check_open` raise.
    """
    buyer = Buyer(email=order.buyer_email, client_address=client_address)
    wait_for_copies("checkout", buyer.client_address)
    wait_for_copies("buyer", buyer.email.lower())
    practice = get_practice()
    check_open(practice)
    if order.created_at + PAYABLE_FOR <= at:
        raise OrderTooOldError
    if any(_has_changed(gift, practice) for gift in order.gifts):
        raise OfferChangedError
    check_limits(order, buyer, practice, at=at)


def check_open(practice: Practice) -> None:
    """Refuse to sell while the practice does not. Raises SalesPausedError."""
    if not is_open_for_sales(practice):
        raise SalesPausedError


def check_limits(order: Order, buyer: Buyer, practice: Practice, *, at: datetime) -> None:
    """Refuse what is too much for one buyer in a day, or too many payment pages for one address.

    Raises BuyerLimitError, TooManyOpenCheckoutsError.
    """
    lenience = SIMULATED_LENIENCE if order.mode == "simulated" else 1
    open_now, in_an_hour = _unpaid_attempts(buyer.client_address, at)
    if open_now >= OPEN_CHECKOUTS * lenience or in_an_hour >= CHECKOUTS_AN_HOUR * lenience:
        raise TooManyOpenCheckoutsError
    if order.total_cents > practice.buyer_day_limit_cents:
        raise BuyerLimitError
    most_cents = practice.buyer_day_limit_cents * lenience
    by_email = sa.func.lower(Order.buyer_email) == buyer.email.lower()
    by_address = CheckoutAttempt.client_address == buyer.client_address
    if any(_bought(by_whom, order, at) + order.total_cents > most_cents for by_whom in (by_email, by_address)):
        raise BuyerLimitError


def _has_changed(gift: Gift, practice: Practice) -> bool:
    """Tell whether a gift is not sold any more, or not for this."""
    try:
        return get_price(gift.offer_slug, gift.amount_cents, practice).amount_cents != gift.amount_cents
    except (OfferNotFoundError, AmountOutOfBoundsError):
        return True


def _bought(by_whom: sa.ColumnElement[bool], apart_from: Order, at: datetime) -> int:
    """Sum up what somebody has paid or may still pay, by an attempt of the last day; in minor units."""
    mine = sa.select(Order.id).join(CheckoutAttempt, CheckoutAttempt.order_id == Order.id)
    counted = mine.where(
        by_whom,
        CheckoutAttempt.first_tried_at > at - A_DAY,
        CheckoutAttempt.state != AttemptState.EXPIRED,
        Order.created_at > at - A_DAY - PAYABLE_FOR,  # an index; an older order has no attempt of the last day
        Order.state.in_(BOUGHT),
        Order.id != apart_from.id,  # one that is just being placed has none: "IS NOT NULL"
    )
    total = sa.select(sa.func.coalesce(sa.func.sum(Order.total_cents), 0)).where(Order.id.in_(counted))
    return int(db.session.scalar(total) or 0)


def _unpaid_attempts(client_address: str, at: datetime) -> tuple[int, int]:
    """Count this address's attempts of the last hour that were not paid: those still open, and all of them."""
    is_open = sa.case((CheckoutAttempt.state.in_((AttemptState.CREATED, AttemptState.OPEN)), 1), else_=0)
    query = sa.select(sa.func.coalesce(sa.func.sum(is_open), 0), sa.func.count()).where(
        CheckoutAttempt.client_address == client_address,
        CheckoutAttempt.first_tried_at > at - AN_HOUR,
        CheckoutAttempt.state != AttemptState.COMPLETE,
    )
    open_now, in_an_hour = db.session.execute(query).one()
    return int(open_now), int(in_an_hour)
