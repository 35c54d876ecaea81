"""A scanner set to a US keyboard, plugged into computers with others: its keys come as the computer reads them."""

import json
import time

import pytest
from playwright.sync_api import Page, expect

from giftshop.certificates.keyboards import KEYS, TABLES
from giftshop.documents.qr import certificate_address
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from tests import build
from tests.browsing import assert_no_barrier, settings_on_a_port
from tests.counter import Counter

LAYOUTS = ["de", "fr", "es", "it", "tr", "ch", "be", "cz", "pt", "se", "il", "hu", "dk", "gb"]
_CODES = {";": "Semicolon", "/": "Slash", ".": "Period", "-": "Minus"}


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


def scan(page: Page, layout: str, address: str) -> str:
    """Press what a scanner presses for an address, as a computer with this layout hears it; return what arrived."""
    tables = {name: table for table in json.loads(TABLES.read_text())["tables"] for name in table["layouts"]}
    unchanged = {"plain": KEYS.lower(), "shifted": KEYS.replace(";", ":")}
    table, session = tables.get(layout, unchanged), page.context.new_cdp_session(page)
    began_at = time.time()  # a scanner takes 5 ms for a sign, however long this machine takes

    def press(kind: str, number: int, **event: object) -> None:
        session.send("Input.dispatchKeyEvent", {"type": kind, "timestamp": began_at + number / 200, **event})

    for number, sign in enumerate(address):
        pressed, is_shifted = sign.replace(":", ";"), sign.isalpha() or sign == ":"
        kind = "Key" if sign.isalpha() else "Digit"
        heard = table["shifted" if is_shifted else "plain"][KEYS.index(pressed)]
        event = {"key": heard, "code": _CODES.get(pressed, kind + pressed), "modifiers": 8 if is_shifted else 0}
        press("keyDown", number, text=heard, **event)
        press("keyUp", number, **event)
    arrived, enter = page.input_value("#code"), {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    press("keyDown", len(address), text="\r", **enter)
    press("keyUp", len(address), **enter)
    return arrived


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scan_opens_its_certificate_on_every_layout(counter: Counter, layout: str) -> None:
    counter.sign_in()
    certificate = build.certificate()
    public_id, code = certificate.public_id, build.code_of(certificate)
    address = certificate_address("https://gift.example.com", code)
    counter.open("/redeem")
    db.session.rollback()
    counter.page.focus("#code")
    with counter.page.expect_navigation():
        arrived = scan(counter.page, layout, address)
    assert counter.page.url.endswith(f"/redeem/{public_id}")
    assert (arrived == address) == (layout == "gb")


def test_a_layout_that_cannot_be_read_is_named_and_what_arrived_stays(counter: Counter) -> None:
    counter.sign_in()
    counter.open("/redeem")
    counter.page.focus("#code")
    arrived = scan(counter.page, "ru", "HTTPS://GIFT.EXAMPLE.COM/C/K7M2QX9RTB4DHVWR")
    expect(counter.page.locator("#summary")).to_contain_text("The scanner types for a US keyboard")
    assert "Russian" in counter.page.inner_text("#summary")
    assert counter.page.input_value("#code") == arrived
    assert_no_barrier(counter.page, schemes=("light", "dark"))
