"""Backup and restore on a PostgreSQL that asks for a password (scram), whatever signs the password has."""

import secrets
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask_migrate import upgrade
from sqlalchemy import URL, make_url

from giftshop.app import close_app, create_app
from giftshop.backups import postgres_programs
from giftshop.catalog.sample import seed_sample
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from tests.backups.test_backup import flask, shop_at
from tests.conftest import make_settings
from tests.databases import PostgresServer

PASSWORD = "p:ss/w@rd ,%?#'é"


def owned_database(postgres: PostgresServer) -> str:
    """Return the address of an empty database whose owner the server asks for a password."""
    name = f"guarded_{secrets.token_hex(4)}"
    postgres.run(f"CREATE DATABASE {name}")
    return postgres.address_with_password(name, user=f"owner_of_{name}", password=PASSWORD)


def in_the_query(url: str) -> str:
    """Return the same address with its password where libpq takes it too."""
    parsed = make_url(url)
    query = {**parsed.query, "password": str(parsed.password)}
    bare = URL.create(parsed.drivername, parsed.username, None, database=parsed.database, query=query)
    return bare.render_as_string(hide_password=False)


def test_the_server_does_ask(postgres: PostgresServer) -> None:
    wrong = make_url(owned_database(postgres)).set(password="another")
    engine = sa.create_engine(wrong)
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        engine.connect()
    engine.dispose()


@pytest.mark.parametrize("where", ["before the host", "in the query"])
def test_a_shop_is_backed_up_and_restored_with_its_password(
    postgres: PostgresServer, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    source, target = owned_database(postgres), owned_database(postgres)
    if where == "in the query":
        source, target = in_the_query(source), in_the_query(target)
    settings = make_settings(source)
    _open(settings)
    with shop_at(source, settings) as shop:
        status, said = flask(shop, "backup", str(tmp_path / "shop.backup"))
        assert status == 0, said
    with shop_at(target, settings) as other:
        status, said = flask(other, "restore", str(tmp_path / "shop.backup"), "--verify")
        assert (status, "The ledger verifies" in said) == (0, True), said


@pytest.mark.parametrize("where", ["before the host", "in the query"])
def test_the_password_stands_in_the_environment_of_the_programs_and_in_no_command(where: str) -> None:
    url = URL.create("postgresql+psycopg", "shop", PASSWORD, "db.example", 5433, "shop", {"sslmode": "require"})
    text = url.render_as_string(hide_password=False)
    engine = sa.create_engine(text if where == "before the host" else in_the_query(text))
    address, environment = postgres_programs._address(engine)
    assert environment["PGPASSWORD"] == PASSWORD
    assert "***" not in address
    assert "ss/w" not in address
    assert "sslmode=require" in address
    assert address.startswith("postgresql://shop@")


def _open(settings: Settings) -> None:
    app = create_app(settings)
    with app.app_context():
        upgrade()
        seed_sample()
        db.session.commit()
    close_app(app)
