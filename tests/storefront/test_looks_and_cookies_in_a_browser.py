"""What only a real browser does: it tells that a page was seen, and may refuse every cookie."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from giftshop import clock
from giftshop.checkout.placing import place_order
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.orders.look_up import token_of
from tests import build
from tests.browsing import CHROMIUM_ARGUMENTS, assert_no_barrier, listen_for_failures, settings_on_a_port
from tests.journeys.browser import CHROMIUM, PHONE


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


@pytest.fixture
def refusing(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A browser whose owner has told it to refuse all cookies, in its own settings."""
    (tmp_path / "Default").mkdir()
    chosen = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(chosen))
    kind = browser.browser_type
    context = kind.launch_persistent_context(
        str(tmp_path), executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS, viewport=PHONE
    )
    yield context.pages[0]
    context.close()


def looks(certificate_id: int) -> list[str]:
    """Return what is kept of looks at a certificate's page, leaving no transaction open."""
    found = [event.kind for event in activity_log.list_events(certificate_ids=[certificate_id])]
    db.session.rollback()
    return found


def test_a_page_that_stood_before_somebodys_eyes_says_so_once(shop: str, page: Page) -> None:
    certificate = build.certificate()
    number, code = certificate.id, build.code_of(certificate)
    db.session.rollback()
    failures = listen_for_failures(page)
    with page.expect_response(lambda answer: answer.url.endswith("/opened")) as told:
        page.goto(f"{shop}/c/{code}")
        assert looks(number) == ["fetched"]
    assert told.value.status == 204
    assert not told.value.request.headers.get("referer")
    assert looks(number) == ["fetched", "opened"]
    assert [cookie["name"] for cookie in page.context.cookies()] == ["giftshop-opened"]
    assert failures == []


def test_a_page_in_a_hidden_tab_was_seen_by_nobody_until_it_is_shown_or_printed(shop: str, page: Page) -> None:
    certificate = build.certificate()
    number, code = certificate.id, build.code_of(certificate)
    db.session.rollback()
    page.add_init_script("Object.defineProperty(document, 'visibilityState', { value: 'hidden', writable: true })")
    page.goto(f"{shop}/c/{code}")
    page.wait_for_timeout(3000)
    assert looks(number) == ["fetched"]
    with page.expect_response(lambda answer: answer.url.endswith("/opened")):
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert looks(number) == ["fetched", "opened"]


def test_without_a_script_nothing_is_claimed(shop: str, browser: Browser) -> None:
    certificate = build.certificate()
    number, code = certificate.id, build.code_of(certificate)
    db.session.rollback()
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(f"{shop}/c/{code}")
    opened.wait_for_timeout(3000)
    context.close()
    assert looks(number) == ["fetched"]


def test_a_browser_that_refuses_cookies_is_told_so_on_every_form(app: Flask, shop: str, refusing: Page) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    order = place_order(build.purchase(), mode="simulated", at=clock.now())
    path = f"/orders/{token_of(order)}"
    db.session.commit()
    forms = {
        "/balance": "main form button",
        "/gift": ".total button",
        "/staff/login": "main form button",
        path: f'form[action="{path}/pay"] button',
    }
    for address, button in forms.items():
        for _again in range(2):
            refusing.goto(shop + address)
            with refusing.expect_navigation():
                refusing.click(button)
            said = refusing.inner_text("main")
            assert "Your browser sent no cookie with this" in said, address
            assert "allow them for this site" in said
            assert "open for a long time" not in said
    assert_no_barrier(refusing)


def test_what_was_typed_stays_when_cookies_are_refused(app: Flask, shop: str, refusing: Page) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    refusing.goto(f"{shop}/balance")
    refusing.fill("#code", "7KQ2-M4XD-9TFP-B3HV")
    with refusing.expect_navigation():
        refusing.click("main form button")
    assert refusing.input_value("#code") == "7KQ2-M4XD-9TFP-B3HV"
    assert refusing.context.cookies() == []
