"""Holding money to be paid back: as much as is left and was paid, off the certificate at once."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop.certificates.requests import Asked
from giftshop.errors import NothingToRefundError, RefundNotAllowedError, RefundTooLargeError
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, LedgerEntry, MoneyRequest
from giftshop.orders.models import Order, Refund, RefundWish
from giftshop.payments.shares import list_certificates
from giftshop.refunds import requests as refund_rules
from giftshop.refunds.outcomes import record_refund
from giftshop.refunds.requests import Refundable, hold_refund, list_held, list_refundable, list_unanswered, list_wishes
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.orders import told
from tests.orders.kept import Entry, entries_of, kinds_of, standing_of, trail_of
from tests.orders.stripe_side import StripeSide

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def ask(order: Order, certificate_id: int, amount_cents: int, *, limit_cents: int | None = None) -> Refund:
    asked = {"reason": "changed their mind", "actor": "staff:7"}
    return hold_refund(order.id, certificate_id, amount_cents, **asked, limit_cents=limit_cents)


def most_of(order: Order) -> list[int]:
    return [each.most_cents for each in list_refundable(order)]


@both_databases
def test_what_is_held_is_off_the_certificate_before_stripe_is_asked(app: Flask) -> None:
    order, certificate = told.sold_one()
    with time_machine.travel(NOON, tick=False):
        refund = ask(order, certificate.id, 20_00)
    assert (refund.order_id, refund.certificate_id, refund.amount_cents) == (order.id, certificate.id, 20_00)
    assert (refund.state, refund.reason, refund.actor) == ("held", "changed their mind", "staff:7")
    assert (refund.created_at, refund.ended_at, refund.stripe_refund_id, refund.refusal) == (NOON, None, None, "")
    assert refund.public_id.startswith("rf_")
    assert standing_of(certificate) == ("active", 30_00)
    assert entries_of(certificate)[1:] == [Entry("refund_hold", 20_00, 30_00)]


def test_the_ledger_and_the_trail_say_who_asked_when_and_why(app: Flask) -> None:
    order, certificate = told.sold_one()
    with time_machine.travel(NOON, tick=False):
        refund = ask(order, certificate.id, 20_00)
    entry = db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.kind == "refund_hold")).one()
    assert (entry.actor, entry.reason_code, entry.created_at) == ("staff:7", "refund", NOON)
    assert (entry.request_scope, entry.request_key) == ("refund", f"refund:{refund.id}:hold")
    assert trail_of(order)[-1] == (
        "refund_asked",
        "staff:7",
        {"amount_cents": 20_00, "reason": "changed their mind"},
    )
    assert [each.kind for each in activity_log.list_events(certificate_ids=[certificate.id])] == ["refund_asked"]


@pytest.mark.parametrize("amount_cents", [1, 29_99, 30_00])
def test_up_to_what_is_left_can_be_held(app: Flask, amount_cents: int) -> None:
    order, certificate = told.sold_one()
    build.redeem(certificate, 20_00)
    ask(order, certificate.id, amount_cents)
    assert standing_of(certificate) == ("active", 30_00 - amount_cents)


@pytest.mark.parametrize(("amount_cents", "limit_cents"), [(10_00, 10_00), (9_99, 10_00), (30_00, 50_00)])
def test_a_person_may_pay_back_up_to_their_limit(app: Flask, amount_cents: int, limit_cents: int) -> None:
    order, certificate = told.sold_one()
    build.redeem(certificate, 20_00)
    assert ask(order, certificate.id, amount_cents, limit_cents=limit_cents).state == "held"


@pytest.mark.parametrize(
    ("amount_cents", "limit_cents", "refusal"),
    [
        (30_01, None, RefundTooLargeError),
        (30_01, 10_00, RefundTooLargeError),
        (10_01, 10_00, RefundNotAllowedError),
        (1, 0, RefundNotAllowedError),
    ],
)
def test_what_is_refused_has_left_nothing_behind(
    app: Flask, amount_cents: int, limit_cents: int | None, refusal: type[Exception]
) -> None:
    order, certificate = told.sold_one()
    build.redeem(certificate, 20_00)
    before = trail_of(order)
    with pytest.raises(refusal):
        ask(order, certificate.id, amount_cents, limit_cents=limit_cents)
    assert (standing_of(certificate), kinds_of(certificate)) == (("active", 30_00), ["issue", "redeem"])
    assert (list_held(), trail_of(order)) == ([], before)


def test_nothing_is_held_of_another_orders_certificate(app: Flask) -> None:
    order, _certificate = told.sold_one()
    other = build.certificate()
    with pytest.raises(NothingToRefundError):
        ask(order, other.id, 1)
    assert standing_of(other) == ("active", 120_00)


def test_nothing_is_held_of_a_certificate_that_has_ended(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 50_00)
    record_refund(told.answer_to(refund), order.id)
    assert (standing_of(certificate), most_of(order)) == (("void", 0), [0])
    with pytest.raises(NothingToRefundError):
        ask(order, certificate.id, 1)


def test_of_several_certificates_each_has_its_own_most(app: Flask) -> None:
    order = told.sold(build.gift_request(quantity=2), build.gift_request(offer="amount", amount_cents=45_00))
    first, second, third = list_certificates(order.id)
    build.redeem(first, 95_00)
    ask(order, third.id, 45_00)
    assert [(each.certificate.id, each.most_cents) for each in list_refundable(order)] == [
        (first.id, 0),
        (second.id, 95_00),
        (third.id, 0),
    ]


def test_what_came_back_after_a_refund_took_it_is_not_paid_back_a_second_time(app: Flask) -> None:
    """$40.00 went back in the dashboard although $20.00 was used; then the use is undone."""
    order, certificate = told.sold_one()
    used = take(certificate.id, 20_00)
    record_refund(told.refund_of(order, 40_00), order.id)
    give_back(used, actor="staff:2", is_manager=True, reason="wrong person")
    assert standing_of(certificate) == ("frozen", 20_00)
    assert most_of(order) == [10_00]
    with pytest.raises(RefundTooLargeError):
        ask(order, certificate.id, 10_01)


def test_nothing_more_goes_back_than_stripe_took_whatever_stands_on_the_certificate(app: Flask) -> None:
    """Two refunds came to more than the payment, and a use was undone between them."""
    order, certificate = told.sold_one()
    used = take(certificate.id, 10_00)
    waiting = told.held(order, certificate, 30_00)
    record_refund(told.refund_of(order, 40_00, id="re_2"), order.id)
    give_back(used, actor="staff:2", is_manager=True, reason="wrong person")
    record_refund(told.answer_to(waiting), order.id)
    assert (standing_of(certificate), most_of(order)) == (("frozen", 10_00), [0])


def test_a_certificate_that_was_put_on_hold_can_still_be_paid_back(app: Flask) -> None:
    order, _certificate = told.sold_one()
    db.session.execute(sa.update(Certificate).values(status="frozen"))
    assert most_of(order) == [50_00]


def test_refunds_that_are_held_are_listed_oldest_first_until_they_end(app: Flask) -> None:
    order = told.sold(build.gift_request(quantity=3))
    waiting = [told.held(order, certificate, 10_00) for certificate in list_certificates(order.id)]
    assert list_held() == [refund.id for refund in waiting]
    record_refund(told.answer_to(waiting[1]), order.id)
    db.session.commit()
    assert list_held() == [waiting[0].id, waiting[2].id]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_order_and_certificate_are_held_before_the_balance_is_looked_at(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever redeems or pays back at the same moment waits until it is decided."""
    order, certificate = told.sold_one()
    order_id, certificate_id, seen = order.id, certificate.id, list[list[int]]()

    def free(table: str, row_id: int) -> list[int]:
        query = sa.text(f'SELECT id FROM "{table}" WHERE id = {row_id} FOR NO KEY UPDATE SKIP LOCKED')
        with db.engine.connect() as other:
            return list(other.execute(query).scalars())

    def look(found: Order) -> list[Refundable]:
        seen.extend([free("order", order_id), free("certificate", certificate_id)])
        return list_refundable(found)

    db.session.rollback()
    assert (free("order", order_id), free("certificate", certificate_id)) == ([order_id], [certificate_id])
    monkeypatch.setattr(refund_rules, "list_refundable", look)
    ask(order, certificate_id, 10_00)
    assert seen
    assert not any(seen)


