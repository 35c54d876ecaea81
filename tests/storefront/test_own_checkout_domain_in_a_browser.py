"""A domain of the practice's own for Stripe's page: in a real browser a form leads there by a step in between."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from giftshop.foundation.settings import Settings
from tests.browsing import assert_no_barrier, settings_on_a_port
from tests.storefront.conftest import Visitor, heading
from tests.workbench.running import RunningWorkbench, start_workbench


@pytest.fixture(scope="module")
def own_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorkbench]:
    """A Stripe whose payment page has another name than its API."""
    with start_workbench(tmp_path_factory.mktemp("own"), WORKBENCH_CHECKOUT_HOST="localhost") as bench:
        yield bench


@pytest.fixture
def settings(database_url: str, own_domain: RunningWorkbench) -> Settings:
    """Settings of a shop that is served for real beside that Stripe."""
    return settings_on_a_port(database_url, **own_domain.shop_settings)


def fill_in(page: Page, shop: str) -> None:
    """Fill in a gift and press the button."""
    page.goto(f"{shop}/gift")
    page.fill("[name=gifts-0-recipient_name]", "Ana")
    page.fill("[name=gifts-0-giver_name]", "Marko")
    page.fill("[name=gifts-0-recipient_email]", "ana@example.com")
    page.fill("[name=buyer_email]", "marko@example.com")
    page.click(".total button")


@pytest.mark.parametrize("has_script", [True, False])
def test_the_form_leads_to_the_payment_page(
    shop: str, browser: Browser, own_domain: RunningWorkbench, has_script: bool
) -> None:
    context = browser.new_context(java_script_enabled=has_script, viewport={"width": 390, "height": 844})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    fill_in(page, shop)
    page.wait_for_url("http://localhost:*/c/pay/**")
    assert page.url == own_domain.sessions()[0]["url"]
    assert [line for line in said if "form-action" in line] == []
    page.go_back()  # not to the step in between, which would lead on at once
    page.wait_for_url(f"{shop}/gift")
    context.close()


def test_the_step_in_between_has_a_button_and_no_barrier(shop: str, page: Page) -> None:
    def stay(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        route.fulfill(response=answer, headers={**answer.headers, "refresh": ""})

    page.route("**/gift", lambda route: stay(route) if route.request.method == "POST" else route.continue_())
    fill_in(page, shop)
    page.wait_for_selector("h1:has-text('On to the payment page')")
    assert_no_barrier(page)
    page.click("text=Continue to payment")
    page.wait_for_url("http://localhost:*/c/pay/**")


def test_the_step_is_kept_by_no_cache(visitor: Visitor, settings: Settings) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(), headers={"Origin": settings.base_url})
    assert (answer.status_code, heading(answer)) == (200, "On to the payment page")
    assert answer.headers["Refresh"].startswith("0; url=http://localhost:")
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_no_browser_is_led_straight_to_the_session(visitor: Visitor, own_domain: RunningWorkbench) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift())
    assert (answer.status_code, answer.location) == (303, own_domain.sessions()[0]["url"])
