"""The page on which a buyer changes where and when a gift goes, and the forms on it, each done once."""

from collections.abc import Callable
from math import ceil

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.corrections import gifts as gift_changes
from giftshop.dates import write_hour
from giftshop.delivery.often import TooManyLettersError, time_to_wait
from giftshop.errors import ChangedMeanwhileError, RequestKeyReusedError, ShopError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Gift
from giftshop.storefront import typed
from giftshop.storefront.builder.reading import NO_EMAIL, first_day, read_deliver_on
from giftshop.storefront.order import fates
from giftshop.storefront.order.affairs import read_affairs
from giftshop.storefront.order.proof import get_order, is_buyer
from giftshop.web.form_state import form_key, kept_addresses, typed_in, why_stale
from giftshop.words import N_, _

Change = Callable[[Gift, str], Answer]
FIELDS = {"address": "address", "day": "day", "cancel": "", "copy": ""}
"""What may be changed, and the field at which a refusal is shown."""
_SENT_BEFORE = N_("You sent this form before, with another answer. Look it over and send it once more")
_OPEN_TOO_LONG = N_("This page was open for a long time. Please look it over and send it once more")


def show_gift(token: str, number: int) -> ResponseReturnValue:
    """Show what may still be changed of an order's gift, counted from 1."""
    return _page(token, number)


def change_gift(token: str, number: int, way: str) -> ResponseReturnValue:
    """Change a gift as one of the page's forms says, once, and lead back to the order."""
    if way not in FIELDS:
        abort(404)
    if not is_buyer(get_order(token)):
        return _page(token, number), 403
    try:
        change = _read_change(way)
    except ShopError as refusal:
        return _page(token, number, {FIELDS[way]: typed.told(refusal)}), 422
    gift = _get_gift(token, number)
    why_not, status = _change_once(change, gift)
    if why_not:
        wait = time_to_wait(gift.id, gift.order_id, at=clock.now())
        headers = {"Retry-After": str(ceil(wait.total_seconds()))} if status == 429 else {}
        return _page(token, number, {FIELDS[way]: why_not.removesuffix(".")}, is_answered=True), status, headers
    return redirect(f"/orders/{token}?done={way}", 303)


def keep_stale_form() -> ResponseReturnValue:
    """Show the page again when its form came without a valid token; nothing typed is lost."""
    asked = request.view_args or {}
    try:
        return _page(asked["token"], asked["number"], {"": why_stale(_(_OPEN_TOO_LONG)).removesuffix(".")}), 403
    except NotFound:  # what is raised while an error is answered would be a broken shop
        return render_template("errors/error.html", status=404, message=""), 404


def _change_once(change: Change, gift: Gift) -> tuple[str, int]:
    """Change a gift by the form that was sent and keep that; return why it was refused, if so, and the HTTP status."""
    try:
        answer = change(gift, request.form.get("request_key", ""))
    except RequestKeyReusedError:
        db.session.rollback()
        return _(_SENT_BEFORE), 409
    db.session.commit()
    if answer.refusal == ChangedMeanwhileError.__name__:
        where = fates.tell_where(gift, read_affairs(gift.order))
        return " ".join([answer.message, _("Meanwhile: %(what)s.", what=where)]), answer.status
    is_too_often = answer.refusal == TooManyLettersError.__name__
    return answer.message, 429 if is_too_often else answer.status


def _get_gift(token: str, number: int) -> Gift:
    gifts = get_order(token).gifts
    if not 0 < number <= len(gifts):
        abort(404)
    return gifts[number - 1]


def _read_change(way: str) -> Change:
    """Read the form of one change. Raises TypedError."""
    if way == "address":
        address = typed.read_email(typed_in("address"), wrong=_(NO_EMAIL), kept=kept_addresses())
        return lambda gift, key: gift_changes.send_to(gift, address, key=key)
    if way == "day":
        day = read_deliver_on(request.form.get("day", ""), get_practice())
        return lambda gift, key: gift_changes.send_on(gift, day, key=key)
    rule = gift_changes.keep_back if way == "cancel" else gift_changes.send_copy
    return lambda gift, key: rule(gift, key=key)


def _page(token: str, number: int, errors: dict[str, str] | None = None, *, is_answered: bool = False) -> str:
    gift, practice = _get_gift(token, number), get_practice()
    message, certificates = gift_changes.find_message(gift), certificates_of(gift.order).get(gift.id, [])
    day = gift.deliver_on.isoformat() if gift.deliver_on else ""
    return render_template(
        "storefront/order_gift.html",
        token=token,
        number=number,
        order=gift.order,
        gift=gift,
        message=message,
        ways=gift_changes.list_ways(message, certificates),
        is_buyer=is_buyer(gift.order),
        address=typed_in("address", gift.recipient_email),
        kept=kept_addresses(),
        day=request.form.get("day", day),
        first_day=first_day(practice),
        hour=write_hour(practice.delivery_hour, practice.time_zone),
        request_key=form_key(*gift_changes.version_of(gift, message, certificates), is_answered=is_answered),
        errors=errors or {},
    )
