"""A new GIFTSHOP_SECRET_KEY: what the old one signed counts while it is listed, and nobody is ever locked out."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.catalog.practice import get_installation
from giftshop.foundation.database import db, may_write
from giftshop.staff import accounts, keys, sign_in
from giftshop.staff.models import Staff
from tests.conftest import both_databases, make_settings
from tests.signing_in import PASSWORD, Browser, fresh_code, give_password, hire, send_form, token_of

OLD, NEW, NEWER = (secrets.token_hex(32) for _ in range(3))
SHOP = "http://127.0.0.1:8000"


@contextmanager
def shop_with(keys_of_shop: str, database_url: str, **changes: str) -> Iterator[Flask]:
    """The same shop, started with some list of secret keys."""
    app = create_app(make_settings(database_url, secret_key=keys_of_shop, **changes))
    try:
        with app.app_context():
            yield app
            db.session.rollback()
    finally:
        close_app(app)


def browser_of(app: Flask, cookies: dict[str, str] | None = None) -> Browser:
    """A browser with what another one had kept; forms need their tokens."""
    app.config["WTF_CSRF_ENABLED"] = True
    client = Browser(app, app.response_class, use_cookies=True)
    for name, value in (cookies or {}).items():
        client.set_cookie(name, value, domain="127.0.0.1")
    return client


def cookies_of(client: Browser) -> dict[str, str]:
    names = ("giftshop", "giftshop-device")
    found = {name: client.get_cookie(name, domain="127.0.0.1") for name in names}
    return {name: cookie.value for name, cookie in found.items() if cookie is not None}


def sign_in_with_tokens(client: Browser, staff: Staff, code: str) -> Any:
    """Sign in by both steps; return the second answer."""
    answer = send_form(client, "/staff/login", email=staff.email, password=PASSWORD)
    assert answer.location == "/staff/second-step"
    return send_form(client, "/staff/second-step", code=code)


@both_databases
def test_a_rotation_from_end_to_end(database_url: str) -> None:
    with shop_with(OLD, database_url) as app:
        staff = hire("owner")
        recovery = sign_in.enrol(staff, str(staff.tf_totp_secret), fresh_code(staff))
        db.session.commit()
        browser = browser_of(app)
        assert sign_in_with_tokens(browser, staff, recovery[0]).status_code == 303
        form = token_of(browser.get("/redeem").text)  # stands open while the key changes
        kept = cookies_of(browser)
        secret_of_app = sign_in.secret_for_app(str(staff.tf_totp_secret))
    with shop_with(f"{NEW},{OLD}", database_url) as app:
        browser = browser_of(app, kept)
        assert browser.get("/redeem").status_code == 200
        sent = browser.post("/redeem", data={"code": "nothing", "csrf_token": form})
        assert sent.status_code == 422  # the form's own answer, and not 403
    with shop_with(NEW, database_url) as app:
        stale = browser_of(app, kept)
        assert stale.get("/redeem").location == "/staff/login"
        staff = accounts.get_staff("owner@practice.example")
        assert sign_in.secret_for_app(str(staff.tf_totp_secret)) == secret_of_app
        assert sign_in_with_tokens(browser_of(app), staff, fresh_code(staff)).status_code == 303
        assert sign_in_with_tokens(browser_of(app), staff, recovery[1]).status_code == 303
    with shop_with(f"{NEWER},{NEW}", database_url) as app:
        staff = accounts.get_staff("owner@practice.example")
        assert sign_in_with_tokens(browser_of(app), staff, recovery[2]).status_code == 303


def test_a_device_stays_known_while_the_old_key_is_listed(database_url: str) -> None:
    with shop_with(OLD, database_url) as app:
        staff = hire("owner")
        browser = browser_of(app)
        sign_in_with_tokens(browser, staff, fresh_code(staff))
        kept, email = cookies_of(browser), staff.email
    for listed, is_known in ((f"{NEW},{OLD}", True), (NEW, False)):
        with shop_with(listed, database_url) as app:
            app.config["WTF_CSRF_ENABLED"] = False
            stranger = Browser(app, app.response_class, use_cookies=True)
            for _ in range(5):
                give_password(stranger, email, "wrong")
            device = Browser(app, app.response_class, use_cookies=True)
            device.set_cookie("giftshop-device", kept["giftshop-device"], domain="127.0.0.1")
            status = give_password(device, email).status_code
            assert (status == 303) is is_known


@both_databases
def test_people_of_a_shop_from_before_keep_password_app_and_recovery_codes(database_url: str) -> None:
    """What they have was made from the secret key; the migration keeps the keys that were made from it."""
    with shop_with(OLD, database_url) as app:
        _as_before(OLD)
        staff = hire("owner")
        codes = sign_in.enrol(staff, str(staff.tf_totp_secret), fresh_code(staff))
        db.session.commit()
        newest = downgrade_by_hand()
    with shop_with(f"{NEW},{OLD}", database_url) as app:
        upgrade_by_hand(newest)
        staff = accounts.get_staff("owner@practice.example")
        assert sign_in.is_password(staff, PASSWORD)
        assert sign_in.is_second_factor(staff, codes[0])
        db.session.commit()
    with shop_with(NEW, database_url) as app:
        staff = accounts.get_staff("owner@practice.example")
        assert sign_in.is_password(staff, PASSWORD)
        assert sign_in_with_tokens(browser_of(app), staff, fresh_code(staff)).status_code == 303


def test_a_fresh_shop_draws_keys_that_nobody_makes_from_the_secret_key(database_url: str) -> None:
    with shop_with(OLD, database_url):
        may_write()
        get_installation().staff_keys_enc = None
        keys.keep_staff_keys([OLD])
        drawn = keys.get_staff_keys()
        assert drawn != keys._made_from(OLD)
        keys.keep_staff_keys([NEW])
        assert keys.get_staff_keys() == drawn


def test_other_code_keys_open_no_sign_in(database_url: str) -> None:
    with shop_with(OLD, database_url):
        hire("owner")
    with shop_with(OLD, database_url, code_keys=secrets.token_hex(32)) as app:
        done = app.test_cli_runner().invoke(args=["staff", "new-password", "owner@practice.example"])
        assert (done.exit_code, "GIFTSHOP_CODE_KEYS: not what this database was made with" in done.output) == (1, True)


def test_an_app_that_was_used_while_a_clock_was_ahead_is_good_again(database_url: str) -> None:
    with shop_with(OLD, database_url):
        staff = hire("owner")
        staff.last_totp_counter = int(clock.now().timestamp() // sign_in.STEP_SECONDS) + 1_000_000
        db.session.commit()
        code = sign_in.code_now(staff)
        assert sign_in.is_second_factor(staff, code)
        assert not sign_in.is_second_factor(staff, code)
        db.session.commit()


def _as_before(secret_key: str) -> None:
    """Let the database have the keys that were made from the secret key before they lay in it."""
    from giftshop.certificates import encryption

    installation = get_installation()
    made = keys._made_from(secret_key)
    text = '{"password_salt": "%s", "totp": "%s", "recovery_codes": "%s"}'
    sealed = encryption.seal(text % (made.password_salt, made.totp, made.recovery_codes), keys._binding(installation))
    installation.staff_keys_enc = sealed
    db.session.commit()


def downgrade_by_hand() -> str:
    """Put the database back to what it was without the keys; return the newest migration, whose other work stays."""
    newest = db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    for statement in (
        "ALTER TABLE installation DROP COLUMN staff_keys_enc",
        "ALTER TABLE rate_limit DROP COLUMN seconds",
        "DROP TABLE key_mark",
        "UPDATE alembic_version SET version_num = '0009'",
    ):
        db.session.execute(sa.text(statement))
    db.session.commit()
    return str(newest)


def upgrade_by_hand(newest: str) -> None:
    """Let the migration of the keys come once more, and call the database by its newest again."""
    upgrade(revision="0010")
    may_write()
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
    db.session.commit()
    upgrade()  # which fills them in once the database is the newest
