"""Reconciliation: what was missed is put right, a second run changes nothing, one bad thing does not hold up others."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.dates import write_moment
from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation import run as reconciliation
from giftshop.reconciliation.models import Reconciliation, StripeEvent
from giftshop.reconciliation.run import ABANDONED_AFTER, LATE, OVERLAP, Report, find_last_run, reconcile
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import count_certificates, moves_of, owner_was_told, standing_of
from tests.orders.stripe_side import StripeSide, Watched

MICROSECOND = timedelta(microseconds=1)


def run(gateway: StripeGateway) -> Report:
    *_, report = reconcile(gateway)
    return report


def without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Stripe's events be older than Stripe keeps them: what is left are the things themselves."""
    monkeypatch.setattr(reconciliation, "_replay_events", lambda *_: iter(()))


@both_databases
def test_a_payment_that_nobody_told_of_is_fulfilled(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    stripe_side.pay(order)
    report = run(stripe_side.gateway)
    assert (order.state, count_certificates()) == ("fulfilled", 1)
    assert f"{order.number}: awaiting_payment → fulfilled" in report.changed
    assert report.problems == []


def test_a_second_run_changes_nothing(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    stripe_side.refund(order, 10_00)
    stripe_side.dispute(order, 10_00)
    stripe_side.pay(stripe_side.place())
    assert len(run(stripe_side.gateway).changed) > 3
    report = run(stripe_side.gateway)
    assert (report.changed, report.problems) == ([], [])
    assert report.checked > 0


def test_a_run_that_came_to_its_end_is_kept_and_the_next_looks_back_to_it(app: Flask, stripe_side: StripeSide) -> None:
    assert find_last_run() is None
    stripe_side.pay(stripe_side.place())
    report = run(stripe_side.gateway)
    first = find_last_run()
    assert first is not None
    assert (first.checked, first.changed, first.problems) == (report.checked, report.changed, [])
    assert first.finished_at is not None
    assert first.started_at <= first.finished_at
    since = int((first.started_at - OVERLAP).timestamp())
    run(stripe_side.gateway)
    (listed,) = [call for call in stripe_side.workbench.requests() if call["path"] == "/v1/checkout/sessions"][-1:]
    assert listed["form"]["created[gte]"] == str(since)


def test_the_first_run_looks_back_to_the_shops_beginning(stripe_side: StripeSide) -> None:
    run(stripe_side.gateway)
    (listed,) = [call for call in stripe_side.workbench.requests() if call["path"] == "/v1/checkout/sessions"]
    assert listed["form"]["created[gte]"] == str(int((get_installation().created_at - OVERLAP).timestamp()))


def test_a_run_that_stripe_cuts_off_is_not_kept(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    stripe_side.workbench.post("/faults", {"do": "500", "times": -1})
    with pytest.raises(CheckoutUnavailableError):
        run(stripe_side.gateway)
    assert (find_last_run(), order.state) == (None, "awaiting_payment")


def test_stripe_is_asked_patiently_and_with_no_transaction_open(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    told.held(order, certificate, 10_00)
    stripe_side.refund(order, 5_00)
    stripe_side.pay(stripe_side.place())
    watched = Watched(stripe_side.gateway)
    run(watched.gateway)
    assert {each.patience for each in watched.asked} <= {"job", None}
    assert [each.name for each in watched.asked if each.in_transaction] == []


@pytest.mark.parametrize(
    ("age", "state"), [(ABANDONED_AFTER, "awaiting_payment"), (ABANDONED_AFTER + MICROSECOND, "expired")]
)
def test_an_order_whose_buyer_never_reached_stripe_expires_after_an_hour(
    stripe_side: StripeSide, age: timedelta, state: str
) -> None:
    order = told.placed(attempts=0)
    placed_at = order.created_at
    db.session.rollback()
    with time_machine.travel(placed_at + age, tick=False):
        report = run(stripe_side.gateway)
    assert order.state == state
    moved = [] if state == "awaiting_payment" else [("awaiting_payment", "expired", "system")]
    assert moves_of(order) == moved
    assert report.changed == [f"{order.number}: awaiting_payment → expired" for _ in moved]


def test_an_order_with_an_open_page_waits_for_it(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    placed_at = order.created_at
    db.session.rollback()
    with time_machine.travel(placed_at + timedelta(hours=2), tick=False):
        assert run(stripe_side.gateway).changed == []
    assert order.state == "awaiting_payment"


def test_each_of_an_orders_sessions_is_asked_about(stripe_side: StripeSide) -> None:
    """The buyer paid on the first page, while a second one was open."""
    order = stripe_side.place()
    first = order.attempts[0].session_id or ""
    stripe_side.workbench.post(f"/sessions/{first}/settle", {"outcome": "pay"})
    told.attempt(order, 2, session_id="cs_nobody")
    told.attempt(order, 3, session_id=None, state="created")
    db.session.commit()
    run(stripe_side.gateway)
    assert (order.state, count_certificates()) == ("fulfilled", 1)


def test_a_held_refund_is_brought_to_its_end(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    assert f"refund {refund.id}: settled" in run(stripe_side.gateway).changed
    assert (refund.state, standing_of(certificate)) == ("settled", ("active", 30_00))


def test_a_held_refund_that_is_still_pending_is_no_change(stripe_side: StripeSide) -> None:
    stripe_side.workbench.post("/refund-status", {"status": "pending"})
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    for _ in range(2):
        assert [each for each in run(stripe_side.gateway).changed if each.startswith("refund ")] == []
    assert refund.state == "held"


def test_events_that_never_came_are_handled_once(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    stripe_side.workbench.post("/warnings", {"payment_intent": order.payment_intent_id})
    assert "radar.early_fraud_warning.created: frozen" in run(stripe_side.gateway).changed
    assert standing_of(certificate) == ("frozen", 50_00)
    kept = db.session.scalar(sa.select(sa.func.count()).select_from(StripeEvent))
    run(stripe_side.gateway)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StripeEvent)) == kept


def test_one_order_that_goes_wrong_does_not_hold_up_the_others(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = stripe_side.place(), stripe_side.place()
    for order in (bad, good):
        stripe_side.pay(order)
    bad_session = bad.attempts[0].session_id
    fulfil = reconciliation.fulfil_order

    def stumble(session_id: str, *args: Any, **kwargs: Any) -> Order | None:
        if session_id == bad_session:
            raise ValueError("ana@example.com is not to be quoted")
        return fulfil(session_id, *args, **kwargs)

    without_events(monkeypatch)
    monkeypatch.setattr(reconciliation, "fulfil_order", stumble)
    report = run(stripe_side.gateway)
    assert (bad.state, good.state) == ("awaiting_payment", "fulfilled")
    assert report.problems[0].startswith(f"order {bad.id}: ValueError < test_run.py")
    assert "ana@example.com" not in " ".join(report.problems)


def test_a_refusal_of_the_shops_own_is_named_in_its_words(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = stripe_side.place()
    stripe_side.pay(order)

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise reconciliation.ShopError("The fee is not paid.")

    without_events(monkeypatch)
    monkeypatch.setattr(reconciliation, "fulfil_order", refuse)
    assert run(stripe_side.gateway).problems[0] == f"order {order.id}: The fee is not paid."


def tick(name: str) -> None:
    """Let the clock strike for one of the recurring jobs."""
    jobs._process.jobs[name](0, 0)


def test_the_clock_reconciles_and_writes_down_what_it_changed(
    stripe_side: StripeSide, caplog: pytest.LogCaptureFixture
) -> None:
    order = stripe_side.place()
    stripe_side.pay(order)
    tick("reconcile_orders")
    assert order.state == "fulfilled"
    assert f"reconciliation: {order.number}: awaiting_payment → fulfilled" in caplog.messages


def test_the_clock_survives_that_stripe_is_away(stripe_side: StripeSide, caplog: pytest.LogCaptureFixture) -> None:
    order = stripe_side.place()
    stripe_side.pay(order)
    stripe_side.workbench.post("/faults", {"do": "500", "path": "/v1/events", "times": -1})
    tick("reconcile_orders")
    stopped = f"reconciliation stopped: {CheckoutUnavailableError().message}"
    assert stopped in caplog.messages
    assert f"reconciliation: {order.number}: awaiting_payment → fulfilled" in caplog.messages
    assert (order.state, find_last_run()) == ("fulfilled", None)


@pytest.mark.parametrize("is_key_refused", [False, True])
def test_the_owner_hears_once_that_the_books_wait_for_stripe_until_they_agree_again(
    app: Flask, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch, is_key_refused: bool
) -> None:
    tick("reconcile_orders")
    last = find_last_run()
    assert last is not None
    why = "Stripe could not be reached."
    if is_key_refused:
        why = (
            "Stripe refuses what the shop asks: please tell whoever looks after the shop that its key may have changed."
        )
        wrong = StripeGateway(secret_key="sk_test_sim_wrong", api_base=stripe_side.workbench.url, webhook_secrets=[])
        monkeypatch.setitem(vars(app.extensions["stripe_gateway"]), "_job_client", wrong._job_client)
    else:
        stripe_side.workbench.post("/faults", {"do": "500", "times": -1})
    tick("reconcile_orders")
    assert owner_was_told() == [], "one try in vain is nobody's business"
    with time_machine.travel(clock.now() + LATE):
        tick("reconcile_orders")
        tick("reconcile_orders")
        (alert,) = owner_was_told()
        when = write_moment(last.started_at, get_practice().time_zone)
        assert alert.detail == f"The books have not been compared with Stripe since {when}. {why}"
        stripe_side.workbench.post("/faults/clear")
        monkeypatch.undo()
        run(stripe_side.gateway)
    assert db.session.scalars(sa.select(Alert.resolved_at)).one() is not None


def test_the_last_run_is_the_one_that_ended_last(app: Flask) -> None:
    now = clock.now()
    for hours in (3, 1, 2):
        at = now - timedelta(hours=hours)
        db.session.add(Reconciliation(started_at=at, finished_at=at))
    db.session.flush()
    last = find_last_run()
    assert last is not None
    assert last.started_at == now - timedelta(hours=1)


def test_a_payment_that_waits_at_the_bank_is_told_as_put_right_once(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    stripe_side.pay(order, "pay_later_ok")
    assert f"{order.number}: awaiting_payment → processing" in run(stripe_side.gateway).changed
    assert order.state == "processing"
    assert run(stripe_side.gateway).changed == []
