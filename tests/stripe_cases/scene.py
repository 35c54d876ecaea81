"""The scene of a case: a running shop and its simulated Stripe, and what both wrote down since the case began."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import requests
import stripe

from tests.running import RunningShop
from tests.stripe_cases.records import Records
from tests.workbench.running import RunningWorkbench

COMPLETED = "checkout.session.completed"
STRIPES_PATIENCE = 10
"""Seconds after which Stripe gives an answer up."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ACCESS = re.compile(r"giftshop\.access\] .*?method=(\S+) ms=(\S+) route=(\S+) +status=(\d+)")

Json = dict[str, Any]


class Answered(NamedTuple):
    """One request that the shop answered, as its log tells."""

    method: str
    milliseconds: float
    route: str
    status: int


@dataclass
class Scene:
    """One shop on the stage; `may_answer` names the 5xx that a case provokes on purpose."""

    shop: RunningShop
    records: Records
    may_answer: set[int] = field(default_factory=set)
    browsers: list[requests.Session] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)
    log_start: int = 0

    @property
    def bench(self) -> RunningWorkbench:
        return self.shop.workbench

    def begin(self) -> None:
        """Begin a case: what was logged before belongs to others."""
        self.may_answer.clear()
        self.log_start = self.shop.log.stat().st_size

    def browser(self) -> requests.Session:
        """Return a browser of its own, closed when the case is over."""
        self.browsers.append(requests.Session())
        return self.browsers[-1]

    def log(self) -> str:
        """Return what the shop has logged since the case began."""
        with self.shop.log.open("rb") as log:
            log.seek(self.log_start)
            return _COLOUR.sub("", log.read().decode("utf-8", "replace"))

    def answered(self) -> list[Answered]:
        """Return the requests that the shop has answered since the case began."""
        found = _ACCESS.findall(self.log())
        return [Answered(method, float(took), route, int(status)) for method, took, route, status in found]

    def post(self, body: bytes, header: str | bytes | None, *, patience: float = STRIPES_PATIENCE) -> requests.Response:
        """Post bytes to the webhook with this signature header, or none."""
        headers: Any = {"Content-Type": "application/json; charset=utf-8"}
        if header is not None:
            headers["Stripe-Signature"] = header
        return requests.post(f"{self.shop.url}/webhooks/stripe", data=body, headers=headers, timeout=patience)

    def tell(self, event: Json, *, secret: str = "", at: float | None = None) -> requests.Response:
        """Post an event as Stripe does, signed with its secret now unless told otherwise; `at` in Unix seconds."""
        body = json.dumps(event)
        return self.post(body.encode(), self.sign(body, secret=secret, at=at))

    def sign(self, body: str, *, secret: str = "", at: float | None = None) -> str:
        """Return the signature header of a body, made by the real SDK."""
        moment = None if at is None else int(at)
        return stripe.WebhookSignature.generate_signature_header(
            body, secret or self.bench.webhook_secret, timestamp=moment
        )

    def event(self, kind: str, about: str | Json, **changes: Any) -> Json:
        """Make a new event of the simulated Stripe about an object (its id, or itself) without telling anyone."""
        item = self.bench.get(f"/objects/{about}") if isinstance(about, str) else about
        facts = {"id": f"evt_1{time.time_ns():x}", "object": "event", "type": kind, "api_version": stripe.api_version}
        facts |= {"created": int(time.time()), "livemode": False, "pending_webhooks": 1}
        return {**facts, "request": {"id": None, "idempotency_key": None}, "data": {"object": item}, **changes}

    def redeliver(self, event: Json) -> None:
        """Let the simulated Stripe deliver an event until it is taken, and wait for that."""
        self.bench.post(f"/events/{event['id']}/redeliver", {"hook": {}})
        until(lambda: self.is_taken(event), f"{event['type']} is taken")

    def is_taken(self, event: Json) -> bool:
        """Tell whether the last delivery of an event was answered with 200."""
        return self._tries(event)[-1:] == [200]

    def refusals(self, event: Json) -> list[int]:
        """Return the shop's answers to an event's deliveries that were not 2xx; 0 stands for none at all."""
        return [code for code in self._tries(event) if not 200 <= code < 300]

    def reconcile(self) -> str:
        """Run `flask orders reconcile`; return what it printed, problems of other cases or not."""
        try:
            return self.shop.command("orders", "reconcile")
        except RuntimeError as problems:
            return str(problems)

    def _tries(self, event: Json) -> list[int]:
        deliveries = [each for each in self.bench.get("/state")["deliveries"] if each["event"] == event["id"]]
        return [attempt["code"] or 0 for each in deliveries[::-1] for attempt in each["attempts"]]


def until(is_so: Callable[[], object], what: str, *, seconds: float = 40) -> None:
    """Wait until something is so; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def at_once(calls: list[Callable[[], requests.Response]]) -> set[int]:
    """Make all calls at one instant; return the different statuses they were answered with."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return {answer.status_code for answer in threads.map(lambda call: call(), calls)}
