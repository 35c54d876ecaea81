"""The migrations: from nothing to the newest on both databases, without drift, and never into another mode."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import check, upgrade
from sqlalchemy.exc import IntegrityError

from giftshop.app import close_app, create_app
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation, refuse_other_money
from giftshop.errors import WrongDatabaseError
from giftshop.foundation.database import db
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


def test_a_shop_whose_key_is_for_other_money_than_its_database_does_not_start(app: Flask) -> None:
    refuse_other_money("simulated")
    with pytest.raises(WrongDatabaseError, match="This database belongs to simulated payments, and the Stripe key"):
        refuse_other_money("live")


def test_a_database_that_is_not_there_yet_is_not_judged_and_not_made(tmp_path: Path) -> None:
    fresh = create_app(make_settings(f"sqlite:///{tmp_path}/none.sqlite"))
    with fresh.app_context():
        refuse_other_money("live")
    close_app(fresh)
    assert list(tmp_path.iterdir()) == []


def test_rows_keep_what_they_refer_to_when_a_table_is_copied(tmp_path: Path) -> None:
    old = create_app(make_settings(f"sqlite:///{tmp_path}/old.sqlite"))
    with old.app_context():
        upgrade(revision="0002")
        for statement in (ORDER, DELIVERY):
            db.session.execute(sa.text(statement))
        db.session.commit()
        upgrade()
        assert db.session.execute(sa.text("SELECT id, order_id, kind FROM delivery")).all() == [(7, 3, "receipt")]
        assert db.session.scalar(sa.text('SELECT received_cents FROM "order"')) == 9500
        assert db.session.scalar(sa.text('SELECT received_currency FROM "order"')) == "USD"
        with pytest.raises(IntegrityError):
            db.session.execute(sa.text("UPDATE delivery SET state = 'lost'"))
        db.session.rollback()
        with pytest.raises(IntegrityError):
            db.session.execute(sa.text('DELETE FROM "order"'))
        db.session.rollback()
    close_app(old)


ORDER = """INSERT INTO "order" VALUES (3, 'o_1', x'01', x'02', 'key', x'03', 'simulated', 'fulfilled', '', 'USD', 9500,
    'marko@example.com', NULL, '2026-11-24T00:00:00.000000+00:00', '2026-11-24T00:00:00.000000+00:00')"""
DELIVERY = """INSERT INTO delivery VALUES (7, 'receipt', 3, NULL, 1, 'marko@example.com', x'00', '<1@x>', 'sent',
    '2026-11-24T00:00:00.000000+00:00', 0, 1, '', '2026-11-24T00:00:00.000000+00:00', NULL)"""
