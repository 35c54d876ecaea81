"""Signing staff in through the pages, for tests that go through Flask's test client."""

import contextvars
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from giftshop.foundation.database import db
from giftshop.staff import accounts, sign_in
from giftshop.staff.models import Staff

PASSWORD = "a-long-enough-sample"


def hire(role: str, email: str = "") -> Staff:
    """Add a person with a known password and an app for the second step; commits."""
    address = email or f"{role}@practice.example"
    accounts.add_staff(address, role=role, name=role.title())
    staff = accounts.get_staff(address)
    accounts.change_password(staff, PASSWORD)
    staff.tf_totp_secret, staff.tf_primary_method = sign_in.new_secret(), "authenticator"
    db.session.commit()
    return staff


class Browser(FlaskClient):
    """A browser outside the test's own app context, so that each request has a session of its own, as for real."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request to the shop's own host; what the test has read is ended first, what it wrote is committed."""
        db.session.rollback()
        kwargs.setdefault("base_url", "http://127.0.0.1:8000")
        return contextvars.Context().run(super().open, *args, **kwargs)


def enrol(client: FlaskClient) -> Any:
    """Set up the second factor after the first step; return the page with the recovery codes."""
    client.get("/staff/enrol")
    with client.session_transaction(base_url="http://127.0.0.1:8000") as session:
        secret = session["new_secret"]
    return client.post("/staff/enrol", data={"code": sign_in.code_now(Staff(tf_totp_secret=secret))})


def browser(app: Flask, *, with_tokens: bool = False) -> Browser:
    """A browser; form tokens have a test of their own, the other tests do without."""
    app.config["WTF_CSRF_ENABLED"] = with_tokens
    return Browser(app, app.response_class, use_cookies=True)


def signed_in(app: Flask, staff: Staff, *, with_tokens: bool = False) -> FlaskClient:
    """Return a browser in which a person has passed both steps; from here on forms may need their tokens."""
    client = browser(app)
    assert give_password(client, staff.email).location == "/staff/second-step"
    assert client.post("/staff/second-step", data={"code": fresh_code(staff)}).status_code == 303
    app.config["WTF_CSRF_ENABLED"] = with_tokens
    return client


def sign_in_by_form(client: FlaskClient, staff: Staff) -> str:
    """Fill in both steps as they are shown, with their tokens; return where that leads."""
    email = staff.email
    assert send_form(client, "/staff/login", email=email, password=PASSWORD).location == "/staff/second-step"
    return str(send_form(client, "/staff/second-step", code=fresh_code(staff)).location)


def send_form(client: FlaskClient, page: str, *, to: str = "", **fields: str) -> Any:
    """Open a page and send a form of it with the token it holds."""
    return client.post(to or page, data={"csrf_token": token_of(client.get(page).text), **fields})


def token_of(page: str) -> str:
    """Return the token in a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def fresh_code(staff: Staff) -> str:
    """Return what the person's app shows, as if its code of this half minute had not been used yet; commits."""
    db.session.get_one(Staff, staff.id).last_totp_counter = None
    code = sign_in.code_now(staff)
    db.session.commit()
    return code


def give_password(client: FlaskClient, email: str, password: str = PASSWORD):  # type: ignore[no-untyped-def]
    """Send the first step."""
    return client.post("/staff/login", data={"email": email, "password": password})
