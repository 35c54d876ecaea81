"""Whatever is typed at the door: never a broken page, nobody gets in, and no secret is shown again."""

import pytest
from argon2 import PasswordHasher
from flask import Flask
from markupsafe import escape

from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.staff import accounts, sign_in
from giftshop.staff.models import Staff, StaffSession
from tests.conftest import both_databases, make_settings
from tests.hostile import as_shown, hostile_inputs, send_each
from tests.signing_in import PASSWORD, browser, give_password, hire

SECRET_FIELD = 'name="{}" value=""'


@pytest.fixture
def settings(database: str, database_url: str) -> Settings:
    """Tries are counted in memory where their counting is not the point: each costs a flush to the disk."""
    return make_settings(database_url, ratelimit_storage_uri="memory://" if database == "sqlite" else "")


def cheap_hash() -> str:
    """A hash that takes no time to check: five hundred tries at the full price take as many seconds as a coffee."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("whatever")


def assert_nobody_is_in() -> None:
    db.session.rollback()
    assert db.session.query(StaffSession).count() == 0


@both_databases
def test_no_address_breaks_the_first_step(app: Flask, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_hash_of_nobody", cheap_hash)
    inputs = hostile_inputs() if database == "sqlite" else hostile_inputs(60)
    for typed, page in send_each(browser(app), "/staff/login", "email", inputs, password=PASSWORD):
        assert 'id="summary"' in page
        assert PASSWORD not in page
        assert f'name="email" value="{escape(as_shown(typed))}"' in page
    assert_nobody_is_in()


@both_databases
def test_no_password_breaks_the_first_step_or_is_shown(app: Flask, database: str) -> None:
    staff = hire("staff")
    staff.password = cheap_hash()
    db.session.commit()
    email = staff.email
    db.session.rollback()
    inputs = hostile_inputs() if database == "sqlite" else hostile_inputs(60)
    for _typed, page in send_each(browser(app), "/staff/login", "password", inputs, email=email):
        assert SECRET_FIELD.format("password") in page
        assert f'value="{email}"' in page
    assert_nobody_is_in()


def test_no_code_breaks_the_second_step_or_is_shown(app: Flask) -> None:
    staff, client = hire("staff"), browser(app)
    assert sign_in.enrol(staff, staff.tf_totp_secret or "", sign_in.code_now(staff))  # with recovery codes to try
    db.session.commit()
    give_password(client, staff.email)
    for number, hostile in enumerate(hostile_inputs()):
        if number % 9 == 0:
            forget_wrong_codes()
        for _typed, page in send_each(client, "/staff/second-step", "code", [hostile]):
            assert SECRET_FIELD.format("code") in page
    assert_nobody_is_in()


def forget_wrong_codes() -> None:
    """Let the person try again: after ten wrong codes in a row nothing is looked at any more."""
    db.session.query(Staff).update({"failed_second_factors": 0})
    db.session.commit()


@both_databases
def test_no_code_breaks_the_enrolment_or_is_shown(app: Flask, database: str) -> None:
    accounts.add_staff("new@practice.example", role="staff")
    accounts.change_password(accounts.get_staff("new@practice.example"), PASSWORD)
    db.session.commit()
    client = browser(app)
    give_password(client, "new@practice.example")
    client.get("/staff/enrol")
    inputs = hostile_inputs() if database == "sqlite" else hostile_inputs(60)
    for _typed, page in send_each(client, "/staff/enrol", "code", inputs):
        assert SECRET_FIELD.format("code") in page
    assert_nobody_is_in()


def test_forged_fields_make_nobody_an_owner(app: Flask) -> None:
    staff = hire("staff")
    client = browser(app)
    forged = {"role": "owner", "next": "https://evil.example", "half_way": "1", "staff_session": "1"}
    client.post("/staff/login", data={"email": staff.email, "password": PASSWORD, **forged})
    code = sign_in.code_now(staff)
    assert client.post("/staff/second-step", data={"code": code, **forged}).location == "/redeem"
    assert [role.name for role in db.session.query(Staff).one().roles] == ["staff"]
