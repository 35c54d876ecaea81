"""The balance check for who has the code on paper: typed, limited, answered in place."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from giftshop.catalog.practice import get_practice
from giftshop.certificates.look_up import code_of
from giftshop.storefront.art import draw, draw_sample
from giftshop.storefront.lookups import find_for_stranger
from giftshop.storefront.recipient import state_of
from giftshop.storefront.trusted import remember_opened
from giftshop.storefront.typed import readable
from giftshop.words import N_, _

BAD_CODE = N_("We can’t find that code. Compare it with the certificate, letter by letter, or call us")
"""The one answer to every bad code, whatever is bad about it."""


def show_balance() -> ResponseReturnValue:
    """Show the form."""
    return _form("", {})


def check_balance() -> ResponseReturnValue:
    """Show what is left on the certificate whose code was typed."""
    code = readable(request.form.get("code", ""))
    certificate = find_for_stranger(code)
    if certificate is None:
        return _form(code, {"code": _(BAD_CODE)}, 422)
    practice = get_practice()
    remember_opened([code_of(certificate)])
    return render_template(
        "storefront/balance.html",
        certificate=certificate,
        state=state_of(certificate, practice),
        plain=code_of(certificate),
        art=draw(certificate.design, certificate.public_id),
        typed="",
        errors={},
    )


def keep_stale_form() -> ResponseReturnValue:
    """Show the form again with what was typed, when it was sent without a valid token."""
    sentence = _("This page was open for a long time. Please press the button once more")
    return _form(readable(request.form.get("code", "")), {"code": sentence}, 403)


def _form(typed: str, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    return render_template(
        "storefront/balance.html", certificate=None, art=draw_sample("held"), typed=typed, errors=errors
    ), status
