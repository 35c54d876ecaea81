"""Placing an order: a buyer's wish, checked against catalogue and limits and stored, before Stripe is asked."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.prices import check_total, get_price
from giftshop.checkout.limits import Buyer, check_limits, check_open
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import OfferNotFoundError, RequestKeyReusedError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import refuse_unusable_key, wait_for_copies
from giftshop.orders.look_up import give_token
from giftshop.orders.models import Gift, Order
from giftshop.orders.states import OrderState
from giftshop.words import _

DeliveryWay = Literal["recipient", "buyer", "print"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftRequest:
    """One gift as typed and checked: `offer` is an offer's slug, or "amount" with `amount_cents` (minor units)."""

    offer: str
    amount_cents: int | None
    recipient_name: str
    giver_name: str
    message: str
    design: str
    delivery: DeliveryWay
    recipient_email: str = ""
    deliver_on: date | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One order to be: its gifts, and who pays. `replaces` is the token of an unpaid order this one stands in for."""

    gifts: list[GiftRequest] = field(default_factory=list)
    buyer_email: str
    request_key: str
    client_address: str = ""
    replaces: str = ""

    def content(self) -> dict[str, object]:
        """Return what makes two requests the same: everything but the key and where it came from."""
        gifts = [{**asdict(gift), "deliver_on": gift.deliver_on and gift.deliver_on.isoformat()} for gift in self.gifts]
        return {"gifts": gifts, "buyer_email": self.buyer_email}


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
    check_total(order.total_cents, order.currency)
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
        state=OrderState.AWAITING_PAYMENT,
        currency=practice.currency,
        total_cents=sum(gift.amount_cents * gift.quantity for gift in gifts),
        buyer_email=purchase.buyer_email,
        created_at=at,
        gifts=gifts,
    )


def _build_gift(request: GiftRequest, practice: Practice, position: int) -> Gift:
    if request.design not in DESIGNS:
        raise OfferNotFoundError(_("Pick one of the designs."))
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
