"""Reconciliation without events: Stripe keeps them for 30 days, but sessions, refunds and disputes for ever."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftshop.catalog.practice import get_installation
from giftshop.foundation.database import db
from giftshop.orders.models import Dispute, Order
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation import run as reconciliation
from giftshop.reconciliation.run import Report, reconcile
from tests.orders.kept import owner_was_told, standing_of
from tests.orders.stripe_side import StripeSide

MICROSECOND = timedelta(microseconds=1)


def run(gateway: StripeGateway) -> Report:
    *_, report = reconcile(gateway)
    return report


def without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Stripe's events be older than Stripe keeps them: what is left are the things themselves."""
    monkeypatch.setattr(reconciliation, "_replay_events", lambda *_: iter(()))


def test_paid_sessions_are_found_without_events(stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order was given up by the shop, so nobody asks about it any more, and its attempt was never stored."""
    without_events(monkeypatch)
    order = stripe_side.place()
    stripe_side.pay(order)
    db.session.execute(sa.update(Order).values(state="expired"))
    order.attempts[0].session_id = None
    db.session.commit()
    report = run(stripe_side.gateway)
    assert (order.state, report.changed) == ("fulfilled", [f"{order.number}: fulfilled"])
    assert run(stripe_side.gateway).changed == []


def test_sessions_of_another_shop_are_left_alone(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    session_id = order.attempts[0].session_id or ""
    stripe_side.workbench.post(f"/objects/{session_id}", {"metadata": {"shop": "shop_0000000000000000"}})
    stripe_side.pay(order)
    report = run(stripe_side.gateway)
    assert (report.changed, report.problems) == ([], [])
    assert (order.state, owner_was_told()) == ("awaiting_payment", [])


def test_a_payment_without_an_order_is_told_once_by_the_clock(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    session_id = order.attempts[0].session_id or ""
    lost = {"shop": get_installation().instance_id, "order_id": "o_" + "b" * 24, "attempt": "1"}
    stripe_side.workbench.post(f"/objects/{session_id}", {"metadata": lost})
    stripe_side.pay(order)
    order.attempts[0].session_id = None
    db.session.commit()
    assert [len(run(stripe_side.gateway).problems) for _ in range(2)] == [1, 0]
    assert [(each.kind, each.subject) for each in owner_was_told()] == [("session_without_order", session_id)]


def test_refunds_are_found_without_events(stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    without_events(monkeypatch)
    order, certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 20_00)
    assert run(stripe_side.gateway).changed == [f"{refund_id}: refund made at Stripe"]
    assert standing_of(certificate) == ("active", 30_00)
    assert run(stripe_side.gateway).changed == []


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_failed_before_we_heard_of_it_is_no_change(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    without_events(monkeypatch)
    order, certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 20_00)
    stripe_side.workbench.post(f"/refunds/{refund_id}/status", {"status": status})
    assert run(stripe_side.gateway).changed == []
    assert standing_of(certificate) == ("active", 50_00)


def test_disputes_are_found_without_events(stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    without_events(monkeypatch)
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order)
    assert run(stripe_side.gateway).changed == [f"{dispute_id}: dispute needs_response"]
    assert run(stripe_side.gateway).changed == []
    stripe_side.decide(dispute_id, "won")
    assert run(stripe_side.gateway).changed == [f"{dispute_id}: dispute won"]
    assert standing_of(certificate) == ("active", 50_00)


def test_money_moved_for_another_shop_is_left_alone(stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    without_events(monkeypatch)
    order = stripe_side.place()
    session_id = order.attempts[0].session_id or ""
    stripe_side.workbench.post(f"/objects/{session_id}", {"metadata": {"shop": "shop_0000000000000000"}})
    stripe_side.pay(order)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    stripe_side.workbench.post("/refunds", {"charge": charge["id"], "amount": 1_00})
    stripe_side.workbench.post("/disputes", {"charge": charge["id"]})
    assert run(stripe_side.gateway).changed == []
    assert db.session.query(Dispute).count() == 0
