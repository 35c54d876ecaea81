"""Refunds that fail days after people were told of them: the same people hear that; what was cancelled is named."""

from typing import Any

import pytest
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.corrections import gifts
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import letters
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import came_back_to_certificates, record_refund
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import messages, owner_was_told, standing_of
from tests.orders.mailed import CHRISTMAS, assert_says, gift, said_in, sold, told_of


def refunded(order: Order, certificate: Certificate, amount_cents: int = 50_00) -> Any:
    """Pay a certificate back from the office; return what Stripe says when that fails days later."""
    refund = told.held(order, certificate, amount_cents)
    record_refund(told.answer_to(refund), order.id)
    db.session.commit()
    return told.answer_to(refund, "failed")


@both_databases
def test_who_was_told_of_a_refund_is_told_once_that_it_did_not_go_through(app: Flask) -> None:
    order, (certificate,) = sold()
    failed = refunded(order, certificate)
    for _ in range(2):
        record_refund(failed, order.id)
        db.session.commit()
    (to_buyer,), (to_recipient,) = messages(order, "refund_returned"), messages(order, "certificate_returned")
    assert (to_buyer.to_address, to_recipient.to_address) == ("marko@example.com", "ana@example.com")
    assert said_in(to_buyer)[0] == "$50.00 could not be paid back"
    assert_says(
        to_buyer,
        f"The bank could not take the $50.00 that was on its way back to the card you paid order {order.number} with.",
        "The money is with us, and the certificate for Ana has its value again. It is on hold while we look at this.",
        "We will be in touch.",
    )
    assert "by itself" not in said_in(to_buyer)[1]
    assert said_in(to_recipient)[0] == "Your gift has its value again"
    assert_says(
        to_recipient,
        "We wrote to you that your gift, or part of it, was paid back to the person who bought it.",
        "The bank could not take that money, so your gift has its value again.",
        "It is on hold while we look at this. Call us on",
    )
    assert owner_was_told()[-1].detail == (
        f"The refund for order {order.number} failed: the money is back with you and on the certificate, on hold. "
        "The buyer was told that you will be in touch."
    )


def test_a_gift_whose_message_was_cancelled_with_the_refund_is_named_to_owner_and_buyer(app: Flask) -> None:
    order, (certificate,) = sold(gift(deliver_on=CHRISTMAS))
    record_refund(refunded(order, certificate), order.id)
    assert messages(order, "certificate_returned") == []
    assert_says(messages(order, "refund_returned")[0], "The email to Ana was cancelled and does not go out by itself.")
    assert owner_was_told()[-1].detail == (
        f"The refund for order {order.number} failed: the money is back with you and on the certificate, on hold. "
        "A gift’s message was cancelled with the refund: end the hold, then send it from the order’s page. "
        "The buyer was told that you will be in touch."
    )
    db.session.commit()


@pytest.mark.parametrize("state", ["sent", "scheduled", "failed"])
def test_a_gift_whose_message_goes_its_way_all_the_same_is_not_named(app: Flask, state: str) -> None:
    order, (certificate,) = sold()
    failed = refunded(order, certificate, 20_00)
    messages(order, "gift")[0].state = state
    record_refund(failed, order.id)
    assert "cancelled" not in owner_was_told()[-1].detail
    db.session.commit()


def test_a_gift_that_its_buyer_kept_back_is_not_to_be_sent(app: Flask) -> None:
    order, (certificate,) = sold(gift(deliver_on=CHRISTMAS))
    assert not gifts.keep_back(order.gifts[0], key=build.request_key()).refusal
    record_refund(refunded(order, certificate), order.id)
    assert "cancelled" not in owner_was_told()[-1].detail
    assert "cancelled" not in said_in(messages(order, "refund_returned")[0])[1]
    db.session.commit()


def test_a_gift_that_was_sent_again_after_all_is_not_named(app: Flask) -> None:
    order, (certificate,) = sold(gift(deliver_on=CHRISTMAS))
    failed = refunded(order, certificate)
    record_refund(failed, order.id)
    (cancelled,) = messages(order, "gift")
    letters.send_again(cancelled.id, to_address="ana@example.com", actor="staff:1", at=clock.now())
    second = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(second, id="re_2"), order.id)
    record_refund(told.answer_to(second, "failed", id="re_2"), order.id)
    assert "cancelled" not in owner_was_told()[-1].detail
    db.session.commit()


