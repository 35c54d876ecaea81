"""Error pages in a real browser: the shop's look, a way on and whom to call, for strangers and for staff."""

import pytest
from flask import Flask, abort
from playwright.sync_api import Page

from giftshop.settings import Settings
from tests.browsing import (
    assert_no_barrier,
    check_markup,
    listen_for_failures,
    listen_for_strangers,
    settings_on_a_port,
)
from tests.counter import Counter
from tests.protection import assert_protected

ADDRESSES = {"a stranger": ("/articles", "storefront.articles"), "staff": ("/redeem", "redemption.show_find")}
PAGES = [("a stranger", status) for status in (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)]
PAGES += [("staff", status) for status in (403, 500, 503)]


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


@pytest.mark.parametrize(("who", "status"), PAGES)
def test_an_error_page_has_no_barrier_and_says_whom_to_call(
    app: Flask, shop: str, page: Page, who: str, status: int
) -> None:
    path, endpoint = ADDRESSES[who]
    counter = Counter(app, page, shop)
    if who == "staff":
        counter.sign_in()
    app.view_functions[endpoint] = lambda: abort(status)
    failures = listen_for_failures(page, expected=f"status of {status}")
    strangers = listen_for_strangers(page, shop)
    answer = page.goto(shop + path)
    assert answer is not None
    assert answer.status == status
    assert_protected(path, answer.all_headers())
    check_markup(answer.text())
    assert_no_barrier(page, schemes=("light", "dark"))
    assert page.locator("main a[href^='tel:']").count() == 1
    assert (page.locator("main a[href='/redeem']").count() == 1) == (who == "staff")
    assert failures == []
    assert strangers == []
