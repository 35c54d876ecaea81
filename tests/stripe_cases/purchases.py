"""A buyer with one order in one browser: what people do at the shop and on Stripe's page, for every case."""

import itertools
import re
from html import unescape
from typing import Any

import requests

from tests import buyer
from tests.stripe_cases.records import Row
from tests.stripe_cases.scene import COMPLETED, Json, Scene, until

MOST_PATIENCE = 15
"""Seconds in which a buyer must have been told something, whatever Stripe does."""
CREATE = {"method": "POST", "path": "/v1/checkout/sessions"}
"""The call that opens a payment page, as the simulated Stripe's faults name it."""
_TOKEN = re.compile(r"/orders/([\w-]{20,})")
_numbers = itertools.count(1)


class Purchase:
    """One buyer, whose addresses nobody else has; knows the order once it is sent."""

    def __init__(self, scene: Scene, *, buyer_email: str = "") -> None:
        number = next(_numbers)
        self.scene, self.browser = scene, scene.browser()
        self.buyer_email = buyer_email or f"marko{number}@example.com"
        self.recipient_email = f"ana{number}@example.com"
        self.token = self.public_id = ""

    def send(self, **changes: str) -> requests.Response:
        """Fill in the builder for $50.00 and press Continue to payment; return the answer as it comes."""
        mine = {"gifts-0-amount": "50", "gifts-0-recipient_email": self.recipient_email}
        answer = buyer.send_gift(
            self.scene.shop,
            self.browser,
            patience=MOST_PATIENCE,
            **{**mine, "buyer_email": self.buyer_email, **changes},
        )
        if answer.status_code in (303, 503):
            self._remember(answer)
        return answer

    def place(self, **changes: str) -> "Purchase":
        """Send the order and arrive at Stripe's page."""
        answer = self.send(**changes)
        assert answer.status_code == 303, answer.text[-2000:]
        assert answer.headers["Location"] == self.session()["url"]
        return self

    def open(self, query: str = "") -> requests.Response:
        """Open the order's own page."""
        return self.browser.get(f"{self.address}{query}", timeout=MOST_PATIENCE)

    def press_pay(self) -> requests.Response:
        """Press Pay now, or Try again: whichever button the order's page and the outage page have."""
        form = self.browser.get(f"{self.scene.shop.url}/gift", timeout=MOST_PATIENCE)
        token = buyer.hidden_fields(form.text)["csrf_token"]
        return self.browser.post(
            f"{self.address}/pay", data={"csrf_token": token}, allow_redirects=False, timeout=MOST_PATIENCE
        )

    def settle(self, outcome: str = "pay", *, session: str = "", **hook: Any) -> list[Json]:
        """Do something on Stripe's page; return the events that come of it. `hook` spoils their delivery."""
        path = f"/sessions/{session or self.session_id}/settle"
        events: list[Json] = self.scene.bench.post(path, {"outcome": outcome, "hook": hook})["events"]
        return events

    def settle_untold(self, outcome: str = "pay", *, session: str = "") -> Json:
        """Do something on Stripe's page, every event of which is lost; return `checkout.session.completed`."""
        events = self.settle(outcome, session=session, drop=-1)
        return next(event for event in events if event["type"] == COMPLETED)

    def pay(self, *, session: str = "") -> "Purchase":
        """Pay on Stripe's page and wait until the shop has heard of it."""
        self.settle(session=session)
        until(lambda: self.state == "fulfilled", f"{self.public_id} is paid")
        return self

    @property
    def address(self) -> str:
        return f"{self.scene.shop.url}/orders/{self.token}"

    @property
    def row(self) -> Row:
        return self.scene.records.order(self.public_id)

    @property
    def state(self) -> str:
        found: str = self.row["state"]
        return found

    @property
    def number(self) -> str:
        return f"G-{1000 + self.row['id']}"

    @property
    def session_id(self) -> str:
        """The newest session stored with the order."""
        found: str = self.scene.records.attempts(self.public_id)[-1]["session_id"]
        return found

    def session(self) -> Json:
        """Return the newest session as Stripe has it."""
        found: Json = self.scene.bench.get(f"/objects/{self.session_id}")
        return found

    def created(self) -> list[Json]:
        """Return the recorded calls that asked Stripe for a session of this order, oldest first."""
        calls = self.scene.bench.requests()
        mine = [call for call in calls if call["form"].get("client_reference_id") == self.public_id]
        return [call for call in mine if CREATE.items() <= call.items()]

    def sessions_at_stripe(self) -> list[Json]:
        """Return every session that Stripe has for this order, newest first."""
        return [each for each in self.scene.bench.sessions() if each["client_reference_id"] == self.public_id]

    def everything(self) -> dict[str, list[Row]]:
        """Return all that is kept about the order, once its mail is out, to be compared."""
        self.wait_until_mailed()
        return self.scene.records.everything_about(self.public_id)

    def wait_until_mailed(self) -> None:
        """Wait until every message of the order has gone out."""
        messages = self.scene.records.messages
        until(lambda: {row["state"] for row in messages(self.public_id)} <= {"sent"}, f"mail of {self.public_id}")

    def mails(self) -> tuple[list[Json], list[Json]]:
        """Return what the buyer and what the recipient got."""
        bench = self.scene.bench
        return bench.mails(self.buyer_email), bench.mails(self.recipient_email)

    def _remember(self, answer: requests.Response) -> None:
        self.public_id = self.scene.records.order_of(self.buyer_email)["public_id"]
        shown = answer.text if answer.status_code == 503 else self.session()["success_url"]
        found = _TOKEN.search(shown)
        assert found is not None, shown
        self.token = found[1]


def fail_to_arrive(scene: Scene) -> Purchase:
    """Place an order while Stripe does not answer; nothing of it reaches Stripe."""
    scene.bench.post("/faults", {"do": "drop_before", "times": 2, **CREATE})
    scene.may_answer.add(503)
    order = Purchase(scene)
    assert order.send().status_code == 503
    assert order.sessions_at_stripe() == []
    return order


def heading(page: requests.Response) -> str:
    """Return what a page says first."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text[:1000]
    return unescape(found[1]).strip()


def words(page: requests.Response) -> str:
    """Return the text of a page's main part, with its entities read and its white space made one."""
    main = re.search(r"<main.*?</main>", page.text, re.DOTALL)
    assert main is not None, page.text[:1000]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main[0])).split())
