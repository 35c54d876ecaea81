"""The order page after money went back, a bank asked, or a certificate ended: every sentence is true."""

from collections.abc import Callable

import pytest

from giftshop import clock
from giftshop.certificates import status
from giftshop.dates import write_day
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from giftshop.refunds import requests
from tests import build
from tests.office.conftest import words_of
from tests.orders.stripe_side import StripeSide
from tests.statements import count_queries
from tests.storefront.conftest import Visitor, heading

THANKS = "Thank you, Marko. Ana’s certificate is ready to print."


def today() -> str:
    """Return the practice's day; asked anew, because a run of all tests may pass its midnight."""
    return write_day(clock.today("America/Denver"))


def sell(side: StripeSide, *ways: str, quantity: int = 1) -> tuple[Order, list[Certificate]]:
    """Sell a $95.00 gift for each way of delivery."""
    order = side.sell(*[build.gift_request(delivery=way, quantity=quantity) for way in ways or ("print",)])
    return order, list_certificates(order.id)


def read(visitor: Visitor, order: Order) -> tuple[str, str]:
    """Return the heading and all words of an order's page."""
    token = token_of(order)
    db.session.commit()
    page = visitor.open(f"/orders/{token}")
    assert page.status_code == 200
    return heading(page), words_of(page.text)


def pay_back(side: StripeSide, certificate: Certificate, amount_cents: int) -> None:
    order_id = db.session.query(Order.id).scalar()
    held = requests.hold_refund(
        order_id, certificate.id, amount_cents, reason="asked", actor="staff:1", limit_cents=None
    )
    db.session.commit()
    requests.pursue_refund(held.id, side.gateway)


def dispute(side: StripeSide, order: Order, *, then: str = "") -> None:
    dispute_id = side.dispute(order)
    side.tell("charge.dispute.created", dispute_id)
    if then:
        side.decide(dispute_id, then)
        side.tell("charge.dispute.closed", dispute_id)


def test_a_part_paid_back_is_told_with_sum_and_day_and_the_rest_can_be_printed(
    visitor: Visitor, stripe_side: StripeSide
) -> None:
    order, (certificate,) = sell(stripe_side)
    pay_back(stripe_side, certificate, 40_00)
    head, words = read(visitor, order)
    assert head == "Part of this order was paid back"
    assert f"$40.00 went back to the card it came from on {today()}." in words
    assert f"Of this, $40.00 went back on {today()}" in words
    assert "Ready to print" in words
    assert "Print certificate" in words


def test_a_whole_gift_paid_back_has_no_print_button_and_the_other_gift_has(
    visitor: Visitor, stripe_side: StripeSide
) -> None:
    order, (first, _second) = sell(stripe_side, "print", "buyer")
    pay_back(stripe_side, first, 95_00)
    head, words = read(visitor, order)
    assert head == "Part of this order was paid back"
    assert f"$95.00 went back on {today()}, so it can no longer be used" in words
    assert words.count("Print certificate") == 1


