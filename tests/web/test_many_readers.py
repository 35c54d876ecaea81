"""Sixteen readers of the dearest certificate: it is printed once, and nobody who makes a gift waits for it."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from giftshop.storefront.builder.letters import MOST_PICTURES
from tests import buyer
from tests.running import RunningShop, running_shop

READERS, LOOKS = 16, 6
EMOJI = [chr(letter) for letter in range(0x1F330, 0x1F330 + MOST_PICTURES["message"])]
HANGUL = [chr(0xAC00 + number * 27) for number in range(400 - len(EMOJI))]
DEAREST = {
    "gifts-0-message": "".join(EMOJI + HANGUL),
    "gifts-0-recipient_name": "".join(map(chr, range(0x4E00, 0x4E00 + 60))),
    "gifts-0-giver_name": "".join(map(chr, range(0x5E00, 0x5E00 + 60))),
}
MOST_SECONDS, MOST_BYTES = 1.0, 500_000
CROWDED = 15
"""How many times slower than quiet it may be where other tests run at the same time; alone it is no second ever."""


class From(HTTPAdapter):
    """Connections that come from one of this machine's own addresses: limits count visitors by theirs."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *pools: Any, **options: Any) -> None:
        super().init_poolmanager(*pools, **options, source_address=(self._address, 0))


@pytest.fixture
def shop(sqlite_template: Path, tmp_path: Path) -> Iterator[RunningShop]:
    path = tmp_path / "shop.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with running_shop(tmp_path, f"sqlite:///{path}", workers=1) as shop:
        yield shop


def code_of_the_dearest(shop: RunningShop) -> str:
    buyer.buy(shop, **DEAREST)
    for _ in range(300):
        if mails := shop.workbench.mails("ana@example.com"):
            return buyer.codes_in(mails[0])[0]
        time.sleep(0.2)
    raise AssertionError("the gift did not arrive")


def seconds_of_builder(shop: RunningShop, calls: int) -> list[float]:
    taken, visitor = [], requests.Session()
    for _ in range(calls):
        began = time.monotonic()
        assert visitor.get(f"{shop.url}/gift", timeout=60).status_code == 200
        taken.append(time.monotonic() - began)
        time.sleep(0.02)
    return taken


def read(address: str, url: str, seen: list[tuple[int, bytes]]) -> None:
    """Look at a certificate on every paper, again and again."""
    reader = requests.Session()
    reader.mount("http://", From(address))
    for number in range(LOOKS):
        paper = ("letter", "a4", "card")[number % 3]
        answer = reader.get(f"{url}/certificate.pdf?paper={paper}", timeout=60)
        assert answer.status_code == 200 or answer.headers["Retry-After"]
        seen.append((answer.status_code, answer.content if answer.status_code == 200 else b""))
        time.sleep(0.7)  # ten times as fast as the limits let anybody go on


def test_sixteen_readers_of_the_dearest_certificate_hold_up_no_builder(shop: RunningShop) -> None:
    code, seen = code_of_the_dearest(shop), list[tuple[int, bytes]]()
    quiet = statistics.quantiles(seconds_of_builder(shop, 40), n=20)[-1]
    places = [f"127.0.1.{number + 1}" for number in range(READERS)]
    readers = [threading.Thread(target=read, args=(place, f"{shop.url}/c/{code}", seen)) for place in places]
    for reader in readers:
        reader.start()
    busy = statistics.quantiles(seconds_of_builder(shop, 80), n=20)[-1]
    for reader in readers:
        reader.join()
    statuses = Counter(status for status, _ in seen)
    assert set(statuses) <= {200, 503}, statuses
    pdfs = {pdf for _, pdf in seen if pdf}
    assert len(pdfs) == 3
    assert max(map(len, pdfs)) <= MOST_BYTES
    print(f"builder p95: quiet {quiet:.3f} s, with readers {busy:.3f} s; {dict(statuses)}")  # noqa: T201
    assert busy <= max(MOST_SECONDS, CROWDED * quiet), (quiet, busy, statuses)
