"""Admission: what must be true when an order is placed, and when it goes to Stripe's page, for placing and checkout.

An order is only a wish: until it is paid, prices change, sales pause, and one buyer places many. So the rules are
asked where a new page for paying is made, one buyer after the other.

Who buys is known by the browser, and by the e-mail address once something was paid: anybody may type anybody's address
into an order that is never paid. A network's address is nobody; it only slows whoever orders without having read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice, is_open_for_sales
from giftshop.catalog.prices import get_price
from giftshop.catalog.shown import Change, Shown, find_change, tell_change
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
from giftshop.notifications.watch import note_unpaid
from giftshop.orders.models import CheckoutAttempt, Gift, Order
from giftshop.orders.states import BOUGHT, AttemptState, OrderState
from giftshop.words import N_, _, ngettext

PAYABLE_FOR = timedelta(days=7)
"""How long an order may be paid under the words it was placed with."""
OPEN_CHECKOUTS, CHECKOUTS_AN_HOUR, PAGES_OF_AN_ORDER = 5, 30, 10
"""Pages for paying: open in one browser, opened by it in an hour, opened for one order in an hour."""
STRANGERS, READING = 20, timedelta(seconds=5)
"""Unpaid orders of one network in an hour, after which it is asked how long somebody read before ordering."""
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)
_PAID = tuple(state for state in BOUGHT if state != OrderState.AWAITING_PAYMENT)
_TOO_FAST = N_(
    "Many orders come from your network just now. Please wait a moment and continue once more. "
    "What you filled in is kept."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who wants to pay: from which address of the network, by which browser, and since when that has read the shop.

    `leniency` multiplies every count: 1, unless somebody tries things out with simulated money.
    """

    address: str
    browser: str = ""
    reads_since: datetime | None = None
    leniency: int = 1


def admit(order: Order, visitor: Visitor, *, at: datetime) -> None:
    """Refuse another payment page for an order that may not be sold now as it was placed.

    Holds network, browser and buyer until the transaction ends, so that the attempt made next is counted by whoever
    comes after; always in that order, so that two of these never wait for each other. Raises OrderTooOldError,
    OfferChangedError, and what `check_limits` and `check_open` raise.
    """
    wait_for_copies("checkout", visitor.address)
    wait_for_copies("browser", visitor.browser)
    wait_for_copies("buyer", order.buyer_email.lower())
    practice = get_practice()
    check_open(practice)
    if order.created_at + PAYABLE_FOR <= at:
        raise OrderTooOldError
    if changes := [change for gift in order.gifts if (change := find_gift_change(gift, practice))]:
        raise OfferChangedError(_told(changes))
    if not all(_may_be_sold(gift, practice) for gift in order.gifts):
        raise OfferChangedError
    check_limits(order, visitor, practice, at=at)
    note_unpaid(at=at)


def check_open(practice: Practice) -> None:
    """Refuse to sell while the practice does not. Raises SalesPausedError."""
    if not is_open_for_sales(practice):
        raise SalesPausedError


def check_limits(order: Order, visitor: Visitor, practice: Practice, *, at: datetime) -> None:
    """Refuse what is too much for one buyer in a day, or too many payment pages.

    Raises BuyerLimitError, TooManyOpenCheckoutsError.
    """
    if (wait := _wait_for_pages(order, visitor, at)) > timedelta(0):
        raise TooManyOpenCheckoutsError(_tell_wait(wait), wait_seconds=ceil(wait.total_seconds()))
    if (wait := _wait_to_read(visitor, at)) > timedelta(0):
        raise TooManyOpenCheckoutsError(_(_TOO_FAST), wait_seconds=ceil(wait.total_seconds()))
    most_cents = practice.buyer_day_limit_cents
    if order.total_cents > most_cents:
        raise BuyerLimitError
    if _bought(order, visitor, at) + order.total_cents > most_cents * visitor.leniency:
        raise BuyerLimitError


def find_gift_change(gift: Gift, practice: Practice) -> Change | None:
    """Return what has changed of what a gift was ordered as; None when it is still sold like that."""
    shown = Shown(
        slug=gift.offer_slug,
        name=gift.service_name,
        minutes=gift.minutes,
        price_cents=gift.amount_cents,
        currency=gift.order.currency,
    )
    return find_change(shown, practice)


def _told(changes: list[Change]) -> str:
    sentences = [tell_change(change) for change in changes]
    return ". ".join([*dict.fromkeys(sentences), _("Please look it over and order anew.")])


