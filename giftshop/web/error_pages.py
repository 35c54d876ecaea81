"""What people see when something is refused or broken: a page in the shop's look with a way forward."""

import logging
import re
from math import ceil
from urllib.parse import quote

from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, SecurityError

from giftshop import errors
from giftshop.documents.worker import PressBusyError, PrintingError, UnprintableError
from giftshop.foundation.database import db
from giftshop.web.form_state import is_without_cookie, keep_typed, why_stale
from giftshop.words import N_, _, ngettext

log = logging.getLogger(__name__)

STATUS: dict[type[errors.ShopError], int] = {
    errors.CertificateNotFoundError: 404,
    errors.OrderNotFoundError: 404,
    errors.NotFoundByCodeError: 403,
    errors.RequestKeyMissingError: 400,
    errors.RequestKeyReusedError: 409,
    errors.ChangedMeanwhileError: 409,
    errors.TooManyOpenCheckoutsError: 429,
    errors.CheckoutUnavailableError: 503,
    errors.CheckoutRefusedError: 503,
    errors.CountersLostError: 503,
    errors.DatabaseBusyError: 503,
    PrintingError: 503,
    PressBusyError: 503,
    UnprintableError: 503,
}
"""The HTTP status of a refusal that no view turned into a form; every other one is 422."""
TRY_AGAIN_SECONDS = "1"
_ADDED = re.compile(r"[^0-9A-Za-z_-]+$", re.ASCII)
STALE = N_("The page this was sent from is out of date. Nothing was done. Open it again and send it once more.")


def answer_errors(app: Flask) -> None:
    """Register the handlers that turn exceptions into pages, or into JSON for who asked for it."""
    app.register_error_handler(errors.ShopError, _shop_error)
    for is_away in (OperationalError, InterfaceError, PoolTimeoutError):
        app.register_error_handler(is_away, _database_error)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def answer_elsewhere(app: Flask, base_url: str) -> None:
    """Say where the shop is to whoever came by another name of its server; nothing is done under that name."""

    @app.errorhandler(SecurityError)
    def say_where(_untrusted: SecurityError) -> Response:
        db.session.rollback()
        path = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "/"
        message = _("You came by another name of this server. The shop is at %(address)s.", address=base_url)
        return answer(400, message, elsewhere=base_url + path)


def _shop_error(error: errors.ShopError) -> Response:
    """Answer a refusal; one that says how long it lasts is one for now."""
    db.session.rollback()
    wait_seconds = getattr(error, "wait_seconds", None)
    status = STATUS.get(type(error), 422 if wait_seconds is None else 429)
    answered = answer(status, error.message)
    if wait_seconds is not None:
        answered.headers["Retry-After"] = str(wait_seconds)
    return answered


def _database_error(error: Exception) -> Response:
    """A lock not had in time, or a server that is gone: nothing was saved, so the person may simply try again."""
    db.session.rollback()
    log.warning("the database did not answer: %s", type(error).__name__, exc_info=True)
    _forget_who_asked()
    return answer(503, errors.DatabaseBusyError().message)


def _forget_who_asked() -> None:
    """Keep Flask-Login from asking the database who this is, as it does for every page: it would fail once more."""
    g._login_user = AnonymousUserMixin()


def _stale_form(_error: CSRFError) -> Response:
    """A form without this sign-in's token: nothing is done, and what was typed waits on its page for a second try."""
    db.session.rollback()
    return answer(403, why_stale(_(STALE)), again=keep_typed(), is_kept=not is_without_cookie())


def _http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response.force_type(error.get_response(), request.environ)  # type: ignore[return-value]
    if error.code == 404 and (meant := _find_meant_address()):
        return make_response(redirect(meant))
    wait = error.get_response().headers.get("Retry-After", "")
    answered = answer(error.code, _tell_wait(int(wait)) if error.code == 429 and wait.isdigit() else "")
    for name in ("Retry-After", "Allow"):
        if value := error.get_response().headers.get(name):
            answered.headers[name] = value
    return answered


def _find_meant_address() -> str:
    """Return the page that was meant where a sentence's full stop or bracket became a part of its address, or "".

    A path of our own, whatever was asked for: two slashes at its start would lead to another host.
    """
    path = "/" + _ADDED.sub("", request.path).lstrip("/")
    addresses = current_app.url_map.bind_to_environ(request.environ)
    is_page = request.url_rule is None and path != request.path and addresses.test(path, method="GET")
    return quote(path) if is_page and request.method in ("GET", "HEAD") else ""


def _tell_wait(seconds: int) -> str:
    return ngettext(
        "That was tried many times in a short while. Wait %(num)s minute, then try again, or call us.",
        "That was tried many times in a short while. Wait %(num)s minutes, then try again, or call us.",
        ceil(seconds / 60),
    )


def _unforeseen(error: Exception) -> Response:
    db.session.rollback()
    log.exception("unforeseen %s", type(error).__name__)
    return answer(500, "")


def answer(status: int, message: str, *, again: str = "", elsewhere: str = "", is_kept: bool = False) -> Response:
    """Return the error page for `status`, with `message` where we have a sentence of our own.

    `again` is the path of the page where the person can try once more (what they typed is there if `is_kept`),
    `elsewhere` the address where it is.
    """
    if wants_json():
        response = make_response(jsonify({"error": message or status}), status)
    elif request.path.startswith("/webhooks/"):
        response = make_response(Response(message or "error", status, mimetype="text/plain"))
    else:
        told = {"message": message, "again": again, "elsewhere": elsewhere, "is_kept": is_kept}
        page = render_template("errors/error.html", status=status, **told)
        response = make_response(page, status)
    if status == 503:
        response.headers["Retry-After"] = TRY_AGAIN_SECONDS
    return response


def wants_json() -> bool:
    """Tell whether this request would rather have JSON than a page."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
