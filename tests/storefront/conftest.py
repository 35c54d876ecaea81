"""What tests of the storefront share: a visitor who fills in forms as a browser does."""

import re
from contextvars import Context
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from giftshop.foundation.database import db
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.web.limiter import limiter
from tests.orders.stripe_side import StripeSide
from tests.workbench.running import RunningWorkbench


class Fields(HTMLParser):
    """Collects what a browser would send for the forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        name = found.get("name", "")
        if tag == "textarea":
            self._area = name
            self.values[name] = ""
        elif tag == "input" and name and (found.get("type") != "radio" or "checked" in found):
            self.values[name] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._area] = self.values[self._area].removeprefix("\n")
            self._area = ""


@dataclass
class Visitor:
    """A person with a browser: opens pages, fills in the form they saw last, presses its button."""

    client: FlaskClient
    base_url: str
    fields: dict[str, str] = field(default_factory=dict)

    def open(self, path: str, **options: Any) -> TestResponse:
        """Open a page and remember its forms' fields."""
        answer = self.ask(path, method="GET", **options)
        if answer.mimetype == "text/html":
            self.fields = Fields(answer.text).values
        return answer

    def send(self, path: str, changes: dict[str, str] | None = None, **options: Any) -> TestResponse:
        """Send the form seen last, with some fields changed."""
        data = {**self.fields, **(changes or {})}
        answer = self.ask(path, method="POST", data=data, **options)
        if answer.mimetype == "text/html":
            self.fields = {**self.fields, **Fields(answer.text).values}
        return answer

    def ask(self, path: str, **options: Any) -> TestResponse:
        """Ask outside the test's own app context, so that every request has a session of its own, as in real life."""
        return Context().run(self.client.open, path, base_url=self.base_url, **options)

    def open_certificate(self, code: str) -> TestResponse:
        """Open a certificate's page as a browser does that runs its script; return what the script is answered."""
        assert self.open(f"/c/{code}").status_code == 200
        return self.ask(f"/c/{code}/opened", method="POST", headers={"Origin": self.base_url})

    def fill_gift(self, number: int = 0, **values: str) -> dict[str, str]:
        """Return the fields of a gift well filled in, some changed."""
        usual = {
            "offer": "60-minutes",
            "amount": "",
            "recipient_name": "Ana",
            "giver_name": "Marko",
            "message": "Your shoulders have carried enough.",
            "design": "stones",
            "delivery": "recipient",
            "recipient_email": "ana@example.com",
            "deliver_on": "",
            "quantity": "1",
        }
        gift = {f"gifts-{number}-{name}": value for name, value in {**usual, **values}.items()}
        return {"buyer_email": "marko@example.com", **gift}


@pytest.fixture
def paying(visitor: "Visitor", app: Flask, workbench: RunningWorkbench) -> "Visitor":
    """A visitor of a shop whose Stripe answers."""
    app.extensions["stripe_gateway"] = StripeGateway(
        secret_key=workbench.stripe_key, api_base=workbench.url, webhook_secrets=[workbench.webhook_secret]
    )
    return visitor


@pytest.fixture
def stripe_side(paying: "Visitor", app: Flask, workbench: RunningWorkbench) -> StripeSide:
    """What happens at Stripe and telling the shop of it: nobody hears the webhooks."""
    workbench.post("/hook", {"drop": -1})
    return StripeSide(workbench, app.extensions["stripe_gateway"])


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """A stranger with an empty browser and no tries counted against them."""
    limiter.reset()
    return Visitor(app.test_client(), app.config["SHOP_SETTINGS"].base_url)


def orders() -> list[Order]:
    """Return every order as it is now, read whole, and leave no transaction open for a request to wait for."""
    db.session.rollback()
    query = sa.select(Order).options(selectinload(Order.gifts), selectinload(Order.attempts)).order_by(Order.id)
    found = list(db.session.scalars(query))
    db.session.expunge_all()
    db.session.rollback()
    return found


def heading(page: TestResponse) -> str:
    """Return the words of the page's only main heading."""
    (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    return str(found)


def errors_of(page: TestResponse) -> dict[str, str]:
    """Return what the summary says, by the field each sentence leads to ("" for none)."""
    linked = re.findall(r'<li><a href="#([^"]+)">(.*?)</a>', page.text)
    plain = re.findall(r"<li><b>(.*?)</b></li>", page.text)
    return {**dict(linked), **dict.fromkeys([""] * len(plain), " ".join(plain))}
