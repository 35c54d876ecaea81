"""Signing in in a real browser: every state without a barrier, in the light and in the dark, wide and narrow."""

from collections.abc import Callable
from functools import partial

import pyotp
import pytest

from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.staff import accounts
from tests.browsing import (
    assert_no_barrier,
    check_markup,
    keep_pages,
    listen_for_failures,
    listen_for_strangers,
    settings_on_a_port,
)
from tests.counter import Counter
from tests.signing_in import PASSWORD, hire

NEW = "new@practice.example"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


def fresh(counter: Counter) -> None:
    counter.open("/staff/login")


def give_password(counter: Counter, *, email: str = "staff@practice.example", password: str = PASSWORD) -> None:
    fresh(counter)
    counter.page.fill("#email", email)
    counter.page.fill("#password", password)
    counter.page.press("#password", "Enter")
    counter.page.wait_for_selector("#summary, #code")


def wrong_password(counter: Counter, *, times: int = 1) -> None:
    hire("staff")
    for _ in range(times):
        give_password(counter, password="not-the-password")
    assert counter.page.input_value("#email") == "staff@practice.example"


def locked(counter: Counter) -> None:
    wrong_password(counter, times=5)
    give_password(counter)
    counter.page.wait_for_selector("#summary")


def second_step(counter: Counter) -> None:
    hire("staff")
    give_password(counter)


def wrong_code(counter: Counter, code: str = "000000") -> None:
    second_step(counter)
    type_code(counter, code)
    counter.page.wait_for_selector("#summary")


def type_code(counter: Counter, code: str) -> None:
    counter.page.fill("#code", code)
    counter.page.press("#code", "Enter")


def enrolment(counter: Counter) -> None:
    accounts.add_staff(NEW, role="staff")
    accounts.change_password(accounts.get_staff(NEW), PASSWORD)
    db.session.commit()
    give_password(counter, email=NEW)


def wrong_first_code(counter: Counter) -> None:
    enrolment(counter)
    type_code(counter, "000000")
    counter.page.wait_for_selector("#summary")


def recovery_codes(counter: Counter) -> None:
    enrolment(counter)
    type_code(counter, code_of_app(counter.page.inner_text(".code")))
    counter.page.wait_for_selector(".recovery")


def code_of_app(secret: str) -> str:
    """Return what an authenticator app shows that was given this secret."""
    return pyotp.TOTP(secret.replace(" ", "")).now()


def account(counter: Counter) -> None:
    counter.sign_in()
    counter.open("/staff/account")


def weak_password(counter: Counter) -> None:
    account(counter)
    counter.page.fill("#password", PASSWORD)
    counter.page.fill("#new_password", "short")
    counter.page.press("#new_password", "Enter")
    counter.page.wait_for_selector("#summary")


def given_password(counter: Counter) -> None:
    staff = hire("staff")
    accounts.give_password(staff)
    db.session.commit()
    counter.let_in(staff)
    counter.open("/redeem")
    counter.page.wait_for_selector("text=Choose your own password")


def signed_out(counter: Counter) -> None:
    counter.sign_in()
    counter.open("/redeem")
    counter.page.click("text=Sign out")
    counter.page.wait_for_selector("#email")


STATES: dict[str, Callable[[Counter], None]] = {
    "fresh": fresh,
    "wrong e-mail or password": wrong_password,
    "locked": locked,
    "second step": second_step,
    "wrong code": wrong_code,
    "wrong recovery code": partial(wrong_code, code="mqhs-xvpr-wcvt-ypdt"),
    "enrolment": enrolment,
    "wrong first code": wrong_first_code,
    "recovery codes": recovery_codes,
    "account": account,
    "weak password": weak_password,
    "given password": given_password,
    "signed out": signed_out,
}


@pytest.mark.parametrize("state", STATES)
def test_a_state_of_signing_in_has_no_barrier(counter: Counter, state: str) -> None:
    page = counter.page
    failures = listen_for_failures(page, expected="status of 4")
    strangers = listen_for_strangers(page, counter.url)
    pages = keep_pages(page)
    STATES[state](counter)
    assert_no_barrier(page, schemes=("light", "dark"))
    check_markup(pages[-1].text())
    assert failures == []
    assert strangers == []


def test_a_recovery_code_opens_the_counter(counter: Counter) -> None:
    recovery_codes(counter)
    code = counter.page.inner_text(".recovery li >> nth=0")
    counter.page.context.clear_cookies()
    give_password(counter, email=NEW)
    type_code(counter, code)
    counter.page.wait_for_url("**/redeem")
