"""The close at the edges of its period: what Stripe and the books date on different sides of one is carried over."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.foundation.database import db
from giftshop.orders.models import Order
from giftshop.reconciliation import review
from giftshop.reconciliation.close import Close, close_period
from giftshop.reconciliation.movements import Movement
from giftshop.refunds.requests import hold_refund, pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.orders.stripe_side import StripeSide, Watched
from tests.reconciliation.test_close import sums
from tests.reconciliation.test_review import BECAUSE, put_in_review

PAID, BACK, TAKEN = Movement

NOVEMBER, DECEMBER = (date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 12, 1), date(2026, 12, 31))
JANUARY, FEBRUARY = (date(2027, 1, 1), date(2027, 1, 31)), (date(2027, 2, 1), date(2027, 2, 28))


class Calendar:
    """Takes the shop and Stripe to another moment together."""

    def __init__(self, traveller: time_machine.Traveller, side: StripeSide) -> None:
        self._traveller, self._side, self._time_zone = traveller, side, get_practice().time_zone

    def turn_to(self, day: date) -> None:
        """Make it noon of a day at the practice."""
        self.turn_to_moment(clock.local_moment(day, hour=12, time_zone=self._time_zone))

    def turn_to_midnight(self, day: date, *, seconds: int) -> None:
        """Make it some seconds after a day's beginning at the practice, or before it."""
        midnight = clock.local_moment(day, hour=0, time_zone=self._time_zone)
        self.turn_to_moment(midnight + timedelta(seconds=seconds))

    def turn_to_moment(self, moment: datetime) -> None:
        self._traveller.move_to(moment)
        ahead = int(moment.timestamp()) - self._side.workbench.get("/state")["clock"]
        self._side.workbench.post("/clock", {"advance": ahead})


@pytest.fixture
def calendar(stripe_side: StripeSide) -> Iterator[Calendar]:
    """The calendar, on a day in November."""
    with time_machine.travel(clock.now()) as traveller:
        calendar = Calendar(traveller, stripe_side)
        calendar.turn_to(date(2026, 11, 5))
        yield calendar


def close_of(side: StripeSide, month: tuple[date, date]) -> Close:
    """The close of a month, which must not fail."""
    close = close_period(side.gateway, first=month[0], last=month[1])
    assert close.differences == []
    return close


def disputed(side: StripeSide, calendar: Calendar, day: date, *, status: str = "needs_response") -> tuple[Order, str]:
    """An order of $50.00 and the dispute of its payment, opened on a day, as the shop has heard."""
    order, _certificate = side.sell_one(50_00)
    calendar.turn_to(day)
    dispute_id = side.dispute(order, status=status)
    side.tell("charge.dispute.created", dispute_id)
    return order, dispute_id


def decide(side: StripeSide, dispute_id: str, status: str) -> None:
    side.decide(dispute_id, status)
    side.tell("charge.dispute.updated", dispute_id)


def refund_held(side: StripeSide, calendar: Calendar, day: date) -> str:
    """The id of a refund of $30.00 asked for on a day, that the bank has not taken yet."""
    order, certificate = side.sell_one(50_00)
    calendar.turn_to(day)
    side.workbench.post("/refund-status", {"status": "pending"})
    refund = hold_refund(order.id, certificate.id, 30_00, reason="half", actor="staff:1", limit_cents=None)
    db.session.commit()
    return pursue_refund(refund.id, side.gateway).stripe_refund_id or ""


@both_databases
def test_a_dispute_lost_in_the_next_month_is_carried_over_by_both(stripe_side: StripeSide, calendar: Calendar) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    calendar.turn_to(date(2026, 12, 20))
    decide(stripe_side, dispute_id, "lost")
    november, december = close_of(stripe_side, NOVEMBER), close_of(stripe_side, DECEMBER)
    assert (sums(november)[TAKEN], sums(december)[TAKEN]) == ((50_00, 0, None), (0, 50_00, None))
    named, why = f"Carried over: {TAKEN}, {dispute_id}", "(Stripe: 2026-11-10; books: 2026-12-20; the dispute is lost)"
    assert november.explained == [f"{named}: $50.00 at Stripe, $0.00 in the books {why}"]
    assert december.explained == [f"{named}: $0.00 at Stripe, $50.00 in the books {why}"]


