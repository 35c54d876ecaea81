"""A browser without a window and without scripts, for states that are reached by filling in forms.

It knows as much of Playwright's page as tests/storefront/states.py uses.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any
from urllib.parse import urljoin, urlsplit

import html5lib
from cssselect2 import ElementWrapper
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_SETS = re.compile(r"document\.querySelector\('(.+?)'\)\.value = '(.*)'")


class WindowlessPage:
    """A page that was opened, and its forms as they are filled in."""

    def __init__(self, client: FlaskClient, url: str) -> None:
        self.client, self.url = client, url
        self.answers: list[TestResponse] = []
        self.context = self.request = self

    def goto(self, address: str) -> None:
        """Open an address, and go where it leads as long as that is a page of the shop."""
        self._follow(self.get(address), address)

    def get(self, address: str) -> TestResponse:
        """Ask for an address without opening it."""
        return self._ask(address, method="GET")

    def clear_cookies(self) -> None:
        """Forget everything that the shop has set."""
        self.client._cookies.clear()  # type: ignore[union-attr]

    def fill(self, selector: str, value: str) -> None:
        """Type into a field."""
        self._find(selector).set("value", value)

    def evaluate(self, script: str) -> None:
        """Run the one script that states need: it sets a field."""
        found = _SETS.fullmatch(script)
        assert found is not None, script
        self.fill(found[1], found[2])

    @contextmanager
    def expect_navigation(self) -> Iterator[None]:
        """Wait for nothing: pressing a button opens its page at once."""
        yield

    def click(self, selector: str) -> None:
        """Press a button of a form, and go where it leads."""
        button, form = self._find(selector), self._form_of(selector)
        fields = dict(_fields_of(form))
        if button.get("name"):
            fields[button.get("name")] = button.get("value", "")
        address = urljoin(self.address, button.get("formaction") or form.get("action") or "")
        self._follow(self._ask(address, method=form.get("method", "get").upper(), data=fields), address)

    def _follow(self, answer: TestResponse, address: str) -> None:
        while answer.status_code in (301, 302, 303):
            address = urljoin(address, answer.location or "")
            assert urlsplit(address).netloc == urlsplit(self.url).netloc, address
            answer = self.get(address)
        self.address = address
        self.answers.append(answer)
        self._page = html5lib.parse(answer.text, namespaceHTMLElements=False)

    def _ask(self, address: str, **options: Any) -> TestResponse:
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return Context().run(self.client.open, path, base_url=self.url, **options)

    def _find(self, selector: str) -> Any:
        return self._wrapped().query(selector).etree_element

    def _form_of(self, selector: str) -> Any:
        wrapped = self._wrapped().query(selector)
        return next(each.etree_element for each in wrapped.ancestors[::-1] if each.etree_element.tag == "form")

    def _wrapped(self) -> Any:
        return ElementWrapper.from_html_root(self._page)


def _fields_of(form: Any) -> Iterator[tuple[str, str]]:
    for each in form.iter():
        name, kind = each.get("name"), each.get("type", "")
        if not name or each.tag not in ("input", "textarea", "select"):
            continue
        if each.tag == "textarea":
            yield name, each.get("value", (each.text or "").removeprefix("\n"))
        elif kind not in ("radio", "checkbox", "file") or each.get("checked") is not None:
            yield name, each.get("value", "")
