"""Signing staff in through the pages, for tests that go through Flask's test client."""

import contextvars
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from giftshop.database import db
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


def browser(app: Flask, *, with_tokens: bool = False) -> Browser:
    """A browser; form tokens have a test of their own, the other tests do without."""
    app.config["WTF_CSRF_ENABLED"] = with_tokens
    return Browser(app, app.response_class, use_cookies=True)


def signed_in(app: Flask, staff: Staff) -> FlaskClient:
    """Return a browser in which a person has passed both steps."""
    client = browser(app)
    assert give_password(client, staff.email).location == "/staff/second-step"
    staff.last_totp_counter = None
    code = sign_in.code_now(staff)
    db.session.commit()
    assert client.post("/staff/second-step", data={"code": code}).status_code == 303
    return client


def give_password(client: FlaskClient, email: str, password: str = PASSWORD):  # type: ignore[no-untyped-def]
    """Send the first step."""
    return client.post("/staff/login", data={"email": email, "password": password})
