"""Stripe's events: each is handled once, what is not ours is answered kindly, and nothing is kept of what failed."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.notifications.models import Alert
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation import webhook_events
from giftshop.reconciliation.models import StripeEvent
from tests.conftest import both_databases
from tests.orders.kept import standing_of
from tests.orders.stripe_side import StripeSide, Watched, tell


def event(kind: str = "refund.created", object_id: Any = "re_1", **changes: Any) -> dict[str, Any]:
    """An event as it stands once its signature is checked."""
    return {"id": "evt_1", "type": kind, "livemode": False, "data": {"object": {"id": object_id}}, **changes}


def handle(told: dict[str, Any], gateway: StripeGateway) -> str:
    """Handle an event and commit, as the webhook does."""
    outcome = webhook_events.handle_event(told, gateway)
    db.session.commit()
    return outcome


def kept() -> list[tuple[str, str, str, str]]:
    query = sa.select(StripeEvent).order_by(StripeEvent.id)
    return [(each.event_id, each.type, each.object_id, each.outcome) for each in db.session.scalars(query)]


def test_an_event_is_handled_once_and_kept_with_what_came_of_it(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 20_00)
    told = event(object_id=refund_id)
    outcomes = [webhook_events.handle_event(told, stripe_side.gateway) for _ in range(2)]
    assert outcomes == ["refund made at Stripe", "duplicate"]
    assert kept()[-1] == ("evt_1", "refund.created", refund_id, "refund made at Stripe")
    assert standing_of(certificate) == ("active", 30_00)


class Meanwhile:
    """A gateway that lets something happen while Stripe is asked."""

    def __init__(self, gateway: StripeGateway, happens: Any) -> None:
        self._gateway, self._happens = gateway, happens

    def __getattr__(self, name: str) -> Any:
        self._happens()
        return getattr(self._gateway, name)


@both_databases
def test_a_copy_that_was_handled_while_stripe_was_asked_is_a_duplicate(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 20_00)
    slow: Any = Meanwhile(stripe_side.gateway, lambda: stripe_side.tell("refund.created", refund_id, event_id="evt_1"))
    assert webhook_events.handle_event(event(object_id=refund_id), slow) == "duplicate"
    assert [each[0] for each in kept()].count("evt_1") == 1
    assert standing_of(certificate) == ("active", 30_00)


@pytest.mark.parametrize(("given", "patience"), [({}, "page"), ({"patience": "job"}, "job")])
@pytest.mark.parametrize("kind", ["checkout.session.completed", "refund.created", "charge.dispute.created"])
def test_no_transaction_waits_while_stripe_is_asked(
    stripe_side: StripeSide, kind: str, given: Any, patience: str
) -> None:
    watched = Watched(stripe_side.gateway)
    webhook_events.handle_event(event(kind, "x_nobody"), watched.gateway, **given)
    assert [(each.patience, each.in_transaction) for each in watched.asked] == [(patience, False)]


UNKNOWN = {
    "checkout.session.completed": "unknown session",
    "checkout.session.async_payment_succeeded": "unknown session",
    "checkout.session.async_payment_failed": "unknown session",
    "checkout.session.expired": "unknown session",
    "refund.created": "unknown refund",
    "refund.updated": "unknown refund",
    "refund.failed": "unknown refund",
    "charge.refunded": "not ours",
    "charge.dispute.created": "unknown dispute",
    "charge.dispute.updated": "unknown dispute",
    "charge.dispute.closed": "unknown dispute",
    "charge.dispute.funds_withdrawn": "unknown dispute",
    "charge.dispute.funds_reinstated": "unknown dispute",
    "radar.early_fraud_warning.created": "not ours",
    "radar.early_fraud_warning.updated": "not ours",
}


@pytest.mark.parametrize("object_id", ["x_nobody", ""])
def test_what_stripe_does_not_know_is_answered_kindly(stripe_side: StripeSide, object_id: str) -> None:
    told = {kind: event(kind, object_id, id=f"evt_{kind}") for kind in UNKNOWN}
    assert {kind: handle(each, stripe_side.gateway) for kind, each in told.items()} == UNKNOWN
    assert kept() == [(f"evt_{kind}", kind, object_id, outcome) for kind, outcome in UNKNOWN.items()]


def test_every_kind_that_is_handled_is_asked_for(app: Flask) -> None:
    assert webhook_events.handled_types() == sorted(UNKNOWN)


def test_other_news_are_neither_asked_about_nor_kept(app: Flask, gateway: StripeGateway) -> None:
    watched = Watched(gateway)
    assert webhook_events.handle_event(event("charge.succeeded", "ch_1"), watched.gateway) == "uninteresting"
    assert (watched.asked, kept()) == ([], [])


def test_an_event_of_another_account_is_not_kept(app: Flask, gateway: StripeGateway) -> None:
    watched = Watched(gateway)
    assert webhook_events.handle_event(event(account="acct_1"), watched.gateway) == "another account's"
    assert (watched.asked, kept()) == ([], [])


def test_an_event_of_live_money_is_told_and_changes_nothing(app: Flask, gateway: StripeGateway) -> None:
    watched = Watched(gateway)
    assert webhook_events.handle_event(event(livemode=True), watched.gateway) == "wrong mode"
    assert (watched.asked, kept()) == ([], [("evt_1", "refund.created", "re_1", "wrong mode")])
    alert = db.session.scalars(sa.select(Alert)).one()
    assert (alert.kind, alert.subject) == ("wrong_mode_event", "evt_1")
    assert alert.detail == "An event of the other mode (test or live) arrived."


SHAPES = [
    (None, ""),
    ([], ""),
    ({}, ""),
    ({"object": "re_1"}, ""),
    ({"object": {}}, ""),
    ({"object": {"id": 1}}, ""),
    ({"object": {"id": "x" * 256}}, ""),
    ({"object": {"id": "x" * 255}}, "x" * 255),
]


def test_an_event_of_any_shape_is_answered(stripe_side: StripeSide) -> None:
    told = [event(id=f"evt_{number}", data=data) for number, (data, _) in enumerate(SHAPES)]
    assert {handle(each, stripe_side.gateway) for each in told} == {"unknown refund"}
    assert [object_id for _, _, object_id, _ in kept()] == [object_id for _, object_id in SHAPES]


def test_an_event_is_forgotten_when_stripe_cannot_be_asked(stripe_side: StripeSide) -> None:
    stripe_side.workbench.post("/faults", {"do": "500", "times": -1})
    with pytest.raises(CheckoutUnavailableError):
        webhook_events.handle_event(event(), stripe_side.gateway)
    db.session.commit()
    assert kept() == []


def test_a_payment_that_is_not_ours_changes_nothing(stripe_side: StripeSide) -> None:
    """Another shop of the same Stripe account sells, pays back, and is disputed."""
    order = stripe_side.place()
    session_id = order.attempts[-1].session_id or ""
    foreign = {"metadata": {"shop": "shop_0000000000000000"}}
    stripe_side.workbench.post(f"/objects/{session_id}", foreign)
    stripe_side.pay(order)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    refund_id = stripe_side.workbench.post("/refunds", {"charge": charge["id"], "amount": 1_00})["id"]
    warning_id = stripe_side.workbench.post("/warnings", {"charge": charge["id"]})["id"]
    dispute_id = stripe_side.workbench.post("/disputes", {"charge": charge["id"]})["id"]
    for kind, object_id in [
        ("checkout.session.completed", session_id),
        ("refund.created", refund_id),
        ("charge.refunded", charge["id"]),
        ("radar.early_fraud_warning.created", warning_id),
        ("charge.dispute.created", dispute_id),
    ]:
        assert tell(kind, object_id, stripe_side.gateway) == "not ours"
    assert order.state == "awaiting_payment"


def test_all_refunds_of_a_charge_are_recorded_oldest_first(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    for amount_cents in (10_00, 15_00):
        stripe_side.refund(order, amount_cents)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    assert stripe_side.tell("charge.refunded", charge["id"]) == "refund made at Stripe, refund made at Stripe"
    assert standing_of(certificate) == ("active", 25_00)
