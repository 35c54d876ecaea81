"""Sending again: one successor for each message, to the right address, never while it is being sent."""

import threading
from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.certificates.codes import format_code
from giftshop.delivery import deliveries, resending
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.delivery.resending import MessageNotFoundError, MessageUnderWayError, NotWaitingError, SentAgainError
from giftshop.errors import CertificateVoidError, ShopError
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.notifications import letters
from giftshop.orders.look_up import find_gift
from giftshop.orders.models import Gift, Order
from tests import build
from tests.conftest import both_databases
from tests.delivery.conftest import schedule_gift
from tests.delivery.mail_servers import MailServer

BASE = "https://gifts.focusedcare.example"


def put(delivery_id: int, **values: object) -> None:
    db.session.execute(sa.update(Delivery).where(Delivery.id == delivery_id).values(**values))
    db.session.commit()


def again(delivery_id: int, to_address: str = "ana@example.com") -> Delivery:
    sent = resending.send_again(delivery_id, to_address=to_address, at=clock.now())
    db.session.commit()
    return sent


def send(delivery_id: int, server: MailServer) -> EmailMessage:
    """Run a message's job and return what arrived."""
    mailer = Mailer(sender="gifts@practice.example", smtp_url=server.url, mailbox_url="", mailbox_key="")
    db.session.rollback()
    deliveries.deliver(delivery_id, 0, mailer, base_url=BASE)
    arrived: EmailMessage = server.arrived[-1].message
    return arrived


@both_databases
@pytest.mark.parametrize("state", ["failed", "sent"])
def test_a_message_goes_out_again_as_its_next_revision(app: Flask, mail_server: MailServer, state: str) -> None:
    first = schedule_gift()
    put(first, state=state, last_error="Refused.")
    second = again(first, "ana@example.org")
    assert (second.revision, second.replaces_id, second.to_address) == (2, first, "ana@example.org")
    assert second.message_id.endswith(".gift.0.1.r2@" + second.message_id.rpartition("@")[2])
    assert db.session.get_one(Delivery, first).state == state
    arrived = send(second.id, mail_server)
    assert arrived["To"] == "ana@example.org"
    put(second.id, state="failed")
    third = again(second.id)
    assert (third.revision, ".gift.0.1.r3@" in third.message_id) == (3, True)


@both_databases
def test_a_message_still_to_come_is_cancelled_and_its_successor_keeps_its_day(app: Flask) -> None:
    first = schedule_gift()
    put(first, send_at=clock.now() + timedelta(days=7))
    second = again(first, "ana@example.org")
    old = db.session.get_one(Delivery, first)
    assert (old.state, old.ended_at is not None) == ("cancelled", True)
    assert (second.state, second.send_at) == ("scheduled", old.send_at)


def test_the_day_a_message_was_promised_for_goes_with_it_until_it_is_sent_now(app: Flask) -> None:
    first, at = schedule_gift(), clock.now()
    promised = {"send_on": at.date() + timedelta(days=7), "send_at": at + timedelta(days=7)}
    put(first, **promised)
    second = again(first, "ana@example.org")
    assert {name: getattr(second, name) for name in promised} == promised
    later = {"send_on": at.date() + timedelta(days=9), "send_at": at + timedelta(days=9)}
    third = resending.send_again(second.id, to_address="ana@example.com", at=at, **later)
    assert {name: getattr(third, name) for name in later} == later
    fourth = resending.send_again(third.id, to_address="ana@example.com", at=at, send_at=at)
    assert (fourth.send_on, fourth.send_at) == (None, at)
    db.session.commit()


def test_what_is_under_way_is_not_sent_again(app: Flask) -> None:
    first = schedule_gift()
    put(first, state="sending")
    with pytest.raises(MessageUnderWayError):
        again(first)
    db.session.rollback()
    assert db.session.query(Delivery).filter(Delivery.replaces_id == first).count() == 0


@both_databases
def test_a_message_that_waits_can_be_cancelled_and_sent_after_all(app: Flask, mail_server: MailServer) -> None:
    first = schedule_gift()
    put(first, send_at=clock.now() + timedelta(days=7))
    resending.cancel(first, at=clock.now())
    db.session.commit()
    old = db.session.get_one(Delivery, first)
    assert (old.state, old.ended_at is not None) == ("cancelled", True)
    second = again(first)
    assert second.send_at <= clock.now()
    assert send(second.id, mail_server)["To"] == "ana@example.com"


@pytest.mark.parametrize(
    ("state", "refusal"),
    [("sending", MessageUnderWayError), ("sent", NotWaitingError), ("failed", NotWaitingError)],
)
def test_what_has_left_is_not_cancelled(app: Flask, state: str, refusal: type[ShopError]) -> None:
    first = schedule_gift()
    put(first, state=state)
    with pytest.raises(refusal):
        resending.cancel(first, at=clock.now())
    db.session.rollback()
    assert db.session.get_one(Delivery, first).state == state


