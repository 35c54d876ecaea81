"""Working at the counter in a real browser: by scanner, by keyboard, without a script, without a camera, offline."""

import re

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect

from giftshop.catalog.models import Practice
from giftshop.documents.qr import certificate_address
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate
from giftshop.money import format_amount, parse_amount
from giftshop.staff import accounts, sign_in
from tests import build
from tests.browsing import INSECURE_HOST, assert_no_barrier, settings_on_a_port
from tests.counter import Counter
from tests.journeys.browser import sign_in as sign_in_by_pages
from tests.redemption.pictures import phone_photo
from tests.redemption.states import end_sign_ins, found, idle, signed_out_meanwhile
from tests.signing_in import PASSWORD, hire


@pytest.fixture
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    """Settings of a shop that is served for real, at another host if a test names one."""
    return settings_on_a_port(database_url, host=getattr(request, "param", "127.0.0.1"))


def test_a_scanner_types_wherever_the_focus_is_and_its_enter_finds(counter: Counter) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    idle(counter)
    counter.page.evaluate("document.activeElement.blur()")
    counter.page.keyboard.type(code)
    counter.page.keyboard.press("Enter")
    expect(counter.page.locator(".verdict")).to_contain_text("$120.00 left")


def test_a_certificate_is_redeemed_and_undone_by_keyboard_alone(counter: Counter) -> None:
    page, certificate = counter.page, build.certificate()
    code = build.code_of(certificate)
    idle(counter)
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_selector("#redeem")
    while page.evaluate("document.activeElement.name") != "amount":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Took $120.00")
    page.wait_for_selector("#next:focus")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Undone")
    db.session.rollback()
    assert db.session.get_one(Certificate, certificate.id).balance_cents == 120_00


