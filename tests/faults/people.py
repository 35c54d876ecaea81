"""Buyers and tills that never give up: they send the same form again until they hear something definite.

Every exchange is kept for the checker, every answer that is neither a yes, a clear no, nor a clear "try again" too.
"""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import requests

from tests import buyer
from tests.faults.checker import AskedRefund, Exchange
from tests.faults.records import Records
from tests.faults.shop import RiggedShop

ActKind = Literal["redeem", "undo"]
PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.15
ANSWER_SECONDS = 30
_REFUSED, _TRY_AGAIN = (403, 409, 422), (429, 500, 502, 503)
"""What a till hears in answer to an act that is not done: a clear no, or that nobody knows (500 is judged apart)."""


class GaveUpError(Exception):
    """Somebody heard nothing definite for too long."""


@dataclass
class Person:
    """Somebody with a browser of their own, who presses again until it works."""

    shop: RiggedShop
    records: Records
    browser: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        """Send one request again and again until there is an answer other than 503 or none at all."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self.try_once(method, path, **given)
            if answer is not None and answer.status_code not in (502, 503):
                return answer
            self.records.count("retries")
            time.sleep(PAUSE_SECONDS)
        raise GaveUpError(f"{method} {path}")

    def try_once(self, method: str, path: str, **given: Any) -> requests.Response | None:
        """Send one request; None when no answer came."""
        address = path if path.startswith("http") else self.shop.url + path
        try:
            answer = self.browser.request(method, address, timeout=ANSWER_SECONDS, allow_redirects=False, **given)
        except requests.Timeout:
            self.records.count("no answer")
            return None
        except requests.RequestException:
            self.records.count("dropped connections")
            return None
        if address.startswith(self.shop.url):
            self.records.judge(f"{method} {path.split('?', maxsplit=1)[0]}", answer)
        return answer

    def place(self, **fields: str) -> str:
        """Fill in the builder and send it, always with the same request key; return the payment page's address."""
        data = {**self.form("/gift"), **buyer.GIFT, **fields}
        return location_of(self.ask("POST", "/gift", data=data))

    def form(self, path: str) -> dict[str, str]:
        """Open a page with a form; return its token and request key."""
        page = self.ask("GET", path)
        if page.status_code != 200:
            raise GaveUpError(f"GET {path}: {page.status_code} {page.headers.get('Location', '')}")
        return buyer.hidden_fields(page.text)

    def pay(self, address: str, outcome: str = "pay") -> str:
        """Press a button of the simulated payment page; return where it leads (nowhere, if it was pressed before)."""
        return self.ask("POST", address, data={"outcome": outcome}).headers.get("Location", "")


class _AtWork:
    """Somebody who has signed in, and opens a page with a form once."""

    def __init__(self, shop: RiggedShop, records: Records, cookies: dict[str, str]) -> None:
        self.person = Person(shop, records)
        self.person.browser.cookies.update(cookies)
        self.records = records
        self._token = ""

    def _open(self, path: str) -> str:
        if not self._token:
            self._token = self.person.form(path)["csrf_token"]
        return self._token


