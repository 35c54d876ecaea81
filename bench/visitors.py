"""The visitors whose requests pages.py measures: keep-alive connections, real forms, real limits, answers looked at.

The limits stay on, so the visitors keep within them: strangers who check balances come from many addresses of this
machine, ten tries each, and three members of staff share the redemptions.
"""

import itertools
import re
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests import buyer
from tests.running import RunningShop

CONNECTIONS = 4
STRANGERS, TRIES_PER_STRANGER = 60, 9
STAFF = ("desk@example.com", "manager@example.com", "owner@example.com")
Act = Callable[[], requests.Response]
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_SECONDS = 60


def prepare_acts(shop: RunningShop) -> tuple[dict[str, Act], str]:
    """Buy a certificate, sign the staff in, open every form; return what can be done, by name, and the code."""
    buyer.buy(shop)
    code = _code_from_mail(shop)
    acts = {
        "home": _reading(shop.url, "/", "Make a gift certificate"),
        "builder": _reading(shop.url, "/gift", "Continue to payment"),
        "balance check": _checking(shop.url, code),
        "redemption": _redeeming(shop, code),
    }
    return acts, code


def _code_from_mail(shop: RunningShop) -> str:
    for _ in range(100):
        if mails := shop.workbench.mails("ana@example.com"):
            return buyer.codes_in(mails[0])[0]
        time.sleep(0.2)
    raise RuntimeError("the gift's message did not arrive")


def _reading(url: str, path: str, words: str) -> Act:
    visitors = itertools.cycle([requests.Session() for _ in range(CONNECTIONS)])
    return lambda: _looked_at(next(visitors).get(f"{url}{path}", timeout=_SECONDS), words)


def _checking(url: str, code: str) -> Act:
    """Type a code into the balance form, each stranger a few times."""
    strangers = [_Stranger(f"127.0.0.{2 + number}", url) for number in range(STRANGERS)]
    tries = itertools.chain.from_iterable([stranger] * TRIES_PER_STRANGER for stranger in strangers)
    return lambda: next(tries).check(code)


def _redeeming(shop: RunningShop, code: str) -> Act:
    """Take a cent off, the tills in turns, as a program asks."""
    tills = [_Till(shop, email, code) for email in STAFF]
    turns = itertools.cycle(tills)
    return lambda: next(turns).redeem()


class _Stranger:
    """Someone with the balance form open, at an address of their own."""

    def __init__(self, address: str, url: str) -> None:
        self._browser, self._page = requests.Session(), f"{url}/balance"
        self._browser.mount("http://", _From(address))
        self._token = _token(self._browser.get(self._page, timeout=_SECONDS).text)

    def check(self, code: str) -> requests.Response:
        fields = {"code": code, "csrf_token": self._token}
        return _looked_at(self._browser.post(self._page, data=fields, timeout=_SECONDS), "$")


class _Till:
    """A member of staff with a certificate's page open."""

    def __init__(self, shop: RunningShop, email: str, code: str) -> None:
        till = buyer.Till(shop, email)
        public_id = till.find(code)
        self._browser, self._page = till.browser, f"{shop.url}/redeem/{public_id}"
        self._token, self._email, self._numbers = till.token(public_id), email, itertools.count()

    def redeem(self) -> requests.Response:
        key = f"bench-{self._email}-{next(self._numbers):06}"
        fields = {"amount": "0.01", "request_key": key, "csrf_token": self._token}
        headers = {"Accept": "application/json"}
        return _looked_at(self._browser.post(self._page, data=fields, headers=headers, timeout=_SECONDS), "{")


class _From(HTTPAdapter):
    """Connections that come from one of this machine's own addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *pools: Any, **options: Any) -> None:
        super().init_poolmanager(*pools, **options, source_address=(self._address, 0))


def _looked_at(answer: requests.Response, words: str) -> requests.Response:
    """Return an answer that is what was asked for; a refusal is cheap and must not count."""
    if answer.status_code != 200 or words not in answer.text:
        raise RuntimeError(f"{answer.url} answered {answer.status_code}: {answer.text[:300]}")
    return answer


def _token(page: str) -> str:
    found = _TOKEN.search(page)
    if found is None:
        raise RuntimeError("the form has no token")
    return found[1]
