"""Visits through the proxies: headers and cookies, names and addresses, a purchase to its refund, many buyers."""

import re

import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.protection import assert_protected
from tests.rig import people
from tests.rig.network import CHECKOUT, FRONT, OTHER, OWN_CHECKOUT, PEOPLE
from tests.rig.shop import BASE
from tests.rig.stripe_side import send_buyers_to
from tests.rig.waiting import wait_for
from tests.rig.world import World

HSTS = "max-age=31536000; includeSubDomains"


def headers_and_cookies(_world: World) -> None:
    """Every page carries its headers, and the one cookie is as narrow as cookies can be."""
    with people.without_browser() as visitor:
        for path in ("/", "/gift", "/balance", "/staff/login", "/nothing-here"):
            answer = visitor.get(f"{BASE}{path}", timeout=20)
            assert_protected(path, answer.headers)
            assert answer.headers["Strict-Transport-Security"] == HSTS, path
            assert "form-action 'self' https://checkout.stripe.com;" in answer.headers["Content-Security-Policy"]
            for cookie in answer.raw.headers.getlist("Set-Cookie"):
                assert cookie.startswith("__Host-"), cookie
                assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")), cookie
                assert "Domain=" not in cookie
        assert [cookie.name for cookie in visitor.cookies] == ["__Host-giftshop"]
        plain = visitor.get(BASE.replace("https://", "http://"), timeout=20, allow_redirects=False)
        assert (plain.status_code, plain.headers["Location"].rstrip("/")) == (301, BASE)


def names_and_addresses(_world: World) -> None:
    """Another name of the server leads to the shop; machines may ask by any name."""
    elsewhere = requests.get(f"https://{OTHER}/gift", timeout=20)
    assert (elsewhere.status_code, f'href="{BASE}/gift"' in elsewhere.text) == (400, True)
    for name in (OTHER, FRONT, "anything.example", ""):
        for path, expected in (("/healthz", "ok"), ("/readyz", '"ready":true')):
            answer = requests.get(f"http://127.0.0.1:8000{path}", headers={"Host": name}, timeout=20)
            assert answer.status_code == 200, (name, path, answer.text)
            assert expected in answer.text.replace(" ", "").strip()
    told = requests.get(f"{BASE}/readyz", timeout=20).json()
    assert told["proxies"] == {"seen": 1, "told": 1}
    assert not [notice for notice in told["notices"] if "PROXY" in notice]


def whose_address_counts(world: World) -> None:
    """The visitor's address is the one the proxy saw, whatever the visitor writes about it."""
    with people.without_browser() as visitor:
        sent = people.send_order(visitor, buyer="forger@friends.example", **{"X-Forwarded-For": "198.51.100.7"})
    assert (sent.status_code, sent.headers.get("Location", "")[:28]) == (303, f"https://{CHECKOUT}/"[:28])
    (last,) = world.ask("SELECT client_address FROM checkout_attempt ORDER BY id DESC LIMIT 1")
    assert last == (PEOPLE,)


