"""The receipt of a paid order, made to be printed."""

from flask import abort, render_template

from giftshop.storefront.order.affairs import read_affairs, tell_money
from giftshop.storefront.order.proof import get_order


def show_receipt(token: str) -> str:
    """Show what was bought, paid and paid back; 404 before anything was paid."""
    order = get_order(token)
    if order.paid_at is None:
        abort(404)
    return render_template(
        "storefront/order_receipt.html", order=order, token=token, money=tell_money(read_affairs(order))
    )
