"""The verdict for ears and hands: each tone sounds and shakes in its own way, and only for who wants it."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from giftshop.foundation.settings import Settings
from tests.browsing import listen_for_failures, settings_on_a_port
from tests.counter import Counter
from tests.redemption.states import NOBODYS, SLIP, found, reissued, taken, typed, undone

LISTEN = """
window.told = { hertz: [], shakes: [] };
const build = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function listen() {
  const voice = build.call(this);
  const start = voice.start;
  voice.start = (at) => { told.hertz.push(voice.frequency.value); start.call(voice, at); };
  return voice;
};
Navigator.prototype.vibrate = (pattern) => { told.shakes.push(pattern); return true; };
"""
"""Keeps what a page plays and how it shakes, on every page that is opened."""

GOOD, WARN, BAD, NOTE = ([660, 990], [60]), ([520, 0, 520], [60, 80, 60]), ([196], [300]), ([440], [30])
TONES: dict[str, tuple[Callable[[Counter], None], tuple[list[int], list[int]]]] = {
    "good": (found, GOOD),
    "redeemed": (partial(taken, "95"), GOOD),
    "expired": (partial(found, expires_on=date(2020, 11, 1), says="Expired"), WARN),
    "on hold": (partial(found, status="frozen", says="On hold"), BAD),
    "unknown": (partial(typed, NOBODYS), BAD),
    "a slip": (partial(typed, SLIP), BAD),
    "reissued": (reissued, BAD),
    "undone": (undone, NOTE),
}


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of a shop that is served for real."""
    return settings_on_a_port(database_url)


@pytest.fixture
def loud(counter: Counter) -> Counter:
    """A till at which somebody has turned sound on."""
    counter.page.add_init_script(LISTEN + "localStorage.setItem('sound', 'on');")
    return counter


def told(counter: Counter) -> Any:
    return counter.page.evaluate("told")


def test_every_tone_differs_from_every_other() -> None:
    assert len({str(part) for tone in (GOOD, WARN, BAD, NOTE) for part in tone}) == 8


@pytest.mark.parametrize("state", TONES)
def test_a_verdict_sounds_and_shakes_by_its_tone(loud: Counter, state: str) -> None:
    reach, (hertz, shakes) = TONES[state]
    failures = listen_for_failures(loud.page, expected="status of 4")
    reach(loud)
    assert told(loud) == {"hertz": hertz, "shakes": [shakes]}
    assert failures == []


def test_a_till_is_silent_until_sound_is_turned_on_and_after_it_is_turned_off(counter: Counter) -> None:
    page = counter.page
    page.add_init_script(LISTEN)
    found(counter)
    assert told(counter) == {"hertz": [], "shakes": [GOOD[1]]}
    counter.open("/redeem")
    page.click("text=Turn sound on")
    assert told(counter)["hertz"] == GOOD[0]
    counter.type_code(NOBODYS)
    page.wait_for_selector("#summary")
    assert told(counter)["hertz"] == BAD[0]
    page.click("text=Turn sound off")
    counter.type_code(NOBODYS)
    page.wait_for_selector("#summary")
    assert told(counter)["hertz"] == []
    expect(page.locator("#sound")).to_have_text("Turn sound on")


def test_who_asked_for_less_motion_is_not_shaken(loud: Counter) -> None:
    loud.page.emulate_media(reduced_motion="reduce")
    found(loud)
    assert told(loud) == {"hertz": GOOD[0], "shakes": []}


def test_a_page_nobody_has_touched_is_silent_and_raises_nothing(loud: Counter) -> None:
    found(loud)
    other = loud.page.context.new_page()
    other.add_init_script(LISTEN)
    failures = listen_for_failures(other)
    other.goto(loud.page.url)
    expect(other.locator(".verdict b")).to_have_text("$120.00 left")
    assert other.evaluate("told") == {"hertz": [], "shakes": []}
    assert failures == []


def test_a_lost_connection_is_told_once(loud: Counter) -> None:
    found(loud)
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        route.abort()

    loud.page.route("**/redeem/*", lose)
    with loud.page.expect_event("requestfailed"):
        loud.page.click("#take")
    for _ in range(2):
        with loud.page.expect_event("requestfailed"):
            pass
    assert told(loud) == {"hertz": [*GOOD[0], *NOTE[0]], "shakes": [GOOD[1], NOTE[1]]}
    assert len(lost) >= 3
