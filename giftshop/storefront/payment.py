"""The way to Stripe's page and what is said when it cannot be reached, for the builder and the order page."""

from flask import current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.limits import client_address
from giftshop.orders.checkout import open_checkout
from giftshop.orders.models import Order
from giftshop.orders.register import token_of
from giftshop.orders.stripe_gateway import StripeGateway
from giftshop.settings import Settings

_TRY_AGAIN_SECONDS = "5"


def go_to_payment(order: Order) -> ResponseReturnValue:
    """Send the buyer to Stripe's page; to the order's page if it is paid; or say that nothing was charged."""
    token, order_id = token_of(order), order.id
    try:
        address = open_checkout(
            order_id, find_gateway(), base_url=find_settings().base_url, client_address=client_address()
        )
    except (CheckoutUnavailableError, CheckoutRefusedError) as refusal:
        page = render_template("storefront/unavailable.html", token=token, message=refusal.message)
        return page, 503, {"Retry-After": _TRY_AGAIN_SECONDS}
    return redirect(address or f"/orders/{token}", 303)


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
