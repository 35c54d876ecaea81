"""The way to Stripe's page and what is said when it cannot be reached, for the builder and the order page."""

from flask import current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from giftshop.checkout.limits import Visitor
from giftshop.checkout.sessions import open_checkout
from giftshop.errors import (
    BuyerLimitError,
    CheckoutRefusedError,
    CheckoutUnavailableError,
    OfferChangedError,
    OrderTooOldError,
    SalesPausedError,
    TooManyOpenCheckoutsError,
)
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.web.headers import may_post_to

_TRY_AGAIN_SECONDS = "5"
_NOT_ADMITTED = (BuyerLimitError, OfferChangedError, OrderTooOldError, SalesPausedError)


def go_to_payment(order: Order, visitor: Visitor) -> ResponseReturnValue:
    """Send the buyer to Stripe's page; to the order's page if it is paid; or say that nothing was charged, and why."""
    token, order_id = token_of(order), order.id
    try:
        address = open_checkout(order_id, find_gateway(), base_url=find_settings().base_url, visitor=visitor)
    except (CheckoutUnavailableError, CheckoutRefusedError) as refusal:
        page = render_template("storefront/unavailable.html", token=token, message=refusal.message, may_try=True)
        return page, 503, {"Retry-After": _TRY_AGAIN_SECONDS}
    except TooManyOpenCheckoutsError as refusal:
        return _refuse(token, refusal.message), 429, {"Retry-After": str(refusal.wait_seconds)}
    except _NOT_ADMITTED as refusal:
        return _refuse(token, refusal.message), 409
    return redirect(f"/orders/{token}", 303) if address is None else _lead_to(address)


def _lead_to(address: str) -> ResponseReturnValue:
    """Lead on to Stripe's page, wherever the session says it is.

    A form may be answered with a redirect only to where the page it stood on allows; what that page said was settled
    before there was a session. So a domain of the practice's own is reached from a page in between, by itself. Only
    browsers have such rules, and they say with every form where it stood (Origin).
    """
    if "Origin" not in request.headers or may_post_to(address, find_settings()):
        return redirect(address, 303)
    return render_template("storefront/to_payment.html", address=address), 200, {"Refresh": f"0; url={address}"}


def _refuse(token: str, message: str) -> str:
    """Say why this order cannot be paid as it is; its form is a step away, filled in."""
    db.session.rollback()
    return render_template("storefront/unavailable.html", token=token, message=message, may_try=False)


def find_gateway() -> StripeGateway:
    """Return the app's gateway to Stripe."""
    gateway: StripeGateway = current_app.extensions["stripe_gateway"]
    return gateway


def find_settings() -> Settings:
    """Return the app's settings."""
    settings: Settings = current_app.config["SHOP_SETTINGS"]
    return settings


def shop_mode() -> str:
    """Return which kind of money the shop takes: simulated, test or live."""
    return find_settings().stripe_mode
