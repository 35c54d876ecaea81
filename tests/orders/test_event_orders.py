"""Events in every order, some twice: what Stripe says in the end is what the shop says, whichever came first."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates.models import Certificate, LedgerEntry
from giftshop.database import db
from giftshop.orders.models import Order
from giftshop.orders.stripe_gateway import StripeGateway
from tests import build
from tests.orders.stripe_side import Remembered, StripeSide, tell

Event = tuple[str, str]
FACE, USED, PAID_BACK = 50_00, 20_00, 10_00


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


def state_of(order_id: int) -> dict[str, Any]:
    """Return what people see in the end: order, certificate, and what the books say of Stripe and of losses."""
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
    return {"order": order.state, "status": certificate.status, "left": certificate.balance_cents, **totals}


def ends(
    events: list[Event], order_id: int, stripe: StripeGateway, rewinding: Rewinding, *, beginnings: int = 6
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield how every order of the events ends, after every other step an event told before told once more.

    Orders that begin alike are told their beginning together, and part at its last event; only so many of the
    events, the last ones, come first.
    """
    chance = random.Random(2026)

    def go_on(told: tuple[Event, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
        if len(told) == len(events):
            yield tuple(kind for kind, _ in told), state_of(order_id)
            return
        rewinding.keep(len(told))
        for event in [event for event in events if event not in told][0 if told else -beginnings :]:
            rewinding.rewind(len(told))
            tell(*event, stripe)
            if chance.random() < 0.5:
                tell(*chance.choice((*told, event)), stripe)
            yield from go_on((*told, event))

    yield from go_on(())


DISPUTE_ENDS = {
    "won": (["won"], {"status": "active", "left": FACE - USED, "write_off": 0, "stripe_clearing": FACE}),
    "lost": (["lost"], {"status": "void", "left": 0, "write_off": USED, "stripe_clearing": 0}),
    "warning_closed": (
        ["warning_closed"],
        {"status": "active", "left": FACE - USED, "write_off": 0, "stripe_clearing": FACE},
    ),
    "lost_then_won": (
        ["lost", "appeal_needs_response", "won"],
        {"left": FACE - USED, "write_off": 0, "stripe_clearing": FACE},
    ),
}


@pytest.mark.parametrize("name", DISPUTE_ENDS)
def test_a_dispute_ends_the_same_in_every_order_of_its_events(
    name: str, app: Flask, stripe_side: StripeSide, stripe: StripeGateway, database_url: str
) -> None:
    statuses, expected = DISPUTE_ENDS[name]
    order, certificate = stripe_side.sell_one(FACE)
    build.redeem(certificate, USED)
    order_id = order.id
    opened = "warning_needs_response" if name == "warning_closed" else "needs_response"
    dispute_id = stripe_side.dispute(order, status=opened)
    for status in statuses:
        stripe_side.decide(dispute_id, status)
    steps = ("created", "funds_withdrawn", "updated", "closed", "funds_reinstated")
    events = [(f"charge.dispute.{step}", dispute_id) for step in steps]
    wrong = {
        kinds: end
        for kinds, end in ends(events, order_id, stripe, Rewinding(database_url))
        if not expected.items() <= end.items() or end["dispute_hold"] or end["refund_due"]
    }
    assert wrong == {}


@pytest.mark.parametrize(("decision", "beginnings"), [("won", 6), ("lost", 2)])
def test_720_orders_of_six_events_about_one_payment_end_alike(
    decision: str, beginnings: int, app: Flask, stripe_side: StripeSide, stripe: StripeGateway, database_url: str
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
    }
    found = list(ends(events, order_id, stripe, Rewinding(database_url), beginnings=beginnings))
    assert len({kinds for kinds, _ in found}) == 120 * beginnings
    assert {kinds: end for kinds, end in found if end != expected} == {}
