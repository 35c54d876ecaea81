"""Scanners that type, on every page of the counter and wherever the focus is: a scan is never a press."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from giftshop.documents.qr import certificate_address
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate, LedgerEntry
from tests import build
from tests.browsing import settings_on_a_port
from tests.counter import Counter
from tests.redemption.scanner import SCANNERS, Scanner, focusable, hold, type_slowly
from tests.redemption.states import NOBODYS, found, idle, refused, taken, typed, undone

OTHERS = 33_00
"""What is on the certificate that is scanned, and on no other."""
SCANNER = Scanner()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


@pytest.fixture
def other(counter: Counter) -> str:
    """The address on another certificate, as its QR code says it."""
    return certificate_address(counter.url, build.code_of(build.certificate(face_value_cents=OTHERS)))


def assert_other_is_open(page: Page) -> None:
    expect(page.locator(".verdict b")).to_have_text("$33.00 left")


def entries() -> list[tuple[str, int]]:
    """Return every entry that is not an issue."""
    db.session.rollback()
    rows = db.session.query(LedgerEntry).order_by(LedgerEntry.id)
    found = [(str(entry.kind), entry.amount_cents) for entry in rows if entry.kind != "issue"]
    db.session.rollback()  # what is read here holds nobody up
    return found


def on_the_certificates_page(counter: Counter) -> None:
    found(counter)


def nothing_here(counter: Counter) -> None:
    counter.sign_in()
    counter.open("/redeem/unknown")


def not_found_by_code(counter: Counter) -> None:
    counter.sign_in()
    counter.open("/redeem")
    db.session.rollback()
    counter.open(f"/redeem/{build.certificate().public_id}")
    expect(counter.page.get_by_role("heading", level=1)).to_have_text("That isn’t open to your role")


PAGES: dict[str, Callable[[Counter], None]] = {
    "find": idle,
    "a certificate": on_the_certificates_page,
    "redeemed": lambda counter: taken("95", counter),
    "undone": undone,
    "unknown code": lambda counter: typed(NOBODYS, counter),
    "nothing here": nothing_here,
    "not open": not_found_by_code,
}


@pytest.mark.parametrize("where", PAGES)
def test_a_scan_opens_what_was_scanned_on_every_page(counter: Counter, other: str, where: str) -> None:
    PAGES[where](counter)
    before = entries()
    SCANNER.scan(counter.page, other)
    assert_other_is_open(counter.page)
    assert entries() == before


@pytest.mark.parametrize("kind", SCANNERS)
def test_every_kind_of_scanner_opens_what_it_read(counter: Counter, other: str, kind: str) -> None:
    found(counter)
    counter.page.focus("#take")
    SCANNERS[kind].scan(counter.page, other)
    assert_other_is_open(counter.page)
    counter.page.wait_for_timeout(400)
    assert_other_is_open(counter.page)
    assert entries() == []


def test_a_scan_is_sent_as_it_arrived(counter: Counter, other: str) -> None:
    found(counter)
    arrived = other.upper().replace(":", "Ö").replace("/", "-").replace("?", "_")
    with counter.page.expect_request(lambda request: request.method == "POST") as asked:
        SCANNER.scan(counter.page, arrived)
    assert arrived in (asked.value.post_data or "")


def test_a_scan_is_no_press_wherever_the_focus_is_on_the_find_page(counter: Counter, other: str) -> None:
    idle(counter)
    for place in range(len(list(focusable(counter.page)))):
        counter.open("/redeem")
        counter.page.focus(list(focusable(counter.page))[place])
        SCANNER.scan(counter.page, other)
        assert_other_is_open(counter.page)


@pytest.mark.parametrize("end", ["Enter", "Tab"])
def test_a_scan_is_no_press_wherever_the_focus_is_on_a_certificates_page(
    counter: Counter, other: str, end: str
) -> None:
    found(counter)
    counter.page.click("text=Add a note")
    address = counter.page.url
    for place in range(len(list(focusable(counter.page)))):
        counter.page.goto(address)
        counter.page.click("text=Add a note")
        counter.page.focus(list(focusable(counter.page))[place])
        Scanner(ends=(end,)).scan(counter.page, other)
        assert_other_is_open(counter.page)
    assert entries() == []


def tap_an_amount(page: Page) -> None:
    page.click(".chips label >> nth=1")


def tap_what_is_chosen(page: Page) -> None:
    page.click(".chips label >> nth=0")


def type_an_amount(page: Page) -> None:
    page.focus("#other_amount")
    type_slowly(page, "40")


def write_a_note(page: Page) -> None:
    page.click("text=Add a note")
    page.focus("#note")
    type_slowly(page, "feet")


HALF_DONE = {each.__name__: each for each in (tap_an_amount, tap_what_is_chosen, type_an_amount, write_a_note)}


@pytest.mark.parametrize("begun", HALF_DONE)
def test_what_is_half_done_is_asked_about_with_one_press_and_nothing_is_redeemed(
    counter: Counter, other: str, begun: str
) -> None:
    page = counter.page
    found(counter)
    HALF_DONE[begun](page)
    before = page.evaluate("[...new FormData(document.getElementById('redeem'))]")
    button = page.inner_text("#take")
    Scanner(ends=("Enter", "Enter")).scan(page, other)
    expect(page.get_by_text("Another certificate was scanned")).to_be_visible()
    page.wait_for_timeout(400)
    assert page.evaluate("[...new FormData(document.getElementById('redeem'))]") == before
    assert page.inner_text("#take") == button
    assert entries() == []
    page.keyboard.press("Enter")
    assert_other_is_open(page)
    assert entries() == []


def test_who_stays_goes_on_where_they_were(counter: Counter, other: str) -> None:
    page = counter.page
    found(counter)
    type_an_amount(page)
    SCANNER.scan(page, other)
    page.click("text=Stay here")
    expect(page.get_by_text("Another certificate was scanned")).to_be_hidden()
    assert page.input_value("#other_amount") == "40"
    page.click("#take")
    expect(page.locator(".verdict")).to_contain_text("Took $40.00")


def test_what_a_refusal_left_on_the_page_is_half_done(counter: Counter, other: str) -> None:
    refused("120.01", counter)
    SCANNER.scan(counter.page, other)
    expect(counter.page.get_by_text("Another certificate was scanned")).to_be_visible()
    assert counter.page.input_value("#other_amount") == "120.01"


def test_a_scan_that_is_no_certificate_leads_to_the_find_page_with_what_was_scanned(counter: Counter) -> None:
    page = counter.page
    found(counter)
    SCANNER.scan(page, "4006381333931")
    expect(page.locator("#summary")).to_be_visible()
    assert page.url == f"{counter.url}/redeem"
    assert page.input_value("#code") == "4006381333931"
    assert page.is_hidden("#start")  # this page was not let to the camera; the next one is
    page.click("text=Open this page again")
    expect(page.locator("#start")).to_be_visible()
    assert entries() == []


def test_what_a_person_types_stays_what_it_is(counter: Counter) -> None:
    page = counter.page
    found(counter)
    page.click("text=Add a note")
    page.focus("#note")
    type_slowly(page, "couples", gap=0.09)
    page.keyboard.press("Tab")
    assert page.input_value("#note") == "couples"
    page.focus("#other_amount")
    type_slowly(page, "12.50", then="Enter", gap=0.09)
    expect(page.locator(".verdict")).to_contain_text("Took $12.50")


def test_a_key_that_is_held_down_is_no_scan(counter: Counter) -> None:
    page = counter.page
    found(counter)
    page.focus("#other_amount")
    hold(page, "9", times=9)
    page.keyboard.press("Enter")
    page.wait_for_selector("#summary")
    assert page.input_value("#other_amount") == "9" * 9
    assert entries() == []


def test_what_is_typed_beside_the_field_lands_in_it(counter: Counter, other: str) -> None:
    idle(counter)
    counter.page.focus("text=Find it")
    type_slowly(counter.page, other.rpartition("/")[2], then="Enter", gap=0.08)
    assert_other_is_open(counter.page)


def test_without_the_script_of_scanners_a_scan_is_a_press(counter: Counter, other: str) -> None:
    """The negative control: this is what the script is for."""
    counter.page.route("**/keys.js*", lambda route: route.abort())
    found(counter)
    counter.page.click(".chips label >> nth=1")
    SCANNER.scan(counter.page, other)
    expect(counter.page.locator(".verdict")).to_contain_text("Took $120.00")
    assert [amount for _kind, amount in entries()] == [120_00]
    assert db.session.query(Certificate).count() == 2
