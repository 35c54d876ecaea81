"""Whatever is typed, photographed or forged at the counter: never a broken page, no money moved, the input kept."""

import random

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from giftshop.certificates.models import Certificate, LedgerEntry, RedemptionNote
from giftshop.certificates.qr import certificate_address
from giftshop.database import db
from giftshop.limits import limiter
from giftshop.settings import Settings
from tests import build
from tests.conftest import both_databases, make_settings
from tests.hostile import CALM, as_shown, encode_file, encode_raw, hostile_inputs, send_each
from tests.redemption.pictures import photo_of
from tests.signing_in import browser, hire, signed_in


@pytest.fixture
def settings(database: str, database_url: str) -> Settings:
    """Tries are counted in memory where their counting is not the point: each costs a flush to the disk."""
    return make_settings(database_url, ratelimit_storage_uri="memory://" if database == "sqlite" else "")


def found(client: FlaskClient, certificate: Certificate) -> str:
    """Find a certificate; return the path of its page."""
    return str(client.post("/redeem", data={"code": build.code_of(certificate)}).location)


def assert_stands_in(field: str, typed: str, page: str) -> None:
    """Check that what was typed stands in the field again, as a browser reads it."""
    assert f'name="{field}" value="{escape(as_shown(typed))}"' in page


def assert_nothing_moved() -> None:
    db.session.rollback()
    assert [row.balance_cents for row in db.session.query(Certificate)] == [120_00]
    assert db.session.query(LedgerEntry).count() == 1


@both_databases
def test_no_input_breaks_the_search_for_a_certificate(app: Flask, database: str) -> None:
    client = signed_in(app, hire("manager"))
    inputs = hostile_inputs() if database == "sqlite" else hostile_inputs(60)
    for typed, page in send_each(client, "/redeem", "code", inputs):
        assert 'id="summary"' in page
        assert_stands_in("code", typed, page)


@pytest.mark.parametrize("field", ["amount", "other_amount", "note", "request_key"])
def test_no_input_in_a_redemption_breaks_it_or_moves_money(app: Flask, field: str) -> None:
    client = signed_in(app, hire("staff"))
    path = found(client, build.certificate())
    wrong = {"amount": "other", "other_amount": "999"}  # too much, should anything hostile pass for a good value
    for typed, page in send_each(client, path, field, hostile_inputs(), **wrong):
        assert field == "request_key" or 'id="summary"' in page
        if field in ("other_amount", "note"):
            assert_stands_in(field, typed, page)
    assert_nothing_moved()


@pytest.mark.parametrize("field", ["entry", "reason", "request_key"])
def test_no_input_in_an_undo_breaks_it_or_moves_money(app: Flask, field: str) -> None:
    client = signed_in(app, hire("manager"))
    path = found(client, build.certificate())
    issue = str(db.session.query(LedgerEntry).one().id)  # an entry, but not one that can be undone
    db.session.rollback()
    for _typed, page in send_each(client, f"{path}/undo", field, hostile_inputs(), entry=issue, reason="rang twice"):
        assert "<h1" in page
    assert_nothing_moved()


@both_databases
@pytest.mark.parametrize(("act", "field"), [("", "note"), ("", "request_key"), ("/undo", "reason"), ("/undo", "entry")])
def test_what_a_database_cannot_hold_breaks_no_act(app: Flask, database: str, act: str, field: str) -> None:
    client = signed_in(app, hire("manager"))
    path = found(client, build.certificate())
    others = {"amount": "999", "entry": "1", "reason": "rang twice"}
    for _typed, page in send_each(
        client, path + act, field, ["\0", "a\0b", "\ud800", "\U000e0001", str(2**63)], **others
    ):
        assert "<h1" in page
    assert_nothing_moved()


@both_databases
def test_a_note_is_kept_as_one_plain_line_or_refused(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    certificate = build.certificate()
    path, taken = found(client, certificate), 0
    for note in hostile_inputs(60):
        form = {"amount": "0.01", "note": note, "request_key": build.request_key()}
        answer = client.post(path, **encode_raw(form))
        assert answer.status_code in (303, 422), note[:60]
        taken += answer.status_code == 303
    db.session.rollback()
    assert db.session.get_one(Certificate, certificate.id).balance_cents == 120_00 - taken
    assert all(note.text.isprintable() and len(note.text) <= 140 for note in db.session.query(RedemptionNote))


def test_forged_fields_change_nothing(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    path = found(client, build.certificate())
    forged = {
        "staff_id": "1",
        "mode": "live",
        "balance_cents": "1",
        "on": "2020-01-01",
        "is_manager": "1",
        "role": "owner",
    }
    for address in (path, f"{path}/undo"):
        assert client.post(address, data={**forged, "request_key": build.request_key()}).status_code in CALM
    assert_nothing_moved()


def broken_pictures(count: int = 500) -> list[bytes]:
    """Return pictures of a code that were cut, mixed up or claim to be enormous, the same in every run."""
    chance = random.Random(20261125)
    address = certificate_address("http://127.0.0.1:8000", "K7M2QX9RTB4DHVWR")
    good = [photo_of(address, kind) for kind in ("JPEG", "PNG", "WEBP")]
    enormous = bytearray(good[0])
    start = enormous.index(b"\xff\xc0") + 5
    enormous[start : start + 4] = b"\xff\xff\xff\xff"
    pictures = [b"", b"\0", bytes(enormous), b"GIF89a" + bytes(100), b"<svg onload=alert(1)>", b"%PDF-1.7"]
    while len(pictures) < count:
        picture = bytearray(chance.choice(good))
        for _ in range(chance.choice((1, 3, 20))):
            picture[chance.randrange(min(len(picture), 400))] = chance.randrange(256)
        pictures.append(bytes(picture[: chance.randrange(len(picture))] if chance.random() < 0.3 else picture))
    return pictures


def test_no_picture_breaks_the_counter(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    for picture in broken_pictures():
        limiter.reset()
        frame = client.post("/redeem/frame", data=picture, content_type="image/jpeg")
        assert frame.status_code in (200, 204)
        answer = client.post("/redeem", **encode_file("photo", "<script>alert(1)</script>.jpg", picture))
        assert answer.status_code == 422
        assert 'id="summary"' in answer.text
        assert "alert(1)" not in answer.text


def test_a_frame_or_a_photo_too_large_is_refused(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    assert client.post("/redeem/frame", data=bytes(600_000), content_type="image/jpeg").status_code == 413
    assert client.post("/redeem", **encode_file("photo", "photo.jpg", bytes(17_000_000))).status_code == 413


def test_a_stranger_may_not_send_a_photo_of_a_phones_size(app: Flask) -> None:
    answer = browser(app).post("/redeem", **encode_file("photo", "photo.jpg", bytes(2_000_000)))
    assert answer.status_code == 413


def test_what_a_stranger_types_at_the_counter_waits_for_them_shortened(app: Flask) -> None:
    client = browser(app)
    for hostile in hostile_inputs(100):
        answer = client.post("/redeem", **encode_raw({"code": hostile}))
        assert (answer.status_code, answer.location) == (303, "/staff/login")
        assert len(answer.headers["Set-Cookie"]) < 4093
