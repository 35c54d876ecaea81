"""The three-way close: Stripe = journal = certificates, or each difference by its name."""

from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.foundation.database import db
from giftshop.payments.shares import list_certificates
from giftshop.reconciliation.close import OWED, Close, Line, _compare_issued, _compare_owed, _Period, close_period
from giftshop.reconciliation.movements import Movement
from giftshop.reconciliation.review import accept_order
from giftshop.refunds.requests import hold_refund, pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.ledger.forging import run, unguarded
from tests.orders.stripe_side import StripeSide
from tests.reconciliation.test_review import BECAUSE, paid_less

PAID, BACK, TAKEN = Movement


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


def test_what_another_shop_of_the_account_moved_is_left_out(stripe_side: StripeSide) -> None:
    order = stripe_side.place(build.gift_request(offer="amount", amount_cents=60_00))
    session_id = order.attempts[-1].session_id
    stripe_side.workbench.post(f"/objects/{session_id}", {"metadata": {"shop": "shop_0000000000000000"}})
    stripe_side.pay(order)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    stripe_side.workbench.post(f"/objects/{charge['id']}", {"metadata": {"shop": "shop_0000000000000000"}})
    stripe_side.workbench.post("/refunds", {"charge": charge["id"], "amount": 10_00})
    stripe_side.workbench.post("/disputes", {"charge": charge["id"], "amount": 50_00})
    close = close_today(stripe_side)
    assert (close.differences, sums(close)) == (
        [],
        {PAID: (0, 0, 0), BACK: (0, 0, None), TAKEN: (0, 0, None), OWED: (None, 0, 0)},
    )


def test_a_refund_that_failed_moved_nothing(stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    refund_id = stripe_side.refund(order, 10_00)
    stripe_side.workbench.post(f"/refunds/{refund_id}/fail")
    close = close_today(stripe_side)
    assert (close.differences, sums(close)[BACK]) == ([], (0, 0, None))


def test_a_payment_that_was_put_in_review_says_so(stripe_side: StripeSide) -> None:
    order = stripe_side.place(build.gift_request(offer="amount", amount_cents=60_00))
    stripe_side.workbench.post(f"/objects/{order.attempts[-1].session_id}", {"client_reference_id": "o_other"})
    stripe_side.tell("checkout.session.completed", stripe_side.pay(order))
    (named,) = close_today(stripe_side).differences
    assert named.endswith(f"$60.00 at Stripe, $0.00 in the books: order {order.number} is in_review")


@both_databases
def test_an_order_accepted_below_its_price_says_by_how_much(stripe_side: StripeSide) -> None:
    order = paid_less(stripe_side)
    accept_order(order.id, BECAUSE, stripe_side.gateway)
    stripe_side.sell_one(80_00)
    close = close_today(stripe_side)
    assert sums(close)[PAID] == (120_00, 120_00, 130_00)
    assert close.differences == []
    assert close.explained == [f"Accepted below its price: order {order.number}: $10.00"]


def test_certificates_worth_more_than_was_issued_are_named(stripe_side: StripeSide) -> None:
    """Only who owns the database can make it so: the value of a certificate is changed behind its triggers."""
    order, certificate = stripe_side.sell_one(50_00)
    found, payment_ids = Close("USD"), [order.payment_intent_id or ""]
    period = _Period(order.created_at, clock.now(), "UTC")
    with unguarded():
        run("UPDATE certificate SET face_value_cents = 6000 WHERE id = :id", id=certificate.id)
        assert _compare_issued(found, payment_ids, 50_00, period) == 60_00
    assert found.differences == [f"{PAID}: $50.00 in the journal, $60.00 on certificates"]


def test_certificates_that_do_not_agree_with_the_journal_are_named(app: Flask) -> None:
    """Only who owns the database can make it so: the sum of an entry is changed behind its triggers."""
    certificate = build.certificate(face_value_cents=70_00)
    found = Close("USD")
    with unguarded():
        change = "UPDATE ledger_entry SET amount_cents = 6000 WHERE certificate_id = :id"
        run(change, id=certificate.id)
        _compare_owed(found, clock.now())
    assert found.lines == [Line(OWED, None, 60_00, 70_00)]
    assert found.differences == [f"{OWED}: $60.00 in the journal, $70.00 on certificates"]


def payment_of(side: StripeSide, order_public_id: str) -> str:
    intents = side.workbench.get("/state")["payment_intents"]
    (found,) = [each["id"] for each in intents if each["metadata"]["order_id"] == order_public_id]
    return str(found)
