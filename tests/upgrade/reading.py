"""Readers who go through all pages of both versions at once, link by link, and say where the words differ."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import requests

from tests.upgrade.findings import Finding
from tests.upgrade.people import Person, new_address
from tests.upgrade.programs import Version
from tests.upgrade.words import differences, words_of_page, words_of_paper

_OTHER_PAPER = re.compile(r"[?&]paper=")


class Page(NamedTuple):
    """What one version answered: how, where that led, and the words."""

    status: int
    address: str
    words: list[str]
    links: list[str]


@dataclass
class Reader:
    """Somebody who reads both versions, in a browser for each; follows the links of the older that `follows` fits."""

    name: str
    old: Person
    new: Person
    follows: re.Pattern[str]
    read: dict[str, int] = field(default_factory=dict)
    """Every address that was read, and how the older version answered."""
    answers: int = 0

    def read_all(self, seeds: list[str]) -> Iterator[Finding]:
        """Open every page that can be reached, each once, both versions at once; yield what differs."""
        waiting = deque(dict.fromkeys(seeds))
        while waiting:
            path = waiting.popleft()
            if path in self.read:
                continue
            old, new = self._both(lambda person, path=path: _open(person, path))
            self.read[path] = old.status
            yield from self._compare(path, old, new)
            waiting.extend(link for link in map(_bare, old.links) if self._may_follow(link))

    def send(self, page: str, to: str = "", **fields: str) -> Iterator[Finding]:
        """Send the same form to both versions; yield how the answers differ."""
        old, new = self._both(lambda person: _page(_followed(person, person.send(page, to, **fields))))
        yield from self._compare(f"{to or page} ({', '.join(fields.values())})", old, new)

    def _both(self, act: Callable[[Person], Page]) -> tuple[Page, Page]:
        """Do the same at both versions; each time from another network address, for strangers are counted by it."""
        address = new_address()
        for person in (self.old, self.new):
            person.browser.headers["X-Forwarded-For"] = address
        with ThreadPoolExecutor(2) as pool:
            old, new = pool.map(act, (self.old, self.new))
        return old, new

    def _compare(self, path: str, old: Page, new: Page) -> Iterator[Finding]:
        self.answers += 1
        where = f"{self.name} at {path}"
        if (old.status, old.address) != (new.status, new.address):
            change = f"[-{old.status} {old.address}-] {{+{new.status} {new.address}+}}"
            yield Finding(where, change, change)
        yield from (Finding(where, *line) for line in differences(old.words, new.words))

    def _may_follow(self, link: str) -> bool:
        return bool(self.follows.match(link)) and link not in self.read and not _OTHER_PAPER.search(link)


def reader(name: str, old: Version, new: Version, follows: str, *, cookies: requests.Session | None = None) -> Reader:
    """Return a reader; with the `cookies` of a browser that was known before, to both."""
    both = [Person(shop, insists=False) for shop in (old, new)]
    for person in both:
        person.browser.cookies.update(cookies.cookies if cookies is not None else {})
    return Reader(name, *both, re.compile(follows))


def _open(person: Person, path: str) -> Page:
    return _page(person.get(path))


def _followed(person: Person, answer: requests.Response) -> requests.Response:
    return person.get(answer.headers["Location"]) if answer.status_code == 303 else answer


def _page(answer: requests.Response) -> Page:
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    words: list[str] = []
    links: list[str] = []
    if kind == "text/html":
        words, links = words_of_page(answer.text)
    elif kind == "application/pdf":
        words = words_of_paper(answer.content)
    return Page(answer.status_code, answer.request.path_url, words, links)


def _bare(link: str) -> str:
    return link.partition("#")[0]
