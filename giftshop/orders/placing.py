"""Placing an order: every rule about what may be bought, by whom and how much, before Stripe is asked."""

import hashlib
import json
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.catalog.offers import FREE_AMOUNT, get_offer
from giftshop.catalog.practice import get_practice, is_open_for_sales
from giftshop.certificates.drawing import DESIGNS
from giftshop.certificates.requests import refuse_unusable_key, wait_for_copies
from giftshop.database import db
from giftshop.errors import (
    AmountOutOfBoundsError,
    BuyerLimitError,
    OfferNotFoundError,
    RequestKeyReusedError,
    SalesPausedError,
    TooManyOpenCheckoutsError,
)
from giftshop.money import format_choice
from giftshop.orders.models import CheckoutAttempt, Gift, Order
from giftshop.orders.purchase import GiftRequest, Purchase
from giftshop.orders.register import give_token

MOST_CENTS = 2_000_00
"""Most for one certificate: closed-loop prepaid access stays exempt up to $2,000 (FIN-2016-G002)."""
STRIPE_LEAST_CENTS, STRIPE_MOST_CENTS = 50, 999_999_99
"""What one payment in dollars may come to at Stripe, whatever the practice would like to sell."""
OPEN_CHECKOUTS, CHECKOUTS_AN_HOUR = 5, 10
SIMULATED_LENIENCE = 100
"""No card can be tested at the simulated Stripe, and developers and tests buy from one address all day."""


def place_order(purchase: Purchase, *, mode: str, at: datetime) -> Order:
    """Store what the buyer asks for as an order that awaits payment; prices come from the catalogue.

    The same request key with the same content returns the first order. Raises RequestKeyMissingError,
    RequestKeyReusedError, SalesPausedError, OfferNotFoundError, AmountOutOfBoundsError, BuyerLimitError,
    TooManyOpenCheckoutsError.
    """
    refuse_unusable_key(purchase.request_key)
    wait_for_copies("order", purchase.request_key)
    digest = hashlib.sha256(json.dumps(purchase.content(), sort_keys=True).encode()).digest()
    if (placed := _find_placed(purchase.request_key, digest)) is not None:
        return placed
    practice = get_practice()
    if not is_open_for_sales(practice):
        raise SalesPausedError
    gifts = [_build_gift(request, practice, position) for position, request in enumerate(purchase.gifts)]
    total_cents = sum(gift.amount_cents * gift.quantity for gift in gifts)
    _refuse_too_much(total_cents, purchase, practice, mode=mode, at=at)
    order = Order(
        public_id=f"o_{secrets.token_hex(12)}",
        request_key=purchase.request_key,
        request_sha256=digest,
        mode=mode,
        state="awaiting_payment",
        currency=practice.currency,
        total_cents=total_cents,
        buyer_email=purchase.buyer_email,
        created_at=at,
        gifts=gifts,
    )
    give_token(order)
    db.session.add(order)
    db.session.flush()
    return order


def _find_placed(request_key: str, digest: bytes) -> Order | None:
    placed = db.session.scalar(sa.select(Order).where(Order.request_key == request_key))
    if placed is not None and placed.request_sha256 != digest:
        raise RequestKeyReusedError
    return placed


def _build_gift(request: GiftRequest, practice: Practice, position: int) -> Gift:
    if request.design not in DESIGNS:
        raise OfferNotFoundError("Pick one of the designs.")
    slug, service, amount_cents = _priced(request, practice)
    is_mailed = request.delivery == "recipient"
    return Gift(
        position=position,
        offer_slug=slug,
        service_name=service,
        amount_cents=amount_cents,
        quantity=request.quantity,
        recipient_name=request.recipient_name,
        giver_name=request.giver_name,
        message=request.message,
        design=request.design,
        delivery=request.delivery,
        recipient_email=request.recipient_email if is_mailed else "",
        deliver_on=request.deliver_on if is_mailed else None,
    )


def _priced(request: GiftRequest, practice: Practice) -> tuple[str, str, int]:
    """Return slug, service and price: the catalogue's price, or a free amount between the practice's bounds."""
    if request.offer != FREE_AMOUNT:
        offer = get_offer(request.offer)
        return offer.slug, offer.name if offer.kind == "session" else "", offer.price_cents
    low, high = max(practice.minimum_cents, STRIPE_LEAST_CENTS), min(practice.maximum_cents, MOST_CENTS)
    if request.amount_cents is None or not low <= request.amount_cents <= high:
        bounds = f"{format_choice(low, practice.currency)} and {format_choice(high, practice.currency)}"
        raise AmountOutOfBoundsError(f"Amount must be between {bounds}.")
    return FREE_AMOUNT, "", request.amount_cents


def _refuse_too_much(total_cents: int, purchase: Purchase, practice: Practice, *, mode: str, at: datetime) -> None:
    if not STRIPE_LEAST_CENTS <= total_cents <= STRIPE_MOST_CENTS:
        raise AmountOutOfBoundsError
    if _bought_since(purchase.buyer_email, at - timedelta(days=1)) + total_cents > practice.buyer_day_limit_cents:
        raise BuyerLimitError
    lenience = SIMULATED_LENIENCE if mode == "simulated" else 1
    open_now, in_an_hour = _unpaid_attempts(purchase.client_address, at)
    if open_now >= OPEN_CHECKOUTS * lenience or in_an_hour >= CHECKOUTS_AN_HOUR * lenience:
        raise TooManyOpenCheckoutsError


def _bought_since(buyer_email: str, moment: datetime) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(Order.total_cents), 0)).where(
        Order.buyer_email == buyer_email,
        Order.created_at > moment,
        Order.state.in_(("processing", "paid", "fulfilled", "in_review")),
    )
    return int(db.session.scalar(query) or 0)


def _unpaid_attempts(client_address: str, at: datetime) -> tuple[int, int]:
    """Count this address's attempts of the last hour that were not paid: those still open, and all of them."""
    is_open = sa.case((CheckoutAttempt.state.in_(("created", "open")), 1), else_=0)
    query = sa.select(sa.func.coalesce(sa.func.sum(is_open), 0), sa.func.count()).where(
        CheckoutAttempt.client_address == client_address,
        CheckoutAttempt.first_tried_at > at - timedelta(hours=1),
        CheckoutAttempt.state != "complete",
    )
    open_now, in_an_hour = db.session.execute(query).one()
    return int(open_now), int(in_an_hour)
