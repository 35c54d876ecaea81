"""What people are told about refunds: whoever has the gift hears of it like its buyer, in words that are true."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.delivery.messages import compose
from giftshop.disputes.outcomes import record_dispute
from giftshop.foundation.database import db
from giftshop.payments.facts import DisputeFacts
from giftshop.refunds.outcomes import record_refund
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import facts_of, messages
from tests.orders.mailed import CHRISTMAS, assert_says, gift, said_in, sold, told_of

BUYER, RECIPIENT = "refund", "certificate_refunded"


@both_databases
def test_who_has_a_gift_hears_of_a_refund_made_at_stripe(app: Flask) -> None:
    order, _certificates = sold()
    record_refund(told.refund_of(order, 20_00), order.id)
    (mail,) = messages(order, RECIPIENT)
    assert (mail.to_address, mail.gift_id) == ("ana@example.com", order.gifts[0].id)
    assert_says(mail, "Part of what you were given was paid back to the person who bought it.", "$30.00 is left on it.")
    record_refund(told.refund_of(order, 30_00, id="re_2"), order.id)
    assert_says(messages(order, RECIPIENT)[1], "The certificate you were given was paid back", "can no longer be used")
    assert told_of(order, BUYER) == ["marko@example.com"] * 2
    db.session.commit()


def test_of_several_gifts_those_are_told_whose_value_went_back_and_who_have_it(app: Flask) -> None:
    order, _certificates = sold(
        gift("ana"), gift("vera", deliver_on=CHRISTMAS), gift("iris", delivery="print"), gift("lena"), gift("olga")
    )
    record_refund(told.refund_of(order, 160_00), order.id)
    assert told_of(order, RECIPIENT) == ["ana@example.com", "lena@example.com"]
    ana, lena = (facts_of(each) for each in messages(order, RECIPIENT))
    assert (ana["has_ended"], lena["has_ended"], lena["left"]) == (True, False, "$40.00")
    db.session.commit()


def test_who_has_several_certificates_is_told_once_what_is_left_on_all_of_them(app: Flask) -> None:
    order, _certificates = sold(gift(quantity=3))
    record_refund(told.refund_of(order, 70_00), order.id)
    (mail,) = messages(order, RECIPIENT)
    assert_says(mail, "Part of what you were given was paid back", "$80.00 is left on your certificates.")
    record_refund(told.refund_of(order, 80_00, id="re_2"), order.id)
    assert_says(
        messages(order, RECIPIENT)[1],
        "The certificates you were given were paid back to the person who bought them. They can no longer be used.",
    )
    db.session.commit()


def test_one_of_several_certificates_refunded_by_the_office_says_what_is_left_on_the_others(app: Flask) -> None:
    order, (first, *_others) = sold(gift(quantity=3))
    record_refund(told.answer_to(told.held(order, first, 50_00)), order.id)
    assert_says(messages(order, RECIPIENT)[0], "$100.00 is left on your certificates.")
    db.session.commit()


def test_a_rest_that_is_on_hold_is_not_promised(app: Flask) -> None:
    order, (certificate,) = sold()
    status.freeze_by_hand(certificate.id, reason_code="lost", actor="staff:1", at=clock.now())
    record_refund(told.answer_to(told.held(order, certificate, 20_00)), order.id)
    (mail,) = messages(order, RECIPIENT)
    assert_says(mail, "What is left is on hold just now: call us on", "before you come.")
    assert not any("$30.00" in said for said in said_in(mail))
    db.session.commit()


def test_a_rest_that_a_dispute_holds_is_not_promised(app: Flask) -> None:
    order, _certificates = sold()
    disputed = DisputeFacts("dp_1", "needs_response", 30_00, 30_00, "fraudulent", "pi_1", None, datetime.now(UTC))
    record_dispute(disputed, order.id)
    record_refund(told.refund_of(order, 20_00), order.id)
    assert_says(messages(order, RECIPIENT)[0], "What is left is on hold just now")
    db.session.commit()


def test_a_message_that_waited_through_an_upgrade_is_still_said(app: Flask) -> None:
    order, (certificate,) = sold()
    record_refund(told.answer_to(told.held(order, certificate, 20_00)), order.id)
    (mail,) = messages(order, RECIPIENT)
    older = {"left": "$30.00", "has_ended": False}
    composed = compose(mail, older, [], base_url="https://gifts.example", sender="gifts@example.com")
    assert "$30.00 is left on it." in composed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    db.session.commit()


@pytest.mark.parametrize("amount_cents", [20_00, 60_00])
def test_an_order_in_review_has_nobody_but_its_buyer_to_tell(app: Flask, amount_cents: int) -> None:
    order = told.placed()
    told.settle(told.session_of(order, amount_total=60_00))
    record_refund(told.refund_of(order, amount_cents), order.id)
    assert (told_of(order, BUYER), told_of(order, RECIPIENT)) == (["marko@example.com"], [])
    db.session.commit()
