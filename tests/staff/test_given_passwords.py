"""A password that somebody else made opens nothing but the page on which another one is chosen."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from giftshop.app import close_app, create_app
from giftshop.foundation.database import db
from giftshop.staff import accounts
from giftshop.staff.models import Staff
from giftshop.staff.rights import CHOOSING, RIGHTS
from tests.conftest import both_databases, make_settings
from tests.signing_in import PASSWORD, browser, enrol, fresh_code, give_password, hire, signed_in

NEW = "new@practice.example"
OWN = "a-sentence-of-my-own"


def begin(app: Flask) -> tuple[FlaskClient, str]:
    """Let a new colleague pass both steps with the password they were given."""
    given = accounts.add_staff(NEW, role="owner")
    db.session.commit()
    client = browser(app)
    assert give_password(client, NEW, given).location == "/staff/enrol"
    assert 'class="recovery"' in enrol(client).text
    return client, given


def choose(client: FlaskClient, *, old: str, new: str) -> object:
    return client.post("/staff/account", data={"password": old, "new_password": new})


@both_databases
def test_the_first_sign_in_ends_in_a_password_of_ones_own(app: Flask) -> None:
    client, given = begin(app)
    assert client.get("/redeem").location == "/staff/account"
    assert "Choose your own password" in client.get("/staff/account").text
    assert choose(client, old=given, new=OWN).location == "/office/"
    assert client.get("/redeem").status_code == 200
    assert give_password(browser(app), NEW, given).status_code == 422
    assert give_password(browser(app), NEW, OWN).location == "/staff/second-step"


def test_nothing_opens_before_that(app: Flask) -> None:
    client, _given = begin(app)
    for rule in app.url_map.iter_rules():
        if rule.endpoint in RIGHTS and rule.endpoint not in CHOOSING:
            address = rule.rule.replace("int(max=9223372036854775807):", "").replace("<", "").replace(">", "")
            path = "/".join("1" if part.endswith("_id") else part for part in address.split("/"))
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            assert client.open(path, method=method).location == "/staff/account", path
            assert client.open(path, method=method, headers={"Accept": "application/json"}).status_code == 403, path


@pytest.mark.parametrize("new", ["", "short", "aaaaaaaaaaaaaaaa", "the given one"])
def test_the_given_password_and_weak_ones_are_not_taken(app: Flask, new: str) -> None:
    client, given = begin(app)
    answer = choose(client, old=given, new=given if new == "the given one" else new)
    assert answer.status_code == 422
    assert given not in answer.text
    assert client.get("/redeem").location == "/staff/account"


def test_a_wrong_old_password_chooses_nothing(app: Flask) -> None:
    client, given = begin(app)
    assert choose(client, old="not-the-given-one", new=OWN).status_code == 422
    assert client.get("/redeem").location == "/staff/account"
    assert choose(client, old=given, new=OWN).location == "/office/"


def test_a_cookie_copied_before_the_choice_is_dead_after_it(app: Flask) -> None:
    client, given = begin(app)
    cookie = client.get_cookie("giftshop", "127.0.0.1")
    assert cookie is not None
    choose(client, old=given, new=OWN)
    thief = browser(app)
    thief.set_cookie("giftshop", cookie.value, domain="127.0.0.1")
    assert thief.get("/redeem").location == "/staff/login"


def test_who_forgot_the_password_gets_one_that_only_chooses_another(app: Flask) -> None:
    staff = hire("staff")
    desk = signed_in(app, staff)
    given = accounts.give_password(accounts.get_staff(staff.email))
    db.session.commit()
    assert desk.get("/redeem").location == "/staff/login"
    assert give_password(browser(app), staff.email, PASSWORD).status_code == 422
    again = browser(app)
    give_password(again, staff.email, given)
    again.post("/staff/second-step", data={"code": fresh_code(staff)})
    assert again.get("/redeem").location == "/staff/account"


def test_a_password_changed_by_choice_ends_the_sign_in(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    assert choose(client, old=PASSWORD, new=OWN).location == "/staff/login"
    assert client.get("/redeem").location == "/staff/login"


@pytest.mark.parametrize(("secret", "was_given"), [("NULL", True), ("'sealed'", False)])
def test_who_has_not_come_yet_when_the_shop_is_updated_still_chooses(
    tmp_path: Path, secret: str, was_given: bool
) -> None:
    old = create_app(make_settings(f"sqlite:///{tmp_path}/old.sqlite"))
    with old.app_context():
        upgrade(revision="0004")
        db.session.execute(sa.text(STAFF.format(secret=secret)))
        db.session.commit()
        upgrade()
        assert db.session.query(Staff).one().password_was_given == was_given
    close_app(old)


STAFF = """INSERT INTO staff (id, email, name, password, active, fs_uniquifier, tf_totp_secret, failed_second_factors,
    created_at) VALUES (1, 'a@example.com', 'A', 'x', 1, 'u', {secret}, 0, '2026-11-24T00:00:00.000000+00:00')"""
