"""The buyer's private page: whether the order is paid, and what became of each gift."""

import logging
from dataclasses import dataclass

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.certificates.models import Certificate
from giftshop.certificates.register import code_of
from giftshop.database import db, may_write
from giftshop.delivery.deliveries import list_for_order
from giftshop.delivery.models import Delivery
from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.orders.asking import may_ask
from giftshop.orders.fulfilment import fulfil_order
from giftshop.orders.models import Gift, Order
from giftshop.orders.register import certificates_of, find_order
from giftshop.orders.states import OPEN
from giftshop.storefront.art import SAMPLE_SEED, draw
from giftshop.storefront.payment import find_gateway, go_to_payment

MOST_TRIES = 10
SECONDS_BETWEEN_TRIES = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one gift: a state to style by, a sentence, and the codes its buyer may see."""

    gift: Gift
    state: str
    sentence: str
    codes: list[str]


def show_order(token: str) -> ResponseReturnValue:
    """Show an order to whoever has its private address, settled first by what Stripe says about it now."""
    order, is_sure = _get_order(token), True
    if order.state in OPEN:
        is_sure = _settle(order)
        order = _get_order(token)  # what was settled is read anew
    practice = get_practice()
    certificates = certificates_of(order)
    fates = list_fates(order, certificates, list_for_order(order.id), practice)
    first = order.gifts[0]
    issued = certificates.get(first.id)
    return render_template(
        "storefront/order.html",
        order=order,
        token=token,
        state=_page_state(order, is_sure=is_sure),
        fates=fates,
        done=_done(fates),
        art=draw(first.design, issued[0].public_id if issued else SAMPLE_SEED),
        tries=_tries(),
        most_tries=MOST_TRIES,
        pause=SECONDS_BETWEEN_TRIES,
    )


def pay_order(token: str) -> ResponseReturnValue:
    """Lead to Stripe's page once more; to the order's own page when there is nothing left to pay."""
    return go_to_payment(_get_order(token))


def list_fates(
    order: Order, certificates: dict[int, list[Certificate]], deliveries: list[Delivery], practice: Practice
) -> list[Fate]:
    """Say for each gift of a paid order where it is; a code only where it came to the buyer."""
    newest = {delivery.gift_id: delivery for delivery in sorted(deliveries, key=lambda one: one.id)}
    fates = []
    for gift in order.gifts:
        state, sentence = _whereabouts(gift, newest.get(gift.id), order, practice)
        mine = certificates.get(gift.id, []) if gift.delivery != "recipient" else []
        codes = [code_of(certificate) for certificate in mine if certificate.status != "void"]
        fates.append(Fate(gift, state, sentence, codes))
    return fates


def _get_order(token: str) -> Order:
    order = find_order(token)
    if order is None:
        abort(404)
    return order


def _done(fates: list[Fate]) -> str:
    """Say in the heading where a fulfilled order stands."""
    if len(fates) > 1:
        return f"All {len(fates)} gifts are taken care of."
    fate = fates[0]
    name = fate.gift.recipient_name
    endings = {"print": "certificate is ready to print.", "buyer": "certificate is coming to you."}
    waiting = "massage is on its way." if fate.gift.deliver_on is None else "massage goes out on the day you chose."
    sent = "massage has been sent." if fate.state == "sent" else waiting
    return f"{name}’s {endings.get(fate.gift.delivery, sent)}"


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
    if order.state == "awaiting_payment" and not is_sure:
        return "checking"
    return "processing" if order.state == "paid" else order.state


def _whereabouts(gift: Gift, delivery: Delivery | None, order: Order, practice: Practice) -> tuple[str, str]:
    """Return a gift's state and the sentence that tells it."""
    if order.state != "fulfilled" or delivery is None:
        return "open", _intention(gift, practice)
    is_mailed = gift.delivery == "recipient"
    return delivery.state, _tell_mailed(delivery, practice.time_zone) if is_mailed else _tell_in_hand(delivery)


def _tell_mailed(delivery: Delivery, zone: str) -> str:
    address = delivery.to_address
    if delivery.state == "scheduled" and delivery.send_at > clock.now():
        return f"Goes to {address} on {dates.write_appointment(delivery.send_at, zone)}"
    sentences = {
        "sent": f"Emailed to {address} on {dates.write_moment(delivery.sent_at or delivery.send_at, zone)}",
        "failed": f"We couldn’t deliver it to {address}. Please call us, nothing is lost",
        "cancelled": "The email was cancelled",
    }
    return sentences.get(delivery.state, f"On its way to {address}")


def _tell_in_hand(delivery: Delivery) -> str:
    address = delivery.to_address
    sentences = {
        "sent": f"Ready to print. A copy was emailed to {address}",
        "failed": f"Ready to print. The copy for {address} couldn’t be delivered",
        "cancelled": "Ready to print",
    }
    return sentences.get(delivery.state, f"Ready to print. A copy is on its way to {address}")


def _intention(gift: Gift, practice: Practice) -> str:
    """Say what will happen to a gift once it is paid."""
    if gift.delivery == "print":
        return "To print at home"
    if gift.delivery == "buyer":
        return "Comes to you by email"
    if gift.deliver_on is None:
        return f"Goes to {gift.recipient_email} right after payment"
    moment = clock.local_moment(gift.deliver_on, hour=practice.delivery_hour, time_zone=practice.time_zone)
    return f"Goes to {gift.recipient_email} on {dates.write_appointment(moment, practice.time_zone)}"


def _tries() -> int:
    """Return how often a page without a script has looked already, as its own refresh address counts."""
    figures = request.args.get("tries", "0")
    return int(figures) if figures in {str(number) for number in range(MOST_TRIES + 1)} else MOST_TRIES
