"""Sending to a real mail server: once, again after trouble, never after a definite no; and what each message says."""

import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from flask import Flask

from giftshop import clock
from giftshop.certificates.codes import format_code
from giftshop.database import db
from giftshop.delivery import deliveries
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from tests import build
from tests.running import free_port

BASE = "https://gifts.focusedcare.example"


class Postbox:
    """A mail server's ear: keeps what it accepts, and refuses as it is told."""

    def __init__(self) -> None:
        self.accepted: list[tuple[list[str], email.message.EmailMessage]] = []
        self.answers: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Answer as told, else accept."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.accepted.append((envelope.rcpt_tos, message))  # type: ignore[arg-type]
        return answer


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A running mail server."""
    box = Postbox()
    box.port = free_port()  # type: ignore[attr-defined]
    server = Controller(box, hostname="127.0.0.1", port=box.port)  # type: ignore[attr-defined]
    server.start()
    yield box
    server.stop()


def mailer(postbox: Postbox | None) -> Mailer:
    port = postbox.port if postbox else free_port()  # type: ignore[attr-defined]
    return Mailer(sender="gifts@practice.example", smtp_url=f"smtp://127.0.0.1:{port}", mailbox_url="", mailbox_key="")


def gift_message(**facts: Any) -> tuple[int, str]:
    """Schedule the message of a gift; return its row's id and the certificate's code."""
    certificate = build.certificate()
    values = {
        "giver_name": "Marko",
        "recipient_name": "Ana",
        "message": "Your shoulders have carried enough.",
        "amount_text": "$120.00",
        "service_text": "",
    }
    order_id = db.session.scalar(sa.select(sa.func.max(Delivery.order_id)))
    delivery = deliveries.schedule(
        "gift",
        order_id=order_id or 0,
        gift_id=None,
        to_address="ana@example.com",
        facts={**values, **facts},
        certificate_ids=[certificate.id],
        send_at=clock.now(),
        message_key=f"test.gift.{certificate.public_id}.1",
    )
    db.session.commit()
    return delivery.id, build.code_of(certificate)


def send(delivery_id: int, through: Mailer) -> Delivery:
    deliveries.deliver(delivery_id, through, base_url=BASE)
    return db.session.get_one(Delivery, delivery_id, populate_existing=True)


def text_of(message: email.message.EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_the_gift_says_everything_twice_and_carries_its_pdf(app: Flask, postbox: Postbox) -> None:
    delivery_id, code = gift_message()
    assert send(delivery_id, mailer(postbox)).state == "sent"
    recipients, message = postbox.accepted[0]
    assert recipients == ["ana@example.com"]
    assert message["Subject"] == "Marko sent you a massage at Focused Care"
    assert message["Message-ID"].startswith("<test.gift.")
    for kind in ("plain", "html"):
        words = text_of(message, kind)
        assert f"{BASE}/c/{code}" in words
        assert format_code(code) in words
        assert "$120.00" in words
    assert len(text_of(message, "html")) < 20_000
    pdf = next(iter(message.iter_attachments()))
    assert pdf.get_content_type() == "application/pdf"
    assert pdf.get_content().startswith(b"%PDF-")


def test_a_message_is_sent_once(app: Flask, postbox: Postbox) -> None:
    delivery_id, _ = gift_message()
    for _ in range(3):
        send(delivery_id, mailer(postbox))
    assert len(postbox.accepted) == 1


def test_a_server_that_is_away_is_tried_again_later(app: Flask, postbox: Postbox) -> None:
    delivery_id, _ = gift_message()
    first = send(delivery_id, mailer(None))
    assert (first.state, first.attempts) == ("scheduled", 1)
    assert "could not take" in first.last_error
    assert send(delivery_id, mailer(postbox)).state == "sent"


def test_a_temporary_no_is_tried_again_with_the_same_message_id(app: Flask, postbox: Postbox) -> None:
    delivery_id, _ = gift_message()
    postbox.answers = ["451 later", "250 OK"]
    before = db.session.get_one(Delivery, delivery_id).message_id
    assert send(delivery_id, mailer(postbox)).state == "scheduled"
    assert send(delivery_id, mailer(postbox)).state == "sent"
    assert postbox.accepted[0][1]["Message-ID"] == before


def test_a_definite_no_is_final_and_visible(app: Flask, postbox: Postbox) -> None:
    delivery_id, _ = gift_message()
    postbox.answers = ["552 too large"]
    assert send(delivery_id, mailer(postbox)).state == "failed"
    assert send(delivery_id, mailer(postbox)).state == "failed"
    assert postbox.accepted == []


def test_after_three_days_it_is_given_up(app: Flask) -> None:
    delivery_id, _ = gift_message()
    long_ago = clock.now() - timedelta(hours=72)
    db.session.execute(sa.update(Delivery).where(Delivery.id == delivery_id).values(send_at=long_ago))
    db.session.commit()
    assert send(delivery_id, mailer(None)).state == "failed"


HOSTILE = ["Marko\r\nBcc: thief@example.com", "a" * 200, "<b>Marko</b>", "{{ 7 * 7 }}"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_header_and_no_markup(app: Flask, postbox: Postbox, name: str) -> None:
    delivery_id, _ = gift_message(giver_name=name, message="See https://evil.example and <script>x</script>")
    assert send(delivery_id, mailer(postbox)).state == "sent"
    recipients, message = postbox.accepted[0]
    assert recipients == ["ana@example.com"]
    assert message["Bcc"] is None
    assert len(message["Subject"]) <= 60
    html = text_of(message, "html")
    assert "<script" not in html
    assert "<b>Marko" not in html
    assert 'href="https://evil' not in html
    assert "{{ 7 * 7 }}" in html if "7 * 7" in name else True


def test_what_a_message_says_is_not_readable_in_the_database(app: Flask) -> None:
    delivery_id, code = gift_message(message="a very private line")
    row = db.session.get_one(Delivery, delivery_id)
    assert b"private" not in row.facts_enc
    assert code.encode() not in row.facts_enc