def purchase_to_refund(world: World) -> None:
    """A buyer pays, the gift arrives through the mail server, a part is redeemed, the rest goes back to the card."""
    number = len(world.post.sink.arrived)
    recipient, buyer = f"ana{number}@friends.example", f"marko{number}@friends.example"
    with people.chromium(world.folder, world.authority.path) as browser:
        page = people.open_page(browser)
        order = people.buy(page, recipient=recipient, buyer=buyer, checkout=CHECKOUT)
        _look_at_cookies(page.context)
        link = _wait_for_gift(world, recipient)
        reader = people.open_page(browser)
        reader.goto(link)
        expect(reader.get_by_role("heading", level=1)).to_contain_text("$120.00")
        _look_at_cookies(reader.context)
        owner = _sign_in(world, browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US"))
        owner.goto(f"{BASE}/redeem")
        owner.locator('[name="code"]').first.fill(link.rpartition("/c/")[2].partition("?")[0])
        owner.locator('[name="code"]').first.press("Enter")
        owner.locator('[name="other_amount"]').fill("40")
        owner.get_by_role("button", name="Redeem $40.00").click()
        expect(owner.locator(".state.good").first).to_contain_text("Took $40.00")
        certificate = re.search(r"/redeem/(\w+)", owner.url)
        assert certificate is not None, owner.url
        owner.goto(f"{BASE}/office/certificates/{certificate[1]}/refund")
        owner.locator('[name="amount"]').fill("80")
        owner.locator('[name="reason"]').fill("moved away")
        owner.get_by_role("button", name="Pay it back").click()
        owner.wait_for_url(f"{BASE}/office/orders/**")
        wait_for(lambda: "$80.00 went back" in _text_of(page, order), "the buyer reads of the refund")
        wait_for(lambda: _mails(world, buyer, "is on its way back"), "the buyer's mail about the refund")


def _sign_in(world: World, context: BrowserContext) -> Page:
    if world.cookies:
        context.add_cookies(world.cookies)
        return context.new_page()
    page = people.enrol_owner(context, world.given)
    world.cookies = context.cookies()
    _look_at_cookies(context)
    return page


def _look_at_cookies(context: BrowserContext) -> None:
    """Check what the browser itself made of the shop's cookies."""
    cookies = [cookie for cookie in context.cookies() if not cookie["domain"].endswith("stripe.com")]
    assert cookies
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-"), cookie
        assert (cookie["secure"], cookie["httpOnly"]) == (True, True), cookie
        assert cookie["sameSite"] in ("Lax", "Strict"), cookie


def _text_of(page: Page, address: str) -> str:
    page.goto(address)
    return page.inner_text("main")


def _mails(world: World, to: str, subject: str) -> list[str]:
    return [
        mail.raw.decode("ascii", "replace")
        for mail in list(world.post.sink.arrived)
        if to in mail.recipients and subject in str(mail.message["Subject"])
    ]


def _wait_for_gift(world: World, recipient: str) -> str:
    """Wait for the gift in the recipient's mailbox, and return the link in it."""
    wait_for(lambda: _mails(world, recipient, "sent you a massage"), "the gift's mail")
    (mail,) = [mail for mail in world.post.sink.arrived if recipient in mail.recipients]
    body = mail.message.get_body(("plain",))
    assert body is not None
    assert mail.sender == "gifts@practice.example"
    found = re.search(rf"{re.escape(BASE)}/c/\S+", body.get_content())
    assert found is not None
    return found[0]


def six_buyers_at_one_address(_world: World) -> None:
    """Six people of one office are on their way to pay, and a seventh too: limits are the real ones here."""
    for number in range(7):
        with people.without_browser() as visitor:
            sent = people.send_order(visitor, buyer=f"colleague{number}@office.example")
            assert sent.status_code == 303, (number, sent.status_code, sent.text[:300])
            assert sent.headers["Location"].startswith(f"https://{CHECKOUT}/")


def payment_page_on_an_own_domain(world: World) -> None:
    """The account's payment page is on the practice's own domain: the browser gets there all the same."""
    send_buyers_to(world.folder, OWN_CHECKOUT)
    try:
        with people.chromium(world.folder, world.authority.path) as browser:
            page = people.open_page(browser)
            people.buy(page, recipient="own@friends.example", buyer="marta@friends.example", checkout=OWN_CHECKOUT)
    finally:
        send_buyers_to(world.folder, CHECKOUT)


def the_doctor_finds_nothing_broken(world: World) -> None:
    """`flask doctor` asks Stripe, the mail server and the shop through its proxy, and finds no fault with them."""
    said = world.shop.flask("doctor", fails=True).stdout
    faults = [line for line in said.splitlines() if line.startswith("FAULT")]
    assert faults == [], said
    assert re.search(r"^ok +mail: the server takes mail from gifts@practice.example", said, re.MULTILINE), said
    assert re.search(r"^ok +stripe", said, re.MULTILINE), said
    assert "through 1 proxies, as GIFTSHOP_PROXY_HOPS says" in said, said


OF_EACH_FRONT = (headers_and_cookies, names_and_addresses, whose_address_counts, purchase_to_refund)
ONCE = (six_buyers_at_one_address, payment_page_on_an_own_domain, the_doctor_finds_nothing_broken)