def test_a_message_is_given_another_day_by_its_successor(app: Flask) -> None:
    first, day = schedule_gift(), clock.now() + timedelta(days=30)
    put(first, send_at=clock.now() + timedelta(days=7))
    second = resending.send_again(first, to_address="ana@example.com", at=clock.now(), send_at=day)
    assert (second.send_at, second.to_address) == (day, "ana@example.com")
    assert db.session.get_one(Delivery, first).state == "cancelled"
    db.session.commit()


def test_a_message_has_one_successor_and_the_newest_is_the_one_to_send_again(app: Flask) -> None:
    first = schedule_gift()
    put(first, state="failed")
    again(first)
    with pytest.raises(SentAgainError):
        again(first)
    db.session.rollback()
    assert [each.id for each in deliveries.list_failed()] == []


def test_a_message_about_what_has_ended_is_not_sent_again(app: Flask) -> None:
    certificate = build.certificate()
    first = schedule_gift(certificate)
    put(first, state="failed")
    status.void(certificate.id, reason_code="x", request_key=build.request_key(), actor="staff:1", at=clock.now())
    db.session.commit()
    with pytest.raises(CertificateVoidError):
        again(first)
    db.session.rollback()


def test_a_message_that_is_not_there_is_not_sent_again(app: Flask) -> None:
    with pytest.raises(MessageNotFoundError):
        again(12345)
    db.session.rollback()


@both_databases
def test_two_presses_at_once_send_it_once(app: Flask) -> None:
    first = schedule_gift()
    put(first, state="failed")
    start, outcomes = threading.Barrier(2), []

    def press() -> None:
        with app.app_context():
            start.wait()
            try:
                again(first)
                outcomes.append("sent")
            except SentAgainError:
                db.session.rollback()
                outcomes.append("refused")
            db.session.remove()

    presses = [threading.Thread(target=press) for _ in range(2)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert sorted(outcomes) == ["refused", "sent"]
    assert db.session.query(Delivery).filter(Delivery.replaces_id == first).count() == 1


def test_a_corrected_address_is_used_from_then_on(app: Flask) -> None:
    certificate = build.certificate(delivery="recipient", recipient_email="ana@example.com")
    delivery_id = schedule_gift(certificate)
    put(delivery_id, state="failed")
    letters.send_again(delivery_id, to_address="ana@example.org", actor="staff:3", at=clock.now())
    db.session.commit()
    gift = db.session.query(Gift).one()
    receipt = db.session.query(Delivery).filter(Delivery.kind == "receipt").one()
    assert (gift.recipient_email, gift.order.buyer_email) == ("ana@example.org", "marko@example.com")
    letters.send_again(receipt.id, to_address="marko@example.org", actor="staff:3", at=clock.now())
    db.session.commit()
    assert db.session.query(Order).one().buyer_email == "marko@example.org"
    told = [event.facts for event in activity_log.list_events(order_id=gift.order_id)]
    assert len(told) == 2
    assert not any("@" in facts for facts in told)


HOLDERS = [("recipient", "Your certificate has a new code"), ("print", "Ana’s certificate has a new code")]


@pytest.mark.parametrize(("way", "heading"), HOLDERS)
def test_a_new_code_arrives_as_text_page_and_paper(app: Flask, mail_server: MailServer, way: str, heading: str) -> None:
    certificate = build.certificate(balance_cents=80_00, delivery=way, recipient_email="ana@example.com")
    old = build.code_of(certificate)
    status.reissue(certificate.id, reason_code="lost", actor="staff:3", at=clock.now())
    gift = find_gift(certificate.id)
    assert gift is not None
    assert letters.queue_new_code(gift, certificate, at=clock.now())
    db.session.commit()
    new = build.code_of(certificate)
    message = send(db.session.query(Delivery).filter(Delivery.kind == "reissued").one().id, mail_server)
    assert message["Subject"] == "Your new certificate code"
    text, page = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for said in (text, page):
        assert format_code(new) in said
        assert f"{BASE}/c/{new}" in said
        assert "$80.00 is left" in said
        assert old not in said.replace("-", "")
    assert heading in page
    assert heading in text
    assert [part.get_content_type() for part in message.iter_attachments()] == ["application/pdf"]


def test_a_hold_is_told_with_the_new_code(app: Flask, mail_server: MailServer) -> None:
    certificate = build.certificate(status="frozen")
    gift = find_gift(certificate.id)
    assert gift is not None
    letters.queue_new_code(gift, certificate, at=clock.now())
    db.session.commit()
    message = send(db.session.query(Delivery).filter(Delivery.kind == "reissued").one().id, mail_server)
    body = message.get_body(("plain",))
    assert body is not None
    assert "The certificate is on hold just now" in body.get_content()