def test_without_a_script_a_photographed_certificate_is_redeemed_and_undone(
    app: Flask, shop: str, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page, certificate, staff = context.new_page(), build.certificate(), hire("staff")
    code, secret = build.code_of(certificate), sign_in.code_now(staff)
    db.session.rollback()
    sign_in_by_pages(page, shop, "staff@practice.example", PASSWORD, secret)
    page.fill("#code", code.lower())
    page.click("text=Find it")
    expect(page.locator(".verdict")).to_contain_text("$120.00 left")
    page.goto(f"{shop}/redeem")
    photo = phone_photo(certificate_address(shop, code))
    page.set_input_files("#photo", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.click("text=Read the photo")
    page.check("[name=amount][value=other]", force=True)
    page.fill("#other_amount", "40.001")
    page.click("#take")
    expect(page).to_have_title(re.compile("^Error: "))
    assert page.input_value("#other_amount") == "40.001"
    page.fill("#other_amount", "$40")
    page.click("#take")
    expect(page.locator(".verdict")).to_contain_text("Took $40.00")
    page.click("text=Undo $40.00")
    expect(page.locator(".verdict")).to_contain_text("$120.00 left")
    page.click("text=Sign out")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    context.close()


def test_a_lost_answer_is_asked_for_again_and_nothing_is_taken_twice(counter: Counter) -> None:
    found(counter)
    lost: list[str] = []

    def lose_the_answer(route: Route) -> None:
        lost.append(route.request.url)
        route.fetch()
        route.abort()

    counter.page.route("**/redeem/*", lose_the_answer, times=1)
    counter.page.click("#take")
    expect(counter.page.get_by_text("Not confirmed yet")).to_be_visible()
    expect(counter.page.locator(".verdict")).to_contain_text("Took $95.00")
    assert len(lost) == 1
    db.session.rollback()
    assert db.session.query(Certificate).one().balance_cents == 25_00


def test_signed_out_in_between_leads_to_the_sign_in_and_back_with_what_was_typed(counter: Counter) -> None:
    signed_out_meanwhile(counter)
    counter.find(db.session.query(Certificate).one())
    page = counter.page
    expect(page.locator("#take")).to_have_text("Redeem $40.00")
    page.click("#take")
    expect(page.locator(".verdict")).to_contain_text("$80.00 left")


WALL = """
navigator.mediaDevices.getUserMedia = async () => {
  const wall = document.createElement('canvas');
  setInterval(() => wall.getContext('2d').fillRect(0, 0, wall.width, wall.height), 20);
  return wall.captureStream();
}"""
"""A camera that looks at a wall."""


def be_signed_out(counter: Counter) -> None:
    end_sign_ins()


def have_an_old_page(counter: Counter) -> None:
    counter.let_in(accounts.get_staff("staff@practice.example"))


SHUT = {"You were signed out": be_signed_out, "This page is out of date": have_an_old_page}


@pytest.mark.parametrize("sentence", SHUT)
def test_a_camera_stops_at_once_when_its_pictures_are_not_let_in(counter: Counter, sentence: str) -> None:
    counter.page.add_init_script(WALL)
    idle(counter)
    counter.page.click("#start")
    expect(counter.page.locator("#camera-says")).to_have_text("Looking for the QR code…")
    SHUT[sentence](counter)
    expect(counter.page.locator("#camera-says")).to_contain_text(sentence)
    assert not counter.page.is_visible("#video")
    counter.page.click("text=Open this page again")
    expect(counter.page.locator("#email, #start")).to_be_visible()


def test_an_amount_typed_before_the_script_came_is_the_one_that_is_taken(counter: Counter) -> None:
    found(counter)
    page, held = counter.page, list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/redeem.js*", hold)
    page.goto(page.url, wait_until="commit")
    page.fill("#other_amount", "40")
    expect(page.locator("#take")).to_have_text("Redeem")
    held[0].continue_()
    expect(page.locator("#take")).to_have_text("Redeem $40.00")


def test_a_choice_made_after_typing_is_the_one_that_is_taken(counter: Counter) -> None:
    found(counter)
    page = counter.page
    page.fill("#other_amount", "40")
    page.check('[name=amount][value="120.00"]', force=True)
    expect(page.locator("#take")).to_have_text("Redeem $120.00")
    page.click("#take")
    expect(page.locator(".verdict")).to_contain_text("Took $120.00")


WATCH = """
window.rewritten = [];
const note = (changes) => changes.forEach((change) => rewritten.push(change.type));
const all = { childList: true, characterData: true, subtree: true };
new MutationObserver(note).observe(document.getElementById('take'), all);
"""


def test_a_button_is_not_rewritten_while_it_is_pressed(counter: Counter) -> None:
    """WebKit drops the press when what is under it is put anew, even with the same words."""
    found(counter)
    page = counter.page
    page.evaluate(WATCH)
    page.focus("#other_amount")
    page.keyboard.type("15")
    assert page.inner_text("#take") == "Redeem $15.00"
    assert set(page.evaluate("rewritten")) == {"characterData"}  # the letters, and nothing that holds them
    page.evaluate("rewritten.length = 0")
    page.hover("#take")
    page.mouse.down()
    page.wait_for_timeout(100)
    assert page.evaluate("rewritten") == []
    page.mouse.up()
    expect(page.locator(".verdict")).to_contain_text("Took $15.00")


def test_a_picture_that_is_too_large_is_told_and_not_sent(counter: Counter) -> None:
    idle(counter)
    page, sent = counter.page, list[str]()
    page.on("request", lambda request: sent.append(request.method))
    page.evaluate("document.getElementById('photo-form').dataset.most = '1000'")
    page.set_input_files("#photo", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"x" * 1001})
    expect(page.get_by_text("That picture is too large")).to_be_visible()
    assert sent == []


OFFERED = {
    "12,50": ("Redeem $12.50", "Leaves $107.50."),
    "$12.50": ("Redeem $12.50", "Leaves $107.50."),
    "１２": ("Redeem $12.00", "Leaves $108.00."),
    "1.250": ("Redeem", "Enter an amount in figures that can be read in one way only"),
    "12.505": ("Redeem", "Enter an amount in figures that can be read in one way only"),
    "0.005": ("Redeem", "Enter an amount in figures, no finer than the smallest coin"),
    "twelve": ("Redeem", "Enter an amount in figures, like 120 or 120.50"),
    "1,250": ("Redeem", "Only $120.00 is left. Take all of it and collect $1,130.00 another way."),
}


@pytest.mark.parametrize("typed", OFFERED)
def test_the_button_offers_what_the_server_takes_or_the_page_says_why_not(counter: Counter, typed: str) -> None:
    button, words = OFFERED[typed]
    found(counter)
    page = counter.page
    page.fill("#other_amount", typed)
    expect(page.locator("#take")).to_have_text(button)
    expect(page.locator("#leaves")).to_contain_text(words)
    page.click("#take")
    if button == "Redeem":
        expect(page.locator("#summary")).to_be_visible()
        assert db.session.query(Certificate).one().balance_cents == 120_00
    else:
        expect(page.locator(".verdict b")).to_have_text(button.replace("Redeem", "Took"))


def test_one_press_honours_a_session_that_costs_more_by_now(counter: Counter) -> None:
    found(counter, face_value_cents=85_00, service_name="60-minute massage", offer_slug="60-minutes")
    page = counter.page
    expect(page.locator("#take")).to_have_text("Redeem $85.00")
    expect(page.locator("#leaves")).to_contain_text("Leaves $0.00.")
    assert "another way" not in page.inner_text("main")
    page.click("#take")
    expect(page.locator(".verdict b")).to_have_text("Took $85.00")
    expect(page.locator("main")).to_contain_text("The difference of $10.00 is on record.")


CURRENCIES = {"USD": "40.5", "EUR": "€40", "JPY": "¥4,000", "KWD": "40.125", "RSD": "40"}
"""With what is typed: decimals differ, and where Serbians count none, browsers would count two."""


@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_button_says_what_is_taken_in_the_certificates_own_currency(counter: Counter, currency: str) -> None:
    typed = parse_amount(CURRENCIES[currency], currency)
    db.session.get_one(Practice, 1).currency = currency
    found(counter, currency=currency, face_value_cents=5 * typed)
    page = counter.page
    page.fill("#other_amount", CURRENCIES[currency])
    expect(page.locator("#take")).to_have_text(re.compile(f"^Redeem {as_browsers_write(typed, currency)}$"))
    expect(page.locator("#leaves")).to_have_text(re.compile(f"^Leaves {as_browsers_write(4 * typed, currency)}\\."))
    page.click("#take")
    expect(page.locator(".verdict b")).to_have_text(f"Took {format_amount(typed, currency)}")


def as_browsers_write(cents: int, currency: str) -> str:
    """Return a pattern of an amount: browsers put a space after a sign of three letters."""
    return re.sub("^([A-Z]{3})", r"\1\\s?", re.escape(format_amount(cents, currency)))


TROUBLE = {
    "NotAllowedError": "The camera is blocked for this page",
    "NotReadableError": "Another program is using the camera",
    "AbortError": "The camera did not start",
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_camera_that_does_not_start_says_why_and_leaves_the_field(counter: Counter, trouble: str) -> None:
    failing = f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '{trouble}'))"
    counter.page.add_init_script(failing)
    idle(counter)
    counter.page.click("#start")
    expect(counter.page.locator("#camera-says")).to_contain_text(TROUBLE[trouble])
    assert counter.page.is_visible("#code")
    assert_no_barrier(counter.page)


def test_a_device_without_a_camera_says_so(counter: Counter) -> None:
    idle(counter)
    counter.page.click("#start")
    expect(counter.page.locator("#camera-says")).to_contain_text("There is no camera here")


@pytest.mark.parametrize("settings", [INSECURE_HOST], indirect=True)
def test_a_camera_at_an_address_without_https_says_why(app: Flask, shop: str, page: Page) -> None:
    code = sign_in.code_now(hire("staff"))
    db.session.rollback()
    sign_in_by_pages(page, shop, "staff@practice.example", PASSWORD, code)
    page.click("#start")
    expect(page.locator("#camera-says")).to_contain_text("needs a secure (https) address")
    assert page.is_visible("#code")