@both_databases
def test_an_open_dispute_that_the_shop_knows_of_waits_for_the_bank(stripe_side: StripeSide, calendar: Calendar) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    calendar.turn_to(date(2026, 12, 1))
    close = close_of(stripe_side, NOVEMBER)
    assert sums(close)[TAKEN] == (50_00, 0, None)
    assert close.explained == [
        f"Carried over: {TAKEN}, {dispute_id}: $50.00 at Stripe, $0.00 in the books"
        " (Stripe: 2026-11-10; books: none; the dispute is needs_response)"
    ]


def test_a_dispute_that_ended_while_nobody_told_the_shop_is_a_difference(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    stripe_side.decide(dispute_id, "lost")
    close = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1])
    assert close.explained == []
    assert close.differences == [f"{TAKEN}, {dispute_id}: $50.00 at Stripe, $0.00 in the books: the dispute is lost"]


def test_money_of_an_inquiry_that_became_a_dispute_counts_when_it_was_taken(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10), status="warning_needs_response")
    calendar.turn_to(date(2026, 12, 5))
    decide(stripe_side, dispute_id, "needs_response")
    calendar.turn_to(date(2027, 1, 8))
    decide(stripe_side, dispute_id, "lost")
    closes = [close_of(stripe_side, month) for month in (NOVEMBER, DECEMBER, JANUARY)]
    assert [sums(close)[TAKEN] for close in closes] == [(0, 0, None), (50_00, 0, None), (0, 50_00, None)]
    assert [len(close.explained) for close in closes] == [0, 1, 1]


