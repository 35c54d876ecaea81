"""Placing an order: a buyer's wish, checked against catalogue and limits and stored, before Stripe is asked."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from giftshop.catalog.models import Practice
from giftshop.catalog.offers import find_offer
from giftshop.catalog.practice import get_practice
from giftshop.catalog.prices import check_total, get_price
from giftshop.catalog.shown import Change, Shown, find_change
from giftshop.checkout.limits import Visitor, check_limits, check_open
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import ChangedSinceShownError, OfferNotFoundError, RequestKeyReusedError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import refuse_unusable_key, wait_for_copies
from giftshop.orders.look_up import give_token
from giftshop.orders.models import Gift, Order
from giftshop.orders.states import OrderState
from giftshop.words import _

DeliveryWay = Literal["recipient", "buyer", "print"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftRequest:
    """One gift as typed and checked: `offer` is an offer's slug, or "amount" with `amount_cents` (minor units).

    `is_price_shown` is whether the recipient may see the price.
    """

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
    is_price_shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One order to be: its gifts, and who pays. `replaces` is the token of an unpaid order this one stands in for.

    `shown` is what the buyer saw of each offer, by its slug; of one that is missing nothing was said.
    """

    gifts: list[GiftRequest] = field(default_factory=list)
    buyer_email: str
    request_key: str
    visitor: Visitor
    shown: Mapping[str, Shown] = field(default_factory=dict)
    replaces: str = ""

    def content(self) -> dict[str, object]:
        """Return what makes two requests the same: everything but the key, where it came from and what was seen."""
        return {"gifts": [_content_of(gift) for gift in self.gifts], "buyer_email": self.buyer_email}


def _content_of(gift: GiftRequest) -> dict[str, object]:
    content = {**asdict(gift), "deliver_on": gift.deliver_on and gift.deliver_on.isoformat()}
    if gift.is_price_shown:  # as it was when nobody could choose: a form sent again over an update is the same
        del content["is_price_shown"]
    return content


def place_order(purchase: Purchase, *, mode: str, at: datetime) -> Order:
    """Store what the buyer asks for as an order that awaits payment; prices come from the catalogue.

    The same request key with the same content returns the first order, at the price it was placed with. A price that
    fell since it was shown is passed on; any other change needs the buyer's yes. Raises RequestKeyMissingError,
    RequestKeyReusedError, SalesPausedError, OfferNotFoundError, AmountOutOfBoundsError, BuyerLimitError,
    TooManyOpenCheckoutsError, ChangedSinceShownError.
    """
    refuse_unusable_key(purchase.request_key)
    wait_for_copies("order", purchase.request_key)
    digest = hashlib.sha256(json.dumps(purchase.content(), sort_keys=True).encode()).digest()
    if (placed := _find_placed(purchase.request_key, digest)) is not None:
        return placed
    practice = get_practice()
    check_open(practice)
    if not all(change.is_fall for change in list_changes(purchase.shown, purchase.gifts, practice)):
        raise ChangedSinceShownError
    order = _build_order(purchase, digest, practice, mode=mode, at=at)
    check_total(order.total_cents, order.currency)
    check_limits(order, purchase.visitor, practice, at=at)
    give_token(order)
    db.session.add(order)
    db.session.flush()
    return order


def list_changes(shown: Mapping[str, Shown], gifts: list[GiftRequest], practice: Practice) -> list[Change]:
    """Return what has changed of the offers that these gifts ask for since they were shown."""
    asked = dict.fromkeys(gift.offer for gift in gifts)
    return [change for slug in asked if slug in shown and (change := find_change(shown[slug], practice))]


def _find_placed(request_key: str, digest: bytes) -> Order | None:
    placed = db.session.scalar(sa.select(Order).where(Order.request_key == request_key))
    if placed is not None and placed.request_sha256 != digest:
        raise RequestKeyReusedError
    return placed


def _build_order(purchase: Purchase, digest: bytes, practice: Practice, *, mode: str, at: datetime) -> Order:
    gifts = [
        _build_gift(request, practice, position, purchase.shown) for position, request in enumerate(purchase.gifts)
    ]
    return Order(
        public_id=f"o_{secrets.token_hex(12)}",
        request_key=purchase.request_key,
        request_sha256=digest,
        mode=mode,
        state=OrderState.AWAITING_PAYMENT,
        currency=practice.currency,
        total_cents=sum(gift.amount_cents * gift.quantity for gift in gifts),
        buyer_email=purchase.buyer_email,
        refund_days=practice.refund_days,
        created_at=at,
        gifts=gifts,
    )


def _build_gift(request: GiftRequest, practice: Practice, position: int, shown: Mapping[str, Shown]) -> Gift:
    if request.design not in DESIGNS:
        raise OfferNotFoundError(_("Pick one of the designs."))
    price = get_price(request.offer, request.amount_cents, practice)
    is_mailed = request.delivery == "recipient"
    offer, seen = find_offer(price.slug), shown.get(price.slug)
    has_fallen = seen is not None and offer is not None and seen.price_cents > price.amount_cents
    return Gift(
        position=position,
        offer_slug=price.slug,
        service_name=price.service_name,
        minutes=offer.minutes if offer is not None else None,
        amount_cents=price.amount_cents,
        shown_cents=seen.price_cents if seen is not None and has_fallen else None,
        quantity=request.quantity,
        recipient_name=request.recipient_name,
        giver_name=request.giver_name,
        message=request.message,
        design=request.design,
        is_price_shown=request.is_price_shown,
        delivery=request.delivery,
        recipient_email=request.recipient_email if is_mailed else "",
        deliver_on=request.deliver_on if is_mailed else None,
    )
