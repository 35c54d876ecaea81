"""The evidence for a disputed payment: a tagged PDF that says what was bought, delivered, used and paid back."""

import unicodedata
import zlib
from contextlib import suppress

import pypdfium2
import pytest

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.dates import write_moment
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.orders.models import Dispute
from giftshop.payments.shares import list_certificates
from tests import build
from tests.office.conftest import Desk, path_of
from tests.orders.stripe_side import StripeSide
from tests.statements import count_queries


def text_of(pdf: bytes) -> str:
    """Return the words of every page, in single spaces."""
    with pypdfium2.PdfDocument(pdf) as pages:
        return " ".join(" ".join(str(page.get_textpage().get_text_range()).split()) for page in pages)


def unpacked(pdf: bytes) -> bytes:
    """Return every compressed stream of a document in plain."""
    found = b""
    for part in pdf.split(b"stream\n")[1:]:
        with suppress(zlib.error):
            found += zlib.decompressobj().decompress(part)
    return found


def disputed(side: StripeSide, **gift: object) -> tuple[Dispute, str]:
    """An order whose certificate was seen and used before its payment was disputed; its dispute and the code."""
    order = side.sell(build.gift_request(offer="amount", amount_cents=120_00, **gift))
    (certificate,) = list_certificates(order.id)
    code = build.code_of(certificate)
    activity_log.note(
        "viewed", actor="holder", certificate_id=certificate.id
    )  # kept so before openings were told apart
    activity_log.note("fetched", actor="visitor", certificate_id=certificate.id)
    activity_log.note("opened", actor="holder", certificate_id=certificate.id)
    activity_log.note("viewed", actor="staff:7", certificate_id=certificate.id)
    build.redeem(certificate, 45_00)
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    message.state, message.sent_at = "sent", clock.now()
    db.session.commit()
    side.tell("charge.dispute.created", side.dispute(order))
    return db.session.query(Dispute).one(), code


def test_the_file_says_what_a_bank_asks_for_and_never_the_code(owner: Desk, stripe_side: StripeSide) -> None:
    dispute, code = disputed(stripe_side)
    order, zone = dispute.order, get_practice().time_zone
    assert order.paid_at is not None
    paid_at, payment = write_moment(order.paid_at, zone).replace("\u202f", " "), order.payment_intent_id or ""
    answer = owner.open(f"/office/disputes/{dispute.id}/evidence.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    told = text_of(answer.data)
    for said in (
        f"Evidence for order {order.number}",
        dispute.stripe_dispute_id,
        payment,
        "marko@example.com",
        "192.0.2.1",
        "1 × Gift certificate, $120.00, for Ana from Marko, e-mailed to the recipient",
        "Gift message to ana@example.com: sent",
        "Redeemed $45.00, $75.00 left",
        f"code ending in {code[-4:]}",
        "No fees. Never expires.",
        "Denver time",
        paid_at,
    ):
        assert said in told.replace("\u202f", " "), said
    assert told.count("was opened in a browser by whoever holds its code") == 1
    assert told.count("was fetched with its code, by a person or by a program that checks links") == 2
    assert code not in told.replace("-", "").replace(" ", "")
    assert f"/office/disputes/{dispute.id}/evidence.pdf" in owner.open(path_of(order)).text


def test_it_is_tagged_and_titled_for_every_reader(owner: Desk, stripe_side: StripeSide) -> None:
    dispute, _code = disputed(stripe_side)
    pdf = owner.open(f"/office/disputes/{dispute.id}/evidence.pdf").data
    with pypdfium2.PdfDocument(pdf) as opened:
        assert opened.get_metadata_value("Title") == f"Evidence for order {dispute.order.number}"
        assert pypdfium2.raw.FPDFCatalog_IsTagged(opened.raw)
    assert b"pdfuaid" in unpacked(pdf)


HOSTILE = ["<script>alert(1)</script>", "{{7*7}}", "李小龙", "محمد", "a\u0301b & <b>", "Żaneta Đorđević-Łukaszewska"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_every_kind_are_only_text_in_it(owner: Desk, stripe_side: StripeSide, name: str) -> None:
    dispute, _code = disputed(stripe_side, recipient_name=name)
    pdf = owner.open(f"/office/disputes/{dispute.id}/evidence.pdf").data
    told = unicodedata.normalize("NFC", text_of(pdf))
    assert unicodedata.normalize("NFC", name) in told or unicodedata.bidirectional(name[0]) == "AL"


def test_an_unknown_dispute_has_no_evidence(owner: Desk) -> None:
    assert owner.open("/office/disputes/1/evidence.pdf").status_code == 404


def test_a_long_story_takes_no_more_questions(owner: Desk, stripe_side: StripeSide) -> None:
    dispute, _code = disputed(stripe_side)
    certificates = list_certificates(dispute.order_id)
    counts = []
    for more in (0, 20):
        for _ in range(more):
            activity_log.note("viewed", actor="holder", certificate_id=certificates[0].id)
        db.session.commit()
        with count_queries() as queries:
            assert owner.open(f"/office/disputes/{dispute.id}/evidence.pdf").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
