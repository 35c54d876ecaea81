"""The pages in a real browser: nothing in the way of anyone, with a script and without, wide and narrow."""

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from giftshop import clock, money
from giftshop.catalog.models import Practice
from giftshop.checkout.placing import place_order
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.storefront.lettering import is_long_name
from tests import build
from tests.browsing import (
    CHROMIUM_ARGUMENTS,
    MOST_BYTES,
    assert_no_barrier,
    check_markup,
    keep_pages,
    keep_still,
    listen_for_failures,
    listen_for_strangers,
    settings_on_a_port,
    weigh,
)
from tests.certificates.test_codes import NO_SLIPS, SLIPS, TYPED
from tests.journeys.browser import CHROMIUM
from tests.storefront.states import LIGHT, STATES, Guest
from tests.workbench.running import RunningWorkbench


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """Settings of a shop that is served for real, with a simulated Stripe that answers."""
    return settings_on_a_port(database_url, **workbench.shop_settings)


def order_in(state: str) -> str:
    order = place_order(build.purchase(), mode="simulated", at=clock.now())
    order.state = state
    path = f"/orders/{token_of(order)}"
    db.session.commit()
    return path


def certificate_page(**values: Any) -> str:
    path = f"/c/{build.code_of(build.certificate(**values))}"
    db.session.rollback()
    return path


@pytest.fixture
def guest(app: Flask, shop: str, page: Page) -> Guest:
    """Somebody whose phone has never seen the shop."""
    keep_still(page)
    return Guest(app, page, shop)


@pytest.mark.parametrize("state", STATES)
def test_a_page_has_no_barrier_fits_every_width_and_asks_nobody_else(guest: Guest, state: str) -> None:
    status, reach = STATES[state]
    failures = listen_for_failures(guest.page, expected=f"a status of {status} ")
    strangers = listen_for_strangers(guest.page, guest.url)
    pages = keep_pages(guest.page)
    reach(guest)
    assert pages[-1].status == status
    check_markup(pages[-1].text())
    assert_no_barrier(guest.page)
    assert failures == []
    assert strangers == []


@pytest.mark.parametrize("state", LIGHT)
def test_the_first_visit_is_light(guest: Guest, state: str) -> None:
    sizes = weigh(guest.page)
    STATES[state][1](guest)
    guest.page.evaluate("document.fonts.ready.then(() => true)")
    guest.page.wait_for_load_state("networkidle")
    assert any(address.endswith(".woff2") for address in sizes)  # else the letters were not there to be weighed
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_the_builder_with_errors_has_no_barrier_and_its_summary_takes_the_focus(shop: str, page: Page) -> None:
    page.goto(f"{shop}/gift")
    page.click("[name=add_gift]")
    page.click(".total button")
    page.wait_for_selector("#summary:focus")  # it comes a moment after the page
    assert page.title().startswith("Error: ")
    assert_no_barrier(page)
    page.click("#summary a >> nth=0")
    assert page.evaluate("document.activeElement.name") == "gifts-0-recipient_name"
    check_markup(page.content())


def test_the_preview_follows_what_is_typed(shop: str, page: Page) -> None:
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-recipient_name]", "Żaneta")
    page.fill("[name=gifts-0-giver_name]", "Marko")
    page.fill("[name=gifts-0-message]", "Lie down for an hour.")
    assert page.inner_text("[data-is=recipient_name]") == "Żaneta"
    assert page.inner_text("[data-is=giver_name]") == "Marko"
    assert page.inner_text("[data-is=message]") == "Lie down for an hour."
    page.check("[name=gifts-0-offer][value='90-minutes']", force=True)
    assert page.inner_text("[data-is=amount]") == "$120.00"
    assert page.inner_text("[data-is=session]") == "90-minute massage for"
    page.fill("[name=gifts-0-amount]", "150.5")
    assert page.is_checked("[name=gifts-0-offer][value=amount]")
    assert page.inner_text("[data-is=total]") == "$150.50"
    page.check("[name=gifts-0-price][value=hidden]", force=True)
    assert page.inner_text("[data-is=amount]") == ""
    page.check("[name=gifts-0-offer][value='60-minutes']", force=True)
    assert page.input_value("[name=gifts-0-amount]") == ""
    assert page.inner_text("[data-is=total]") == "$95.00"


@pytest.mark.parametrize("currency", ["JPY", "ISK", "KWD", "ALL"])  # a browser knows other decimals of the last
def test_the_preview_counts_in_the_practices_own_currency(shop: str, page: Page, currency: str) -> None:
    db.session.get_one(Practice, 1).currency = currency
    db.session.commit()
    page.goto(f"{shop}/gift")
    typed = "5,000.5" if currency == "KWD" else "5,000"
    page.fill("[name=gifts-0-amount]", typed)
    page.click("summary")
    page.fill("[name=gifts-0-quantity]", "3")
    cents = money.parse_amount(typed, currency)
    assert page.inner_text("[data-is=amount]") == money.format_amount(cents, currency)
    assert page.inner_text("[data-is=total]") == money.format_amount(3 * cents, currency)


