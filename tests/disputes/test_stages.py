"""The stages of a dispute: the practice hears of each once, and no later news undoes what a person released."""

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.orders.stripe_side import StripeSide
from tests.reconciliation.test_review import put_in_review

UPDATED, CLOSED = "charge.dispute.updated", "charge.dispute.closed"


def release(certificate: Certificate) -> None:
    """End every hold, as a manager does."""
    standing.lift_all(certificate.id, reason_code="we know them", actor="staff:2", at=clock.now())
    db.session.commit()


def told(order: Order) -> list[str]:
    """Return the kinds of alerts that there are, each of which was mailed once."""
    kinds = list(db.session.scalars(sa.select(Alert.kind).order_by(Alert.id)))
    mails = db.session.scalars(sa.select(Delivery.id).where(Delivery.kind == "alert", Delivery.order_id == order.id))
    assert len(mails.all()) == len(kinds)
    return kinds


def walk(stripe_side: StripeSide, dispute_id: str, *statuses: str) -> None:
    """Let the bank move a dispute on, and tell the shop of each state twice."""
    for status in statuses:
        stripe_side.decide(dispute_id, status)
        for _ in range(2):
            stripe_side.tell(UPDATED, dispute_id)


WAYS = [
    (("needs_response", "under_review", "won"), ["dispute_opened"]),
    (("warning_needs_response", "warning_under_review", "warning_closed"), ["dispute_inquiry"]),
    (("warning_needs_response", "needs_response", "under_review"), ["dispute_inquiry", "dispute_opened"]),
    (("warning_needs_response", "warning_closed", "needs_response"), ["dispute_inquiry", "dispute_opened"]),
    (
        ("needs_response", "lost", "appeal_needs_response", "appeal_under_review", "lost"),
        ["dispute_opened", "dispute_lost", "dispute_appealed"],
    ),
    (
        ("needs_response", "lost", "appeal_needs_response", "won"),
        ["dispute_opened", "dispute_lost", "dispute_appealed", "dispute_recovered"],
    ),
]


@pytest.mark.parametrize(("statuses", "kinds"), WAYS)
def test_each_stage_of_a_dispute_is_told_once(
    stripe_side: StripeSide, statuses: tuple[str, ...], kinds: list[str]
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order, status=statuses[0])
    stripe_side.tell("charge.dispute.created", dispute_id)
    walk(stripe_side, dispute_id, *statuses[1:])
    assert told(order) == kinds


@both_databases
def test_what_a_manager_released_after_a_lost_dispute_stays_released(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order, 20_00)
    stripe_side.tell("charge.dispute.created", dispute_id)
    walk(stripe_side, dispute_id, "lost")
    assert (certificate.status, certificate.balance_cents) == ("frozen", 30_00)
    release(certificate)
    for kind in (CLOSED, UPDATED, "charge.dispute.funds_withdrawn"):
        stripe_side.tell(kind, dispute_id)
    walk(stripe_side, dispute_id, "appeal_needs_response")
    assert (certificate.status, certificate.balance_cents) == ("active", 30_00)


def test_what_a_manager_released_while_a_bank_asks_stays_so_until_it_disputes(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order, status="warning_needs_response")
    stripe_side.tell("charge.dispute.created", dispute_id)
    release(certificate)
    walk(stripe_side, dispute_id, "warning_under_review")
    assert certificate.status == "active"
    walk(stripe_side, dispute_id, "needs_response")
    assert (certificate.status, certificate.balance_cents) == ("frozen", 0)
    assert [freeze.subject for freeze in standing.list_freezes(certificate.id)] == [dispute_id]


@pytest.mark.parametrize("before", ["warning_needs_response", "warning_closed"])
def test_a_dispute_first_heard_of_when_it_is_lost_stops_what_was_free(stripe_side: StripeSide, before: str) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order, 20_00, status="warning_needs_response")
    stripe_side.tell("charge.dispute.created", dispute_id)
    walk(stripe_side, dispute_id, before)
    if before == "warning_needs_response":
        release(certificate)
    walk(stripe_side, dispute_id, "lost")
    assert (certificate.status, certificate.balance_cents) == ("frozen", 30_00)


def test_the_certificate_that_a_dispute_holds_nothing_of_stays_released(stripe_side: StripeSide) -> None:
    gifts = [build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)]
    order = stripe_side.sell(*gifts)
    held, free = list_certificates(order.id)
    dispute_id = stripe_side.dispute(order, 50_00)
    stripe_side.tell("charge.dispute.created", dispute_id)
    release(free)
    walk(stripe_side, dispute_id, "under_review")
    assert (held.status, free.status) == ("frozen", "active")


@pytest.mark.parametrize("then", ["under_review", "lost"])
def test_value_that_came_back_after_the_release_is_on_hold_with_a_reason(stripe_side: StripeSide, then: str) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    redeemed = take(certificate.id, 50_00)
    db.session.commit()
    dispute_id = stripe_side.dispute(order, 20_00)
    stripe_side.tell("charge.dispute.created", dispute_id)
    release(certificate)
    give_back(redeemed)
    db.session.commit()
    assert (certificate.status, certificate.balance_cents) == ("active", 50_00)
    walk(stripe_side, dispute_id, then)
    assert (certificate.status, certificate.balance_cents) == ("frozen", 30_00)
    assert [freeze.subject for freeze in standing.list_freezes(certificate.id)] == [dispute_id]


def test_a_fraud_warning_told_again_does_not_undo_a_release(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    warning_id = stripe_side.workbench.post("/warnings", {"charge": charge["id"]})["id"]
    stripe_side.tell("radar.early_fraud_warning.created", warning_id)
    assert certificate.status == "frozen"
    release(certificate)
    assert stripe_side.tell("radar.early_fraud_warning.updated", warning_id) == "warning known"
    assert certificate.status == "active"
    assert told(order) == ["fraud_warning"]


def test_a_fraud_warning_about_an_order_without_certificates_is_told_too(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    warning_id = stripe_side.workbench.post("/warnings", {"charge": charge["id"]})["id"]
    stripe_side.tell("radar.early_fraud_warning.created", warning_id)
    assert told(order) == ["in_review", "fraud_warning"]
