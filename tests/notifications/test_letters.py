"""What people are told about an order: the right person, at the right time, and nothing that spoils a surprise."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.checkout.fulfilment import settle
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import letters
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import TITLES, AlertKind
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import record_refund
from tests import build
from tests.orders import told
from tests.orders.kept import facts_of, message_kinds, messages, trail_of

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
"""Noon at the sample practice, whose messages go out at nine in the morning."""


def deliver_all(order: Order) -> None:
    """Let every message of an order that is due have gone out."""
    due = sa.update(Delivery).where(Delivery.order_id == order.id, Delivery.send_at <= NOON)
    db.session.execute(due.values(state="sent", sent_at=NOON))


def sold(**gift: Any) -> tuple[Order, Certificate]:
    """An order of one gift, sold at noon, whose messages that were due are out."""
    with time_machine.travel(NOON, tick=False):
        order = told.sold(build.gift_request(offer="amount", amount_cents=50_00, **gift))
    deliver_all(order)
    (certificate,) = list_certificates(order.id)
    return order, certificate


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        (None, NOON),
        (date(2026, 11, 23), NOON),
        (date(2026, 11, 24), NOON),
        (date(2026, 11, 25), datetime(2026, 11, 25, 16, 0, tzinfo=UTC)),
        (date(2027, 7, 4), datetime(2027, 7, 4, 15, 0, tzinfo=UTC)),
    ],
)
def test_a_gift_goes_out_at_nine_of_its_day_and_never_before_it_is_paid(
    app: Flask, day: date | None, moment: datetime
) -> None:
    (gift,) = told.placed(build.gift_request(deliver_on=day)).gifts
    assert letters.send_at(gift, get_practice(), at=NOON) == moment


def test_a_receipt_says_what_was_bought_and_how_it_gets_there(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        order = told.sold(
            build.gift_request(quantity=2, recipient_name="Ana"),
            build.gift_request(offer="amount", amount_cents=45_00, recipient_name="Vera", delivery="print"),
            build.gift_request(recipient_name="Iris", deliver_on=date(2026, 12, 24)),
        )
    facts = facts_of(messages(order, "receipt")[0])
    assert (facts["order_number"], facts["order_path"]) == (order.number, f"/orders/{token_of(order)}")
    assert (facts["total"], facts["paid_on"]) == ("$330.00", "November 24, 2026")
    assert [(line["title"], line["amount"], line["quantity"], line["recipient_name"]) for line in facts["gifts"]] == [
        ("60-minute massage", "$95.00", 2, "Ana"),
        ("Gift certificate", "$45.00", 1, "Vera"),
        ("60-minute massage", "$95.00", 1, "Iris"),
    ]
    now, handed, later = (line["how"] for line in facts["gifts"])
    assert (now, handed) == ("Emailed to ana@example.com now", "Sent to you, to print or hand over")
    assert later.startswith("Goes to ana@example.com on December 24, 2026 at 9:00")


@pytest.mark.parametrize(
    ("offer", "is_price_shown", "amount_text", "service_text"),
    [
        ("60-minutes", True, "$95.00", "60-minute massage"),
        ("60-minutes", False, "", "60-minute massage"),
        ("amount", True, "$50.00", ""),
        ("amount", False, "", ""),
    ],
)
def test_a_gift_message_names_a_service_and_the_price_that_is_to_be_seen(
    app: Flask, offer: str, is_price_shown: bool, amount_text: str, service_text: str
) -> None:
    order = told.sold(build.gift_request(offer=offer, amount_cents=50_00, is_price_shown=is_price_shown))
    assert facts_of(messages(order, "gift")[0]) == {
        "giver_name": "Marko",
        "recipient_name": "Ana",
        "message": "Your shoulders have carried enough.",
        "amount_text": amount_text,
        "service_text": service_text,
    }


def test_a_payment_that_fails_twice_is_told_twice(app: Flask) -> None:
    order = told.placed()
    bounced = {"payment_status": "unpaid", "payment_intent_status": "requires_payment_method"}
    settle(told.session_of(order, 1, **bounced))
    order.state = "awaiting_payment"
    told.attempt(order, 2)
    db.session.expire(order)
    settle(told.session_of(order, 2, **bounced))
    mails = messages(order, "payment_failed")
    assert [each.to_address for each in mails] == ["marko@example.com"] * 2
    assert facts_of(mails[0]) == {"order_number": order.number, "order_path": f"/orders/{token_of(order)}"}


def test_who_was_given_a_certificate_is_told_what_a_refund_leaves(app: Flask) -> None:
    order, certificate = sold()
    record_refund(told.answer_to(told.held(order, certificate, 20_00)), order.id)
    buyer, recipient = (facts_of(messages(order, kind)[0]) for kind in ("refund", "certificate_refunded"))
    assert (buyer["recipient_name"], buyer["amount"], buyer["left"], buyer["has_ended"]) == (
        "Ana",
        "$20.00",
        "$30.00",
        False,
    )
    assert recipient == {"left": "$30.00", "has_ended": False, "is_several": False, "is_on_hold": False}
    assert messages(order, "certificate_refunded")[0].to_address == "ana@example.com"


def test_a_refund_of_all_of_it_says_that_the_certificate_has_ended(app: Flask) -> None:
    order, certificate = sold()
    record_refund(told.answer_to(told.held(order, certificate, 50_00)), order.id)
    assert [facts_of(messages(order, kind)[0])["has_ended"] for kind in ("refund", "certificate_refunded")] == [
        True
    ] * 2


@pytest.mark.parametrize("gift", [{"delivery": "print"}, {"delivery": "buyer"}, {"deliver_on": date(2026, 12, 24)}])
def test_nobody_but_the_buyer_hears_of_a_refund_before_they_have_the_gift(app: Flask, gift: dict[str, Any]) -> None:
    order, certificate = sold(**gift)
    record_refund(told.answer_to(told.held(order, certificate, 20_00)), order.id)
    assert (len(messages(order, "refund")), messages(order, "certificate_refunded")) == (1, [])


def reissue(order: Order, certificate: Certificate) -> bool:
    """Give a certificate a new code and tell whoever had the old one."""
    status.reissue(certificate.id, reason_code="lost", actor="staff:1", at=NOON)
    return letters.queue_new_code(order.gifts[0], certificate, at=NOON)


@pytest.mark.parametrize(("delivery", "address"), [("recipient", "ana@example.com"), ("print", "marko@example.com")])
def test_a_new_code_goes_to_whoever_had_the_old_one_each_time(app: Flask, delivery: str, address: str) -> None:
    order, certificate = sold(delivery=delivery)
    assert [reissue(order, certificate) for _ in range(2)] == [True, True]
    mails = messages(order, "reissued")
    assert [each.to_address for each in mails] == [address] * 2
    assert facts_of(mails[0]) == {
        "recipient_name": "Ana",
        "left": "$50.00",
        "is_recipient": delivery == "recipient",
        "is_on_hold": False,
    }


def test_a_new_code_of_a_certificate_on_hold_says_so(app: Flask) -> None:
    order, certificate = sold()
    status.freeze_by_hand(certificate.id, reason_code="lost", actor="staff:1", at=NOON)
    db.session.refresh(certificate)
    assert reissue(order, certificate)
    assert facts_of(messages(order, "reissued")[0])["is_on_hold"]


def test_a_gift_still_to_come_brings_its_new_code_by_itself(app: Flask) -> None:
    order, certificate = sold(deliver_on=date(2026, 12, 24))
    assert not reissue(order, certificate)
    assert messages(order, "reissued") == []


def send_again(message: Delivery, address: str) -> Delivery:
    return letters.send_again(message.id, to_address=address, actor="staff:1", at=NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("delivery", "kind", "buyer", "recipient"),
    [
        ("recipient", "gift", "marko@example.com", "new@example.com"),
        ("recipient", "receipt", "new@example.com", "ana@example.com"),
        ("print", "certificate", "new@example.com", ""),
    ],
)
def test_a_corrected_address_is_theirs_from_now_on(
    app: Flask, delivery: str, kind: str, buyer: str, recipient: str
) -> None:
    order, _certificate = sold(delivery=delivery)
    (message,) = messages(order, kind)
    assert send_again(message, "new@example.com").to_address == "new@example.com"
    assert (order.buyer_email, order.gifts[0].recipient_email) == (buyer, recipient)
    assert trail_of(order)[-1] == ("sent_again", "staff:1", {"message": kind, "is_corrected": True})


def test_the_same_address_corrects_nothing(app: Flask) -> None:
    order, _certificate = sold()
    send_again(messages(order, "gift")[0], "ana@example.com")
    assert (order.buyer_email, order.gifts[0].recipient_email) == ("marko@example.com", "ana@example.com")
    assert trail_of(order)[-1] == ("sent_again", "staff:1", {"message": "gift", "is_corrected": False})
    assert message_kinds(order).count("gift") == 2


def test_an_alert_that_went_elsewhere_makes_nobody_the_buyer(app: Flask) -> None:
    order = told.placed()
    settle(told.session_of(order, amount_total=1_00))
    send_again(messages(order, "alert")[0], "owner@example.com")
    assert order.buyer_email == "marko@example.com"


def test_an_alert_about_no_order_leads_to_the_office(app: Flask) -> None:
    alert_owner(AlertKind.ORDER_RECOVERED, "test of this", "Something happened.")
    (mail,) = db.session.scalars(sa.select(Delivery).where(Delivery.kind == "alert"))
    assert facts_of(mail) == {
        "title": TITLES[AlertKind.ORDER_RECOVERED],
        "detail": "Something happened.",
        "office_path": "/office/",
    }
    assert (mail.to_address, mail.order_id) == (get_practice().email, None)
    assert ".alert.order_recovered.test-of-this@" in mail.message_id
