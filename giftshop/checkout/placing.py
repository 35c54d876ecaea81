"""Placing an order: a buyer's wish, checked against catalogue and limits and stored, before Stripe is asked."""

import hashlib
import json
import secrets
from datetime import datetime

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.prices import check_total, get_price
from giftshop.checkout.limits import Buyer, check_limits, check_open
from giftshop.checkout.purchase import GiftRequest, Purchase
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import OfferNotFoundError, RequestKeyReusedError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import refuse_unusable_key, wait_for_copies
from giftshop.orders.look_up import give_token
from giftshop.orders.models import Gift, Order


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
    check_open(practice)
    order = _build_order(purchase, digest, practice, mode=mode, at=at)
    check_total(order.total_cents)
    buyer = Buyer(email=purchase.buyer_email, client_address=purchase.client_address)
    check_limits(order, buyer, practice, at=at)
    give_token(order)
    db.session.add(order)
    db.session.flush()
    return order


def _find_placed(request_key: str, digest: bytes) -> Order | None:
    placed = db.session.scalar(sa.select(Order).where(Order.request_key == request_key))
    if placed is not None and placed.request_sha256 != digest:
        raise RequestKeyReusedError
    return placed


def _build_order(purchase: Purchase, digest: bytes, practice: Practice, *, mode: str, at: datetime) -> Order:
    gifts = [_build_gift(request, practice, position) for position, request in enumerate(purchase.gifts)]
    return Order(
        public_id=f"o_{secrets.token_hex(12)}",
        request_key=purchase.request_key,
        request_sha256=digest,
        mode=mode,
        state="awaiting_payment",
        currency=practice.currency,
        total_cents=sum(gift.amount_cents * gift.quantity for gift in gifts),
        buyer_email=purchase.buyer_email,
        created_at=at,
        gifts=gifts,
    )


def _build_gift(request: GiftRequest, practice: Practice, position: int) -> Gift:
    if request.design not in DESIGNS:
        raise OfferNotFoundError("Pick one of the designs.")
    price = get_price(request.offer, request.amount_cents, practice)
    is_mailed = request.delivery == "recipient"
    return Gift(
        position=position,
        offer_slug=price.slug,
        service_name=price.service_name,
        amount_cents=price.amount_cents,
        quantity=request.quantity,
        recipient_name=request.recipient_name,
        giver_name=request.giver_name,
        message=request.message,
        design=request.design,
        delivery=request.delivery,
        recipient_email=request.recipient_email if is_mailed else "",
        deliver_on=request.deliver_on if is_mailed else None,
    )
