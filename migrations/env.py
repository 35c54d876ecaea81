"""Run the migrations on the shop's own engine, then make the database ready: its stamp, the job engine's tables."""

from typing import Any

from alembic import context
from flask import Flask, current_app

from giftshop import jobs
from giftshop.catalog.practice import stamp_installation
from giftshop.database import db

metadata = db.metadata


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the job engine's tables, which share the database, alone."""
    return kind != "table" or name in metadata.tables


def migrate() -> bool:
    """Run what alembic was asked for; tell whether the database now stands at the newest migration."""
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, include_name=is_ours, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        return set(context.get_context().get_current_heads()) == set(context.script.get_heads())


def make_ready(app: Flask) -> None:
    """Stamp a new database with its mode, and refuse one of another mode; let the job engine make its tables."""
    stamp_installation(app.config["SHOP_SETTINGS"].stripe_mode)
    db.session.commit()
    jobs.migrate(app)


with current_app.app_context():
    if migrate():
        make_ready(current_app._get_current_object())