PREVIEWED = {
    "95,00": ("$95.00", "Only if you chose Other"),
    "１２０": ("$120.00", "Only if you chose Other"),
    "US$ 95.00": ("$95.00", "Only if you chose Other"),
    "1.250": ("–", "Enter an amount in figures that can be read in one way only"),
    "40.005": ("–", "Enter an amount in figures that can be read in one way only"),
    "0.005": ("–", "Enter an amount in figures, no finer than the smallest coin"),
    "€95": ("–", "Enter an amount in figures, like 120 or 120.50"),
    "-95": ("–", "Enter an amount in figures, like 120 or 120.50"),
    "1,250": ("$1,250.00", "Amount must be between $25 and $500"),
    "24.99": ("$24.99", "Amount must be between $25 and $500"),
}


@pytest.mark.parametrize("typed", PREVIEWED)
def test_the_preview_shows_the_amount_that_is_asked_for_or_says_why_there_is_none(
    shop: str, page: Page, typed: str
) -> None:
    written, hint = PREVIEWED[typed]
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-amount]", typed)
    assert page.inner_text("[data-is=amount]") == page.inner_text("[data-is=total]") == written
    assert page.inner_text("#gifts-0-amount-hint").startswith(hint)
    page.fill("[name=gifts-0-recipient_name]", "Ana")
    page.fill("[name=gifts-0-giver_name]", "Marko")
    page.check("[name=gifts-0-delivery][value=print]", force=True)
    page.fill("[name=buyer_email]", "marko@example.com")
    page.click(".total button")
    if hint.startswith("Only"):
        page.wait_for_url("**/c/pay/**")
        assert written in page.inner_text("body")
    else:
        assert hint in page.inner_text("#summary")
        assert page.inner_text("[data-is=total]") == written


def test_a_shop_in_canada_writes_and_reads_dollars_as_people_do_there(shop: str, page: Page) -> None:
    practice = db.session.get_one(Practice, 1)
    practice.currency, practice.place = "CAD", "CA-ON"
    db.session.commit()
    page.goto(f"{shop}/gift")
    assert "CA$" not in page.inner_text("main")
    for typed in ("$50", "CA$50", "50 $", "C$ 50,00", "$50 CAD"):
        page.fill("[name=gifts-0-amount]", typed)
        assert page.inner_text("[data-is=total]") == "$50.00", typed
    page.fill("[name=gifts-0-amount]", "US$50")
    assert page.inner_text("[data-is=total]") == "–"


@pytest.mark.parametrize("name", ["Anastasia-Ana", "AnastasiaAna", "Ana " * 6, "Ana " * 6 + "A", "👩" * 12, "👩" * 13])
def test_the_preview_writes_a_long_name_as_the_certificate_will(shop: str, page: Page, name: str) -> None:
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-recipient_name]", name)
    assert ("long" in page.get_attribute(".certificate .name", "class").split()) == is_long_name(name.strip())


def test_a_chosen_design_is_drawn_in_the_preview(shop: str, page: Page) -> None:
    failures = listen_for_failures(page)
    page.goto(f"{shop}/gift")
    before = page.inner_html(".certificate")
    with page.expect_response(lambda answer: answer.url.endswith("/art/held.svg")):
        page.check("[name=gifts-0-design][value=held]", force=True)
    page.wait_for_function("before => document.querySelector('.certificate').innerHTML !== before", arg=before)
    assert page.locator(".certificate > svg path").count() > 10
    assert failures == []


def test_characters_left_are_counted_aloud(shop: str, page: Page) -> None:
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-message]", "👋" * 390)
    assert page.inner_text("[role=status]") == "10 left"
    page.fill("[name=gifts-0-message]", "x" * 412)
    assert page.inner_text("[role=status]") == "12 too many"


def test_only_the_fields_of_the_chosen_way_are_shown(shop: str, page: Page) -> None:
    page.goto(f"{shop}/gift")
    assert page.is_visible("[name=gifts-0-recipient_email]")
    page.check("[name=gifts-0-delivery][value=print]", force=True)
    assert not page.is_visible("[name=gifts-0-recipient_email]")
    assert not page.is_visible("[name=gifts-0-deliver_on]")