def test_what_was_asked_back_is_listed_for_its_order_alone_in_the_order_of_asking(
    app: Flask, stripe_side: StripeSide
) -> None:
    (one, first), (other, foreign) = stripe_side.sell_one(), stripe_side.sell_one()
    db.session.add(RefundWish(certificate_id=first.id, order_id=one.id, wished_at=NOON))
    db.session.add(RefundWish(certificate_id=foreign.id, order_id=other.id, wished_at=NOON))
    db.session.flush()
    assert [wish.certificate_id for wish in list_wishes(one)] == [first.id]
    assert [each.certificate.id for each in list_unanswered(one)] == [first.id]
    ask(one, first.id, list_unanswered(one)[0].most_cents)
    assert list_unanswered(one) == []


def test_the_same_request_asks_for_one_refund_under_a_name_of_its_own(app: Flask) -> None:
    order, certificate = told.sold_one()
    asked = Asked(actor="staff:7", reason="changed their mind", key=build.request_key())
    first, copy = (refund_rules.ask_refund(order.id, certificate, 5_00, asked, limit_cents=None) for _ in range(2))
    assert (first.facts, copy.is_replayed) == (copy.facts, True)
    assert db.session.get(MoneyRequest, ("refund:staff:7", asked.key)) is not None
    assert len(list_held()) == 1
