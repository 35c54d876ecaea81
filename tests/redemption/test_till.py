"""The till: found by code, redeemed exactly, refused by name, undone by rule; JSON for whoever asks."""

import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from giftshop.certificates.codes import format_code
from giftshop.documents.qr import certificate_address
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.models import Order
from tests import build
from tests.conftest import both_databases
from tests.redemption.desk import find, redeem
from tests.redemption.pictures import photo_of
from tests.signing_in import browser, hire, signed_in
from tests.statements import statements_to


@pytest.mark.parametrize("written", ["dashed", "lower", "address", "spaces"])
def test_a_certificate_is_found_however_its_code_arrives(app: Flask, desk: FlaskClient, written: str) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    typed = {
        "dashed": format_code(code),
        "lower": code.lower(),
        "address": certificate_address("http://127.0.0.1:8000", code),
        "spaces": " ".join(code),
    }
    assert desk.post("/redeem", data={"code": typed[written]}).location == f"/redeem/{certificate.public_id}"


def test_staff_read_the_true_reason(app: Flask, desk: FlaskClient) -> None:
    wrong = desk.post("/redeem", data={"code": "K7M2-QX9R-TB4D-HVWA"})
    assert wrong.status_code == 422
    assert "One character looks wrong" in wrong.text
    assert "K7M2-QX9R-TB4D-HVWA" in wrong.text
    assert "no such certificate" in desk.post("/redeem", data={"code": "K7M2-QX9R-TB4D-HVWR"}).text


def test_a_scanner_set_to_another_keyboard_is_named_and_what_arrived_stays(app: Flask, desk: FlaskClient) -> None:
    arrived = "HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2QX9RTB4DHVWR"
    answer = desk.post("/redeem", data={"code": arrived})
    assert answer.status_code == 422
    assert "The scanner types for a US keyboard, and this computer has another one: German" in answer.text
    assert "Set the scanner to that one" in answer.text
    assert f'name="code" value="{arrived}"' in answer.text


