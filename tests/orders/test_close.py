"""The three-way close: Stripe = journal = certificates, or each difference by its name."""

from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.database import db
from giftshop.orders.close import BACK, OWED, PAID, TAKEN, Close, close_period
from giftshop.orders.payments import list_certificates
from giftshop.orders.refunds import hold_refund, pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.orders.stripe_side import StripeSide


def close_today(side: StripeSide) -> Close:
    today = clock.today(get_practice().time_zone)
    return close_period(side.gateway, first=today, last=today)


def sums(close: Close) -> dict[str, tuple[int | None, int, int | None]]:
    return {line.what: (line.stripe_cents, line.journal_cents, line.certificates_cents) for line in close.lines}


@both_databases
def test_a_day_of_sales_refunds_and_a_lost_dispute_agrees_to_the_cent(stripe_side: StripeSide) -> None:
    first = stripe_side.place(build.gift_request(offer="amount", amount_cents=50_00))
    stripe_side.pay(first, "decline")
    stripe_side.tell("checkout.session.completed", stripe_side.pay(first))
    (used,) = list_certificates(first.id)
    build.redeem(used, 20_00)
    second, certificate = stripe_side.sell_one(80_00)
    db.session.commit()
    refund = hold_refund(second.id, certificate.id, 30_00, reason="half", actor="staff:1", limit_cents=None)
    db.session.commit()
    pursue_refund(refund.id, stripe_side.gateway)
    dispute_id = stripe_side.dispute(first)
    stripe_side.decide(dispute_id, "lost")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    close = close_today(stripe_side)
    assert close.differences == []
    assert sums(close) == {
        PAID: (130_00, 130_00, 130_00),
        BACK: (30_00, 30_00, None),
        TAKEN: (50_00, 50_00, None),
        OWED: (None, 50_00, 50_00),
    }


def test_what_the_shop_has_not_heard_of_is_named(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 10_00)
    unheard = stripe_side.place(build.gift_request(offer="amount", amount_cents=60_00))
    stripe_side.pay(unheard)
    dispute_id = stripe_side.dispute(order)
    named = close_today(stripe_side).differences
    assert [sentence.split(":")[0] for sentence in named] == [
        f"{PAID}, {payment_of(stripe_side, unheard.public_id)}",
        f"{BACK}, {refund_id}",
        f"{TAKEN}, {dispute_id}",
    ]
    assert "$60.00 at Stripe, $0.00 in the books: it paid no order" in named[0]
    assert "$10.00 at Stripe, $0.00 in the books" in named[1]
    assert "the dispute is needs_response" in named[2]


def test_what_stands_only_in_the_books_is_named(app: Flask, stripe_side: StripeSide) -> None:
    build.certificate(face_value_cents=70_00)
    assert close_today(stripe_side).differences == ["no reference: $70.00 in the books only"]


def payment_of(side: StripeSide, order_public_id: str) -> str:
    intents = side.workbench.get("/state")["payment_intents"]
    (found,) = [each["id"] for each in intents if each["metadata"]["order_id"] == order_public_id]
    return str(found)