class Desk(_AtWork):
    """A member of staff at a till, who sends each act until its end is known."""

    _numbers = itertools.count(1)

    def find(self, code: str) -> str:
        """Find a certificate by its code; return its public id."""
        data = {"code": code, "csrf_token": self.open_page()}
        return location_of(self.person.ask("POST", "/redeem", data=data)).rsplit("/", 1)[1]

    def redeem(self, public_id: str, amount_cents: int) -> Exchange:
        """Take an amount off; return the exchange that was definite."""
        fields = {"amount": f"{amount_cents // 100}.{amount_cents % 100:02}"}
        return self._act("redeem", public_id, f"/redeem/{public_id}", amount_cents, fields)

    def undo(self, done: Exchange) -> Exchange:
        """Give back what a redemption took."""
        path = f"/redeem/{done.certificate}/undo"
        return self._act(
            "undo", done.certificate, path, done.amount_cents, {"entry": str(done.entry), "reason": "test"}
        )

    def try_to_redeem(self, public_id: str, amount_cents: int) -> requests.Response | None:
        """Take an amount off, once, whatever comes of it; for storms in which it cannot succeed."""
        fields = {"amount": f"{amount_cents // 100}.{amount_cents % 100:02}"}
        return self._try("redeem", public_id, f"/redeem/{public_id}", amount_cents, self._new_key("redeem"), fields)[1]

    def _act(self, act: ActKind, public_id: str, path: str, amount_cents: int, fields: dict[str, str]) -> Exchange:
        key, deadline = self._new_key(act), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found, answer = self._try(act, public_id, path, amount_cents, key, fields)
            if found.outcome != "unknown":
                self.records.count(f"{act}s {found.outcome}")
                return found
            self.records.count("retries")
            time.sleep(1 if answer is not None and answer.status_code == 429 else PAUSE_SECONDS)
        raise GaveUpError(f"{act} {public_id}")

    def _try(
        self, act: ActKind, public_id: str, path: str, amount_cents: int, key: str, fields: dict[str, str]
    ) -> tuple[Exchange, requests.Response | None]:
        """Send one request and keep what was heard."""
        data, sent_at = {**fields, "request_key": key, "csrf_token": self.open_page()}, time.monotonic()
        answer = self.person.try_once("POST", path, data=data, headers={"Accept": "application/json"})
        told = (
            (answer.status_code, answer.json() if answer.status_code == 200 else None) if answer is not None else None
        )
        found = heard(act, public_id, key, amount_cents, sent_at, told)
        if answer is not None and found.outcome == "unknown" and answer.status_code not in _TRY_AGAIN:
            self.records.complain(f"{act}: {answer.status_code} is neither done nor a refusal")
        self.records.note(found)
        return found, answer

    def _new_key(self, act: ActKind) -> str:
        return f"fault-test-{act}-{next(self._numbers):08}"

    def open_page(self) -> str:
        """Open the page with the form, once; return its token."""
        return self._open("/redeem")


class Office(_AtWork):
    """The owner at a desk, who asks money back until it is known what came of it."""

    def open_page(self, public_id: str) -> str:
        """Open the page that pays back, once; return its form's token."""
        return self._open(_refund_page(public_id))

    def pay_back(self, public_id: str, amount_cents: int, *, key: str) -> AskedRefund:
        """Pay back a part, always with the same request key; what is refused must have moved nothing."""
        fields = {"amount": f"{amount_cents // 100}.{amount_cents % 100:02}", "reason": "fault test"}
        data = {**fields, "request_key": key, "csrf_token": self.open_page(public_id)}
        answer = self.person.ask("POST", _refund_page(public_id), data=data)
        refund_id = "" if answer.status_code == 409 else location_of(answer).partition("?refund=")[2]
        if answer.status_code != 409 and not refund_id:
            self.records.complain(f"refund: {answer.status_code} {answer.headers.get('Location')}")
        asked = AskedRefund(certificate=public_id, key=key, amount_cents=amount_cents, refund_id=refund_id)
        with self.records.lock:
            self.records.refunds.append(asked)
        self.records.count("refunds" if refund_id else "refunds refused")
        return asked


def _refund_page(public_id: str) -> str:
    return f"/office/certificates/{public_id}/refund"


def location_of(answer: requests.Response) -> str:
    """Return where an answer leads; one that leads nowhere is not what anybody expected."""
    if "Location" not in answer.headers:
        raise GaveUpError(f"{answer.request.method} {answer.url}: {answer.status_code}")
    return answer.headers["Location"]


def heard(
    act: ActKind,
    public_id: str,
    key: str,
    amount_cents: int,
    sent_at: float,
    answer: tuple[int, Any] | None,
) -> Exchange:
    """Return the exchange that an answer makes: its status and JSON, or None when none came."""
    status, told = answer or (0, None)
    facts = told if status == 200 else {}
    return Exchange(
        certificate=public_id,
        act=act,
        key=key,
        amount_cents=amount_cents,
        sent_at=sent_at,
        answered_at=time.monotonic(),
        outcome="accepted" if facts else "refused" if status in _REFUSED else "unknown",
        version=facts.get("version", 0),
        balance_after=facts.get("balance_after", 0),
        entry=facts.get("entry", 0),
    )
