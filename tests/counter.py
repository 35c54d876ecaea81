"""The front desk in a real browser: a person who has passed both steps, and what they do in one line each."""

from dataclasses import dataclass

from flask import Flask, g, session
from flask_login import login_user
from playwright.sync_api import Page

from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.staff import sessions
from giftshop.staff.models import Staff
from tests import build
from tests.signing_in import hire


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
        self.let_in(staff)
        return staff.id

    def let_in(self, staff: Staff) -> None:
        """Give this browser a new sign-in of a person; the one it had lives on, for what is under way meanwhile."""
        g.pop("staff_session_row", None)
        with self.app.test_request_context():
            sessions.open_session(staff)
            login_user(staff)
            answer = self.app.make_response("")
            self.app.session_interface.save_session(self.app, session._get_current_object(), answer)  # type: ignore[attr-defined]
        db.session.commit()
        name, value = answer.headers["Set-Cookie"].split(";")[0].split("=", 1)
        self.page.context.add_cookies([{"name": name, "value": value, "url": self.url}])

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