def _may_be_sold(gift: Gift, practice: Practice) -> bool:
    """Tell whether a gift is within what may be sold now."""
    try:
        return get_price(gift.offer_slug, gift.amount_cents, practice).amount_cents == gift.amount_cents
    except (OfferNotFoundError, AmountOutOfBoundsError):
        return False


def _bought(apart_from: Order, visitor: Visitor, at: datetime) -> int:
    """Sum up what this buyer paid by an attempt of the last day, or may still pay in this browser; in minor units."""
    by_email = sa.and_(sa.func.lower(Order.buyer_email) == apart_from.buyer_email.lower(), Order.state.in_(_PAID))
    may_be_paid = sa.and_(Order.state == OrderState.AWAITING_PAYMENT, CheckoutAttempt.expires_at > at)
    in_browser = sa.and_(_is_of(visitor), sa.or_(Order.state.in_(_PAID), may_be_paid))
    mine = sa.select(Order.id).join(CheckoutAttempt, CheckoutAttempt.order_id == Order.id)
    counted = mine.where(
        sa.or_(by_email, in_browser),
        CheckoutAttempt.first_tried_at > at - A_DAY,
        CheckoutAttempt.state != AttemptState.EXPIRED,
        Order.created_at > at - A_DAY - PAYABLE_FOR,  # an index; an older order has no attempt of the last day
        Order.id != apart_from.id,  # one that is just being placed has none: "IS NOT NULL"
    )
    total = sa.select(sa.func.coalesce(sa.func.sum(Order.total_cents), 0)).where(Order.id.in_(counted))
    return int(db.session.scalar(total) or 0)


def _is_of(visitor: Visitor) -> sa.ColumnElement[bool]:
    """Return what tells this browser's attempts; one without a name has none."""
    return sa.and_(CheckoutAttempt.browser == visitor.browser, CheckoutAttempt.browser != "")


def _wait_for_pages(order: Order, visitor: Visitor, at: datetime) -> timedelta:
    """Return how long until this browser may open another page for paying, and for this order; nothing if now."""
    is_open = CheckoutAttempt.state.in_((AttemptState.CREATED, AttemptState.OPEN))
    unpaid = (CheckoutAttempt.first_tried_at > at - AN_HOUR, CheckoutAttempt.state != AttemptState.COMPLETE)
    others_open = (_is_of(visitor), is_open, CheckoutAttempt.expires_at > at, CheckoutAttempt.order_id != order.id)
    counted = {
        OPEN_CHECKOUTS: (others_open if order.id else others_open[:-1], CheckoutAttempt.expires_at, timedelta(0)),
        CHECKOUTS_AN_HOUR: ((_is_of(visitor), *unpaid), CheckoutAttempt.first_tried_at, AN_HOUR),
        PAGES_OF_AN_ORDER: ((CheckoutAttempt.order_id == order.id, *unpaid), CheckoutAttempt.first_tried_at, AN_HOUR),
    }
    return max(
        _wait_for_place(sa.select(moment).where(*which).order_by(moment), most * visitor.leniency, after=after, at=at)
        for most, (which, moment, after) in counted.items()
    )


def _wait_for_place(moments: sa.Select[datetime], most: int, *, after: timedelta, at: datetime) -> timedelta:
    """Return how long until there are fewer than `most` of these, each of which is over some time after its moment."""
    found = list(db.session.scalars(moments))
    return found[len(found) - most] + after - at if len(found) >= most else timedelta(0)


def _wait_to_read(visitor: Visitor, at: datetime) -> timedelta:
    """Return how long somebody has still to read before ordering: longer, the more unpaid orders their network has."""
    query = sa.select(sa.func.count()).where(
        CheckoutAttempt.client_address == visitor.address,
        CheckoutAttempt.first_tried_at > at - AN_HOUR,
        CheckoutAttempt.state != AttemptState.COMPLETE,
    )
    crowd = (db.session.scalar(query) or 0) / (STRANGERS * visitor.leniency)
    if crowd < 1:
        return timedelta(0)
    return READING * crowd**2 - (at - visitor.reads_since if visitor.reads_since else timedelta(0))


def _tell_wait(wait: timedelta) -> str:
    return ngettext(
        "You have several unfinished payments open. Please finish or cancel one, or try again in %(num)s minute.",
        "You have several unfinished payments open. Please finish or cancel one, or try again in %(num)s minutes.",
        ceil(wait.total_seconds() / 60),
    )
