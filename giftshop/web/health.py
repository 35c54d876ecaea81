"""Whether the shop is up and ready, for whoever watches it."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask_login import AnonymousUserMixin
from sqlalchemy.exc import SQLAlchemyError

from giftshop import clock
from giftshop.foundation import jobs
from giftshop.foundation.database import db

blueprint = Blueprint("health", __name__)


def ask_nobody(app: Flask) -> None:
    """Let these addresses, and files, answer without asking the database who is there, whatever cookie comes along.

    Must be called before sign-in is set up: each request would first load the person behind the cookie.
    """

    @app.before_request
    def be_nobody() -> None:
        if request.endpoint == "static" or request.blueprint == blueprint.name:
            g._login_user = AnonymousUserMixin()


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
    answer = {"ready": not wrong, "wrong": wrong, "time_zone_rules": clock.describe_rules()}
    return jsonify(answer), 503 if wrong else 200


def list_what_is_wrong(migrations: Path) -> list[str]:
    """Name what keeps the shop from working, one sentence each."""
    try:
        at = MigrationContext.configure(db.session.connection()).get_current_revision()
    except SQLAlchemyError:
        db.session.rollback()
        return ["The database does not answer."]
    except RuntimeError as unsafe_server:  # as database.py says it when it first connects
        return [str(unsafe_server)]
    config = Config()
    config.set_main_option("script_location", str(migrations))
    newest = ScriptDirectory.from_config(config).get_current_head()
    wrong = [] if at == newest else [f"The database is at migration {at}, the program at {newest}."]
    return wrong + _wrong_with_jobs()


def _wrong_with_jobs() -> list[str]:
    try:
        return [] if jobs.is_healthy() else ["The job engine does not run."]
    except SQLAlchemyError:  # its tables are not there yet
        db.session.rollback()
        return ["The job engine's tables cannot be read."]