def test_a_dispute_that_was_won_gives_back_in_the_month_in_which_the_bank_does(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    calendar.turn_to(date(2027, 1, 8))
    decide(stripe_side, dispute_id, "won")
    closes = [close_of(stripe_side, month) for month in (NOVEMBER, DECEMBER, JANUARY)]
    assert [sums(close)[TAKEN] for close in closes] == [(50_00, 0, None), (0, 0, None), (-50_00, 0, None)]
    why = "(Stripe: 2026-11-10, 2027-01-08; books: none; the dispute is won)"
    assert [sentence.endswith(why) for close in closes for sentence in close.explained] == [True, True]


def test_a_lost_dispute_that_an_appeal_won_closes_every_month_of_it(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    calendar.turn_to(date(2026, 12, 20))
    decide(stripe_side, dispute_id, "lost")
    calendar.turn_to(date(2027, 2, 8))
    decide(stripe_side, dispute_id, "won")
    closes = [close_of(stripe_side, month) for month in (NOVEMBER, DECEMBER, FEBRUARY)]
    assert [sums(close)[TAKEN] for close in closes] == [(50_00, 0, None), (0, 50_00, None), (-50_00, -50_00, None)]
    assert [len(close.explained) for close in closes] == [1, 1, 0]


@both_databases
def test_a_refund_that_pends_over_the_end_of_a_month_is_carried_over(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    refund_id = refund_held(stripe_side, calendar, date(2026, 11, 29))
    named = f"Carried over: {BACK}, {refund_id}"
    at_first = close_of(stripe_side, NOVEMBER)
    why = "(Stripe: 2026-11-29; books: none; it is pending at Stripe)"
    assert at_first.explained == [f"{named}: $30.00 at Stripe, $0.00 in the books {why}"]
    calendar.turn_to(date(2026, 12, 3))
    stripe_side.workbench.post(f"/refunds/{refund_id}/status", {"status": "succeeded"})
    stripe_side.tell("refund.updated", refund_id)
    november, december = close_of(stripe_side, NOVEMBER), close_of(stripe_side, DECEMBER)
    assert (sums(november)[BACK], sums(december)[BACK]) == ((30_00, 0, None), (0, 30_00, None))
    why = "(Stripe: 2026-11-29; books: 2026-12-03; it is succeeded at Stripe)"
    assert november.explained == [f"{named}: $30.00 at Stripe, $0.00 in the books {why}"]
    assert december.explained == [f"{named}: $0.00 at Stripe, $30.00 in the books {why}"]


def test_a_refund_that_the_bank_took_while_nobody_told_the_shop_is_a_difference(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    refund_id = refund_held(stripe_side, calendar, date(2026, 11, 29))
    stripe_side.workbench.post(f"/refunds/{refund_id}/status", {"status": "succeeded"})
    (difference,) = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1]).differences
    assert difference == f"{BACK}, {refund_id}: $30.00 at Stripe, $0.00 in the books: it is succeeded at Stripe"


def test_a_refund_that_pends_and_that_the_shop_has_not_heard_of_is_a_difference(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    stripe_side.workbench.post("/refund-status", {"status": "pending"})
    refund_id = stripe_side.refund(order, 10_00)
    (difference,) = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1]).differences
    assert difference == f"{BACK}, {refund_id}: $10.00 at Stripe, $0.00 in the books: it is pending at Stripe"


def test_a_refund_of_november_that_fails_in_december_is_carried_over(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    calendar.turn_to(date(2026, 11, 25))
    refund_id = stripe_side.refund(order, 10_00)
    stripe_side.tell("refund.created", refund_id)
    assert close_of(stripe_side, NOVEMBER).explained == []
    calendar.turn_to(date(2026, 12, 10))
    stripe_side.workbench.post(f"/refunds/{refund_id}/fail")
    stripe_side.tell("refund.failed", refund_id)
    november, december = close_of(stripe_side, NOVEMBER), close_of(stripe_side, DECEMBER)
    assert (sums(november)[BACK], sums(december)[BACK]) == ((0, 10_00, None), (0, -10_00, None))
    named = f"Carried over: {BACK}, {refund_id}"
    why = "(Stripe: none; books: 2026-11-25, 2026-12-10; it is failed at Stripe)"
    assert november.explained == [f"{named}: $0.00 at Stripe, $10.00 in the books {why}"]
    assert december.explained == [f"{named}: $0.00 at Stripe, -$10.00 in the books {why}"]


@both_databases
def test_an_order_accepted_in_the_next_month_is_carried_over_once_it_is(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    calendar.turn_to(date(2026, 11, 29))
    order = put_in_review(stripe_side, client_reference_id="o_another")
    undecided = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1])
    assert undecided.differences[0].endswith(f"order {order.number} is in_review")
    calendar.turn_to(date(2026, 12, 2))
    review.accept_order(order.id, BECAUSE, stripe_side.gateway)
    november, december = close_of(stripe_side, NOVEMBER), close_of(stripe_side, DECEMBER)
    assert (sums(november)[PAID], sums(december)[PAID]) == ((50_00, 0, 0), (0, 50_00, 50_00))
    named = f"Carried over: {PAID}, {order.payment_intent_id}"
    why = f"(Stripe: 2026-11-29; books: 2026-12-02; order {order.number} is fulfilled)"
    assert november.explained == [f"{named}: $50.00 at Stripe, $0.00 in the books {why}"]
    assert december.explained == [f"{named}: $0.00 at Stripe, $50.00 in the books {why}"]


def test_a_payment_paid_back_whole_for_which_nothing_was_issued_is_no_difference(
    stripe_side: StripeSide, calendar: Calendar
) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    part_id = stripe_side.refund(order, 20_00)
    stripe_side.tell("refund.created", part_id)
    undecided = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1])
    assert [sentence.split(":")[0] for sentence in undecided.differences] == [
        f"{PAID}, {order.payment_intent_id}",
        f"{BACK}, {part_id}",
    ]
    calendar.turn_to(date(2026, 12, 2))
    review.pay_back(order.id, BECAUSE, stripe_side.gateway, limit_cents=None)
    november, december = close_of(stripe_side, NOVEMBER), close_of(stripe_side, DECEMBER)
    assert (sums(november)[PAID], sums(november)[BACK]) == ((50_00, 0, 0), (20_00, 0, None))
    assert sums(december)[BACK] == (30_00, 0, None)
    assert november.explained[0] == (
        f"Paid back whole, nothing was issued: {PAID}, {order.payment_intent_id}: $50.00 at Stripe, $0.00 in the books"
        f" (Stripe: 2026-11-05; books: none; order {order.number} is refunded)"
    )
    assert [len(close.explained) for close in (november, december)] == [2, 1]


