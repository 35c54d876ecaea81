"""Whether the shop is up and ready, for whoever watches it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask_login import AnonymousUserMixin
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.certificates.key_marks import compare_keys
from giftshop.errors import WrongDatabaseError, WrongKeysError
from giftshop.foundation import jobs
from giftshop.foundation.database import db, find_latest_stamp, find_migrations
from giftshop.web import limiter_storage
from giftshop.web.proxies import count_forwarded, find_proxy_notice

blueprint = Blueprint("health", __name__)
OF_MACHINES = ("/healthz", "/readyz")
TELLERS: dict[str, Callable[[], tuple[dict[str, Any], str]]] = {}
"""What rooms above tell here by their name: figures, and a notice or "". The app sets them; none may break."""


def ask_nobody(app: Flask) -> None:
    """Let these addresses, and files, answer without asking the database who is there, whatever cookie comes along.

    Must be called before sign-in is set up: each request would first load the person behind the cookie.
    """

    @app.before_request
    def be_nobody() -> None:
        if request.endpoint == "static" or request.blueprint == blueprint.name:
            g._login_user = AnonymousUserMixin()


def answer_at_any_host(app: Flask, host: str) -> None:
    """Let these addresses answer under any name: a load balancer asks by address, or says no name at all.

    For all others the shop's name counts, in whatever case: a QR code has it in capitals, and not every client folds.
    """
    inner = app.wsgi_app

    def named(environ: dict[str, Any], start_response: Any) -> Any:
        is_for_machines = environ.get("PATH_INFO") in OF_MACHINES
        if is_for_machines or "HTTP_HOST" in environ:
            environ["HTTP_HOST"] = host if is_for_machines else environ["HTTP_HOST"].lower()
        return inner(environ, start_response)

    app.wsgi_app = named  # type: ignore[method-assign]


@blueprint.get("/healthz")
def is_up() -> Response:
    """Answer that the process is up."""
    return Response("ok", mimetype="text/plain")


@blueprint.get("/readyz")
def is_ready() -> tuple[Response, int]:
    """Answer 200 when database, migrations and job engine are well, else 503 with what is wrong; and say which time
    zone rules this process goes by.
    """
    wrong = list_what_is_wrong(Path(current_app.root_path) / "migrations")
    notices = [notice for notice in (find_proxy_notice(), find_clock_notice()) if notice]
    told: dict[str, Any] = {"ready": not wrong, "wrong": wrong, "notices": notices}
    for name, (figures, notice) in _ask_tellers():
        told[name], told["notices"] = figures, told["notices"] + ([notice] if notice else [])
    told["time_zone_rules"] = clock.describe_rules()
    told["proxies"] = {"seen": count_forwarded(), "told": current_app.config["SHOP_SETTINGS"].proxy_hops}
    return jsonify(told), 503 if wrong else 200


def list_what_is_wrong(migrations: Path) -> list[str]:
    """Name what keeps the shop from working, one sentence each."""
    try:
        found = find_migrations(migrations)
    except SQLAlchemyError:
        db.session.rollback()
        return ["The database does not answer."]
    except RuntimeError as unsafe_server:  # as database.py says it when it first connects
        return [str(unsafe_server)]
    told = f"The database is at migration {found.at}, the program at {found.newest}."
    wrong = [] if found.is_newest else [told]
    return wrong + (_wrong_with_keys() + _wrong_with_writing() if found.is_newest else []) + _wrong_with_jobs()


def find_clock_notice() -> str:
    """Say that something is dated in the future; "" while all is well. The shop goes on: it is no reason to stop."""
    try:
        latest = find_latest_stamp()
    except SQLAlchemyError:  # not migrated: that is said already
        db.session.rollback()
        return ""
    if latest is None or latest <= clock.now() + clock.SKEW:
        return ""
    return (
        f"Something in the database is dated {latest:%Y-%m-%d %H:%M} UTC, which is still to come:"
        " this machine's clock was ahead then, or is behind now."
    )


def _ask_tellers() -> Iterator[tuple[str, tuple[dict[str, Any], str]]]:
    for name, tell in TELLERS.items():
        try:
            yield name, tell()
        except SQLAlchemyError:  # not migrated, or away: that is said already
            db.session.rollback()


def _wrong_with_jobs() -> list[str]:
    try:
        return [] if jobs.is_healthy() else ["The job engine does not run."]
    except SQLAlchemyError:  # its tables are not there yet
        db.session.rollback()
        return ["The job engine's tables cannot be read."]


def _wrong_with_keys() -> list[str]:
    """Compare the secrets once more: where the database did not answer at the start nobody has."""
    try:
        compare_keys(get_installation().instance_id)
    except (WrongKeysError, WrongDatabaseError) as refusal:
        return [refusal.message]
    return []


def _wrong_with_writing() -> list[str]:
    """Write something small: reading goes on where the disk is full, and nothing is sold or redeemed."""
    db.session.rollback()  # what was read until here would keep the writer waiting (SQLite)
    try:
        limiter_storage.prove_writing()
    except DBAPIError as error:
        return [f"The database cannot be written: {str(error.orig).strip().partition(chr(10))[0]}."]
    return []
