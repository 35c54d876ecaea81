"""Proof that an order is yours: the browser that placed it has it, any other one gets it through the buyer's mail.

Whoever has an order's address may read its page. To change where a gift goes is more: it could bring its code to
somebody the address was passed on to. So only a browser with proof may.
"""

import re

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeTimedSerializer

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.notifications.letters import queue_way_in
from giftshop.orders.look_up import find_order, token_of
from giftshop.orders.models import Order
from giftshop.storefront.payment import find_settings

LINK_SECONDS = 3600
MOST_ORDERS = 20
_KEPT = "orders"
_PROOF = re.compile(r"[^0-9A-Za-z_-]+$")
"""What a mail program takes for a part of the address that it ends."""


def get_order(token: str) -> Order:
    """Return the order with this private address, or answer 404.

    A link with signs too many or too few leads to it; a form knows its own address, by which its limits count.
    """
    order = find_order(token)
    own = token_of(order) if order is not None else ""
    if order is None or (token != own and request.method == "POST"):
        abort(404)
    if token != own:
        address = url_for(str(request.endpoint), **{**(request.view_args or {}), "token": own})
        abort(redirect(f"{address}?{request.query_string.decode('latin-1')}".removesuffix("?")))
    return order


def remember_buyer(order: Order) -> None:
    """Let this browser change the order: its person placed it, or reads its buyer's mail."""
    others = [each for each in session.get(_KEPT, []) if each != order.public_id]
    session[_KEPT] = [*others, order.public_id][-MOST_ORDERS:]


def is_buyer(order: Order) -> bool:
    """Tell whether this browser has shown that the order is its person's."""
    return order.public_id in session.get(_KEPT, [])


def send_way_in(token: str) -> ResponseReturnValue:
    """Mail the buyer a link that proves whose the order is; the answer is the same when that is too often."""
    order = get_order(token)
    path = f"/orders/{token}/yours/{_serializer(order).dumps(order.public_id)}"
    queue_way_in(order, path, key=request.form.get("request_key", ""), at=clock.now())
    db.session.commit()
    return redirect(f"/orders/{token}?done=link", 303)


def take_way_in(token: str, proof: str) -> ResponseReturnValue:
    """Take the proof from a link in the buyer's mail, and lead on to the order."""
    order = get_order(token)
    try:
        _serializer(order).loads(_PROOF.sub("", proof), max_age=LINK_SECONDS)
    except BadData:
        return render_template("storefront/order_link_old.html", token=token), 410
    remember_buyer(order)
    return redirect(f"/orders/{token}?done=yours", 303)


def _serializer(order: Order) -> URLSafeTimedSerializer:
    """Return what signs and checks proof for one order and the address its buyer has now."""
    return URLSafeTimedSerializer(find_settings().signing_keys, salt=f"order:{order.public_id}:{order.buyer_email}")
