"""Events in every order, some twice: what Stripe says in the end is what the shop says, whichever came first."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.disputes.outcomes import record_dispute
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, CertificateFreeze, LedgerEntry
from giftshop.notifications.models import Alert
from giftshop.orders.models import Dispute, Order, Refund
from giftshop.payments.facts import DisputeFacts
from giftshop.payments.gateway import StripeGateway
from tests import build
from tests.faults import THOROUGH
from tests.orders.stripe_side import Remembered, StripeSide, tell

Event = tuple[str, str]
Hearing = Callable[[Event, bool, random.Random], None]
"""How the shop hears of an event, told for the first time or once more."""
FACE, USED, PAID_BACK = 50_00, 20_00, 10_00
BEGINNINGS = 6 if THOROUGH else 2
"""Of six events so many come first, chosen by chance: all six by `make thorough`."""


class Rewinding:
    """The shop's database file, kept at every fork of the orders of events, and put back for the next way on."""

    def __init__(self, database_url: str) -> None:
        self._path = Path(database_url.removeprefix("sqlite:///"))

    def keep(self, depth: int) -> None:
        """Keep the file as it is so many events from the beginning."""
        db.session.commit()
        shutil.copy(self._path, self._kept(depth))

    def rewind(self, depth: int) -> None:
        """Put back what was kept last so many events from the beginning."""
        db.session.remove()
        db.engine.dispose()
        shutil.copy(self._kept(depth), self._path)

    def _kept(self, depth: int) -> Path:
        return self._path.with_suffix(f".kept{depth}")


