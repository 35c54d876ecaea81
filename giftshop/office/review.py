"""Deciding about an order in review, from its page: accept what was paid, or pay all of it back."""

from collections.abc import Callable

from flask import current_app, redirect
from flask.typing import ResponseReturnValue

from giftshop.certificates.reasons import read_reason
from giftshop.certificates.requests import Asked
from giftshop.errors import CheckoutUnavailableError, RefundNotAllowedError
from giftshop.foundation.database import db
from giftshop.office.forms import Filled, asked
from giftshop.office.order import build_page
from giftshop.office.refund import get_limit
from giftshop.orders.look_up import get_order
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation import review
from giftshop.words import N_, _

NO_ANSWER = N_("Stripe didn’t answer. Please try again: nothing is done twice.")
_REFUSALS = (
    review.NotInReviewError,
    review.NotAcceptableError,
    review.OtherCurrencyError,
    review.PaybackRefusedError,
    RefundNotAllowedError,
)


def accept(order_id: int) -> ResponseReturnValue:
    """Issue the certificates of an order in review."""
    return _decide(order_id, lambda because: review.accept_order(order_id, because, _gateway()))


def pay_back(order_id: int) -> ResponseReturnValue:
    """Pay the whole payment of an order in review back."""
    limit_cents = get_limit()
    return _decide(order_id, lambda because: review.pay_back(order_id, because, _gateway(), limit_cents=limit_cents))


def _decide(order_id: int, decide: Callable[[Asked], Order]) -> ResponseReturnValue:
    """Do what was decided, and lead back to the order; its state is told there, but for one that nothing was paid for:
    no money goes back of that.
    """
    get_order(order_id)
    form = Filled()
    reason = form.take("reason", read_reason, "")
    if form.errors:
        return build_page(order_id, form.errors), 422
    try:
        order = decide(asked(reason))
    except _REFUSALS as refusal:
        return _refuse(order_id, refusal.message), 409
    except CheckoutUnavailableError:
        return _refuse(order_id, _(NO_ANSWER)), 503
    told = f"?done={order.state}" if order.received_cents else ""
    return redirect(f"/office/orders/{order_id}{told}", 303)


def _refuse(order_id: int, sentence: str) -> str:
    db.session.rollback()
    return build_page(order_id, {"reason": sentence})


def _gateway() -> StripeGateway:
    gateway: StripeGateway = current_app.extensions["stripe_gateway"]
    return gateway
