"""The counter in a real browser: every state without a barrier, in the light and in the dark, wide and narrow."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from giftshop.foundation.settings import Settings
from tests.browsing import (
    MOST_BYTES,
    assert_no_barrier,
    check_markup,
    keep_pages,
    listen_for_failures,
    listen_for_strangers,
    settings_on_a_port,
    weigh_first_visit,
)
from tests.counter import Counter
from tests.redemption.states import STATES, found


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


@pytest.mark.parametrize("state", STATES)
def test_a_state_has_no_barrier_in_the_light_and_in_the_dark(counter: Counter, state: str) -> None:
    page = counter.page
    failures = listen_for_failures(page, expected="status of 4")
    strangers = listen_for_strangers(page, counter.url)
    pages = keep_pages(page)
    STATES[state](counter)
    assert_large_enough_for_a_thumb(page)
    assert_no_barrier(page, schemes=("light", "dark"))
    check_markup(pages[-1].text())
    assert failures == []
    assert strangers == []


def test_a_redemption_takes_two_taps_from_the_scan(counter: Counter) -> None:
    found(counter)
    button = counter.page.locator("#take")
    assert button.inner_text() == "Redeem $95.00"
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 844  # in sight without scrolling on a phone
    button.click()
    expect(counter.page.locator(".verdict")).to_contain_text("$25.00 left")


def test_the_first_visit_of_a_page_at_work_is_light(counter: Counter, browser: Browser) -> None:
    found(counter)
    state = counter.page.context.storage_state()
    for path in ("/staff/login", "/redeem", urlsplit(counter.page.url).path, "/redeem/unknown"):
        context = browser.new_context(storage_state=state)
        sizes = weigh_first_visit(context.new_page(), counter.url + path)
        assert all(url.startswith(counter.url) for url in sizes)
        assert 10_000 < sum(sizes.values()) <= MOST_BYTES, sizes
        context.close()


def assert_large_enough_for_a_thumb(page: Page) -> None:
    """Check every button and every choice of the page."""
    targets = page.locator("main :is(.button, .chips label):visible").all()
    heights = [box["height"] for target in targets if (box := target.bounding_box()) is not None]
    assert len(heights) == len(targets) >= 1
    assert min(heights) >= 56
