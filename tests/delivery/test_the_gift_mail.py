"""The mail that brings a gift: the certificate's own drawing, whose it is, the giver's words, one way on."""

import io
import re
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from giftshop.catalog.practice import get_practice
from giftshop.delivery import deliveries
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.documents.proof import Fault
from giftshop.documents.worker import UnprintableError, press
from giftshop.foundation.database import db
from giftshop.notifications.models import Alert
from giftshop.office.needs import list_needs
from tests import build
from tests.delivery.conftest import schedule_gift
from tests.delivery.mail_servers import MailServer
from tests.delivery.test_what_messages_bring import send, text_in

MOST_HTML, MOST_PICTURE = 20_000, 80_000


def drawing_in(message: EmailMessage) -> EmailMessage:
    """Return the picture that came inside the message."""
    (picture,) = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert isinstance(picture, EmailMessage)
    return picture


def test_the_certificates_own_drawing_comes_inside_and_nothing_is_fetched(app: Flask, mail_server: MailServer) -> None:
    for _ in range(2):
        send(schedule_gift(), mail_server)
    pictures = [drawing_in(arrived.message) for arrived in mail_server.arrived]
    html = text_in(mail_server, "html")
    assert f'src="cid:{pictures[-1]["Content-ID"].strip("<>")}"' in html
    assert re.findall(r'(?:src|background)="(?!cid:)', html) == []
    assert len(html) < MOST_HTML
    contents = [picture.get_content() for picture in pictures]
    assert contents[0] != contents[1]
    for content in contents:
        assert len(content) < MOST_PICTURE
        assert Image.open(io.BytesIO(content)).size == (1120, 560)
    attached = [part.get_content_type() for part in mail_server.arrived[-1].message.iter_attachments()]
    assert attached == ["application/pdf"]


def test_it_begins_with_whose_it_is_and_has_one_button_and_words_for_the_picture(
    app: Flask, mail_server: MailServer
) -> None:
    send(schedule_gift(), mail_server)
    html = text_in(mail_server, "html")
    body = html[html.index("<body") :]
    practice, picture, words = (
        body.index(each) for each in ("Focused Care Therapeutic Massage", "<img", "Your shoulders have")
    )
    assert practice < picture < words < body.index("Open your certificate")
    assert 'alt="The drawing of your certificate: Shoulders"' in body
    assert body.count('class="button"') == 1


def test_what_is_left_is_said_only_of_what_was_used(app: Flask, mail_server: MailServer) -> None:
    fresh, used = build.certificate(), build.certificate()
    build.redeem(used, 75_00)
    send(schedule_gift(fresh), mail_server)
    for kind in ("plain", "html"):
        assert "There is $120.00 on your certificate" in text_in(mail_server, kind)
        assert " left on" not in text_in(mail_server, kind)
    send(schedule_gift(used), mail_server)
    for kind in ("plain", "html"):
        assert "$45.00 is left on your certificate" in text_in(mail_server, kind)
        assert "$120.00" not in text_in(mail_server, kind)


def test_the_text_says_what_the_html_says(app: Flask, mail_server: MailServer) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    send(schedule_gift(certificate), mail_server)
    text = text_in(mail_server, "plain")
    for said in ("Ana, Marko sent you", "Focused Care Therapeutic Massage", "Your shoulders", f"/c/{code}", "(970)"):
        assert said in text


@pytest.fixture
def faulty_press(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A press whose proof fails, as on a machine without fonts."""

    def refuse(*_: object, **__: object) -> bytes:
        raise UnprintableError(Fault(letters="山"))

    monkeypatch.setattr(press, "print_pdf", refuse)
    return monkeypatch


def test_what_cannot_be_printed_waits_and_the_owner_reads_why_once(
    app: Flask, mail_server: MailServer, faulty_press: pytest.MonkeyPatch
) -> None:
    certificate = build.certificate()
    public_id, delivery_id = certificate.public_id, schedule_gift(certificate)
    waiting = send(delivery_id, mail_server)
    assert (waiting.state, waiting.turn, mail_server.arrived) == ("scheduled", 1, [])
    assert "No installed font has 山 (U+5C71)" in waiting.last_error
    db.session.commit()
    deliveries.deliver(delivery_id, 1, _mailer(mail_server), base_url="https://gifts.example")
    alerts = db.session.scalars(sa.select(Alert)).all()
    assert [(alert.kind, alert.subject) for alert in alerts] == [("unprintable", public_id)]
    assert any("山 (U+5C71)" in need.sentence for need in list_needs(get_practice()))
    mails = db.session.scalars(sa.select(Delivery).where(Delivery.kind == "alert")).all()
    assert len(mails) == 1
    faulty_press.undo()
    deliveries.deliver(delivery_id, 2, _mailer(mail_server), base_url="https://gifts.example")
    assert db.session.get_one(Delivery, delivery_id, populate_existing=True).state == "sent"
    assert not any("山" in need.sentence for need in list_needs(get_practice()))


def test_its_page_prints_nothing_and_says_so(app: Flask, faulty_press: pytest.MonkeyPatch) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    db.session.commit()
    answer = app.test_client().get(f"/c/{code}/certificate.pdf", base_url="http://127.0.0.1:8000")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "print this certificate yet" in answer.text
    assert "山" not in answer.text
    assert answer.headers["Retry-After"]
    assert db.session.scalar(sa.select(sa.func.count(Alert.id))) == 1


def _mailer(server: MailServer) -> Mailer:
    return Mailer(sender="gifts@practice.example", smtp_url=server.url, mailbox_url="", mailbox_key="")
