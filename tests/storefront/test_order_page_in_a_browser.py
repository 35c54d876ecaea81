"""The buyer's pages in a real browser: bought, changed and printed without a script, and no barrier in any state."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from giftshop import clock
from giftshop.certificates import status
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate
from tests.browsing import assert_no_barrier, check_markup, listen_for_failures, settings_on_a_port
from tests.workbench.running import RunningWorkbench

NEXT_WEEK = (clock.today("America/Denver") + timedelta(days=7)).isoformat()
LATER = (clock.today("America/Denver") + timedelta(days=30)).isoformat()


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """Settings of a shop that is served for real, with a simulated Stripe that answers."""
    return settings_on_a_port(database_url, **workbench.shop_settings)


@pytest.fixture
def bare(browser: Browser) -> Iterator[Page]:
    """A phone whose browser runs no script."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def buy(page: Page, shop: str, *, deliver_on: str = NEXT_WEEK) -> str:
    """Buy a gift for Ana and come back to the order's page; return its address."""
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-recipient_name]", "Ana")
    page.fill("[name=gifts-0-giver_name]", "Marko")
    page.fill("[name=gifts-0-recipient_email]", "ana@example.com")
    page.fill("[name=gifts-0-deliver_on]", deliver_on)
    page.fill("[name=buyer_email]", "marko@example.com")
    page.click(".total button")
    page.click("button[value=pay]")
    page.wait_for_url("**/orders/**")
    return page.url.partition("?")[0]


def put(**values: object) -> None:
    db.session.execute(sa.update(Delivery).where(Delivery.kind == "gift").values(**values))
    db.session.commit()


def freeze() -> None:
    certificate = db.session.query(Certificate).one()
    status.freeze_by_hand(certificate.id, reason_code="asked", actor="staff:1", at=clock.now())
    db.session.commit()


def test_a_gift_is_sent_elsewhere_on_another_day_and_then_not_at_all_without_a_script(shop: str, bare: Page) -> None:
    buy(bare, shop)
    bare.click("text=Change the address or the day, or cancel")
    bare.fill("[name=address]", "ana at work")
    bare.click("text=Use this address")
    expect(bare).to_have_title(re.compile("^Error: "))
    assert bare.input_value("[name=address]") == "ana at work"
    bare.fill("[name=address]", "ana@example.org")
    bare.click("text=Use this address")
    expect(bare.locator("main")).to_contain_text("Goes to ana@example.org")
    bare.click("text=Change the address or the day, or cancel")
    bare.fill("[name=day]", LATER)
    bare.click("text=Use this day")
    expect(bare.locator("main")).to_contain_text("It goes out when you chose.")
    bare.click("text=Change the address or the day, or cancel")
    bare.click("text=Don’t email it")
    expect(bare.locator("h1")).to_have_text("Thank you, Marko. Ana’s certificate is ready to print.")
    expect(bare.get_by_text("Print certificate (PDF)")).to_be_visible()
    bare.get_by_role("link", name="Receipt", exact=True).click()
    expect(bare.locator("h1")).to_have_text("Receipt for order G-1001")


def as_it_is(_page: Page) -> None:
    pass


def cancelled(page: Page) -> None:
    page.goto(f"{page.url.partition('?')[0]}/gifts/1")
    page.click("text=Don’t email it")
    page.wait_for_url("**?done=cancel")


STATES: dict[str, tuple[Callable[[Page], None], str]] = {
    "order, waiting": (as_it_is, ""),
    "order, sent": (lambda _page: put(state="sent", sent_at=clock.now()), ""),
    "order, failed": (lambda _page: put(state="failed"), ""),
    "order, cancelled": (cancelled, ""),
    "order, on hold": (lambda _page: freeze(), ""),
    "order, just changed": (as_it_is, "?done=address"),
    "gift, waiting": (as_it_is, "/gifts/1"),
    "gift, sending": (lambda _page: put(state="sending"), "/gifts/1"),
    "gift, sent": (lambda _page: put(state="sent", sent_at=clock.now()), "/gifts/1"),
    "gift, failed": (lambda _page: put(state="failed"), "/gifts/1"),
    "gift, cancelled": (cancelled, "/gifts/1"),
    "link too old": (as_it_is, "/yours/x"),
    "receipt": (as_it_is, "/receipt"),
}


@pytest.mark.parametrize("state", STATES)
def test_a_page_has_no_barrier_and_fits_every_width(shop: str, page: Page, state: str) -> None:
    failures = listen_for_failures(page, expected="410 (GONE)")
    address, (reach, path) = buy(page, shop), STATES[state]
    reach(page)
    page.goto(address + path)
    check_markup(page.request.get(address + path).text())
    assert_no_barrier(page)
    assert failures == []


def test_the_form_with_an_error_takes_the_focus_and_has_no_barrier(shop: str, page: Page) -> None:
    page.goto(f"{buy(page, shop)}/gifts/1")
    page.fill("[name=address]", "ana")
    page.click("text=Use this address")
    page.wait_for_selector("#summary:focus")  # it comes a moment after the page
    page.click("#summary a")
    assert page.evaluate("document.activeElement.name") == "address"
    check_markup(page.content())
    assert_no_barrier(page)


def test_another_browser_is_asked_to_show_whose_order_it_is(shop: str, page: Page, browser: Browser) -> None:
    address = buy(page, shop)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    other = context.new_page()
    other.goto(f"{address}/gifts/1")
    check_markup(other.content())
    assert_no_barrier(other)
    other.click("text=Email me the link")
    expect(other.locator(".state")).to_contain_text("a link is on its way to the address you ordered with")
    context.close()