def test_a_gift_is_bought_by_keyboard_alone(shop: str, page: Page) -> None:
    page.goto(f"{shop}/gift")
    page.focus("[name=gifts-0-recipient_name]")
    page.keyboard.type("Ana")
    page.keyboard.press("Tab")
    page.keyboard.type("Marko")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "gifts-0-delivery"
    page.keyboard.press("Tab")
    page.keyboard.type("ana@example.com")
    page.focus("[name=buyer_email]")
    page.keyboard.type("marko@example.com")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/pay/**")
    db.session.rollback()
    assert db.session.query(Order).one().total_cents == 95_00


def test_the_browsers_own_back_button_brings_the_form_back_filled_in(shop: str, browser: Browser) -> None:
    usual = browser.browser_type.launch(
        executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    )
    page = usual.new_page()
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-recipient_name]", "Ana")
    page.fill("[name=gifts-0-giver_name]", "Marko")
    page.fill("[name=gifts-0-recipient_email]", "ana@example.com")
    page.fill("[name=buyer_email]", "marko@example.com")
    page.click(".total button")
    page.wait_for_url("**/c/pay/**")
    page.evaluate("history.back()")
    page.wait_for_function("() => document.querySelector('[name=gifts-0-recipient_name]')?.value === 'Ana'")
    page.wait_for_function("() => document.querySelector('.total button').disabled === false")
    usual.close()


def test_without_a_script_a_gift_is_added_previewed_and_bought(shop: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-recipient_name]", "Ana")
    page.fill("[name=gifts-0-giver_name]", "Marko")
    page.fill("[name=gifts-0-recipient_email]", "ana@example.com")
    page.fill("[name=buyer_email]", "marko@example.com")
    page.click("[name=update_preview]")
    assert page.inner_text("[data-is=recipient_name]") == "Ana"
    page.click("[name=add_gift]")
    page.click("[name=remove_gift-1]")
    page.click(".total button")
    page.wait_for_url("**/c/pay/**")
    context.close()


def test_the_code_is_copied_by_a_button(shop: str, browser: Browser) -> None:
    path = certificate_page()
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(shop + path)
    page.click("text=Copy the code")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()").replace("-", "") == path.removeprefix("/c/")
    context.close()


def test_a_code_is_no_slip_wherever_it_stands_in_what_is_typed(shop: str, page: Page) -> None:
    page.goto(f"{shop}/balance")
    for typed in TYPED:
        page.fill("[name=code]", typed)
        assert page.text_content("[data-checks=code]") == "", typed
    for slip in SLIPS:
        page.fill("[name=code]", slip)
        assert page.text_content("[data-checks=code]"), slip
    for words in NO_SLIPS:
        page.fill("[name=code]", words)
        assert page.text_content("[data-checks=code]") == "", words


def test_a_typing_slip_is_noticed_before_the_code_is_sent(shop: str, page: Page) -> None:
    page.goto(f"{shop}/balance")
    for good in ("K7M2-QX9R-TB4D-HVWR", "zzzz zzzz zzzz zzzN", "7zOOOOOOOOOOOOI2", "K7M2", "K7M2-QX9R-TB4D-HVW"):
        page.fill("[name=code]", good)
        assert page.inner_text("[role=status]") == ""
    for slip in ("K7M2-QX9R-TB4D-HVWS", "7KM2-QX9R-TB4D-HVWR", "K7M2-QX9R-TB4D-HVWU"):
        page.fill("[name=code]", slip)
        assert page.inner_text("[role=status]").startswith("One character looks wrong")


def test_a_pending_order_looks_again_and_stops_in_the_end(shop: str, page: Page) -> None:
    path = order_in("processing")
    page.goto(shop + path)
    with page.expect_navigation(timeout=10_000):
        pass
    assert page.evaluate("sessionStorage.length") == 1
    page.evaluate("sessionStorage.setItem(`looked:${location.pathname}`, '10')")
    page.goto(shop + path)
    with pytest.raises(Exception, match="Timeout"), page.expect_navigation(timeout=3_000):
        pass


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_the_footer_reads_in_whole_words_and_is_pressed_with_a_thumb(shop: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{shop}/terms")
    assert page.evaluate("document.querySelector('.where').getBoundingClientRect().height") < 5 * 16 * 1.6
    sizes = page.evaluate("[...document.querySelectorAll('footer a')].map((a) => a.getBoundingClientRect())")
    assert min(min(size["width"], size["height"]) for size in sizes) >= 44


@pytest.mark.parametrize("state", STATES)
def test_text_of_twice_the_size_fits_the_narrowest_phone(guest: Guest, state: str) -> None:
    STATES[state][1](guest)
    guest.page.set_viewport_size({"width": 320, "height": 700})
    guest.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert guest.page.evaluate("document.documentElement.scrollWidth") <= 320
