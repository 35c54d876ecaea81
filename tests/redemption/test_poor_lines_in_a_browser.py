"""The counter on a poor line: whatever is cut, lost or answered by others, every act ends once and its end is known."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.web.limiter import limiter
from tests import build, network
from tests.browsing import assert_no_barrier, settings_on_a_port
from tests.counter import Counter
from tests.network import Line
from tests.redemption.pictures import phone_photo
from tests.redemption.scanner import Scanner
from tests.redemption.states import NOBODYS, end_sign_ins, found, idle

NOT_YET = "Not confirmed yet"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


@pytest.fixture
def line(app: Flask, settings: Settings) -> Iterator[Line]:
    """The line between this test's browser and its shop."""
    limiter.reset()
    with network.poor_line(app, settings) as line:
        yield line


@pytest.fixture
def shop(line: Line, settings: Settings) -> str:
    """The shop's address, at which the line answers."""
    return settings.base_url


def redemptions() -> list[int]:
    db.session.rollback()
    rows = db.session.query(LedgerEntry).order_by(LedgerEntry.id)
    found = [entry.amount_cents for entry in rows if entry.kind != "issue"]
    db.session.rollback()  # what is read here holds nobody up
    return found


TROUBLES: dict[str, Any] = {
    "cut in the middle": network.cut_answer,
    "cut without a length": network.cut_without_a_length,
    "cut in its head": network.cut_head,
    "lost on its way back": network.lost_answer,
    "never arrived": network.lost_request,
    "502": network.bad_gateway,
    "504": network.gateway_timeout,
    "a page of others": network.foreign_page,
    "led elsewhere": network.to_another_host,
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_redemption_is_told_as_not_confirmed_until_its_end_is_known(
    counter: Counter, line: Line, trouble: str
) -> None:
    page = counter.page
    found(counter)
    line.troubles.extend([TROUBLES[trouble]] * 2)
    counter.take("40")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    assert page.input_value("#other_amount") == "40"
    expect(page.locator(".verdict")).to_contain_text("Took $40.00", timeout=15000)
    assert redemptions() == [40_00]


@pytest.mark.parametrize("trouble", [network.swallowed, network.silent], ids=["answered", "not answered"])
def test_silence_is_told_within_seconds_and_ends_by_itself(counter: Counter, line: Line, trouble: Any) -> None:
    page = counter.page
    found(counter)
    line.troubles.append(trouble)
    page.click("#take")
    expect(page.get_by_text(NOT_YET)).to_be_visible(timeout=4000)
    expect(page.locator(".verdict")).to_contain_text("Took $95.00", timeout=15000)
    assert redemptions() == [95_00]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_finding_and_undoing_go_on_too(counter: Counter, line: Line, trouble: str) -> None:
    page = counter.page
    code = build.code_of(build.certificate())
    idle(counter)
    line.troubles.append(TROUBLES[trouble])
    page.fill("#code", code)
    page.press("#code", "Enter")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    assert page.input_value("#code") == code
    expect(page.locator(".verdict b")).to_have_text("$120.00 left")
    page.click("#take")
    expect(page.locator(".verdict")).to_contain_text("Took $95.00")
    line.troubles.append(TROUBLES[trouble])
    counter.undo()
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("Undone")
    assert redemptions() == [95_00, 95_00]


def test_a_photo_is_sent_again(counter: Counter, line: Line) -> None:
    page = counter.page
    code = build.code_of(build.certificate())
    idle(counter)
    line.troubles.append(network.cut_answer)
    page.set_input_files("#photo", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": phone_photo(code)})
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    expect(page.locator(".verdict b")).to_have_text("$120.00 left")


def test_a_scan_is_asked_again(counter: Counter, line: Line) -> None:
    found(counter)
    other = build.code_of(build.certificate(face_value_cents=33_00))
    db.session.rollback()
    line.troubles.append(network.bad_gateway)
    Scanner().scan(counter.page, other)
    expect(counter.page.get_by_text(NOT_YET)).to_be_visible()
    expect(counter.page.locator(".verdict b")).to_have_text("$33.00 left")


def test_a_refusal_comes_over_a_poor_line_too_with_what_was_typed(counter: Counter, line: Line) -> None:
    page = counter.page
    found(counter)
    line.troubles.extend([network.cut_without_a_length, network.cut_answer])
    counter.take("120.01")
    page.wait_for_selector("#summary")
    assert page.title().startswith("Error: ")
    assert page.input_value("#other_amount") == "120.01"
    expect(page.get_by_text(NOT_YET)).to_be_hidden()
    assert redemptions() == []
    counter.take("20")
    expect(page.locator(".verdict")).to_contain_text("Took $20.00")


def test_a_page_that_is_opened_again_meanwhile_goes_on_asking_under_the_same_key(counter: Counter, line: Line) -> None:
    page = counter.page
    found(counter)
    line.always = network.lost_request
    page.click("#take")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    page.reload()
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    page.click("#take", force=True)  # is the act that is under way, and no second one
    line.always = None
    expect(page.locator(".verdict")).to_contain_text("Took $95.00")
    assert redemptions() == [95_00]


def test_a_page_left_meanwhile_tells_the_end_on_the_next_one(counter: Counter, line: Line) -> None:
    page = counter.page
    found(counter)
    line.always = network.lost_answer
    page.click("#take")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    counter.open("/redeem")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    page.fill("#code", NOBODYS)
    line.always = None
    expect(page.get_by_text("Done: Redeem $95.00")).to_be_visible(timeout=10000)
    assert page.input_value("#code") == NOBODYS
    assert_no_barrier(page, schemes=("light", "dark"))
    page.click("text=Open the certificate")
    expect(page.locator(".verdict")).to_contain_text("Took $95.00")
    assert redemptions() == [95_00]


def test_an_answered_page_that_is_opened_again_says_that_it_was_just_taken(counter: Counter, line: Line) -> None:
    page = counter.page
    found(counter)
    page.click("#take")
    expect(page.locator(".verdict")).to_contain_text("Took $95.00")
    page.reload()
    expect(page.locator(".verdict")).to_contain_text("You just took $95.00")
    page.click("text=Redeem again")
    counter.take("5")
    expect(page.locator(".verdict")).to_contain_text("Took $5.00")
    page.click("text=Take more")
    expect(page.locator("#take")).to_be_visible()
    page.reload()
    expect(page.locator(".verdict")).to_contain_text("You just took $5.00")


def test_offline_is_said_and_what_was_typed_is_sent_when_the_line_is_back(counter: Counter, line: Line) -> None:
    page = counter.page
    code = build.code_of(build.certificate())
    idle(counter)
    page.context.set_offline(True)
    page.fill("#code", code)
    page.press("#code", "Enter")
    expect(page.get_by_text("you’re offline")).to_be_visible()
    assert page.input_value("#code") == code
    assert_no_barrier(page, schemes=("light", "dark"))
    page.context.set_offline(False)
    expect(page.locator(".verdict b")).to_have_text("$120.00 left")
    assert len(line.asked) == 1


def test_signed_out_in_the_middle_leads_to_the_sign_in(counter: Counter, line: Line) -> None:
    page = counter.page
    found(counter)
    line.troubles.append(network.lost_answer)
    page.click("#take")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    end_sign_ins()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert redemptions() == [95_00]


def test_after_three_minutes_it_is_asked_again_by_hand(counter: Counter, line: Line) -> None:
    page = counter.page
    page.clock.install()
    found(counter)
    line.always = network.lost_request
    page.click("#take")
    expect(page.get_by_text(NOT_YET)).to_be_visible()
    asked = pass_time(page, line, seconds=175)
    assert len(asked) > 20  # all the while
    pass_time(page, line, seconds=15)
    expect(page.get_by_text("no answer for three minutes")).to_be_visible()
    before = len(line.asked)
    pass_time(page, line, seconds=30)
    assert len(line.asked) == before
    assert_no_barrier(page, schemes=("light", "dark"))
    line.always = None
    page.click("text=Ask again now")
    expect(page.locator(".verdict")).to_contain_text("Took $95.00")
    assert redemptions() == [95_00]


def pass_time(page: Page, line: Line, *, seconds: int) -> list[bytes]:
    """Let the page's clock run, a step at a time: each try has a moment to fail in."""
    for _step in range(seconds):
        page.clock.run_for(1000)
        page.wait_for_timeout(20)
    return line.asked


def test_a_second_press_is_the_same_act(counter: Counter, line: Line) -> None:
    page = counter.page
    found(counter)
    page.dblclick("#take")
    expect(page.locator(".verdict")).to_contain_text("Took $95.00")
    assert redemptions() == [95_00]
    assert db.session.query(Certificate).one().balance_cents == 25_00


def test_without_the_script_that_sends_the_page_of_the_proxy_is_all_one_sees(counter: Counter, line: Line) -> None:
    """The negative control: this is what the script is for."""
    page = counter.page
    page.route("**/send.js*", lambda route: route.abort())
    found(counter)
    line.troubles.append(network.gateway_timeout)
    page.click("#take")
    expect(page.get_by_role("heading", level=1)).to_have_text("504 Gateway Timeout")
    assert redemptions() == [95_00]
