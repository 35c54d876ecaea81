"""The builder's way: show the form, change it, read it, place the order, and on to payment."""

from collections.abc import Mapping

from flask import make_response, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.offers import list_public_offers
from giftshop.catalog.practice import get_practice
from giftshop.checkout.placing import place_order
from giftshop.checkout.sessions import withdraw_order
from giftshop.errors import (
    AmountOutOfBoundsError,
    BuyerLimitError,
    ChangedSinceShownError,
    CheckoutUnavailableError,
    OfferNotFoundError,
    RequestKeyMissingError,
    RequestKeyReusedError,
    SalesPausedError,
    ShopError,
    TooManyOpenCheckoutsError,
)
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import new_request_key
from giftshop.orders.look_up import find_order
from giftshop.storefront import balance
from giftshop.storefront.builder.coming_back import come_back
from giftshop.storefront.builder.form import (
    ADD,
    MOST_GIFTS,
    REMOVE,
    Draft,
    is_change,
    new_draft,
    new_gift,
    read_draft,
)
from giftshop.storefront.builder.letters import tell_unprintable
from giftshop.storefront.builder.page import show_form
from giftshop.storefront.builder.reading import WrongFieldsError, read_purchase
from giftshop.storefront.builder.seen import ask_again, is_sold, list_seen_changes, tell_gone
from giftshop.storefront.order import changes
from giftshop.storefront.order import page as order_page
from giftshop.storefront.order.proof import remember_buyer
from giftshop.storefront.payment import find_gateway, go_to_payment, shop_mode
from giftshop.storefront.visitors import get_visitor
from giftshop.web import error_pages
from giftshop.web.form_state import why_stale
from giftshop.words import N_, _

_REFUSALS: dict[type[ShopError], tuple[str, int]] = {
    SalesPausedError: ("", 422),
    OfferNotFoundError: ("gifts-0-offer", 422),
    AmountOutOfBoundsError: ("gifts-0-offer", 422),
    BuyerLimitError: ("buyer_email", 422),
    RequestKeyMissingError: ("", 400),
    RequestKeyReusedError: ("", 409),
    TooManyOpenCheckoutsError: ("", 429),
    CheckoutUnavailableError: ("", 503),
}
"""What an order's rules may say, at which field it is shown, and with which HTTP status."""
_OF_THE_KEY: dict[type[ShopError], str] = {
    RequestKeyMissingError: N_("This form did not arrive whole. Please look it over and continue once more"),
    RequestKeyReusedError: N_(
        "You sent this form before, with other answers. Please look it over and continue once more"
    ),
}
"""What is said of a key that cannot be used; nobody can see it, so a fresh one takes its place."""
_OPEN_TOO_LONG = N_("This page was open for a long time. Please look it over and continue once more")
_ORDER_OPEN_TOO_LONG = N_("This page was open for a long time. Open it again, and press the button once more.")


def show_builder() -> ResponseReturnValue:
    """Show a fresh form, or, coming back from Stripe, the unpaid order as it was filled in."""
    token = request.args.get("order", "")
    order = find_order(token) if token else None
    if order is not None:
        return come_back(order, token)
    asked, offers = request.args.get("offer", "")[:100].strip().lower(), list_public_offers()
    if not asked or is_sold(asked):
        return show_form(new_draft(offers, offer=asked))
    draft = new_draft(offers)
    return show_form(draft, note=tell_gone(asked, draft.gifts[0]["offer"]))


def receive_gift() -> ResponseReturnValue:
    """Change the form as the pressed button says, or place the order and go on to Stripe's page."""
    draft = read_draft(request.form)
    if _change(draft, request.form):
        return show_form(draft)
    unprintable = tell_unprintable(draft)
    practice = get_practice()
    try:
        purchase = read_purchase(draft, practice, visitor=get_visitor(), unprintable=unprintable)
        if paid := _withdraw(draft.replaces):
            return paid
        order = place_order(purchase, mode=shop_mode(), at=clock.now())
    except WrongFieldsError as refusal:
        return show_form(draft, refusal.errors, 422)
    except ChangedSinceShownError:
        return _ask_again(draft, practice)
    except tuple(_REFUSALS) as refusal:
        return _refused(draft, refusal)
    db.session.commit()
    remember_buyer(order)
    return go_to_payment(order, purchase.visitor)


def keep_stale_form(_error: CSRFError) -> ResponseReturnValue:
    """Show a form again that came without a valid token: too old, or its cookie is gone; nothing typed is lost."""
    db.session.rollback()
    if request.endpoint == "storefront.send_gift":
        return show_form(read_draft(request.form), {"": why_stale(_(_OPEN_TOO_LONG)).removesuffix(".")}, 403)
    if request.endpoint == "storefront.check_balance":
        return balance.keep_stale_form()
    if request.endpoint == "storefront.change_gift":
        return changes.keep_stale_form()
    token = (request.view_args or {}).get("token", "")
    if request.endpoint == "storefront.ask_refund":
        return order_page.keep_stale_form(token)
    return error_pages.answer(403, why_stale(_(_ORDER_OPEN_TOO_LONG)), again=f"/orders/{token}")


def _change(draft: Draft, form: Mapping[str, str]) -> bool:
    """Add or remove a gift, or only look at it anew; False when the form is to be sent."""
    if ADD in form and len(draft.gifts) < MOST_GIFTS:
        draft.gifts.append(new_gift(list_public_offers(), giver_name=draft.gifts[-1]["giver_name"]))
    for number in range(len(draft.gifts) - 1, -1, -1):
        if f"{REMOVE}{number}" in form and len(draft.gifts) > 1:
            del draft.gifts[number]
            break
    return is_change(form)


def _withdraw(token: str) -> ResponseReturnValue | None:
    """Close the order that this form replaces; when it was paid in between, lead to its page instead."""
    order = find_order(token) if token else None
    if order is None or withdraw_order(order.id, find_gateway()):
        return None
    return redirect(f"/orders/{token}", 303)


def _ask_again(draft: Draft, practice: Practice) -> ResponseReturnValue:
    """Show the form again with what is not any more as it was shown; to continue from there is a yes."""
    db.session.rollback()
    return show_form(draft, ask_again(list_seen_changes(draft.gifts, draft.shown, practice)), 422)


def _refused(draft: Draft, refusal: ShopError) -> ResponseReturnValue:
    """Show the form again with what the order's rules said; a key that cannot be used is replaced."""
    db.session.rollback()
    sentence = refusal.message.removesuffix(".")
    if type(refusal) in _OF_THE_KEY:
        draft.request_key, sentence = new_request_key(), _(_OF_THE_KEY[type(refusal)])
    field, status = _REFUSALS[type(refusal)]
    answer = make_response(show_form(draft, {field: sentence}, status))
    if isinstance(refusal, TooManyOpenCheckoutsError):
        answer.headers["Retry-After"] = str(refusal.wait_seconds)
    return answer
