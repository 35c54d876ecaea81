"""How disputes end beside refunds, ended certificates and orders in review: the books hold what Stripe holds."""

from typing import Any

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates import status as standing
from giftshop.dates import write_local_day
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.open_entries import held_for
from giftshop.notifications.models import Alert
from giftshop.office.needs import tell_exposure
from giftshop.orders.models import Dispute, Order
from giftshop.payments.shares import cleared_by_certificate, list_certificates
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import take
from tests.orders.kept import entries_of, holds_on, kinds_of, moves_of, standing_of
from tests.orders.stripe_side import StripeSide
from tests.reconciliation.test_review import put_in_review

CREATED, UPDATED, CLOSED = (f"charge.dispute.{kind}" for kind in ("created", "updated", "closed"))


def sell_two(side: StripeSide) -> tuple[Order, Certificate, Certificate]:
    """Sell two certificates of $50.00 in one payment."""
    order = side.sell(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    return order, first, second


def pay_back(side: StripeSide, order: Order, amount_cents: int) -> str:
    """Pay a part back in Stripe's dashboard, and tell the shop; return the refund's id."""
    refund_id = side.refund(order, amount_cents)
    side.tell("refund.created", refund_id)
    return refund_id


def bring_back(side: StripeSide, refund_id: str) -> None:
    """Let a refund fail days later, and tell the shop."""
    side.workbench.post(f"/refunds/{refund_id}/fail")
    side.tell("refund.failed", refund_id)


def dispute(side: StripeSide, order: Order, amount_cents: int | None = None) -> str:
    """Let the bank question a payment, and tell the shop; return the dispute's id."""
    dispute_id = side.dispute(order, amount_cents)
    side.tell(CREATED, dispute_id)
    return dispute_id


def decide(side: StripeSide, dispute_id: str, status: str, **as_stripe_says: Any) -> None:
    """Let the bank decide, and tell the shop twice."""
    side.decide(dispute_id, status)
    if as_stripe_says:
        side.workbench.post(f"/objects/{dispute_id}", as_stripe_says)
    for kind in (UPDATED, CLOSED):
        side.tell(kind, dispute_id)


def cleared(order: Order) -> int:
    """What the books say that Stripe has of an order's payment."""
    return sum(cleared_by_certificate(order.id).values())


def told(kind: str) -> str:
    """What the practice was told in an alert of a kind; there is one."""
    (detail,) = db.session.scalars(db.select(Alert.detail).where(Alert.kind == kind))
    return str(detail)


@both_databases
def test_a_dispute_lost_after_a_refund_came_back_takes_what_it_would_have_taken_without_the_refund(
    stripe_side: StripeSide,
) -> None:
    order, first, second = sell_two(stripe_side)
    refund_id = pay_back(stripe_side, order, 20_00)
    dispute_id = dispute(stripe_side, order, 80_00)
    assert held_for([dispute_id]) == {dispute_id: 80_00}
    bring_back(stripe_side, refund_id)
    decide(stripe_side, dispute_id, "lost")
    assert held_for([dispute_id]) == {}
    assert (standing_of(first), standing_of(second)) == (("void", 0), ("frozen", 20_00))
    assert db.session.query(Dispute).one().loss_cents == 0
    assert cleared(order) == 20_00


def test_a_dispute_lost_after_a_full_refund_came_back_holds_nothing_any_more(stripe_side: StripeSide) -> None:
    order, first, second = sell_two(stripe_side)
    refund_id = pay_back(stripe_side, order, 50_00)
    dispute_id = dispute(stripe_side, order, 50_00)
    assert standing_of(second) == ("frozen", 0)
    bring_back(stripe_side, refund_id)
    decide(stripe_side, dispute_id, "lost")
    assert held_for([dispute_id]) == {}
    assert (standing_of(first), standing_of(second)) == (("void", 0), ("frozen", 50_00))
    assert holds_on(second), "a person looks at it"


@both_databases
def test_what_a_bank_takes_beyond_a_refund_is_a_loss_until_an_appeal_is_won(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    pay_back(stripe_side, order, 20_00)
    dispute_id = dispute(stripe_side, order, 50_00)
    found = db.session.query(Dispute).one()
    exposure = tell_exposure(found, held_for([dispute_id])[dispute_id], get_practice())
    assert "$20.00 of it is spent or paid back already and would be lost." in exposure
    decide(stripe_side, dispute_id, "lost")
    assert (found.loss_cents, cleared(order)) == (20_00, -20_00)
    assert told("dispute_lost").endswith("Used or paid back already, and so lost: $20.00.")
    decide(stripe_side, dispute_id, "won")
    assert (found.loss_cents, cleared(order), standing_of(certificate)) == (0, 30_00, ("frozen", 30_00))


def test_what_a_bank_gives_back_of_a_lost_dispute_is_on_the_certificate_again(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = dispute(stripe_side, order)
    taken = stripe_side.workbench.get(f"/objects/{dispute_id}")["balance_transactions"]
    back = {**taken[0], "id": "txn_back", "amount": 20_00, "fee": 0, "net": 20_00}
    decide(stripe_side, dispute_id, "lost", balance_transactions=[*taken, back])
    assert (standing_of(certificate), cleared(order)) == (("frozen", 20_00), 20_00)
    assert entries_of(certificate)[-1][:2] == ("dispute_lost", 30_00)
    assert held_for([dispute_id]) == {}


def test_an_order_in_review_whose_payment_the_bank_took_is_over_until_an_appeal_is_won(
    stripe_side: StripeSide,
) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    dispute_id = dispute(stripe_side, order)
    assert order.state == "in_review"
    decide(stripe_side, dispute_id, "lost")
    assert order.state == "refunded"
    alert = db.session.scalars(db.select(Alert).where(Alert.kind == "in_review")).one()
    assert alert.resolved_at is not None
    decide(stripe_side, dispute_id, "won")
    assert moves_of(order)[-2:] == [("in_review", "refunded", "stripe"), ("refunded", "in_review", "stripe")]
    assert told("dispute_recovered").endswith("It is in review again.")


def test_an_order_in_review_of_which_the_bank_took_a_part_stays_in_review(stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    decide(stripe_side, dispute(stripe_side, order, 20_00), "lost")
    assert order.state == "in_review"


def test_an_appeal_says_by_when_stripe_wants_an_answer(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    dispute_id = dispute(stripe_side, order)
    found = db.session.query(Dispute).one()
    decide(stripe_side, dispute_id, "lost")
    assert found.closed_at is not None
    decide(stripe_side, dispute_id, "appeal_needs_response")
    assert found.evidence_due_at is not None
    day = write_local_day(found.evidence_due_at, get_practice().time_zone)
    assert found.closed_at is None
    assert tell_exposure(found, 0, get_practice()).endswith(f"Answer by {day}.")
    assert told("dispute_opened").endswith(f"Stripe wants the answer by {day}.")
    assert told("dispute_appealed").endswith(f"Stripe wants the answer by {day}.")


@both_databases
def test_a_certificate_that_somebody_ended_stays_on_hold_when_the_dispute_is_won(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = dispute(stripe_side, order, 30_00)
    standing.void(certificate.id, reason_code="paid in cash", request_key="k" * 16, actor="staff:3", at=clock.now())
    db.session.commit()
    for _ in range(2):
        decide(stripe_side, dispute_id, "won")
        assert (standing_of(certificate), len(holds_on(certificate))) == (("frozen", 30_00), 1)
    assert "somebody had ended" in told("ended_has_value")
    standing.lift_all(certificate.id, reason_code="we agreed", actor="staff:3", at=clock.now())
    db.session.commit()
    stripe_side.tell(CLOSED, dispute_id)
    assert standing_of(certificate) == ("active", 30_00)


def test_a_won_appeal_names_the_hold_of_a_certificate_that_had_ended_before(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    take(certificate.id, 20_00)
    db.session.commit()
    pay_back(stripe_side, order, 30_00)
    assert standing_of(certificate) == ("void", 0)
    dispute_id = dispute(stripe_side, order, 20_00)
    decide(stripe_side, dispute_id, "lost")
    decide(stripe_side, dispute_id, "won")
    assert holds_on(certificate) == [(dispute_id, "disputed", "stripe")]
    assert kinds_of(certificate)[-2:] == ["loss", "loss_recovered"]
    assert standing.lift_all(certificate.id, reason_code="seen", actor="staff:3", at=clock.now()) == 1
    db.session.commit()


def test_a_state_that_we_do_not_know_stops_the_certificate_and_takes_nothing(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    dispute_id = stripe_side.dispute(order)
    stripe_side.workbench.post(f"/objects/{dispute_id}", {"status": "a_state_of_the_future"})
    stripe_side.tell(CREATED, dispute_id)
    assert standing_of(certificate) == ("frozen", 50_00)
