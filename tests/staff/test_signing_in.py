"""Signing in takes both steps, each code once; being signed in ends everywhere when it should."""

import re

import pytest
from flask import Flask

from giftshop.foundation.database import db
from giftshop.staff import accounts, sign_in
from giftshop.staff.models import StaffSession
from giftshop.staff.rights import PUBLIC_BLUEPRINTS, PUBLIC_ENDPOINTS, RIGHTS, is_local_path
from tests.signing_in import PASSWORD, browser, enrol, give_password, hire, signed_in


def test_a_password_alone_opens_no_page(app: Flask) -> None:
    client, staff = browser(app), hire("owner")
    give_password(client, staff.email)
    assert client.get("/redeem").location == "/staff/login"


def test_both_steps_open_the_counter(app: Flask) -> None:
    assert signed_in(app, hire("staff")).get("/redeem").status_code == 200


def test_wrong_password_and_unknown_person_read_the_same(app: Flask) -> None:
    staff = hire("staff")
    wrong = give_password(browser(app), staff.email, "not-the-password")
    unknown = give_password(browser(app), "nobody@practice.example", "not-the-password")
    assert wrong.status_code == unknown.status_code == 422
    token = re.compile(r'name="csrf_token" value="[^"]+"')
    texts = [token.sub("", answer.text) for answer in (wrong, unknown)]
    assert texts[0].replace(staff.email, "") == texts[1].replace("nobody@practice.example", "")


def test_a_code_from_the_app_is_good_once(app: Flask) -> None:
    staff = hire("staff")
    code = sign_in.code_now(staff)
    first, second = browser(app), browser(app)
    for client in (first, second):
        give_password(client, staff.email)
    assert first.post("/staff/second-step", data={"code": code}).status_code == 303
    assert second.post("/staff/second-step", data={"code": code}).status_code == 422


def test_ten_wrong_codes_lock_the_second_step(app: Flask) -> None:
    staff, client = hire("staff"), browser(app)
    give_password(client, staff.email)
    for _ in range(10):
        assert client.post("/staff/second-step", data={"code": "000000"}).status_code == 422
    assert client.post("/staff/second-step", data={"code": sign_in.code_now(staff)}).status_code == 422
    accounts.reset_second_factor(staff.email)
    db.session.commit()
    assert give_password(browser(app), staff.email).location == "/staff/enrol"


def test_five_wrong_passwords_stop_the_sixth_even_if_right(app: Flask) -> None:
    staff = hire("staff")
    for _ in range(5):
        assert give_password(browser(app), staff.email, "wrong-wrong-wrong").status_code == 422
    assert give_password(browser(app), staff.email).status_code == 422


def test_right_passwords_do_not_use_up_tries(app: Flask) -> None:
    staff = hire("staff")
    for _ in range(8):
        assert give_password(browser(app), staff.email).status_code == 303


def test_enrolment_shows_recovery_codes_once_and_each_opens_once(app: Flask) -> None:
    accounts.add_staff("new@practice.example", role="staff")
    staff = accounts.get_staff("new@practice.example")
    accounts.change_password(staff, PASSWORD)
    db.session.commit()
    client = browser(app)
    assert give_password(client, staff.email).location == "/staff/enrol"
    recovery = enrol(client).text.split('<li class="code">')[1].split("<")[0]
    for expected in (303, 422):
        other = browser(app)
        give_password(other, staff.email)
        assert other.post("/staff/second-step", data={"code": recovery}).status_code == expected


@pytest.mark.parametrize("ending", ["logout", "disable", "password", "role", "factor"])
def test_a_copied_cookie_is_dead_once_the_sign_in_ends(app: Flask, ending: str) -> None:
    staff = hire("manager")
    client = signed_in(app, staff)
    cookie = client.get_cookie("giftshop", "127.0.0.1")
    assert cookie is not None
    acts = {
        "logout": lambda: client.post("/staff/logout"),
        "disable": lambda: accounts.disable(staff.email),
        "password": lambda: accounts.change_password(staff, "another-long-password"),
        "role": lambda: accounts.change_role(staff.email, role="staff"),
        "factor": lambda: accounts.reset_second_factor(staff.email),
    }
    acts[ending]()
    db.session.commit()
    thief = browser(app)
    thief.set_cookie("giftshop", cookie.value, domain="127.0.0.1")
    assert thief.get("/redeem").location == "/staff/login"
    assert db.session.query(StaffSession).count() == 0


def test_signing_in_changes_the_cookie(app: Flask) -> None:
    staff, client = hire("staff"), browser(app)
    give_password(client, staff.email)
    before = client.get_cookie("giftshop", "127.0.0.1")
    client.post("/staff/second-step", data={"code": sign_in.code_now(staff)})
    after = client.get_cookie("giftshop", "127.0.0.1")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_every_page_is_public_on_purpose_or_has_a_role(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.split(".")[0]
        assert blueprint in PUBLIC_BLUEPRINTS or rule.endpoint in PUBLIC_ENDPOINTS or rule.endpoint in RIGHTS, rule


def test_strangers_reach_no_page_of_staff(app: Flask) -> None:
    client = browser(app)
    for rule in app.url_map.iter_rules():
        if rule.endpoint in RIGHTS:
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            answer = client.open(path, method="POST" if "POST" in (rule.methods or ()) else "GET")
            assert answer.location == "/staff/login", rule


FOREIGN = [
    "//evil.example", "/\\evil.example", "https://evil.example", "https:evil.example", "http:///evil.example",
    "javascript:alert(1)", "\\\\evil.example", "/\tevil", "/\nevil", "/\r\nLocation: x", "evil.example", "", " /redeem",
    "/%0d\n", "/é", "\x00/redeem", "data:text/html,x", "//", "/\\/evil", "ftp://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("path", FOREIGN)
def test_only_paths_of_this_shop_are_led_back_to(path: str) -> None:
    assert not is_local_path(path)


def test_a_path_of_this_shop_is_led_back_to() -> None:
    assert is_local_path("/redeem/K7M2QX9RTB")


def test_posts_without_a_token_are_refused(app: Flask) -> None:
    client = browser(app, with_tokens=True)
    for path in ("/staff/login", "/staff/logout", "/gift", "/balance"):
        assert client.post(path, data={"email": "x"}).status_code == 403, path


def test_posts_from_another_site_are_refused(app: Flask) -> None:
    client = browser(app)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.post("/staff/login", data={"email": "x"}, headers=headers).status_code == 403
