"""Buyers and staff as programs, who know nothing of a shop but its pages; each comes from an address of their own."""

import itertools
import re
import time
from dataclasses import dataclass, field

import requests

from tests import buyer
from tests.upgrade.base import RehearsalError
from tests.upgrade.programs import PATIENCE_SECONDS, Version

PASSWORD = "sore-shoulders-welcome"
OWNER, MANAGER, DESK = "owner@example.com", "manager@example.com", "desk@example.com"
_TOKEN = re.compile(r"/orders/([\w-]{20,})")
_SESSION = re.compile(r"/c/pay/(cs_\w+)")
_numbers = itertools.count(1)


def new_browser() -> requests.Session:
    """Return a browser at a network address that nobody had before, as the shop's proxy names it."""
    browser = requests.Session()
    browser.headers["X-Forwarded-For"] = new_address()
    return browser


def new_address() -> str:
    """Return a network address that nobody had before."""
    number = next(_numbers)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass
class Person:
    """Somebody in front of a browser; who insists takes no answer of 5xx but one that says when to try again."""

    shop: Version
    browser: requests.Session = field(default_factory=new_browser)
    insists: bool = True

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self._ask("GET", path)

    def send(self, page: str, to: str = "", **fields: str) -> requests.Response:
        """Open a page and send a form of it, with the fields it hides; `to` is where, the page itself unless said."""
        hidden = buyer.hidden_fields(self.get(page).text)
        return self._ask("POST", to or page, data={**hidden, **fields}, allow_redirects=False)

    def done(self, answer: requests.Response) -> str:
        """Return where an answer leads. Raises RehearsalError when it is a refusal."""
        if answer.status_code != 303:
            told = " ".join(re.sub("<[^>]*>", " ", answer.text.partition("<main")[2]).split())[:200]
            path = answer.request.path_url
            raise RehearsalError(f"{self.shop.name}: {path} was answered {answer.status_code}: {told}")
        return answer.headers["Location"]

    def _ask(self, method: str, path: str, **given: object) -> requests.Response:
        try:
            answer = self.browser.request(method, self.shop.url + path, timeout=PATIENCE_SECONDS, **given)  # type: ignore[arg-type]
        except requests.RequestException as error:
            raise RehearsalError(f"{self.shop.name}: {method} {path} was not answered: {error}") from None
        if self.insists and answer.status_code >= 500 and "Retry-After" not in answer.headers:
            raise RehearsalError(f"{self.shop.name}: {method} {path} was answered {answer.status_code}.")
        return answer


@dataclass
class Purchase(Person):
    """A buyer with one order."""

    email: str = ""
    token: str = ""
    session_id: str = ""
    page: str = ""

    def place(self, *gifts: dict[str, str]) -> "Purchase":
        """Fill in the builder and send it; where Stripe is out, or refuses, the order is kept unpaid."""
        fields = {"buyer_email": self.email, **_fields(gifts or ({},))}
        answer = self.send("/gift", **fields)
        self.page = answer.headers.get("Location", "")
        if found := _SESSION.search(self.page):
            self.session_id = found[1]
        elif answer.status_code == 503 and (kept := _TOKEN.search(answer.text)):
            self.token = kept[1]
        else:
            raise RehearsalError(f"{self.shop.name}: an order was answered {answer.status_code}.")
        return self

    def pay(self, outcome: str = "pay") -> "Purchase":
        """Press a button of the payment page and come back."""
        address = buyer.pay(self.page, outcome)
        found = _TOKEN.search(address) or re.search(r"order=([\w-]{20,})", address)
        if found is None:
            raise RehearsalError(f"{self.shop.name}: paying led to {address or 'nowhere'}.")
        self.token = found[1]
        self.get(f"/orders/{self.token}?session_id={self.session_id}")
        return self

    def codes(self) -> list[str]:
        """Return the codes that the order's page shows, each once."""
        text = self.get(f"/orders/{self.token}").text
        return list(dict.fromkeys(re.findall(r'href="/c/([0-9A-Za-z-]{16,24})"', text)))


class Colleague(Person):
    """Somebody who works here, signed in."""

    def sign_in(self, email: str) -> "Colleague":
        """Pass both steps."""
        self.send("/staff/login", email=email, password=PASSWORD)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:  # a code is good once, and a new one comes every half minute
            code = self.shop.run("staff", "code", email).strip()
            if self.send("/staff/second-step", code=code).status_code == 303:
                return self
            time.sleep(5)
        raise RehearsalError(f"{self.shop.name}: {email} cannot sign in.")

    def find(self, code: str) -> str:
        """Find a certificate by its code; return its public id."""
        return self.done(self.send("/redeem", code=code)).rsplit("/", 1)[1]

    def redeem(self, code: str, amount: str, **more: str) -> str:
        """Take an amount off; return the number of the entry."""
        public_id = self.find(code)
        answer = self.send(f"/redeem/{public_id}?again=1", f"/redeem/{public_id}", amount=amount, **more)
        return self.done(answer).rpartition("done=")[2]

    def undo(self, code: str, entry: str, reason: str = "") -> None:
        """Give back what a redemption took."""
        public_id = self.find(code)
        page = f"/redeem/{public_id}?again=1"
        self.done(self.send(page, f"/redeem/{public_id}/undo", entry=entry, reason=reason))

    def act(self, public_id: str, name: str, **fields: str) -> str:
        """Do one of the office's acts to a certificate; return where it leads."""
        return self.done(self.send(f"/office/certificates/{public_id}/{name}", **{"reason": f"{name} it", **fields}))


def gift(name: str, amount: str = "100", **changes: str) -> dict[str, str]:
    """Return a gift for somebody, mailed now unless said otherwise."""
    return {"recipient_name": name.title(), "amount": amount, "recipient_email": f"{name}@example.com", **changes}


def _fields(gifts: tuple[dict[str, str], ...]) -> dict[str, str]:
    usual = {name.removeprefix("gifts-0-"): value for name, value in buyer.GIFT.items() if name.startswith("gifts-")}
    return {
        f"gifts-{number}-{name}": value
        for number, each in enumerate(gifts)
        for name, value in {**usual, **each}.items()
    }
