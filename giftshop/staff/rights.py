"""Who may do what: every page of staff with the least role it needs; what is not listed is refused."""

from typing import Any

from flask import Flask, abort, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from giftshop.foundation.database import db, may_write, only_reads
from giftshop.staff import sessions
from giftshop.web.error_pages import wants_json
from giftshop.web.form_state import LONGEST_PATH, keep_typed

RANKS = {"staff": 1, "manager": 2, "owner": 3}

PUBLIC_BLUEPRINTS = frozenset({"storefront", "webhook", "health"})
PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "staff.show_login",
        "staff.check_password",
        "staff.show_second_step",
        "staff.check_second_step",
        "staff.show_enrolment",
        "staff.confirm_enrolment",
        "staff.sign_out",
    }
)

RIGHTS = {
    "staff.show_account": "staff",
    "staff.change_password": "staff",
    "redemption.show_find": "staff",
    "redemption.find": "staff",
    "redemption.read_frame": "staff",
    "redemption.show": "staff",
    "redemption.redeem": "staff",
    "redemption.undo": "staff",
    "office.today": "manager",
    "office.tick_alert": "manager",
    "office.orders": "manager",
    "office.order": "manager",
    "office.write_note": "manager",
    "office.blank_note": "manager",
    "office.show_resend": "manager",
    "office.resend": "manager",
    "office.send_all": "manager",
    "office.show_freeze": "manager",
    "office.freeze": "manager",
    "office.show_unfreeze": "manager",
    "office.unfreeze": "manager",
    "office.show_reissue": "manager",
    "office.reissue": "manager",
    "office.show_refund": "manager",  # up to the practice's limit, which is nothing unless the owner says so
    "office.refund": "manager",
    "office.show_asked_back": "manager",  # likewise
    "office.pay_asked_back": "manager",
    "office.pay_back": "manager",
    "office.accept": "owner",
    "office.show_void": "owner",
    "office.void": "owner",
    "office.evidence": "owner",
}
"""Endpoint → least role; an owner may do what a manager may, a manager what staff may."""

CHOOSING = frozenset({"staff.show_account", "staff.change_password"})
"""All that opens with a password that somebody else made."""


def guard(app: Flask) -> None:
    """Let nobody past the pages of strangers who is not signed in, by both steps, with the role it takes."""

    @app.before_request
    def check_rights() -> ResponseReturnValue | None:
        endpoint = request.endpoint
        if endpoint is None or endpoint in PUBLIC_ENDPOINTS or request.blueprint in PUBLIC_BLUEPRINTS:
            return None
        only_reads()
        answer = _turn_away(endpoint)
        if answer is None and request.method == "POST":
            _let_write()
        return answer


def has_role(role: str) -> bool:
    """Tell whether the person signed in may do what `role` may."""
    return may_as(current_user, role)


def may_as(person: Any, role: str) -> bool:
    """Tell whether a person may do what `role` may; nobody who is not signed in may do anything."""
    ranks = [RANKS[each.name] for each in getattr(person, "roles", []) if each.name in RANKS]
    return max(ranks, default=0) >= RANKS[role]


def first_page(person: Any) -> str:
    """Return where a person's work begins: the owner's with what needs them, everybody else's at the counter."""
    return "/office/" if may_as(person, "owner") else "/redeem"


def is_local_path(path: str) -> bool:
    """Tell whether `path` leads to a page of this shop and nowhere else, however a browser reads it."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isascii()
        and all("\x20" < letter < "\x7f" and letter != "\\" for letter in path)
    )


def _turn_away(endpoint: str) -> ResponseReturnValue | None:
    """Answer whoever may not open this, or not yet; None for the others."""
    if not sessions.is_signed_in():
        return _ask_to_sign_in()
    if current_user.password_was_given and endpoint not in CHOOSING:
        return _ask_for_own_password()
    if endpoint not in RIGHTS or not has_role(RIGHTS[endpoint]):
        abort(403)
    return None


def _let_write() -> None:
    """End the reading transaction, so that the limits that come next can be counted on their own connection.

    What the guard has read of the person stays readable, apart from the session: it is not asked for again.
    """
    db.session.expunge_all()
    may_write()


def _ask_for_own_password() -> ResponseReturnValue:
    """Lead whoever signed in with a given password to the page that asks for one of their own."""
    if wants_json():
        abort(403)
    return redirect("/staff/account", 303)


def _ask_to_sign_in() -> ResponseReturnValue:
    """Lead to the sign-in and back to the page, where what was typed waits.

    A certificate's own page opens only after its code was found in the new sign-in: the way back leads to the scanner.
    """
    if wants_json():
        abort(401)
    page = keep_typed() if request.method == "POST" else request.path
    is_at_the_counter = page.startswith("/redeem") or len(page) > LONGEST_PATH
    session["next"] = "/redeem" if is_at_the_counter else page
    return redirect("/staff/login", 303)
