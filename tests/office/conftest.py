"""What the tests of the office share: the people at its screens, a simulated Stripe, and forms sent as browsers do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from giftshop.certificates.codes import format_code
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order
from tests import build
from tests.orders.conftest import gateway, settings, stripe_side  # noqa: F401  # fixtures
from tests.signing_in import hire, signed_in

HIDDEN = re.compile(r'name="(csrf_token|request_key)" value="([^"]+)"')


@dataclass
class Desk:
    """A person signed in to the office."""

    client: FlaskClient
    actor: str

    def open(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path)

    def read(self, path: str) -> str:
        """Open a page and return its words, without tags, in single spaces."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.status
        return words_of(answer.text)

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Send a form under a fresh request key, unless one is given."""
        return self.client.post(path, data={"request_key": build.request_key(), **fields})

    def act(self, certificate: Certificate, name: str, **fields: Any) -> TestResponse:
        """Send the form of one act on a certificate."""
        return self.send(f"/office/certificates/{certificate.public_id}/{name}", **{"reason": "they asked", **fields})


@pytest.fixture
def sign_in(app: Flask) -> Callable[[str], Desk]:
    """Sign a person of a role in."""

    def of_role(role: str) -> Desk:
        staff = hire(role)
        actor = f"staff:{staff.id}"
        return Desk(signed_in(app, staff), actor)

    return of_role


@pytest.fixture
def owner(sign_in: Callable[[str], Desk]) -> Desk:
    """The owner's desk."""
    return sign_in("owner")


@pytest.fixture
def manager(sign_in: Callable[[str], Desk]) -> Desk:
    """The manager's desk."""
    return sign_in("manager")


def path_of(order: Order) -> str:
    """The path of an order's page."""
    return f"/office/orders/{order.id}"


def shows_a_code(html: str, certificate: Certificate) -> bool:
    """Tell whether a page holds a certificate's code, in whatever form."""
    code = build.code_of(certificate)
    return any(form in html for form in (code, format_code(code), code.lower(), code[:12]))


def words_of(html: str) -> str:
    """Return the words of a page as they are read."""
    reader = _Words()
    reader.feed(html)
    return " ".join(" ".join(reader.words).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"

    def handle_endtag(self, _tag: str) -> None:
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self.words.append(data)
