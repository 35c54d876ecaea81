"""A scene in one process: the whole shop behind its pages, Stripe and a mail server beside it, steps that break off.

For scenarios that must be the same every time. What clients hear is kept as in the long run, and judged alike; as
nothing is broken but what the scenario breaks, every 5xx is an unclear answer here.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pytest
import sqlalchemy as sa
import stripe
from flask import Flask

from giftshop.app import close_app, create_app
from giftshop.delivery import deliveries
from giftshop.delivery.mailer import Mailer
from giftshop.foundation import heartbeats, jobs
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from tests import build, signing_in
from tests.delivery.mail_servers import MailServer
from tests.faults import bugs, failpoints
from tests.faults.checker import AskedRefund, Exchange, Finding
from tests.faults.people import heard
from tests.faults.records import Crash
from tests.faults.verdict import Witnesses, find_violations
from tests.orders.stripe_side import StripeSide
from tests.workbench.running import RunningWorkbench

SILENT_SECONDS = 1.0
_JOBS = "SELECT workflow_uuid FROM {}workflow_status WHERE workflow_uuid LIKE 'deliver:%' ORDER BY created_at"


@dataclass
class Scene:
    """A shop to play a scenario in."""

    app: Flask
    side: StripeSide
    mail: MailServer
    armoury: failpoints.Armoury
    history: list[Exchange] = field(default_factory=list)
    refunds: list[AskedRefund] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def sell(self, amount_cents: int = 100_00, *, at_till: bool = False) -> tuple[Order, Certificate]:
        """Sell one certificate through the webhook; `at_till` has it found there, to be redeemed."""
        order = self.place(amount_cents)
        self.hear("checkout.session.completed", self.side.pay(order))
        (certificate,) = list_certificates(order.id)
        if at_till:
            self._open_tills(certificate)
        return order, certificate

    def place(self, amount_cents: int = 100_00) -> Order:
        """Place an order and open its payment page."""
        return self.side.place(build.gift_request(offer="amount", amount_cents=amount_cents))

    def hear(self, kind: str, object_id: str, *, event_id: str = "") -> int | None:
        """Post a signed event to the shop; return what it answered, None when it broke off."""
        event = {"id": event_id or f"evt_{next(self.numbers)}", "object": "event", "type": kind, "livemode": False}
        body = json.dumps({**event, "data": {"object": {"id": object_id}}})
        secret = self.app.config["SHOP_SETTINGS"].webhook_secrets[0]
        signature = stripe.WebhookSignature.generate_signature_header(body, secret)
        client = signing_in.browser(self.app)
        answer = self._ask(client, "/webhooks/stripe", data=body, headers={"Stripe-Signature": signature})
        return answer.status_code if answer is not None else None

    def redeem(self, certificate_id: str, amount_cents: int, *, key: str = "", till: int = 0) -> Exchange:
        """Take an amount off at one of two tills."""
        fields = {"amount": f"{amount_cents // 100}.{amount_cents % 100:02}"}
        return self._act("redeem", f"/redeem/{certificate_id}", certificate_id, amount_cents, key, till, fields)

    def undo(self, done: Exchange) -> Exchange:
        """Give back what a redemption took."""
        path = f"/redeem/{done.certificate}/undo"
        fields = {"entry": str(done.entry), "reason": "test"}
        return self._act("undo", path, done.certificate, done.amount_cents, "", 0, fields)

    def pay_back(self, certificate_id: str, amount_cents: int, *, key: str) -> None:
        """Pay back a part on the owner's page; one who hears nothing has been told nothing."""
        fields = {"amount": f"{amount_cents // 100}.{amount_cents % 100:02}", "reason": "test", "request_key": key}
        answer = self._ask(self.office, f"/office/certificates/{certificate_id}/refund", data=fields)
        refund_id = (answer.location or "").partition("?refund=")[2] if answer is not None else ""
        if refund_id:
            asked = AskedRefund(certificate=certificate_id, key=key, amount_cents=amount_cents, refund_id=refund_id)
            self.refunds.append(asked)

    def at_once(self, *acts: Callable[[], object]) -> None:
        """Do things at the same time, each as its own visitor."""

        def act_alone(act: Callable[[], object]) -> None:
            with self.app.app_context():
                act()

        db.session.rollback()
        with ThreadPoolExecutor(len(acts)) as people:
            list(people.map(act_alone, acts))

    def send_all(self) -> None:
        """Run every job that delivers, as the engine would; one that breaks off stays to be run again."""
        schema = "" if db.engine.dialect.name == "sqlite" else "dbos."
        keys = list(db.session.scalars(sa.text(_JOBS.format(schema))))
        db.session.rollback()
        for key in keys:
            _, delivery_id, turn = key.split(":")
            try:
                self.deliver(int(delivery_id), int(turn))
            except failpoints.BrokenOffError:
                self._broke_off()

    def run_worker(self, *, until_messages: int, most_seconds: float) -> None:
        """Run jobs in this process, with a heartbeat, until so many messages came or it is clear that they will not."""
        jobs.register(deliveries.JOB, self.deliver)
        jobs.start(self.app)
        with self.mail.came:
            self.mail.came.wait_for(lambda: len(self.mail.arrived) >= until_messages, most_seconds)
        jobs.stop()

    def deliver(self, delivery_id: int, turn: int) -> None:
        """Run one job."""
        mailer = Mailer(sender="gifts@localhost", smtp_url=self.mail.url, mailbox_url="", mailbox_key="")
        deliveries.deliver(delivery_id, turn, mailer, base_url="http://127.0.0.1:8000")

    def judge(self, *, with_mails: bool = False) -> list[Finding]:
        """Compare the books; messages too when the scenario has sent them."""
        arrived = [(str(each.message["Message-ID"]), each.at) for each in self.mail.arrived] if with_mails else None
        state = self.side.workbench.get("/state")
        return find_violations(Witnesses(state, arrived, self.crashes, self.history, self.refunds, self.unclear))

    def _act(
        self,
        act: Literal["redeem", "undo"],
        path: str,
        certificate_id: str,
        amount_cents: int,
        key: str,
        till: int,
        fields: dict[str, str],
    ) -> Exchange:
        request_key, sent_at = key or f"scenario-{act}-{next(self.numbers):06}", time.monotonic()
        data = {**fields, "request_key": request_key}
        answer = self._ask(self.tills[till], path, data=data, headers={"Accept": "application/json"})
        told = (answer.status_code, answer.json) if answer is not None else None
        exchange = heard(act, certificate_id, request_key, amount_cents, sent_at, told)
        self.history.append(exchange)
        return exchange

    @cached_property
    def tills(self) -> list[Any]:
        """Two browsers in which a manager has signed in."""
        first = signing_in.signed_in(self.app, signing_in.hire("manager"))
        second = signing_in.browser(self.app)
        second._cookies = dict(first._cookies)  # one person's sign-in, carried to the next room
        return [first, second]

    @cached_property
    def office(self) -> Any:
        """A browser in which the owner has signed in."""
        return signing_in.signed_in(self.app, signing_in.hire("owner"))

    def _open_tills(self, certificate: Certificate) -> None:
        """Sign in, and find a certificate at both tills, before there is a race."""
        code = build.code_of(certificate)
        for till in self.tills:
            till.post("/redeem", data={"code": code})

    def _ask(self, client: Any, path: str, **given: Any) -> Any:
        """Post to the shop; None when the process died over it."""
        try:
            answer = client.post(path, **given)
        except failpoints.BrokenOffError:
            self._broke_off()
            return None
        if answer.status_code >= 500:
            self.unclear.append(f"{path}: {answer.status_code}")
        return answer

    def crashed(self) -> None:
        """Keep that a process died now."""
        self.crashes.append(Crash(time.monotonic(), time.monotonic()))

    def _broke_off(self) -> None:
        self.crashed()
        db.session.rollback()


@contextmanager
def play(
    settings: Settings, workbench: RunningWorkbench, mail: MailServer, folder: Path, *, bug: str
) -> Iterator[Scene]:
    """Open a scene with a bug planted, or none."""
    armoury = failpoints.Armoury(folder / "failpoints")
    with pytest.MonkeyPatch.context() as patches:
        failpoints.install(patches, armoury.folder)
        patches.setattr(heartbeats, "BEAT_SECONDS", SILENT_SECONDS / 5)
        patches.setattr(heartbeats, "SILENT_SECONDS", SILENT_SECONDS)
        bugs.plant(bug, patches)
        app = create_app(settings)
        patches.setattr(jobs._process, "recurring", {})  # what a clock would do depends on the hour a test runs at
        try:
            with app.app_context():
                side = StripeSide(workbench, app.extensions["stripe_gateway"])
                yield Scene(app, side, mail, armoury)
                db.session.rollback()
        finally:
            close_app(app)
