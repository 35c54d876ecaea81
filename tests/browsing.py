"""The shop before a real Chromium: served on a port of its own, and what every page must be to everyone."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import html5lib
from axe_core_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Browser, Page, Request, Response, sync_playwright
from werkzeug.serving import make_server

from giftshop.foundation.settings import Settings
from tests.conftest import make_settings
from tests.journeys.browser import DESK, PHONE, QUIET

SHELL = "/usr/bin/chromium-headless-shell"
"""Chromium without its windows: it draws pages with three quarters of the work; journeys take the whole of it."""
INSECURE_HOST = "counter.test"
"""A name that leads to this machine, but that a browser does not trust as it trusts the machine's own address."""
CHROMIUM_ARGUMENTS = [*QUIET, "--disable-dev-shm-usage", f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (PHONE["width"], DESK["width"])
NARROWEST = 320
MOST_BYTES = 60_000


def settings_on_a_port(database_url: str, *, host: str = "127.0.0.1", **changes: Any) -> Settings:
    """Return settings of a shop that is going to be served for real."""
    return make_settings(database_url, base_url=f"http://{host}:{_own_port().getsockname()[1]}", **changes)


@cache
def _own_port() -> socket.socket:
    """Return a socket that keeps a port for this process: its tests serve there, one after the other."""
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or nobody could serve beside it
    keeper.bind(("127.0.0.1", 0))
    return keeper


@contextmanager
def chromium(**options: Any) -> Iterator[Browser]:
    """Start a Chromium; the process has an event loop while it is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=SHELL, args=CHROMIUM_ARGUMENTS, **options)
        yield browser
        browser.close()


@contextmanager
def serving(app: Flask, settings: Settings) -> Iterator[str]:
    """Let the shop answer at its own address meanwhile."""
    server = make_server("127.0.0.1", int(settings.base_url.rsplit(":", 1)[1]), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield settings.base_url
    server.shutdown()
    thread.join()
    server.server_close()


def listen_for_failures(page: Page, *, expected: str = "404 (NOT FOUND)") -> list[str]:
    """Collect what the browser complains about, but not that an answer has the status that is `expected`."""
    failures: list[str] = []

    def note(kind: str, text: str) -> None:
        if kind in ("error", "warning") and expected not in text:
            failures.append(text)

    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda line: note(line.type, line.text))
    return failures


def listen_for_strangers(page: Page, own: str) -> list[str]:
    """Collect the addresses the browser asks elsewhere than at the shop."""
    strangers: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(own) else strangers.append(request.url))
    return strangers


def forget(page: Page) -> None:
    """Let a browser forget who it is: cookies, and what pages stored in it.

    Files it may keep, it keeps; a page that weighs them asks for all of them again (`weigh`).
    """
    browser = page.context.new_cdp_session(page)
    browser.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    page.context.clear_cookies()


def keep_still(page: Page) -> None:
    """Keep an order's page from looking again by itself (static/js/order.js) while a test looks at it."""
    page.add_init_script("try { sessionStorage[`looked:${location.pathname}`] = '99'; } catch { /* about:blank */ }")


def keep_pages(page: Page) -> list[Response]:
    """Collect the answers that become pages, in the order they come."""
    pages: list[Response] = []
    page.on("response", lambda answer: pages.append(answer) if answer.request.is_navigation_request() else None)
    return pages


def assert_no_barrier(page: Page, *, schemes: Iterable[str] = ("light",)) -> None:
    """Check a page with axe on a phone and on a desk, in each colour scheme, and that it fits a narrow window."""
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert list_barriers(page) == [], f"{width} px, {scheme}"
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST


def list_barriers(page: Page) -> list[str]:
    """Return what axe finds, an element each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(options).then((results) => results.violations)", options)
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def check_markup(text: str) -> None:
    """Parse strictly, and check by hand what a parser doesn't: ids, what points to them, nothing inline."""
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in document.iter():
        for name in ("for", "aria-describedby", "aria-labelledby"):
            assert set((element.get(name) or "").split()) <= set(ids)
        assert not any(name == "style" or name.startswith("on") for name in element.attrib)
    assert len(document.findall(".//h1")) == 1
    assert all(script.get("src") and not script.text for script in document.iter("script"))


def weigh_first_visit(page: Page, address: str) -> dict[str, int]:
    """Open a page for the first time; return how many bytes came from each address."""
    sizes = weigh(page)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return sizes


def weigh(page: Page) -> dict[str, int]:
    """Collect from now on how many bytes come from each address, as if the browser had never been there."""
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    sizes: dict[str, int] = {}
    page.on("requestfinished", partial(_weigh, sizes))
    return sizes


def _weigh(sizes: dict[str, int], request: Request) -> None:
    sizes[request.url] = request.sizes()["responseBodySize"]
