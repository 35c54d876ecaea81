"""The pages in a real browser: nothing in the way of anyone, with a script and without, wide and narrow."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import html5lib
import pytest
from axe_core_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, Request, sync_playwright
from werkzeug.serving import make_server

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.database import db
from giftshop.limits import limiter
from giftshop.orders.models import Order
from giftshop.orders.placing import place_order
from giftshop.orders.register import token_of
from giftshop.settings import Settings
from tests import build
from tests.conftest import make_settings
from tests.running import free_port
from tests.workbench.running import RunningWorkbench

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """Settings of a shop that is served for real, with a simulated Stripe that answers."""
    return make_settings(
        database_url,
        base_url=f"http://127.0.0.1:{free_port()}",
        stripe_api_base=workbench.url,
        stripe_secret_key=workbench.stripe_key,
        stripe_webhook_secret=workbench.webhook_secret,
    )


@pytest.fixture
def shop(app: Flask, settings: Settings) -> Iterator[str]:
    """The address of the test's shop, answering on its own port."""
    limiter.reset()
    server = make_server("127.0.0.1", int(settings.base_url.rsplit(":", 1)[1]), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield settings.base_url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


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


def pause_sales() -> str:
    db.session.get_one(Practice, 1).is_selling = False
    db.session.commit()
    return "/"


LONG = "Żaneta Đorđević-Łukaszewska von der Wolkenstein"
STATES: dict[str, Callable[[], str]] = {
    "home": lambda: "/",
    "home, paused": pause_sales,
    "builder, paused": lambda: pause_sales() + "gift",
    "builder": lambda: "/gift",
    "articles": lambda: "/articles",
    "back article": lambda: "/articles/when-your-back-locks-up",
    "visit article": lambda: "/articles/before-your-visit",
    "terms": lambda: "/terms",
    "balance": lambda: "/balance",
    "unknown code": lambda: "/c/123",
    "not found": lambda: "/nothing",
    "full": certificate_page,
    "part used": lambda: certificate_page(balance_cents=25_00, recipient_name=LONG),
    "used up": lambda: certificate_page(balance_cents=0),
    "frozen": lambda: certificate_page(status="frozen"),
    **{
        f"order {state}": lambda state=state: order_in(state)
        for state in ("awaiting_payment", "processing", "expired", "failed", "in_review", "refunded")
    },
}


@pytest.mark.parametrize("state", STATES)
def test_a_page_has_no_barrier_and_fits_every_width(shop: str, page: Page, state: str) -> None:
    failures = _listen_for_failures(page)
    path = STATES[state]()
    page.goto(shop + path)
    _check_markup(page.request.get(shop + path).text())
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert _barriers(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert failures == []


def test_the_builder_with_errors_has_no_barrier_and_its_summary_takes_the_focus(shop: str, page: Page) -> None:
    page.goto(f"{shop}/gift")
    page.click("[name=add_gift]")
    page.click(".total button")
    page.wait_for_selector("#summary")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.id") == "summary"
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert _barriers(page) == []
    page.click("#summary a >> nth=0")
    assert page.evaluate("document.activeElement.name") == "gifts-0-recipient_name"
    _check_markup(page.content())


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
    page.check("[name=gifts-0-offer][value='60-minutes']", force=True)
    assert page.input_value("[name=gifts-0-amount]") == ""
    assert page.inner_text("[data-is=total]") == "$95.00"


def test_a_chosen_design_is_drawn_in_the_preview(shop: str, page: Page) -> None:
    failures = _listen_for_failures(page)
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


def test_the_first_visit_is_light_and_asks_nobody_else(shop: str, browser: Browser) -> None:
    for path in ("/", "/gift", "/articles/when-your-back-locks-up"):
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        sizes: dict[str, int] = {}
        page.on("requestfinished", partial(_weigh, sizes))
        page.goto(shop + path, wait_until="networkidle")
        assert all(url.startswith(shop) for url in sizes)
        assert sum(sizes.values()) <= 60_000, sizes
        context.close()


def _weigh(sizes: dict[str, int], request: Request) -> None:
    sizes[request.url] = request.sizes()["responseBodySize"]


def _listen_for_failures(page: Page) -> list[str]:
    """Collect what the browser complains about, but not that a missing page is missing."""
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda line: failures.append(line.text) if _is_complaint(line.type, line.text) else None)
    return failures


def _is_complaint(kind: str, text: str) -> bool:
    return kind in ("error", "warning") and "404 (NOT FOUND)" not in text


def _barriers(page: Page) -> list[str]:
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found = Axe().run(page, options=options)["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def _check_markup(text: str) -> None:
    """Parse strictly, and check by hand what a parser doesn't: ids, what points to them, nothing inline."""
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in document.iter():
        for name in ("for", "aria-describedby", "aria-labelledby"):
            assert set((element.get(name) or "").split()) <= set(ids)
        assert not any(name == "style" or name.startswith("on") for name in element.attrib)
    assert len(document.findall(".//h1")) == 1
    assert all(script.get("src") and not script.text for script in document.iter("script"))