def test_a_second_payment_is_a_difference_until_it_is_paid_back(stripe_side: StripeSide, calendar: Calendar) -> None:
    session_id = stripe_side.pay(stripe_side.place(build.gift_request(offer="amount", amount_cents=60_00)))
    (difference,) = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1]).differences
    assert difference.endswith("it paid no order, or an order a second time")
    stripe_side.workbench.post("/refunds", {"session": session_id})
    close = close_of(stripe_side, NOVEMBER)
    assert (sums(close)[PAID], sums(close)[BACK]) == ((60_00, 0, 0), (60_00, 0, None))
    assert [sentence.split(":")[0] for sentence in close.explained] == ["Paid back whole, nothing was issued"] * 2


def test_a_payment_heard_of_after_midnight_is_carried_over(stripe_side: StripeSide, calendar: Calendar) -> None:
    calendar.turn_to_midnight(date(2026, 12, 1), seconds=-20)
    order = stripe_side.place(build.gift_request(offer="amount", amount_cents=60_00))
    session_id = stripe_side.pay(order)
    calendar.turn_to_midnight(date(2026, 12, 1), seconds=20)
    stripe_side.tell("checkout.session.completed", session_id)
    november, december = close_of(stripe_side, NOVEMBER), close_of(stripe_side, DECEMBER)
    assert (sums(november)[PAID], sums(december)[PAID]) == ((60_00, 0, 0), (0, 60_00, 60_00))
    assert [len(close.explained) for close in (november, december)] == [1, 1]


@pytest.mark.parametrize("month", [NOVEMBER, DECEMBER])
def test_what_differs_in_sum_is_a_difference_on_both_sides_of_the_edge(
    stripe_side: StripeSide, calendar: Calendar, month: tuple[date, date]
) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    calendar.turn_to(date(2026, 12, 20))
    decide(stripe_side, dispute_id, "lost")
    (taken,) = stripe_side.workbench.get(f"/objects/{dispute_id}")["balance_transactions"]
    stripe_side.workbench.post(f"/objects/{dispute_id}", {"balance_transactions": [{**taken, "amount": -40_00}]})
    close = close_period(stripe_side.gateway, first=month[0], last=month[1])
    assert close.explained == []
    assert close.differences == [f"{TAKEN}, {dispute_id}: $40.00 at Stripe, $50.00 in the books: the dispute is lost"]


def test_what_stripe_does_not_know_is_in_the_books_only(stripe_side: StripeSide, calendar: Calendar) -> None:
    order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    decide(stripe_side, dispute_id, "lost")
    other, _certificate = stripe_side.sell_one(70_00)
    refund_id = stripe_side.refund(other, 10_00)
    stripe_side.tell("refund.created", refund_id)
    stripe_side.workbench.post("/reset")
    close = close_period(stripe_side.gateway, first=NOVEMBER[0], last=NOVEMBER[1])
    assert sorted(close.differences) == sorted(
        f"{ref}: {amount} in the books only"
        for ref, amount in {
            order.payment_intent_id: "$50.00",
            dispute_id: "-$50.00",
            other.payment_intent_id: "$70.00",
            refund_id: "-$10.00",
        }.items()
    )
    assert sums(close)[PAID] == (0, 0, 0)


def test_no_transaction_is_open_while_stripe_is_asked(stripe_side: StripeSide, calendar: Calendar) -> None:
    refund_id = refund_held(stripe_side, calendar, date(2026, 11, 29))
    calendar.turn_to(date(2026, 12, 3))
    stripe_side.workbench.post(f"/refunds/{refund_id}/status", {"status": "succeeded"})
    stripe_side.tell("refund.updated", refund_id)
    watched = Watched(stripe_side.gateway)
    close_period(watched.gateway, first=DECEMBER[0], last=DECEMBER[1])
    assert watched.asked == [
        ("list_charges", None, False),
        ("list_refunds", None, False),
        ("list_disputes", None, False),
        ("retrieve_refund", "job", False),
    ]


def test_the_command_names_what_is_carried_over_and_ends_well(
    app: Flask, stripe_side: StripeSide, calendar: Calendar
) -> None:
    _order, dispute_id = disputed(stripe_side, calendar, date(2026, 11, 10))
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["orders", "close", "2026-11-01", "2026-11-30"])
    assert done.exit_code == 0
    assert f"Carried over: {TAKEN}, {dispute_id}: $50.00 at Stripe, $0.00 in the books (" in done.output
    assert done.output.endswith("Stripe, journal and certificates agree to the cent, counting what is named above.\n")
