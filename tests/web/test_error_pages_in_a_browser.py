"""Error pages in a real browser: the shop's look, a way on and whom to call, for strangers and for staff."""

from collections.abc import Callable
from typing import NoReturn

import pytest
from flask import Flask, abort

from giftshop.foundation.settings import Settings
from tests.browsing import (
    assert_no_barrier,
    check_markup,
    listen_for_failures,
    listen_for_strangers,
    settings_on_a_port,
)
from tests.counter import Counter
from tests.protection import assert_protected

SHOWN = {
    "a stranger": ("/articles", "storefront.articles", (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)),
    "staff": ("/redeem", "redemption.show_find", (403, 429, 500, 503)),
}
"""For whom: an address that fails, its endpoint, and with which statuses."""


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


def failing_with(status: int) -> Callable[[], NoReturn]:
    """Return a view that answers with this status and nothing else."""

    def fail() -> NoReturn:
        abort(status)

    return fail


@pytest.mark.parametrize("who", SHOWN)
def test_an_error_page_has_no_barrier_and_says_whom_to_call(app: Flask, counter: Counter, who: str) -> None:
    path, endpoint, statuses = SHOWN[who]
    page = counter.page
    if who == "staff":
        counter.sign_in()
    failures = listen_for_failures(page, expected="status of ")
    strangers = listen_for_strangers(page, counter.url)
    for status in statuses:
        app.view_functions[endpoint] = failing_with(status)
        answer = page.goto(counter.url + path)
        assert answer is not None
        assert answer.status == status
        assert_protected(path, answer.all_headers())
        check_markup(answer.text())
        assert_no_barrier(page, schemes=("light", "dark"))
        assert page.locator("main a[href^='tel:']").count() == 1
        assert (page.locator("main a[href='/redeem']").count() == 1) == (who == "staff")
    assert failures == []
    assert strangers == []