@pytest.fixture(autouse=True)
def _in_a_hurry(app: Flask) -> Iterator[None]:
    """Spare the disk: nothing is cut off here, and thousands of commits wait for it otherwise."""

    def hurry(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    sa.event.listen(db.engine, "connect", hurry)
    yield
    sa.event.remove(db.engine, "connect", hurry)


@pytest.fixture
def stripe(stripe_side: StripeSide) -> StripeGateway:
    """The gateway, asking everything once."""
    return cast(StripeGateway, Remembered(stripe_side.gateway))


@pytest.fixture
def hear(stripe: StripeGateway) -> Hearing:
    """Tell the shop of an event; a copy comes under the same id or, as when an event is made twice, under another."""

    def tell_of(event: Event, is_copy: bool, chance: random.Random) -> None:
        kind, object_id = event
        is_same = not is_copy or chance.random() < 0.5
        tell(kind, object_id, stripe, event_id=f"evt_{kind}" if is_same else "")

    return tell_of


def state_of(order_id: int) -> dict[str, Any]:
    """Return what people see in the end: order, certificate, dispute, alerts, and what the books say of Stripe and of
    losses."""
    certificate = db.session.scalars(sa.select(Certificate)).one()
    totals = {
        account: db.session.scalar(
            sa.select(
                sa.func.sum(
                    sa.case(
                        (LedgerEntry.debit_account == account, LedgerEntry.amount_cents),
                        (LedgerEntry.credit_account == account, -LedgerEntry.amount_cents),
                        else_=0,
                    )
                )
            )
        )
        for account in ("stripe_clearing", "write_off", "dispute_hold", "refund_due")
    }
    order = db.session.get_one(Order, order_id)
    holds = sa.select(CertificateFreeze.reason_code).where(CertificateFreeze.lifted_at.is_(None))
    return {
        "order": order.state,
        "status": certificate.status,
        "left": certificate.balance_cents,
        "dispute": db.session.scalars(sa.select(Dispute.status)).one(),
        "on hold": list(db.session.scalars(holds)),
        "refunds": [tuple(row) for row in db.session.execute(sa.select(Refund.state, Refund.amount_cents))],
        "alerts": sorted(db.session.scalars(sa.select(Alert.kind))),
        **totals,
    }


def ends(
    events: list[Event], order_id: int, hear: Hearing, rewinding: Rewinding, *, beginnings: int = 6
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield how every order of the events ends, after every other step an event told before told once more.

    Orders that begin alike are told their beginning together, and part at its last event; only so many of the
    events, chosen by chance, come first.
    """
    chance = random.Random(2026)

    def go_on(told: tuple[Event, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
        if len(told) == len(events):
            yield tuple(kind for kind, _ in told), state_of(order_id)
            return
        rewinding.keep(len(told))
        next_ones = [event for event in events if event not in told]
        for event in next_ones if told else chance.sample(next_ones, min(beginnings, len(events))):
            rewinding.rewind(len(told))
            hear(event, False, chance)
            if chance.random() < 0.5:
                hear(chance.choice((*told, event)), True, chance)
            yield from go_on((*told, event))

    yield from go_on(())


WON = {"status": "active", "on hold": [], "left": FACE - USED, "write_off": 0, "stripe_clearing": FACE}
LOST = {"status": "void", "left": 0, "write_off": USED, "stripe_clearing": 0}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["needs_response", "won"], WON),
        (["needs_response", "lost"], LOST),
        (["warning_needs_response", "warning_closed"], WON),
        (["needs_response", "lost", "appeal_needs_response", "won"], WON),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_a_decided_dispute_ends_the_same_in_every_order_of_its_events(
    statuses: list[str],
    expected: dict[str, Any],
    app: Flask,
    stripe_side: StripeSide,
    hear: Hearing,
    database_url: str,
) -> None:
    order, certificate = stripe_side.sell_one(FACE)
    build.redeem(certificate, USED)
    order_id = order.id
    dispute_id = stripe_side.dispute(order, status=statuses[0])
    for status in statuses[1:]:
        stripe_side.decide(dispute_id, status)
    steps = ("created", "funds_withdrawn", "updated", "closed", "funds_reinstated")
    events = [(f"charge.dispute.{step}", dispute_id) for step in steps]
    expected = {**expected, "dispute": statuses[-1], "dispute_hold": 0, "refund_due": 0}
    found = list(ends(events, order_id, hear, Rewinding(database_url)))
    assert len({kinds for kinds, _ in found}) == 120
    assert {kinds: end for kinds, end in found if not expected.items() <= end.items()} == {}


READ = {
    "won": (["needs_response", "under_review", "won"], WON),
    "lost": (["needs_response", "under_review", "lost"], LOST),
    "closed": (["warning_needs_response", "warning_under_review", "warning_closed"], WON),
    "disputed after all": (["warning_needs_response", "warning_closed", "needs_response", "under_review", "won"], WON),
    "lost after all": (["warning_needs_response", "warning_closed", "needs_response", "under_review", "lost"], LOST),
    "lost, then won": (["needs_response", "lost", "appeal_needs_response", "appeal_under_review", "won"], WON),
}
"""The states in which a dispute is read, one after the other, and what people see in the end."""


@pytest.mark.parametrize("name", READ)
def test_a_dispute_that_is_read_while_the_bank_decides_ends_the_same_in_every_order_in_which_that_is_recorded(
    name: str, app: Flask, stripe_side: StripeSide, database_url: str
) -> None:
    statuses, expected = READ[name]
    order, certificate = stripe_side.sell_one(FACE)
    build.redeem(certificate, USED)
    db.session.commit()
    order_id, payment_id, opened_at = order.id, order.payment_intent_id or "", clock.now()

    def record(event: Event, _is_copy: bool, _chance: random.Random) -> None:
        status, dispute_id = event
        withdrawn_cents = 0 if status == "won" or status.startswith("warning") else FACE
        facts = DisputeFacts(dispute_id, status, FACE, withdrawn_cents, "fraudulent", payment_id, None, opened_at)
        record_dispute(facts, order_id)
        db.session.commit()

    events = [(status, "dp_1") for status in statuses]
    for order_of_reading, end in ends(events, order_id, record, Rewinding(database_url)):
        wanted = {**expected, "dispute": statuses[-1], "dispute_hold": 0, "refund_due": 0}
        heard = order_of_reading[: order_of_reading.index("won")] if "won" in order_of_reading else ()
        if any(status == "lost" or status.startswith("appeal") for status in heard):
            wanted |= {"status": "frozen", "on hold": ["disputed"]}  # what had ended waits for a person
        assert wanted.items() <= end.items(), order_of_reading


@pytest.mark.parametrize(("decision", "beginnings"), [("won", BEGINNINGS), ("lost", BEGINNINGS)])
def test_720_orders_of_six_events_about_one_payment_end_alike(
    decision: str, beginnings: int, app: Flask, stripe_side: StripeSide, hear: Hearing, database_url: str
) -> None:
    order = stripe_side.place(build.gift_request(offer="amount", amount_cents=FACE))
    order_id, session_id = order.id, stripe_side.pay(order)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    refund_id = stripe_side.workbench.post("/refunds", {"charge": charge["id"], "amount": PAID_BACK})["id"]
    asked = {"charge": charge["id"], "amount": FACE - PAID_BACK}
    dispute_id = stripe_side.workbench.post("/disputes", asked)["id"]
    stripe_side.decide(dispute_id, decision)
    events = [
        ("checkout.session.completed", session_id),
        ("refund.created", refund_id),
        ("charge.refunded", charge["id"]),
        ("charge.dispute.created", dispute_id),
        ("charge.dispute.updated", dispute_id),
        ("charge.dispute.closed", dispute_id),
    ]
    left = FACE - PAID_BACK if decision == "won" else 0
    expected = {
        "order": "fulfilled",
        "status": "active" if decision == "won" else "void",
        "left": left,
        "stripe_clearing": left,
        "write_off": 0,
        "dispute_hold": 0,
        "refund_due": 0,
        "dispute": decision,
        "on hold": [] if decision == "won" else ["disputed"],
        "refunds": [("settled", PAID_BACK)],
        "alerts": [] if decision == "won" else ["dispute_lost"],
    }
    found = list(ends(events, order_id, hear, Rewinding(database_url), beginnings=beginnings))
    assert len({kinds for kinds, _ in found}) == 120 * beginnings
    assert {kinds: end for kinds, end in found if end != expected} == {}
