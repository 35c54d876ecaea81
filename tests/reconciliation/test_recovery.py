"""Recovery: orders paid after the backup come back from what Stripe knows, or are named so that a person can act."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.checkout import sessions
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications.models import Alert
from giftshop.orders.look_up import find_order, token_of
from giftshop.orders.models import Gift, Order
from giftshop.payments.facts import LineFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.payments.shares import list_certificates
from giftshop.reconciliation import recovery
from giftshop.reconciliation.recovery import GUEST, find_obstacle
from giftshop.reconciliation.run import Report, reconcile
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.losing import back_up, lose_everything_since
from tests.orders.stripe_side import StripeSide


def run(gateway: StripeGateway, *, by_hand: bool = True) -> Report:
    """Reconcile as the command does, or as the clock does."""
    since = clock.now() - timedelta(days=2) if by_hand else None
    *_, report = reconcile(gateway, since=since)
    return report


def alerts() -> dict[str, str]:
    return {alert.kind: alert.detail for alert in db.session.scalars(sa.select(Alert))}


@pytest.fixture
def lost(app: Flask, stripe_side: StripeSide, tmp_path: Path) -> dict[str, Any]:
    """An order of three certificates that was sold, and lost with everything else after a backup."""
    kept = back_up(tmp_path)
    massage = build.gift_request(recipient_name="Ana", quantity=2)
    order = stripe_side.sell(massage, build.gift_request(offer="amount", amount_cents=45_00))
    known = {
        "public_id": order.public_id,
        "token": token_of(order),
        "payment": order.payment_intent_id,
        "session": order.attempts[-1].session_id,
        "cents": sorted(each.face_value_cents for each in list_certificates(order.id)),
        "number": order.number,
    }
    lose_everything_since(kept, app)
    assert find_order(known["token"]) is None
    return known


@both_databases
def test_a_lost_order_comes_back_with_a_certificate_for_each_that_was_paid(
    lost: dict[str, Any], gateway: StripeGateway
) -> None:
    report = run(gateway)
    order = db.session.scalars(sa.select(Order).where(Order.public_id == lost["public_id"])).one()
    assert (order.state, order.payment_intent_id) == ("fulfilled", lost["payment"])
    certificates = list_certificates(order.id)
    assert sorted(each.face_value_cents for each in certificates) == lost["cents"]
    assert {each.recipient_name for each in certificates} == {GUEST}
    assert sorted(each.service_name for each in certificates) == ["", "60-minute massage", "60-minute massage"]
    assert sorted(each.offer_slug for each in certificates) == ["60-minutes", "60-minutes", "amount"]
    assert f"{order.number}: fulfilled" in report.changed
    assert report.problems == []


@both_databases
def test_what_an_older_version_sold_is_known_by_the_names_on_stripes_page(
    app: Flask, stripe_side: StripeSide, gateway: StripeGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proper = sessions._line_item

    def without_metadata(gift: Gift, currency: str) -> dict[str, Any]:
        return {name: value for name, value in proper(gift, currency).items() if name != "metadata"}

    monkeypatch.setattr(sessions, "_line_item", without_metadata)
    kept = back_up(tmp_path)
    stripe_side.sell(build.gift_request(), build.gift_request(offer="amount", amount_cents=45_00))
    lose_everything_since(kept, app)
    run(gateway)
    gifts = db.session.scalars(sa.select(Order)).one().gifts
    assert [(gift.offer_slug, gift.service_name) for gift in gifts] == [
        ("60-minutes", "60-minute massage"),
        ("amount", ""),
    ]


def test_everything_goes_to_the_buyer_whose_private_page_is_there_again(
    lost: dict[str, Any], gateway: StripeGateway
) -> None:
    run(gateway)
    order = find_order(lost["token"])
    assert order is not None
    messages = db.session.scalars(sa.select(Delivery).where(Delivery.order_id == order.id)).all()
    assert {each.to_address for each in messages if each.kind != "alert"} == {"marko@example.com"}
    assert sorted(each.kind for each in messages) == ["alert", "certificate", "certificate", "receipt"]


def test_the_owner_is_told_and_the_trail_says_where_the_order_came_from(
    lost: dict[str, Any], gateway: StripeGateway
) -> None:
    run(gateway)
    order = find_order(lost["token"])
    assert order is not None
    kinds = [event.kind for event in activity_log.list_events(order_id=order.id)]
    assert "order_recovered" in kinds
    assert lost["payment"] in alerts()["order_recovered"]
    assert lost["number"] in alerts()["order_recovered"]


@both_databases
def test_a_second_run_makes_nothing_twice(lost: dict[str, Any], gateway: StripeGateway) -> None:
    run(gateway)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Certificate))
    assert run(gateway).changed == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Certificate)) == before


def test_money_that_went_back_meanwhile_is_off_the_new_certificates(
    app: Flask, stripe_side: StripeSide, gateway: StripeGateway, tmp_path: Path
) -> None:
    kept = back_up(tmp_path)
    order, _certificate = stripe_side.sell_one(50_00)
    token = token_of(order)
    stripe_side.refund(order, 20_00)
    lose_everything_since(kept, app)
    run(gateway)
    found = find_order(token)
    assert found is not None
    assert [each.balance_cents for each in list_certificates(found.id)] == [30_00]


@pytest.mark.parametrize("is_told_before", [False, True])
def test_a_fraud_warning_of_the_lost_days_holds_the_new_certificates(
    lost: dict[str, Any], stripe_side: StripeSide, is_told_before: bool
) -> None:
    warning_id = stripe_side.workbench.post("/warnings", {"payment_intent": lost["payment"]})["id"]
    if is_told_before:
        (event,) = [each for each in stripe_side.workbench.get("/state")["events"] if "warning" in each["type"]]
        assert stripe_side.tell(event["type"], warning_id, event_id=event["id"]) == "not in the books"
        run(stripe_side.gateway, by_hand=False)
    assert "radar.early_fraud_warning.created: frozen" in run(stripe_side.gateway).changed
    order = db.session.scalars(sa.select(Order).where(Order.public_id == lost["public_id"])).one()
    assert {each.status for each in list_certificates(order.id)} == {"frozen"}
    assert order.number in alerts()["fraud_warning"]
    assert run(stripe_side.gateway).changed == []


def test_the_clock_makes_nothing_by_itself_but_names_what_is_lost(lost: dict[str, Any], gateway: StripeGateway) -> None:
    report = run(gateway, by_hand=False)
    assert find_order(lost["token"]) is None
    (problem,) = [each for each in report.problems if lost["session"] in each]
    assert all(fact in problem for fact in (lost["payment"], lost["public_id"], "$", "flask orders reconcile --since"))
    assert alerts()["session_without_order"] == problem


def test_the_alert_about_what_was_lost_ends_when_it_came_back(lost: dict[str, Any], gateway: StripeGateway) -> None:
    run(gateway, by_hand=False)
    run(gateway)
    resolved = sa.select(Alert.resolved_at).where(
        Alert.kind == "session_without_order", Alert.subject == lost["session"]
    )
    assert db.session.scalars(resolved).one() is not None


def test_what_cannot_come_back_is_named_in_every_run_by_hand(
    lost: dict[str, Any], gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MOST_QUANTITY", 1)
    for _ in range(2):
        assert [each for each in run(gateway).problems if lost["payment"] in each]
    assert find_order(lost["token"]) is None


def test_an_order_in_the_backup_whose_attempt_is_lost_keeps_its_gifts(
    app: Flask, stripe_side: StripeSide, gateway: StripeGateway
) -> None:
    order = stripe_side.place(build.gift_request(recipient_name="Ana"))
    session_id = stripe_side.pay(order)
    db.session.delete(order.attempts[-1])
    db.session.commit()
    run(gateway)
    order = db.session.get_one(Order, order.id, populate_existing=True)
    assert (order.state, order.attempts[-1].session_id) == ("fulfilled", session_id)
    assert [each.recipient_name for each in list_certificates(order.id)] == ["Ana"]
    assert "order_recovered" not in alerts()


OBSTACLES = {
    "it is another shop's": {"metadata": {"shop": "shop_other", "order_id": "o_" + "a" * 24, "attempt": "1"}},
    "it is not paid": {"payment_status": "no_payment_required"},
    "the mode differs": {"livemode": True},
    "the currency differs": {"currency": "EUR"},
    "it names no order of ours": {"client_reference_id": "o_" + "b" * 24},
    "it does not say who bought": {"buyer_email": ""},
    "its lines do not come to what was paid": {"amount_total": 99_00},
}


@pytest.mark.parametrize(("obstacle", "changes"), OBSTACLES.items())
def test_an_order_is_not_made_again_from_what_does_not_fit(app: Flask, obstacle: str, changes: dict[str, Any]) -> None:
    assert find_obstacle(told.session(**changes), get_installation(), get_practice()) == obstacle


@pytest.mark.parametrize(
    "lines", [(), (LineFacts("Gift certificate", 11, 50_00),), (LineFacts("x", 1, 100_00), LineFacts("y", 1, 0))]
)
def test_an_order_is_not_made_again_from_lines_that_cannot_be_sold(app: Flask, lines: tuple[LineFacts, ...]) -> None:
    total = sum(line.quantity * line.unit_cents for line in lines)
    session = told.session(lines=lines, amount_total=total)
    assert find_obstacle(session, get_installation(), get_practice()) == "its lines do not come to what was paid"


def test_an_order_can_be_made_again_from_what_fits(app: Flask) -> None:
    assert find_obstacle(told.session(), get_installation(), get_practice()) == ""
