"""Coming back from Stripe's page without having paid: nothing was charged there, and nothing can be any more."""

import logging

from flask import redirect
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.offers import FREE_AMOUNT
from giftshop.checkout.sessions import SESSION_LIFE, leave_checkout
from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.foundation.database import db, may_write
from giftshop.money import format_plain
from giftshop.orders.look_up import find_order
from giftshop.orders.models import Gift, Order
from giftshop.orders.states import PAYABLE, AttemptState, OrderState
from giftshop.storefront.builder.form import Draft
from giftshop.storefront.builder.page import show_form
from giftshop.storefront.builder.seen import Note, shown_by
from giftshop.storefront.order.limits import may_ask
from giftshop.storefront.payment import find_gateway
from giftshop.words import _

log = logging.getLogger(__name__)


def come_back(order: Order, token: str) -> ResponseReturnValue:
    """Close the page that the buyer has left, and show the form as it was filled in; of a paid order its own page."""
    is_sure = _leave(order)
    found = find_order(token)
    if found is None or found.state not in PAYABLE:
        return redirect(f"/orders/{token}", 303)
    note = tell_return(found) if is_sure else tell_doubt()
    return show_form(draft_of_order(found, token), note=note)


def tell_return(order: Order) -> Note:
    """Say that nothing was charged, and why the buyer is here again."""
    if order.state == OrderState.FAILED:
        told = _("Your bank said no. Everything is still filled in: look it over, and try again when you like.")
    elif _ran_out(order):
        told = _(
            "The payment page was open for %(minutes)s minutes and has closed. Everything is still filled in.",
            minutes=int(SESSION_LIFE.total_seconds()) // 60,
        )
    else:
        told = _("Everything is as you filled it in. Change what you like, and continue when you are ready.")
    return Note(_("Nothing was charged."), told)


def tell_doubt() -> Note:
    """Say that Stripe could not be asked, so that nobody knows yet whether the order was paid."""
    told = _("We can’t reach it just now to ask. Everything is still filled in, and you won’t be charged twice.")
    return Note(_("Did you pay on the payment page?"), told)


def draft_of_order(order: Order, token: str) -> Draft:
    """Return the form as it was when this unpaid order was placed, to be changed and sent again."""
    gifts = [_gift_as_typed(gift, order.currency) for gift in order.gifts]
    kept = [order.buyer_email, *(gift.recipient_email for gift in order.gifts if gift.recipient_email)]
    return Draft(gifts=gifts, buyer_email=order.buyer_email, replaces=token, shown=shown_by(order), kept=kept)


def _leave(order: Order) -> bool:
    """Close the order's page for paying at Stripe; False when Stripe could not be asked."""
    open_ones = [each.session_id for each in order.attempts if each.state == AttemptState.OPEN and each.session_id]
    if not open_ones:
        return True
    order_id = order.id
    may_write()
    if not may_ask(open_ones[-1]):
        return False
    try:
        leave_checkout(order_id, find_gateway())
    except (CheckoutUnavailableError, CheckoutRefusedError) as refusal:
        log.warning("a page for paying could not be closed: %s", type(refusal).__name__)
        db.session.rollback()
        return False
    return True


def _ran_out(order: Order) -> bool:
    """Tell whether the page for paying closed by itself, and was not closed because its buyer came back."""
    is_over = not order.attempts or order.attempts[-1].expires_at <= clock.now()
    return order.state == OrderState.EXPIRED or (bool(order.attempts) and is_over)


def _gift_as_typed(gift: Gift, currency: str) -> dict[str, str]:
    return {
        "offer": gift.offer_slug,
        "amount": format_plain(gift.amount_cents, currency) if gift.offer_slug == FREE_AMOUNT else "",
        "recipient_name": gift.recipient_name,
        "giver_name": gift.giver_name,
        "message": gift.message,
        "design": gift.design,
        "price": "shown" if gift.is_price_shown else "hidden",
        "delivery": gift.delivery,
        "recipient_email": gift.recipient_email,
        "deliver_on": gift.deliver_on.isoformat() if gift.deliver_on else "",
        "quantity": str(gift.quantity),
    }
