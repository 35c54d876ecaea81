"""A scanner that types: real key events, as fast as the device sends them, whatever the page makes of them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


@dataclass(frozen=True)
class Scanner:
    """A device: what it ends with, how long it waits between keys, and how long after every fourth ("hiccups").

    Each event bears the time at which the device sent it, as a system hands it on, however busy this machine is.
    """

    ends: tuple[str, ...] = ("Enter",)
    before: str = ""
    gap: float = 0.002
    hiccup: float = 0

    def scan(self, page: Page, text: str) -> None:
        """Type a text and its end."""
        keyboard = page.context.new_cdp_session(page)
        at = time.time()
        for number, sign in enumerate(self.before + text, 1):
            _press(keyboard, {"key": sign, "text": sign}, at)
            at += self.hiccup if self.hiccup and number % 4 == 0 else self.gap
        for end in self.ends:
            _press(keyboard, ENTER if end == "Enter" else TAB, at)
            at += self.gap
        keyboard.detach()


def type_slowly(page: Page, text: str, *, then: str = "", gap: float = 0.13) -> None:
    """Type as a quick person does."""
    for key in (*text, *filter(None, [then])):
        page.keyboard.press(key)
        time.sleep(gap)


def hold(page: Page, sign: str, *, times: int) -> None:
    """Hold a key down; the keyboard repeats it."""
    keyboard = page.context.new_cdp_session(page)
    for number in range(times):
        keyboard.send(
            "Input.dispatchKeyEvent", {"type": "keyDown", "key": sign, "text": sign, "autoRepeat": number > 0}
        )
        time.sleep(0.03)
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": sign})
    keyboard.detach()


def _press(keyboard: CDPSession, key: dict[str, object], at: float) -> None:
    down, silent = "keyDown" if "text" in key else "rawKeyDown", {**key, "text": ""}
    keyboard.send("Input.dispatchKeyEvent", {"type": down, **key, "timestamp": at})
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **silent, "timestamp": at})


SCANNERS: dict[str, Scanner] = {
    "quick": Scanner(gap=0.001),
    "slow": Scanner(gap=0.025),
    "with hiccups": Scanner(gap=0.001, hiccup=0.07),
    "with a tab": Scanner(ends=("Tab",)),
    "with carriage return and line feed": Scanner(ends=("Enter", "Enter")),
    "with its prefix": Scanner(before="]Q1"),
}


def focusable(page: Page) -> Iterable[str]:
    """Number everything on a page that takes the focus; return a selector of each."""
    count = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary, textarea')];
          const seen = all.filter((each) => each.checkVisibility() || each.type === 'radio');
          seen.forEach((each, number) => { each.dataset.number = number; });
          return seen.length;
        }"""
    )
    return [f"[data-number='{number}']" for number in range(count)]
