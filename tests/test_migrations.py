"""The migrations: from nothing to the newest on both databases, without drift, and never into another mode."""

import pytest
from flask import Flask
from flask_migrate import check, upgrade

from giftshop.app import close_app, create_app
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation
from giftshop.database import db
from giftshop.errors import WrongDatabaseError
from tests.conftest import both_databases, make_settings


@both_databases
def test_the_migrations_make_exactly_what_the_models_say(app: Flask) -> None:
    check()


@both_databases
def test_a_second_upgrade_changes_nothing(app: Flask) -> None:
    stamp = get_installation().instance_id
    db.session.rollback()
    upgrade()
    assert get_installation().instance_id == stamp


def test_a_database_of_simulated_payments_refuses_real_ones(app: Flask, database_url: str) -> None:
    live = create_app(make_settings(database_url, stripe_secret_key="sk_live_0123456789abcdef", stripe_api_base=""))
    with live.app_context(), pytest.raises(WrongDatabaseError, match="simulated"):
        upgrade()
    close_app(live)
    assert db.session.get_one(Installation, 1).mode == "simulated"
