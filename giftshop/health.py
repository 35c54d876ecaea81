"""Whether the shop is up and ready, for whoever watches it."""

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from giftshop import jobs
from giftshop.database import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def is_up() -> Response:
    """Answer that the process is up."""
    return Response("ok", mimetype="text/plain")


@blueprint.get("/readyz")
def is_ready() -> tuple[Response, int]:
    """Answer 200 when database, migrations and job engine are well, else 503 with what is wrong."""
    wrong = list_what_is_wrong(Path(current_app.root_path) / "migrations")
    return jsonify({"ready": not wrong, "wrong": wrong}), 503 if wrong else 200


def list_what_is_wrong(migrations: Path) -> list[str]:
    """Name what keeps the shop from working, one sentence each."""
    try:
        db.session.execute(sa.text("SELECT 1"))
        at = MigrationContext.configure(db.session.connection()).get_current_revision()
    except SQLAlchemyError:
        db.session.rollback()
        return ["The database does not answer."]
    config = Config()
    config.set_main_option("script_location", str(migrations))
    newest = ScriptDirectory.from_config(config).get_current_head()
    wrong = [] if at == newest else [f"The database is at migration {at}, the program at {newest}."]
    return wrong + ([] if jobs.is_healthy() else ["The job engine does not run."])
