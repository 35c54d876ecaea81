"""Asking for the money back on the order's page: what may be asked, what was asked and when, and the form that asks."""

from dataclasses import dataclass

from flask import redirect, request
from flask.typing import ResponseReturnValue

from giftshop import clock, dates
from giftshop.catalog.practice import get_practice
from giftshop.errors import RequestKeyMissingError, RequestKeyReusedError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, key_for
from giftshop.money import format_amount
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Order
from giftshop.refunds.requests import list_wishes, pursue
from giftshop.refunds.wishes import AT_ONCE, Unused, ask_back, find_unused
from giftshop.storefront.order.affairs import Affairs
from giftshop.storefront.order.proof import get_order, is_buyer
from giftshop.storefront.payment import find_gateway
from giftshop.words import N_, _

FIELD = "asked"
_NOT_YOURS = N_("First show that the order is yours: we email a link to the address it was ordered with")
_NOTHING_CHOSEN = N_("Choose what you would like the money back for")


@dataclass(frozen=True, slots=True)
class Line:
    """One gift that may be asked back: its number on the page, for whom it is, and how much goes back."""

    number: int
    name: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundForm:
    """What the page offers: until which day, which gifts, whether it goes back at once, and what the form carries."""

    until: str
    lines: list[Line]
    is_at_once: bool
    is_buyer: bool
    request_key: str


class NotAskedError(Exception):
    """The form was not taken; its text says why, and `status` is the page’s."""

    def __init__(self, told: str, status: int) -> None:
        super().__init__(told)
        self.status = status


def build_refund_form(affairs: Affairs) -> RefundForm | None:
    """Return what the buyer may ask back now; None when there is nothing."""
    order, practice = affairs.order, affairs.practice
    unused = find_unused(order, practice, at=clock.now())
    if unused is None:
        return None
    worth = _worth_by_gift(order, unused)
    return RefundForm(
        until=dates.write_day(unused.until),
        lines=[
            Line(gift.position + 1, gift.recipient_name, format_amount(worth[gift.id], order.currency))
            for gift in order.gifts
            if gift.id in worth
        ],
        is_at_once=practice.buyer_refund == AT_ONCE,
        is_buyer=is_buyer(order),
        request_key=key_for(*unused.version),
    )


def tell_asked(affairs: Affairs) -> list[str]:
    """Say what was asked back and when, as long as nothing came of it yet."""
    answered = {refund.certificate_id for refund in affairs.refunds}
    worth = {each.id: each.face_value_cents for mine in affairs.certificates.values() for each in mine}
    asked: dict[str, int] = {}
    for wish in list_wishes(affairs.order):
        if wish.certificate_id not in answered:
            day = dates.write_local_day(wish.wished_at, affairs.practice.time_zone)
            asked[day] = asked.get(day, 0) + worth.get(wish.certificate_id, 0)
    told = N_("You asked for %(amount)s back on %(day)s. We’ll see to it and write to you; in a hurry, call %(phone)s.")
    return [
        _(told, amount=format_amount(cents, affairs.order.currency), day=day, phone=affairs.practice.phone)
        for day, cents in asked.items()
    ]


def send_wish(token: str) -> ResponseReturnValue:
    """Ask for the money back, once; or pay it back at once where the practice allows that. Raises NotAskedError."""
    order = get_order(token)
    if not is_buyer(order):
        raise NotAskedError(_(_NOT_YOURS), 403)
    answer = _ask(order)
    db.session.commit()
    if answer.refusal:
        raise NotAskedError(answer.message, answer.status)
    refunds = answer.facts["refunds"]
    assert isinstance(refunds, list)
    for refund_id in refunds:
        pursue(str(refund_id), find_gateway())
    return redirect(f"/orders/{token}?done={'refund' if refunds else 'asked'}", 303)


def _ask(order: Order) -> Answer:
    """Ask for the gifts that were ticked. Raises NotAskedError."""
    form = request.form
    chosen = {gift.id for gift in order.gifts if str(gift.position + 1) in form.getlist(FIELD)}
    if not chosen:
        raise NotAskedError(_(_NOTHING_CHOSEN), 422)
    try:
        return ask_back(order.id, chosen, get_practice(), key=form.get("request_key", ""))
    except RequestKeyMissingError as refusal:
        raise NotAskedError(refusal.message, 400) from None
    except RequestKeyReusedError as refusal:
        raise NotAskedError(refusal.message, 409) from None


def _worth_by_gift(order: Order, unused: Unused) -> dict[int, int]:
    """Return how much goes back for each gift, by its id."""
    ids = {each.id for each in unused.certificates}
    sums = {
        gift_id: sum(each.face_value_cents for each in mine if each.id in ids)
        for gift_id, mine in certificates_of(order).items()
    }
    return {gift_id: cents for gift_id, cents in sums.items() if cents}
