"""The addresses of the storefront, for the app: which function answers which.

The functions themselves stand in one module per page; nothing else in this package knows an address by heart.
"""

from collections.abc import Callable

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from giftshop.storefront import art, articles, balance, home, recipient
from giftshop.storefront.builder import steps
from giftshop.storefront.lettering import is_long_name
from giftshop.storefront.order import changes, page, proof, receipt
from giftshop.web.assets import asset

blueprint = Blueprint("storefront", __name__)

_Pages = dict[str, tuple[str, Callable[..., ResponseReturnValue]]]

_GET: _Pages = {
    "/": ("home", home.show_home),
    "/terms": ("terms", home.show_terms),
    "/articles": ("articles", articles.list_articles),
    "/articles/<slug>": ("article", articles.show_article),
    "/art/<design>.svg": ("art", art.send_drawing),
    "/art/thumbnails.svg": ("thumbnails", art.send_thumbnails),
    "/gift": ("gift", steps.show_builder),
    "/orders/<token>": ("order", page.show_order),
    "/orders/<token>/receipt": ("receipt", receipt.show_receipt),
    "/orders/<token>/gifts/<int:number>": ("order_gift", changes.show_gift),
    "/orders/<token>/yours/<proof>": ("take_way_in", proof.take_way_in),
    "/balance": ("balance", balance.show_balance),
    # A QR code is all upper case, and matching is not blind to it: each of these is there in capitals too.
    "/c/<code>": ("certificate", recipient.show_certificate),
    "/C/<code>": ("scanned", recipient.show_certificate),
    "/c/<code>/certificate.pdf": ("certificate_pdf", recipient.send_pdf),
    "/c/<code>/<name>": ("pdf_in_other_letters", recipient.send_pdf),
    "/C/<code>/<name>": ("scanned_pdf", recipient.send_pdf),
}
_POST: _Pages = {
    "/c/<code>/opened": ("opened", recipient.record_opening),
    "/gift": ("send_gift", steps.receive_gift),
    "/orders/<token>/pay": ("pay_order", page.pay_order),
    "/orders/<token>/refund": ("ask_refund", page.ask_refund),
    "/orders/<token>/gifts/<int:number>/<way>": ("change_gift", changes.change_gift),
    "/orders/<token>/link": ("send_way_in", proof.send_way_in),
    "/balance": ("check_balance", balance.check_balance),
}

for _method, _rules in (("GET", _GET), ("POST", _POST)):
    for _address, (_endpoint, _answer) in _rules.items():
        blueprint.add_url_rule(_address, _endpoint, _answer, methods=[_method])

blueprint.add_app_template_global(asset)
blueprint.add_app_template_test(is_long_name, "long_name")
blueprint.register_error_handler(CSRFError, steps.keep_stale_form)
