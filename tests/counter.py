"""The front desk in a real browser: a person who has passed both steps, and what they do in one line each."""

from dataclasses import dataclass

from flask import Flask
from playwright.sync_api import Page

from giftshop.certificates.models import Certificate
from giftshop.database import db
from tests import build
from tests.signing_in import hire, signed_in

COOKIE = "giftshop"


@dataclass
class Counter:
    """A page at the counter of the shop that answers at `url`."""

    app: Flask
    page: Page
    url: str

    def open(self, path: str) -> None:
        """Open a page of the shop."""
        db.session.rollback()
        self.page.goto(self.url + path)

    def sign_in(self, role: str = "staff") -> int:
        """Let a person of this role work in this browser; return their id."""
        staff = hire(role)
        cookie = signed_in(self.app, staff).get_cookie(COOKIE, "127.0.0.1")
        assert cookie is not None
        self.page.context.add_cookies([{"name": COOKIE, "value": cookie.value, "url": self.url}])
        self.app.config["WTF_CSRF_ENABLED"] = True
        identity = staff.id
        db.session.rollback()
        return identity

    def type_code(self, typed: str) -> None:
        """Type into the one field and send it."""
        self.open("/redeem")
        self.page.fill("#code", typed)
        self.page.press("#code", "Enter")
        self.page.wait_for_load_state()

    def find(self, certificate: Certificate) -> None:
        """Find a certificate by its code."""
        code = build.code_of(certificate)
        self.type_code(code)
        self.page.wait_for_selector(".verdict")

    def take(self, amount: str) -> None:
        """Take another amount than the ones offered."""
        self.page.fill("#other_amount", amount)
        self.page.click("#take")

    def undo(self) -> None:
        """Press Undo."""
        self.page.click(".undo button")