def test_one_certificate_of_several_alike_that_ended_is_counted(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, (first, *_others) = sell(stripe_side, quantity=3)
    pay_back(stripe_side, first, 95_00)
    _head, words = read(visitor, order)
    assert "2 of 3 can still be used" in words
    assert words.count("Print certificate") == 2


def test_what_was_left_after_a_visit_is_not_called_all_of_it(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, (certificate,) = sell(stripe_side)
    build.redeem(certificate, 20_00)
    db.session.commit()
    pay_back(stripe_side, certificate, 75_00)
    head, words = read(visitor, order)
    assert head == "What was left of this order was paid back"
    assert "$75.00 went back" in words
    assert "Ready to print" not in words


def test_an_order_paid_back_in_full_says_how_much_and_when(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, (certificate,) = sell(stripe_side)
    pay_back(stripe_side, certificate, 95_00)
    head, words = read(visitor, order)
    assert head == "This order was paid back"
    assert "$95.00 for order G-1001" in words
    assert f"$95.00 went back to the card it came from on {today()}." in words


def test_a_refund_made_at_stripe_is_told_like_ours(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, _ = sell(stripe_side)
    stripe_side.tell("refund.created", stripe_side.refund(order, 30_00))
    head, words = read(visitor, order)
    assert head == "Part of this order was paid back"
    assert f"Of this, $30.00 went back on {today()}" in words


def test_a_refund_under_way_is_said_to_be_under_way(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, (certificate,) = sell(stripe_side)
    requests.hold_refund(order.id, certificate.id, 95_00, reason="asked", actor="staff:1", limit_cents=None)
    head, words = read(visitor, order)
    assert head == "What was left of this order is on its way back"
    assert "$95.00 is on its way back to the card it came from." in words
    assert f"$95.00 of it is on its way back to you since {today()}, so it can no longer be used" in words
    assert "Print certificate" not in words


def test_a_questioned_payment_is_told_without_accusing_anybody(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, _ = sell(stripe_side)
    dispute(stripe_side, order)
    head, words = read(visitor, order)
    assert head == "This order is on hold for the moment"
    assert "A bank is looking into $95.00 of this payment." in words
    assert "On hold while a bank looks into the payment" in words
    for untrue_or_accusing in ("Ready to print", "Print certificate", "fraud", "stolen", "dispute"):
        assert untrue_or_accusing not in words


def test_a_dispute_that_was_lost_ends_the_gift_and_says_why(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, _ = sell(stripe_side)
    dispute(stripe_side, order, then="lost")
    head, words = read(visitor, order)
    assert head == "The bank gave this payment back"
    assert f"The bank gave $95.00 back on {today()}." in words
    assert "The bank gave its payment back, so it can no longer be used" in words
    assert "Ready to print" not in words


def test_a_dispute_that_was_won_is_said_to_be_over_and_everything_can_be_used(
    visitor: Visitor, stripe_side: StripeSide
) -> None:
    order, _ = sell(stripe_side)
    dispute(stripe_side, order, then="won")
    head, words = read(visitor, order)
    assert head == THANKS
    assert f"A bank looked into $95.00 of this payment until {today()}, and left it with us." in words
    assert "Print certificate" in words


def freeze(certificate: Certificate) -> None:
    status.freeze_by_hand(certificate.id, reason_code="asked", actor="staff:1", at=clock.now())


def void(certificate: Certificate) -> None:
    status.void(certificate.id, reason_code="x", request_key=build.request_key(), actor="staff:1", at=clock.now())


def reissue(certificate: Certificate) -> None:
    status.reissue(certificate.id, reason_code="lost", actor="staff:1", at=clock.now())


ACTS = [
    (freeze, "This order is on hold for the moment", "On hold for the moment. Please call us on (970) 555-0134", 0),
    (void, "This order has ended", "It has ended and can no longer be used.", 0),
    (reissue, THANKS, "New code since {today}: an older email or print of it no longer works", 1),
]


@pytest.mark.parametrize(("act", "head", "sentence", "buttons"), ACTS)
def test_what_the_office_did_is_told(
    visitor: Visitor,
    stripe_side: StripeSide,
    act: Callable[[Certificate], None],
    head: str,
    sentence: str,
    buttons: int,
) -> None:
    order, (certificate,) = sell(stripe_side)
    act(certificate)
    told, words = read(visitor, order)
    assert told == head
    assert sentence.format(today=today()) in words
    assert words.count("Print certificate") == buttons


def test_the_mail_that_tells_a_recipient_of_a_refund_is_not_taken_for_the_gift(
    visitor: Visitor, stripe_side: StripeSide
) -> None:
    order, (certificate,) = sell(stripe_side, "recipient")
    db.session.execute(db.text("UPDATE delivery SET state = 'sent'"))
    db.session.commit()
    pay_back(stripe_side, certificate, 40_00)
    _head, words = read(visitor, order)
    assert "Emailed to ana@example.com on" in words


def test_money_back_costs_no_question_to_the_database_per_gift(visitor: Visitor, stripe_side: StripeSide) -> None:
    few, many = (stripe_side.sell(*[build.gift_request() for _ in range(number)]) for number in (1, 6))
    paths = [f"/orders/{token_of(order)}" for order in (few, many)]
    db.session.commit()
    counts = []
    for path in paths:
        with count_queries() as queries:
            visitor.open(path)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_the_receipt_names_what_was_bought_paid_and_paid_back(visitor: Visitor, stripe_side: StripeSide) -> None:
    order, (certificate, _) = sell(stripe_side, "print", "recipient")
    pay_back(stripe_side, certificate, 40_00)
    token, codes = token_of(order), [build.code_of(each) for each in list_certificates(order.id)]
    db.session.commit()
    page = visitor.open(f"/orders/{token}/receipt")
    words = words_of(page.text)
    assert "Receipt for order G-1001" in words
    assert "Focused Care Therapeutic Massage LLC, 214 Juniper Street" in words
    assert "Total paid $190.00" in words
    assert f"$40.00 went back to the card it came from on {today()}." in words
    assert not any(code in page.text for code in codes)


def test_an_unpaid_order_has_no_receipt(visitor: Visitor, stripe_side: StripeSide) -> None:
    token = token_of(stripe_side.place(build.gift_request()))
    db.session.commit()
    assert visitor.open(f"/orders/{token}/receipt").status_code == 404
    assert "Receipt" not in visitor.open(f"/orders/{token}").text
