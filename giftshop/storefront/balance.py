"""The balance check for who has the code on paper: typed, limited, answered in place."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates.codes import find_codes
from giftshop.ledger.models import ReplacedCode
from giftshop.orders.standings import CLOSED, USABLE, read_situation
from giftshop.storefront.art import draw, draw_sample
from giftshop.storefront.holder.standings import tell_heading, tell_standing
from giftshop.storefront.lookups import find_for_stranger
from giftshop.storefront.recipient import answer_replaced
from giftshop.storefront.trusted import remember_opened
from giftshop.storefront.typed import readable
from giftshop.web.form_state import why_stale
from giftshop.words import N_, _

BAD_CODE = N_("We can’t find that code. Compare it with the certificate, letter by letter, or call us")
"""The one answer to every code that there never was, whatever is bad about it."""


def show_balance() -> ResponseReturnValue:
    """Show the form."""
    return _form("", {})


def check_balance() -> ResponseReturnValue:
    """Show what is left on the certificate whose code was typed."""
    code = readable(request.form.get("code", ""))
    certificate = find_for_stranger(code)
    if certificate is None:
        return _form(code, {"code": _(BAD_CODE)}, 422)
    if isinstance(certificate, ReplacedCode):
        return answer_replaced(certificate)
    practice = get_practice()
    plain = find_codes(code)[0]
    remember_opened([plain])
    situation = read_situation(certificate, on=clock.today(practice.time_zone))
    return render_template(
        "storefront/balance.html",
        certificate=certificate,
        heading=tell_heading(situation, is_named=False),
        sentences=tell_standing(situation, practice),
        standing=situation.standing,
        is_open=situation.standing in USABLE,
        is_closed=situation.standing in CLOSED,
        plain=plain,
        art=draw(certificate.design, certificate.public_id),
        typed="",
        errors={},
    )


def keep_stale_form() -> ResponseReturnValue:
    """Show the form again with what was typed, when it was sent without a valid token."""
    sentence = _("This page was open for a long time. Please press the button once more")
    return _form(readable(request.form.get("code", "")), {"": why_stale(sentence).removesuffix(".")}, 403)


def _form(typed: str, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    return render_template(
        "storefront/balance.html", certificate=None, art=draw_sample("held"), typed=typed, errors=errors
    ), status
