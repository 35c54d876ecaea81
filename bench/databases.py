"""Fresh shops on SQLite and on PostgreSQL for measuring, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from giftshop.app import close_app, create_app
from giftshop.foundation.settings import Settings
from tests.conftest import _migrate_and_seed, make_settings
from tests.databases import PostgresServer


@contextmanager
def fresh_shops(kind: str) -> Iterator[tuple[Flask, Settings, str]]:
    """Give a migrated shop in its context, its settings, and the address of a second database, which is empty."""
    with tempfile.TemporaryDirectory() as name, _addresses(kind, Path(name)) as (first, second):
        _migrate_and_seed(first)
        settings = make_settings(first)
        app = create_app(settings)
        with app.app_context():
            yield app, settings, second
        close_app(app)


@contextmanager
def _addresses(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/shop.sqlite", f"sqlite:///{folder}/restored.sqlite"
        return
    server = PostgresServer(folder / "postgres")
    try:
        for name in ("shop", "restored"):
            server.run(f"CREATE DATABASE {name}")
        yield server.address("shop"), server.address("restored")
    finally:
        server.stop()