def test_a_scan_on_another_keyboard_opens_its_certificate(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    address = certificate_address("https://gift.example.com", build.code_of(certificate))
    german = address.translate(str.maketrans("YZ:/", "ZYÖ-"))
    assert desk.post("/redeem", data={"code": german}).location == f"/redeem/{certificate.public_id}"
    assert desk.post("/redeem", data={"code": f"“{address}”."}).location == f"/redeem/{certificate.public_id}"


def test_staff_read_that_a_code_was_replaced_and_how_to_go_on(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    old = build.code_of(certificate)
    build.reissue(certificate)
    order = f'href="/office/orders/{db.session.query(Order).one().id}"'
    answer = desk.post("/redeem", data={"code": old})
    assert answer.status_code == 422
    assert "This code was replaced" in answer.text
    assert "Ask for the newer certificate" in answer.text
    assert "isn’t one of ours" not in answer.text
    assert order not in answer.text
    assert f"/redeem/{certificate.public_id}" not in answer.text
    assert order in signed_in(app, hire("manager")).post("/redeem", data={"code": old}).text
    assert desk.post("/redeem", data={"code": build.code_of(certificate)}).location


def test_the_page_never_shows_the_whole_code(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    text = desk.get(find(desk, certificate)).text
    assert code not in text
    assert format_code(code) not in text
    assert code[-4:] in text


def test_a_certificate_nobody_found_is_not_redeemed_by_its_public_id(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = f"/redeem/{certificate.public_id}"
    assert desk.get(path).status_code == 403
    assert redeem(desk, path, "10").status_code == 403
    assert certificate.balance_cents == 120_00


@both_databases
def test_redeem_takes_the_amount_and_says_version_and_balance(app: Flask) -> None:
    desk, certificate = signed_in(app, hire("staff")), build.certificate()
    answer = redeem(desk, find(desk, certificate), "95.00")
    assert answer.status_code == 200
    assert (answer.json["version"], answer.json["balance_after"], answer.json["taken"]) == (2, 25_00, 95_00)


def test_the_page_after_says_what_was_taken_and_offers_the_undo(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    done = desk.post(path, data={"amount": "other", "other_amount": "$40", "request_key": build.request_key()})
    page = desk.get(done.location).text
    assert "Took $40.00" in page
    assert "$80.00 left" in page
    assert "Undo $40.00" in page


REFUSED = [
    ("0", 422),
    ("-5", 422),
    ("1e400", 422),
    ("٣", 422),
    ("1_000", 422),
    ("12.345", 422),
    ("NaN", 422),
    ("120.01", 409),
]


@pytest.mark.parametrize(("amount", "status"), REFUSED)
def test_an_amount_that_cannot_be_taken_is_refused(app: Flask, desk: FlaskClient, amount: str, status: int) -> None:
    certificate = build.certificate()
    answer = redeem(desk, find(desk, certificate), amount)
    assert answer.status_code == status
    assert answer.json["balance"] == 120_00


def test_an_amount_typed_beside_another_choice_takes_neither(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    form = {"amount": "95.00", "other_amount": "40", "request_key": build.request_key()}
    refused = desk.post(find(desk, certificate), data=form)
    assert refused.status_code == 422
    assert "You chose one amount and typed another" in refused.text
    assert 'value="other" checked' in refused.text
    assert 'value="40"' in refused.text
    assert certificate.balance_cents == 120_00


def test_the_same_form_twice_is_taken_once_and_answered_alike(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path, key = find(desk, certificate), build.request_key()
    first, second = (redeem(desk, path, "10", request_key=key) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert redeem(desk, path, "11", request_key=key).status_code == 409
    assert redeem(desk, path, "10", request_key="short").status_code == 400
    assert certificate.balance_cents == 110_00


def test_a_second_scan_within_two_minutes_says_so_first(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    redeem(desk, path, "95")
    page = desk.get(path).text
    assert "You just took $95.00" in page
    assert 'id="redeem"' not in page
    assert 'id="redeem"' in desk.get(path + "?again=1").text


def test_on_hold_is_said_before_that_something_was_just_taken(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate(balance_cents=25_00, status="frozen")
    page = desk.get(find(desk, certificate)).text
    assert "On hold" in page
    assert "just took" not in page


STATES = [({"status": "frozen"}, "On hold"), ({"mode": "test"}, "A test certificate")]


@pytest.mark.parametrize(("made", "word"), STATES)
def test_what_cannot_be_redeemed_says_why(app: Flask, desk: FlaskClient, made: dict[str, Any], word: str) -> None:
    certificate = build.certificate(**made)
    path = find(desk, certificate)
    page = desk.get(path).text
    assert word in page
    assert 'id="redeem"' not in page
    assert redeem(desk, path, "10").status_code == 409


def test_only_the_page_that_scans_may_use_the_camera(app: Flask, desk: FlaskClient) -> None:
    path = find(desk, build.certificate())
    entry = redeem(desk, path, "10").json["entry"]
    wrong = desk.post("/redeem", data={"code": "K7M2-QX9R-TB4D-HVWA"})  # the same page, with what is wrong
    for answer in (desk.get("/redeem"), wrong):
        assert answer.headers["Permissions-Policy"] == "camera=(self)"
    for address in (path, f"{path}?done={entry}", "/staff/account", "/redeem/unknown", "/redeem/frame"):
        assert desk.get(address).headers["Permissions-Policy"] == "camera=()", address


def test_managers_find_by_words_and_staff_do_not(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate(recipient_name="Zoë Quill")
    assert desk.post("/redeem", data={"code": "Zoë Quill"}).status_code == 422
    page = signed_in(app, hire("manager")).post("/redeem", data={"code": "Zoë Quill"})
    assert f"/redeem/{certificate.public_id}" in page.text


def test_a_frame_of_the_camera_is_read_and_nothing_else_is(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    address = certificate_address("http://127.0.0.1:8000", build.code_of(certificate))
    read = desk.post("/redeem/frame", data=photo_of(address), content_type="image/jpeg")
    assert read.json == {"code": address}
    for frame, status in ((photo_of(address, "PNG"), 204), (b"no picture", 204), (bytes(600_000), 413)):
        assert desk.post("/redeem/frame", data=frame, content_type="image/jpeg").status_code == status
    assert browser(app).post("/redeem/frame", data=photo_of(address)).status_code == 303


def test_a_photo_finds_the_certificate_without_a_script(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    photo = photo_of(certificate_address("http://127.0.0.1:8000", build.code_of(certificate)))
    data = {"photo": (io.BytesIO(photo), "photo.jpg")}
    answer = desk.post("/redeem", data=data, content_type="multipart/form-data")
    assert answer.location == f"/redeem/{certificate.public_id}"


def test_a_redemption_asks_the_database_at_most_ten_times(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    db.session.rollback()
    with statements_to(db.engine) as asked:
        redeem(desk, path, "10")
    queries = [each for each in asked if not each.startswith(("BEGIN", "PRAGMA"))]
    assert len(queries) <= 8, queries  # PostgreSQL waits for copies in one more, and another counts tries
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 2


def test_scans_are_on_record_the_failed_ones_too_and_never_a_code(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    find(desk, certificate)
    wrong = "0123-4567-89AB-CDE4"
    assert desk.post("/redeem", data={"code": wrong}).status_code == 422
    events = db.session.scalars(sa.select(ActivityEvent).where(ActivityEvent.actor.startswith("staff:"))).all()
    assert [event.kind for event in events] == ["scanned", "scan_failed"]
    assert [event.certificate_id for event in events] == [certificate.id, None]
    assert json.loads(events[1].facts) == {"why": "CertificateNotFoundError"}
