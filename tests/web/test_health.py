"""Health: the process answers whatever the database does, and readiness names what is wrong, always as JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.foundation.database import db, may_write
from giftshop.foundation.heartbeats import JobExecutor
from tests.conftest import both_databases, make_settings
from tests.signing_in import hire, signed_in
from tests.statements import statements_to
from tests.zone_rules import OLD, going_by

SHOP = "http://127.0.0.1:8000"
NO_DATABASES = ["postgresql+psycopg://nobody@127.0.0.1:9/none", "sqlite:////nowhere/shop.sqlite"]


@contextmanager
def shop_on(url: str) -> Iterator[FlaskClient]:
    """A shop on some database; the cookie of its visitor says that a person of staff is signed in."""
    app = create_app(make_settings(url))
    client = app.test_client()
    with client.session_transaction(base_url=SHOP) as session:
        session.update({"_user_id": "1", "_fresh": True, "staff_session": "somebody"})
    try:
        yield client
    finally:
        close_app(app)


def ask_ready(client: FlaskClient) -> tuple[int, list[str]]:
    """Return the status of /readyz and what it says is wrong."""
    answer = client.get("/readyz", base_url=SHOP)
    told: dict[str, Any] = answer.get_json()
    assert told["ready"] is (answer.status_code == 200)
    return answer.status_code, told["wrong"]


def ask_alive(client: FlaskClient) -> tuple[int, str]:
    answer = client.get("/healthz", base_url=SHOP)
    return answer.status_code, answer.text


@pytest.mark.parametrize("url", NO_DATABASES)
def test_without_a_database_the_process_is_up_and_the_shop_is_not_ready(url: str) -> None:
    with shop_on(url) as client:
        assert ask_alive(client) == (200, "ok")
        assert ask_ready(client) == (503, ["The database does not answer."])


@both_databases
def test_an_unmigrated_database_is_named_with_all_that_is_missing(empty_url: str) -> None:
    with shop_on(empty_url) as client:
        assert ask_alive(client) == (200, "ok")
        status, (at, jobs) = ask_ready(client)
        assert (status, jobs) == (503, "The job engine's tables cannot be read.")
        assert at.startswith("The database is at migration None, the program at ")


@both_databases
def test_a_half_migrated_database_is_named(empty_url: str) -> None:
    with shop_on(empty_url) as client:
        with client.application.app_context():
            upgrade(revision="0002")
        status, wrong = ask_ready(client)
        assert (status, ask_alive(client)) == (503, (200, "ok"))
        assert wrong[0].startswith("The database is at migration 0002, the program at ")


@both_databases
def test_the_shop_is_ready_when_some_process_runs_jobs(app: Flask, client: FlaskClient) -> None:
    assert ask_ready(client) == (503, ["The job engine does not run."])
    may_write()
    db.session.add(JobExecutor(id="somewhere", seen_at=clock.now()))
    db.session.commit()
    assert ask_ready(client) == (200, [])


def test_that_the_process_is_up_is_no_question_to_the_database(database_url: str) -> None:
    with shop_on(database_url) as client, client.application.app_context(), statements_to(db.engine) as asked:
        assert (ask_alive(client), asked) == ((200, "ok"), [])
        client.get("/redeem", base_url=SHOP)
        assert asked  # the cookie does make other pages ask


def test_a_file_is_no_question_to_the_database_whoever_asks_for_it(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    with statements_to(db.engine) as asked:
        for file in ("/static/css/staff.css", "/static/js/scan.js"):
            with client.get(file) as answer:
                assert (answer.status_code, asked) == (200, [])
        client.get("/redeem")
        assert asked  # the cookie does make other pages ask


@pytest.mark.parametrize(
    "host", ["10.1.2.3:8000", "localhost", "[::1]:8000", "gifts.internal", "evil.example", "", "a b"]
)
def test_machines_may_ask_under_any_name(app: Flask, client: FlaskClient, host: str) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code in (200, 503)
        assert answer.status_code == 200 or "wrong" in answer.get_json()
    assert client.get("/gift", headers={"Host": host}).status_code == 400


def test_readiness_says_which_time_zone_rules_count_here(client: FlaskClient) -> None:
    told = client.get("/readyz", base_url=SHOP).get_json()["time_zone_rules"]
    assert told == clock.describe_rules()
    assert (told["in_use"] >= "2026f", told["from"] != "") == (True, True)
    with going_by(OLD):
        told = client.get("/readyz", base_url=SHOP).get_json()["time_zone_rules"]
    assert (told["in_use"], told["from"]) == ("2025b", OLD.folder)
