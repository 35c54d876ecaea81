"""A buyer and a member of staff as programs: what people do in a browser, over HTTP, for races and faults."""

import re
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.running import RunningShop

_HIDDEN = re.compile(r'name="(csrf_token|request_key)" value="([^"]+)"')
_MINUTE = 60


def place(shop: RunningShop, **changes: str) -> str:
    """Fill in the builder and send it; return the address of the simulated payment page."""
    with requests.Session() as browser:
        answer = send_gift(shop, browser, **changes)
    assert answer.status_code == 303, answer.text[-3000:]
    return answer.headers["Location"]


def send_gift(
    shop: RunningShop, browser: requests.Session, *, patience: float = _MINUTE, **changes: str
) -> requests.Response:
    """Fill in the builder in this browser and send it; return whatever the shop answers."""
    fields = {**hidden_fields(browser.get(f"{shop.url}/gift", timeout=_MINUTE).text), **GIFT, **changes}
    return browser.post(f"{shop.url}/gift", data=fields, allow_redirects=False, timeout=patience)


def pay(address: str, outcome: str = "pay") -> str:
    """Press a button of the simulated payment page; return where it leads."""
    answer = requests.post(address, data={"outcome": outcome}, allow_redirects=False, timeout=_MINUTE)
    return answer.headers.get("Location", "")


def buy(shop: RunningShop, **changes: str) -> str:
    """Buy a certificate and come back; return the address of the order's page."""
    address = pay(place(shop, **changes))
    requests.get(address, timeout=_MINUTE)
    return address


class Till:
    """A member of staff signed in on one device."""

    def __init__(self, shop: RunningShop, email: str = "desk@example.com") -> None:
        self._url = shop.url
        self.browser = requests.Session()
        self.post("/staff/login", email=email, password="sore-shoulders-welcome")
        self.post("/staff/second-step", code=shop.command("staff", "code", email).strip())

    def find(self, code: str) -> str:
        """Find a certificate by its code; return its public id."""
        answer = self.post("/redeem", code=code)
        return answer.url.rsplit("/", 1)[1]

    def token(self, public_id: str) -> str:
        """Return a form token of the certificate's page."""
        return hidden_fields(self.browser.get(f"{self._url}/redeem/{public_id}?again=1", timeout=_MINUTE).text)[
            "csrf_token"
        ]

    def redeem(self, public_id: str, amount: str, *, key: str, token: str) -> requests.Response:
        """Send one redemption, as a program asks: the answer is JSON."""
        return requests.post(
            f"{self._url}/redeem/{public_id}",
            data={"amount": amount, "request_key": key, "csrf_token": token},
            headers={"Accept": "application/json"},
            cookies=self.browser.cookies.get_dict(),
            timeout=_MINUTE,
        )

    def post(self, path: str, **fields: Any) -> requests.Response:
        page = self.browser.get(f"{self._url}{path}", timeout=_MINUTE)
        data = {**hidden_fields(page.text), **fields}
        return self.browser.post(f"{self._url}{path}", data=data, timeout=_MINUTE)


def codes_in(mail: dict[str, Any]) -> list[str]:
    """Return the codes a message links to."""
    return [urlsplit(link).path.rsplit("/c/", 1)[1] for link in mail["links"] if "/c/" in link]


def hidden_fields(text: str) -> dict[str, str]:
    """Return the form token and the request key that a page carries."""
    return dict(_HIDDEN.findall(text))


GIFT = {
    "gifts-0-offer": "amount",
    "gifts-0-amount": "100",
    "gifts-0-recipient_name": "Ana",
    "gifts-0-giver_name": "Marko",
    "gifts-0-message": "",
    "gifts-0-design": "shoulders",
    "gifts-0-delivery": "recipient",
    "gifts-0-recipient_email": "ana@example.com",
    "gifts-0-deliver_on": "",
    "gifts-0-quantity": "1",
    "buyer_email": "marko@example.com",
}
