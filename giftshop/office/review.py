"""Deciding about an order in review, from its page: accept what was paid, or pay all of it back."""

from collections.abc import Callable

from flask import current_app, redirect
from flask.typing import ResponseReturnValue

from giftshop.certificates.reasons import read_reason
from giftshop.certificates.requests import Asked
from giftshop.errors import ChangedMeanwhileError, CheckoutUnavailableError, RefundNotAllowedError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, answer_once, find_answer, refuse_unusable_key
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
    ChangedMeanwhileError,
    RefundNotAllowedError,
)


def accept(order_id: int) -> ResponseReturnValue:
    """Issue the certificates of an order in review."""
    return _decide("accept", order_id, lambda because: review.accept_order(order_id, because, _gateway()))


def pay_back(order_id: int) -> ResponseReturnValue:
    """Pay the whole payment of an order in review back."""
    limit_cents = get_limit()
    return _decide(
        "pay back",
        order_id,
        lambda because: review.pay_back(order_id, because, _gateway(), limit_cents=limit_cents),
    )


def _decide(act: str, order_id: int, decide: Callable[[Asked], Order]) -> ResponseReturnValue:
    """Do what was decided, once for each form, and lead back to the order."""
    get_order(order_id)
    form = Filled()
    reason = form.take("reason", read_reason, "")
    if form.errors:
        return build_page(order_id, form.errors), 422
    because = asked(reason)
    refuse_unusable_key(because.key)
    request = {"scope": f"review:{because.actor}", "key": because.key}
    body = {"act": act, "order": order_id, "reason": reason}
    try:
        answer = find_answer(**request, body=body) or _keep(decide(because), request, body)
    except _REFUSALS as refusal:
        db.session.rollback()
        if (copy := find_answer(**request, body=body)) is None:  # else the first press of this form was quicker
            return _refuse(order_id, refusal.message), 409
        answer = copy
    except CheckoutUnavailableError:
        return _refuse(order_id, _(NO_ANSWER)), 503
    return redirect(f"/office/orders/{order_id}{answer.facts['told']}", 303)


def _keep(order: Order, request: dict[str, str], body: dict[str, object]) -> Answer:
    """Keep how a decision ended; its state is told on the order's page, but for one that nothing was paid for: no money
    goes back of that.
    """
    told: dict[str, object] = {"told": f"?done={order.state}" if order.received_cents else ""}
    answer = answer_once(scope=request["scope"], key=request["key"], body=body, act=lambda: told)
    db.session.commit()
    return answer


def _refuse(order_id: int, sentence: str) -> str:
    db.session.rollback()
    return build_page(order_id, {"reason": sentence})


def _gateway() -> StripeGateway:
    gateway: StripeGateway = current_app.extensions["stripe_gateway"]
    return gateway
