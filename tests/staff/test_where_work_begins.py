"""After signing in: where each role's work begins, a certificate opened before, and what a role may not."""

import pytest
from flask import Flask

from tests import build
from tests.signing_in import browser, hire, sign_in_by_form, signed_in


@pytest.mark.parametrize(("role", "first"), [("owner", "/office/"), ("manager", "/redeem"), ("staff", "/redeem")])
def test_the_owner_begins_with_today_and_everybody_else_at_the_counter(app: Flask, role: str, first: str) -> None:
    staff = hire(role)
    client = signed_in(app, staff, with_tokens=True)
    assert client.get("/staff/login").location == first
    client.delete_cookie("giftshop", domain="127.0.0.1")
    assert sign_in_by_form(client, staff) == first


def test_a_certificate_opened_while_signed_out_is_where_work_goes_on(app: Flask) -> None:
    staff, certificate = hire("staff"), build.certificate()
    code, public_id = build.code_of(certificate), certificate.public_id
    desk = signed_in(app, staff, with_tokens=True)
    desk.delete_cookie("giftshop", domain="127.0.0.1")
    assert "Sign in to redeem it" in desk.get(f"/c/{code}").text
    assert sign_in_by_form(desk, staff) == f"/c/{code}"
    assert desk.get(f"/c/{code}").location == f"/redeem/{public_id}"


def test_a_strangers_browser_is_not_asked_to_sign_in(app: Flask) -> None:
    code = build.code_of(build.certificate())
    assert "Sign in to redeem it" not in browser(app).get(f"/c/{code}").text


def test_who_is_signed_in_is_told_that_it_is_the_role(app: Flask) -> None:
    page = signed_in(app, hire("staff")).get("/office/")
    assert page.status_code == 403
    assert "That isn’t open to your role" in page.text
    assert "needs a sign-in" not in page.text
