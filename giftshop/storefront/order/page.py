"""The buyer's private page: whether the order is paid, where its money is, and where each gift is."""

import logging
from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from giftshop.checkout.fulfilment import fulfil_order
from giftshop.delivery.faults import OF_THE_ADDRESS
from giftshop.delivery.states import WAITING, DeliveryState
from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.foundation.database import db, may_write
from giftshop.orders.look_up import find_order
from giftshop.orders.models import Order
from giftshop.orders.states import OPEN, PAYABLE, OrderState
from giftshop.storefront.art import SAMPLE_SEED, draw
from giftshop.storefront.order.affairs import Affairs, head_of, read_affairs, tell_fallen, tell_money, tell_receipt
from giftshop.storefront.order.fates import Fate, list_fates
from giftshop.storefront.order.limits import may_ask
from giftshop.storefront.order.proof import get_order, is_buyer
from giftshop.storefront.order.refund import NotAskedError, build_refund_form, send_wish, tell_asked
from giftshop.storefront.payment import find_gateway, go_to_payment
from giftshop.storefront.trusted import remember_opened
from giftshop.storefront.visitors import get_visitor, greet
from giftshop.words import N_, _, ngettext

_OPEN_TOO_LONG = N_("This page was open for a long time. Please press the button once more")
MOST_TRIES = 10
SECONDS_BETWEEN_TRIES = 5
DONE = {
    "address": N_("It goes to that address. If another mailbox had it before, the code there no longer works."),
    "day": N_("It goes out when you chose."),
    "cancel": N_("It will not be sent. Print it whenever you like, or send it later."),
    "copy": N_("It is on its way to you once more."),
    "link": N_(
        "If that was not too often, a link is on its way to the address you ordered with. Open it in this browser."
    ),
    "asked": N_("We have been told that you would like the money back, and will write to you."),
    "refund": N_("The certificate has ended, and its money is on its way back to the card it came from."),
    "yours": N_("Now you can change where and when your gifts go."),
}
"""What is said first after something was done here."""
log = logging.getLogger(__name__)


def show_order(token: str, *, refusal: str = "") -> ResponseReturnValue:
    """Show an order to whoever has its private address, settled first by what Stripe says about it now.

    `refusal` is why the money was not asked back.
    """
    order, is_sure = get_order(token), True
    if order.state in OPEN:
        is_sure = _settle(order)
        order = get_order(token)  # what was settled is read anew
    if order.state in PAYABLE:
        greet()
    affairs = read_affairs(order)
    fates = list_fates(affairs)
    remember_opened(code for fate in fates for code in fate.codes)
    return render_template(
        "storefront/order.html",
        order=order,
        token=token,
        state=_page_state(order, is_sure=is_sure),
        fates=fates,
        is_buyer=is_buyer(order),
        head=head_of(affairs),
        money=tell_money(affairs),
        told=_told(affairs, refusal),
        refund=build_refund_form(affairs),
        done=_(DONE.get(request.args.get("done", ""), "")),
        thanks=_thanks(fates),
        art=_drawing(affairs),
        **_looking_again(),
    )


def _drawing(affairs: Affairs) -> Markup:
    """Return the drawing of the order's first certificate, or a sample of it while there is none."""
    first = affairs.order.gifts[0]
    issued = affairs.of_gift(first)
    return draw(first.design, issued[0].public_id if issued else SAMPLE_SEED)


def pay_order(token: str) -> ResponseReturnValue:
    """Lead to Stripe's page once more; to the order's own page when there is nothing left to pay."""
    return go_to_payment(get_order(token), get_visitor())


def _told(affairs: Affairs, refusal: str) -> dict[str, Any]:
    """Return what is said besides, where there is something to say."""
    fallen, asked = tell_fallen(affairs), tell_asked(affairs)
    return {"fallen": fallen, "asked": asked, "refusal": refusal, "late_receipt": tell_receipt(affairs)}


def ask_refund(token: str) -> ResponseReturnValue:
    """Ask for the money back; what is refused is said on the page."""
    try:
        return send_wish(token)
    except NotAskedError as refused:
        told, status = str(refused), refused.status
    db.session.rollback()
    return make_response(show_order(token, refusal=told), status)


def keep_stale_form(token: str) -> ResponseReturnValue:
    """Show the page again when the form that asks for money came without a valid token; an unknown order is none."""
    if find_order(token) is None:
        return render_template("errors/error.html", status=404, message=""), 404
    return make_response(show_order(token, refusal=_(_OPEN_TOO_LONG)), 403)


def _thanks(fates: list[Fate]) -> str:
    """Say in the heading where a fulfilled order stands of which nothing went back."""
    came_back = sum(fate.state == DeliveryState.FAILED for fate in fates)
    if len(fates) > 1 and came_back:
        return ngettext("%(num)s email was not delivered.", "%(num)s emails were not delivered.", came_back)
    if len(fates) > 1:
        return _("All %(count)s gifts are taken care of.", count=len(fates))
    fate = fates[0]
    name = fate.gift.recipient_name
    in_hand = {
        "print": _("%(name)s’s certificate is ready to print.", name=name),
        "buyer": _("%(name)s’s certificate is coming to you.", name=name),
    }
    mailed: dict[str, str] = {
        DeliveryState.SENT: _("%(name)s’s massage has been sent.", name=name),
        DeliveryState.FAILED: _("%(name)s’s email came back.", name=name),
    }
    if fate.trouble not in ("", *OF_THE_ADDRESS):
        failed = _("%(name)s’s email couldn’t be sent.", name=name)
        mailed = {DeliveryState.SENT: mailed[DeliveryState.SENT], DeliveryState.FAILED: failed}
        mailed |= dict.fromkeys(WAITING, _("%(name)s’s email is late.", name=name))
    on_its_way = _("%(name)s’s massage is on its way.", name=name)
    later = _("%(name)s’s massage goes out on the day you chose.", name=name)
    waiting = on_its_way if fate.gift.deliver_on is None else later
    return in_hand.get(fate.gift.delivery, mailed.get(fate.state, waiting))


def _settle(order: Order) -> bool:
    """Ask Stripe about the session stored with an open order, never about one named in the address.

    False when Stripe could not be asked, so that the page says it is looking, not that nothing was paid. Whoever
    opens the page again and again gets what Stripe said a moment ago.
    """
    session_id = order.attempts[-1].session_id if order.attempts else None
    if session_id is None:
        return True
    may_write()
    if not may_ask(session_id):
        return True
    try:
        fulfil_order(session_id, find_gateway())
    except (CheckoutUnavailableError, CheckoutRefusedError) as refusal:
        log.warning("order page could not ask Stripe: %s", type(refusal).__name__)
        db.session.rollback()
        return False
    db.session.commit()
    return True


def _page_state(order: Order, *, is_sure: bool) -> str:
    """Return the order's state as the page tells it; "checking" when we don't know whether it was paid."""
    if order.state == OrderState.AWAITING_PAYMENT and not is_sure:
        return "checking"
    return OrderState.PROCESSING if order.state == OrderState.PAID else order.state


def _looking_again() -> dict[str, int]:
    """Return how a page that waits for Stripe's word looks again by itself."""
    return {"tries": _tries(), "most_tries": MOST_TRIES, "pause": SECONDS_BETWEEN_TRIES}


def _tries() -> int:
    """Return how often a page without a script has looked already, as its own refresh address counts."""
    figures = request.args.get("tries", "0")
    return int(figures) if figures in {str(number) for number in range(MOST_TRIES + 1)} else MOST_TRIES
