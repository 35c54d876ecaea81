"""What is known of a form that was sent: what people at work typed, to be shown again, and why one is not let in."""

import json
from collections.abc import Mapping

from flask import current_app, g, request, session

from giftshop.ledger.idempotency import Fact, key_for, renew
from giftshop.words import N_, _

TAKE, KEPT_ADDRESSES, ASKED = "take", "kept", "asked_address"
"""The button that takes another address for what was typed, the addresses about which nobody is asked again, and those
that the form's page has just asked about.
"""
LONGEST_PATH, MOST_BYTES = 200, 2200
"""What is kept in the cookie, which browsers drop when it grows past 4 KB."""
NO_COOKIE = N_(
    "Your browser sent no cookie with this, so nothing was done. If it refuses cookies, allow them for this site in its"
    " settings and send it once more; a private window or another browser often helps too."
)
KEPT = "unsent"
"""The part of the session that holds a form that was not let in: the path of its page, and its fields."""


def is_without_cookie() -> bool:
    """Tell whether this form came without our cookie: one that is refused will be missing next time too."""
    return current_app.config["SESSION_COOKIE_NAME"] not in request.cookies


def why_stale(otherwise: str) -> str:
    """Say why a form has no valid token: its browser sent no cookie, or else as the page says (`otherwise`)."""
    return _(NO_COOKIE) if is_without_cookie() else otherwise


def typed_in(field: str, otherwise: str = "") -> str:
    """Return what was typed, to be looked for and to be shown again: in this form, or in one kept for this page.

    `otherwise` is what a form that nobody has filled in shows.
    NUL is no letter to HTML, and PostgreSQL refuses a query with one: it comes back as the sign for "unreadable".
    """
    fields: Mapping[str, str] = request.form if request.method == "POST" else _kept_for_this_page()
    return taken(field, fields.get(field, otherwise)).replace("\0", "\ufffd")


def taken(field: str, text: str) -> str:
    """Return what a field holds: the address that a press took for it, else the text that was typed."""
    name, _space, address = request.form.get(TAKE, "").partition(" ")
    return address if name == field and address else text


def kept_addresses(*, is_sent: bool = True) -> list[str]:
    """Return the addresses that were asked about and are meant: whoever sends the form again as it was means them.

    Whoever presses another button of it, which `is_sent` False says, or takes another address, has not answered yet.
    """
    is_answer = is_sent and TAKE not in request.form
    return " ".join([request.form.get(KEPT_ADDRESSES, ""), request.form.get(ASKED, "") if is_answer else ""]).split()


def form_key(*shown: Fact, is_answered: bool = False) -> str:
    """Return the request key for a form on a page that shows these facts: a fresh one, or, for a kept form, the one
    it had (ledger/idempotency.py).

    A kept form may have been sent before, with the answer lost: under its own key it is still done once only. One that
    is shown again because of what was typed still says what was seen before; once it `is_answered`, what is seen now.
    """
    sent = typed_in("request_key")
    if request.method == "GET":
        return sent or key_for(*shown)
    return key_for(*shown) if is_answered else renew(sent)


def keep_typed() -> str:
    """Keep what this form holds until its page is opened again; return the path of that page.

    It waits in the signed session, not in an address; what is too long for a cookie and what is secret does not.
    """
    page, kept = _page_of(request.path), dict[str, str]()
    for name, value in request.form.items():
        longer = {**kept, name: value}
        if _may_be_kept(name) and len(json.dumps(longer)) <= MOST_BYTES:
            kept = longer
    if kept:
        keep_for(page, **kept)
    return page


def keep_for(page: str, **fields: str) -> None:
    """Keep fields as if they had been typed into the form of `page`, until it is opened."""
    session[KEPT] = {"page": page, "fields": fields}


def is_kept_below(path: str) -> bool:
    """Tell whether a form is kept for a page below `path`."""
    return KEPT in session and session[KEPT]["page"].startswith(f"{path}/")


def _may_be_kept(name: str) -> bool:
    """Tell fields that may be shown again from passwords, codes of a second step and form tokens."""
    return name == "email" if request.path.startswith("/staff/") else name != "csrf_token"


def _page_of(path: str) -> str:
    """Return where a form is found: the nearest address at or above its own that can be opened."""
    addresses = current_app.url_map.bind_to_environ(request.environ)
    while path.count("/") > 1 and not addresses.test(path, method="GET"):
        path = path.rpartition("/")[0]
    return path if len(path) <= LONGEST_PATH else "/redeem"


def _kept_for_this_page() -> dict[str, str]:
    """Return the fields that were kept for this page; they are shown once."""
    if "kept_fields" not in g:
        is_here = KEPT in session and session[KEPT]["page"] == request.path
        g.kept_fields = session.pop(KEPT)["fields"] if is_here else {}
    fields: dict[str, str] = g.kept_fields
    return fields
