"""The rig's people: a buyer, a recipient and the owner in a real Chromium, and buyers without a browser."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from requests.adapters import HTTPAdapter

from tests.buyer import GIFT, hidden_fields
from tests.journeys.browser import CHROMIUM, PHONE, QUIET
from tests.rig.network import PEOPLE
from tests.rig.shop import BASE, OWNER

PASSWORD = "quiet-harbor-lantern-73"


@contextmanager
def chromium(folder: Path, authority: Path) -> Iterator[Browser]:
    """Start a Chromium that trusts the rig's authority as any browser trusts one its owner has added."""
    home = folder / "home"
    store = home / ".pki/nssdb"
    if not store.exists():
        store.mkdir(parents=True)
        subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
        words = ["certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "rig", "-i", str(authority)]
        subprocess.run(words, check=True)
    environment: dict[str, str | float | bool] = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET, env=environment)
        yield browser
        browser.close()


def open_page(browser: Browser) -> Page:
    """Open a window of its own, with no cookies yet."""
    page = browser.new_context(viewport=PHONE, locale="en-US").new_page()
    page.set_default_timeout(20_000)
    return page


def fill_in(page: Page, *, recipient: str, buyer: str) -> None:
    """Fill the builder in for a gift of 90 minutes."""
    page.goto(f"{BASE}/gift")
    page.locator('input[name="gifts-0-offer"][value="90-minutes"]').check(force=True)
    page.locator('[name="gifts-0-recipient_name"]').fill("Ana")
    page.locator('[name="gifts-0-giver_name"]').fill("Marko")
    page.locator('[name="gifts-0-recipient_email"]').fill(recipient)
    page.locator('[name="buyer_email"]').fill(buyer)


def buy(page: Page, *, recipient: str, buyer: str, checkout: str) -> str:
    """Buy a gift, paying at this host; return the address of the order's page."""
    fill_in(page, recipient=recipient, buyer=buyer)
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url(f"https://{checkout}/**")
    page.locator('button[name="outcome"][value="pay"]').click()
    page.wait_for_url(f"{BASE}/orders/**")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you, Marko")
    return page.url.partition("?")[0]


def enrol_owner(context: BrowserContext, given: str) -> Page:
    """Sign the owner in for the first time: a second factor, then a password of her own."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{BASE}/staff/login")
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill(given)
    page.get_by_role("button", name="Continue").click()
    secret = re.sub(r"\s", "", page.locator("span.code").inner_text())
    page.get_by_label("Code from your app").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("recovery codes").first).to_be_visible()
    page.goto(f"{BASE}/staff/account")
    page.locator('[name="password"]').fill(given)
    page.locator('[name="new_password"]').fill(PASSWORD)
    page.get_by_role("button", name="Change it").click()
    page.wait_for_load_state()
    return page


def without_browser(address: str = PEOPLE) -> requests.Session:
    """Return somebody who sends forms from this address, and keeps cookies."""
    session, adapter = requests.Session(), _From(address)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)  # type: ignore[arg-type, no-untyped-call]


def send_order(session: requests.Session, *, buyer: str, **headers: str) -> requests.Response:
    """Send the builder's form; do not follow where it leads."""
    page = session.get(f"{BASE}/gift", timeout=20, headers=headers)
    fields = {**hidden_fields(page.text), **GIFT, "buyer_email": buyer}
    headers = {"Origin": BASE, **headers}
    return session.post(f"{BASE}/gift", data=fields, headers=headers, timeout=30, allow_redirects=False)
