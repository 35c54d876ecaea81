"""What a message brings: certificates that are alive, on the paper of the country, with the way to book."""

import re

import pypdfium2
import pytest
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.certificates import status
from giftshop.delivery import deliveries, messages
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from tests import build
from tests.delivery.conftest import schedule_gift
from tests.delivery.mail_servers import MailServer

BASE = "https://gifts.focusedcare.example"

ACUITY = "https://app.acuityscheduling.com/schedule.php?owner=1&certificate={code}"
ELSEWHERE = "https://book.example/?gift={code}"


def send(delivery_id: int, server: MailServer) -> Delivery:
    """Run the message's first job and return what became of it."""
    mailer = Mailer(sender="gifts@practice.example", smtp_url=server.url, mailbox_url="", mailbox_key="")
    db.session.commit()
    deliveries.deliver(delivery_id, 0, mailer, base_url=BASE)
    return db.session.get_one(Delivery, delivery_id, populate_existing=True)


def text_in(server: MailServer, kind: str) -> str:
    """Return one of the two bodies of what arrived last."""
    body = server.arrived[-1].message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def end(certificate: Certificate) -> None:
    status.void(certificate.id, reason_code="x", request_key=build.request_key(), actor="staff:1", at=clock.now())
    db.session.commit()


def test_a_message_whose_certificate_has_ended_is_cancelled_instead_of_tried_for_days(
    app: Flask, mail_server: MailServer
) -> None:
    certificate = build.certificate()
    delivery_id = schedule_gift(certificate)
    end(certificate)
    ended = send(delivery_id, mail_server)
    assert (ended.state, ended.last_error) == ("cancelled", "The certificates in it had ended.")
    assert mail_server.arrived == []


def test_a_message_of_two_certificates_brings_the_one_that_has_not_ended(app: Flask, mail_server: MailServer) -> None:
    ended, alive = build.certificate(), build.certificate()
    delivery_id = schedule_gift(ended)
    db.session.add(DeliveryCertificate(delivery_id=delivery_id, certificate_id=alive.id))
    end(ended)
    code = build.code_of(alive)
    assert send(delivery_id, mail_server).state == "sent"
    assert re.findall(r"/c/(\w+)", text_in(mail_server, "plain")) == [code]
    assert len(list(mail_server.arrived[-1].message.iter_attachments())) == 1


LETTER, A4 = (612, 792), (595, 842)


@pytest.mark.parametrize(
    ("place", "points"), [("US-CO", LETTER), ("CA-ON", LETTER), ("MX", LETTER), ("DE", A4), ("GB", A4), ("AU", A4)]
)
def test_the_attached_certificate_is_on_the_paper_of_the_practices_country(
    app: Flask, mail_server: MailServer, place: str, points: tuple[int, int]
) -> None:
    db.session.get_one(Practice, 1).place = place
    send(schedule_gift(), mail_server)
    (attached,) = mail_server.arrived[-1].message.iter_attachments()
    width, height = pypdfium2.PdfDocument(attached.get_content())[0].get_size()
    assert (round(width), round(height)) == points


@pytest.mark.parametrize("link", [ACUITY, ELSEWHERE])
def test_the_booking_link_carries_the_code_only_where_the_booking_system_takes_it(
    app: Flask, mail_server: MailServer, link: str
) -> None:
    db.session.get_one(Practice, 1).booking_url = link
    certificate = build.certificate()
    filled = link.replace("{code}", build.code_of(certificate) if link == ACUITY else certificate.public_id)
    send(schedule_gift(certificate), mail_server)
    assert filled in text_in(mail_server, "plain")
    assert filled.replace("&", "&amp;") in text_in(mail_server, "html")


def test_a_session_has_the_article_with_which_it_is_said(app: Flask, mail_server: MailServer) -> None:
    send(schedule_gift(service_text="80-minute massage", amount_text=""), mail_server)
    for kind in ("plain", "html"):
        assert "Marko sent you an 80-minute massage" in text_in(mail_server, kind)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Żaneta Đorđević", "zaneta-dordevic"),
        ("Łukasz Åström-Sørensen", "lukasz-astrom-sorensen"),
        ("Æsa Þórsdóttir Œuvré", "aesa-thorsdottir-oeuvre"),
        ("Frau Groß-Weißmüller", "frau-gross-weissmuller"),
        ("Ħal Għaxaq, İpek Ilıcalı", "hal-ghaxaq-ipek-ilicali"),
        ("Seán O’Brien", "sean-obrien"),
        ("Nguyễn Thị Ánh", "nguyen-thi-anh"),
        ("山田太郎", ""),
    ],
)
def test_a_file_is_named_in_plain_letters_after_whom_it_is_for(name: str, plain: str) -> None:
    assert messages._plain_name(name) == plain