def test_of_a_refund_of_several_gifts_that_failed_only_those_are_told_who_were_told_of_it(app: Flask) -> None:
    order, _certificates = sold(gift("ana"), gift("vera", deliver_on=CHRISTMAS), gift("iris", delivery="print"))
    record_refund(told.refund_of(order, 150_00), order.id)
    record_refund(told.refund_of(order, 150_00, status="failed"), order.id)
    assert told_of(order, "certificate_returned") == ["ana@example.com"]
    assert_says(
        messages(order, "refund_returned")[0],
        "The money is with us, and the certificates it came off have their value again.",
        "They are on hold while we look at this.",
        "The email to Vera was cancelled and does not go out by itself.",
    )
    db.session.commit()


def test_a_refund_without_a_certificate_that_failed_names_none(app: Flask) -> None:
    order = told.placed()
    told.settle(told.session_of(order, amount_total=60_00))
    record_refund(told.refund_of(order, 60_00), order.id)
    record_refund(told.refund_of(order, 60_00, status="failed"), order.id)
    (mail,) = messages(order, "refund_returned")
    assert_says(mail, "The money is with us. We will be in touch.")
    assert not any("certificate" in said.partition("Your order:")[0] for said in said_in(mail)[:2])
    db.session.commit()


def test_a_refund_of_what_was_used_that_failed_gives_no_value_back(app: Flask) -> None:
    order, (certificate,) = sold()
    build.redeem(certificate, 50_00)
    record_refund(told.refund_of(order, 20_00), order.id)
    record_refund(told.refund_of(order, 20_00, status="failed"), order.id)
    assert (messages(order, "certificate_returned"), standing_of(certificate)) == ([], ("frozen", 0))
    assert_says(messages(order, "refund_returned")[0], "The money is with us. We will be in touch.")
    assert owner_was_told()[-1].detail == (
        f"The refund for order {order.number} failed: the money is back with you. "
        "The buyer was told that you will be in touch."
    )
    db.session.commit()


def test_a_refund_that_fails_before_anybody_was_told_is_not_told(app: Flask) -> None:
    order, (certificate,) = sold()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund, "failed"), order.id)
    assert (told_of(order, "refund_returned"), told_of(order, "certificate_returned")) == ([], [])
    db.session.commit()


def test_many_gifts_whose_messages_were_cancelled_are_counted(app: Flask) -> None:
    order, _certificates = sold(*(gift(name, deliver_on=CHRISTMAS) for name in ("ana", "vera", "iris", "lena")))
    record_refund(told.refund_of(order, 200_00), order.id)
    record_refund(told.refund_of(order, 200_00, status="failed"), order.id)
    assert_says(messages(order, "refund_returned")[0], "The email to 4 people was cancelled")
    assert (
        "The messages of 4 gifts were cancelled with the refund: end the holds, then send them from the order’s page."
        in owner_was_told()[-1].detail
    )
    db.session.commit()


def test_a_name_that_looks_like_a_link_is_none_in_the_message(app: Flask) -> None:
    names = ("Ana", "evil.example")
    order, _certificates = sold(*(gift(deliver_on=CHRISTMAS, recipient_name=name) for name in names))
    record_refund(told.refund_of(order, 100_00), order.id)
    record_refund(told.refund_of(order, 100_00, status="failed"), order.id)
    assert_says(messages(order, "refund_returned")[0], "The email to Ana and evil\u200b.example was cancelled")
    db.session.commit()


def test_that_a_refund_came_back_to_its_certificate_is_told_while_the_certificate_has_not_ended(app: Flask) -> None:
    order = told.sold(*[build.gift_request(offer="amount", amount_cents=50_00) for _ in range(2)])
    first, second = list_certificates(order.id)
    gone, back = told.held(order, first, 10_00), told.held(order, second, 20_00)
    record_refund(told.answer_to(gone), order.id)
    record_refund(told.answer_to(back, id="re_2"), order.id)
    assert not came_back_to_certificates(gone)
    assert not came_back_to_certificates(back)
    record_refund(told.answer_to(back, "failed", id="re_2"), order.id)
    assert came_back_to_certificates(back)
    assert not came_back_to_certificates(gone), "another refund came back"
    status.void(second.id, reason_code="paid in cash", request_key="k" * 16, actor="staff:3", at=clock.now())
    assert not came_back_to_certificates(back)
    db.session.commit()
