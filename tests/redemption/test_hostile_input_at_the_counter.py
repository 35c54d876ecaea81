"""Whatever is typed, photographed or forged at the counter: never a broken page, no money moved, the input kept."""

import random
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from markupsafe import escape

from giftshop.documents.qr import certificate_address
from giftshop.errors import NotRedeemedByYouError, RequestKeyMissingError
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate, LedgerEntry, RedemptionNote
from giftshop.web.limiter import limiter
from tests import build
from tests.conftest import both_databases, make_settings
from tests.hostile import as_shown, encode_file, encode_raw, hostile_inputs, send_each
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


def search_each(client: FlaskClient, inputs: list[str]) -> None:
    """Search for each input: the page of searching comes back, says what is wrong and holds what was typed."""
    for typed, page in send_each(client, "/redeem", "code", inputs):
        assert 'id="find"' in page
        assert 'id="summary"' in page
        assert_stands_in("code", typed, page)


def act_with_each(client: FlaskClient, path: str, field: str, inputs: list[str]) -> None:
    """Redeem or undo with each input in a field: the certificate's page comes back and says why nothing was done.

    Only a form without a readable request key gets another page: it cannot be told from a copy.
    """
    typed_amount = "" if field == "amount" else "999"  # more than there is; beside another choice it is never read
    others = {"amount": "other", "other_amount": typed_amount, "entry": "1", "reason": "rang twice"}
    for typed, page in send_each(client, path, field, inputs, **others):
        if field == "request_key" and RequestKeyMissingError().message in page:
            continue
        assert '<div class="till">' in page
        assert 'id="summary"' in page
        if field in ("other_amount", "note"):
            assert_stands_in(field, typed, page)


FIELDS = {
    "": ("amount", "other_amount", "note", "request_key"),
    "/undo": ("entry", "reason", "request_key"),
}
"""The fields of both acts, by what their address adds to the certificate's."""
ACTS = [(act, field) for act, fields in FIELDS.items() for field in fields]


@both_databases
def test_no_input_breaks_the_search_for_a_certificate(app: Flask, database: str) -> None:
    search_each(signed_in(app, hire("manager")), hostile_inputs() if database == "sqlite" else hostile_inputs(60))


@pytest.mark.parametrize(("act", "field"), ACTS)
def test_no_input_breaks_an_act_or_moves_money(app: Flask, act: str, field: str) -> None:
    client = signed_in(app, hire("manager"))
    act_with_each(client, found(client, build.certificate()) + act, field, hostile_inputs())
    assert_nothing_moved()


@both_databases
@pytest.mark.parametrize(("act", "field"), ACTS)
def test_what_a_database_cannot_hold_breaks_no_act(app: Flask, database: str, act: str, field: str) -> None:
    client = signed_in(app, hire("manager"))
    inputs = ["\0", "a\0b", "\ud800", "\U000e0001", str(2**63)]
    act_with_each(client, found(client, build.certificate()) + act, field, inputs)
    assert_nothing_moved()


def break_down(*_anything: object, **_named: object) -> ResponseReturnValue:
    """Answer as a page does that went wrong, with a calm status."""
    return "<h1>That didn’t arrive whole</h1>", 400


@pytest.mark.parametrize(("act", "field"), [("search", "code"), *ACTS])
def test_these_checks_notice_an_answer_that_is_not_the_page(app: Flask, act: str, field: str) -> None:
    client = signed_in(app, hire("manager"))
    path = found(client, build.certificate())
    for endpoint in ("redemption.find", "redemption.redeem", "redemption.undo"):
        app.view_functions[endpoint] = break_down
    check = search_each if act == "search" else partial(act_with_each, path=path + act, field=field)
    with pytest.raises(AssertionError):
        check(client, inputs=["x"])


def test_these_checks_notice_forms_that_are_not_let_in(app: Flask) -> None:
    client = signed_in(app, hire("manager"))
    path = found(client, build.certificate())
    app.config["WTF_CSRF_ENABLED"] = True
    with pytest.raises(AssertionError):
        search_each(client, ["x"])
    for act, field in ACTS:
        with pytest.raises(AssertionError):
            act_with_each(client, path + act, field, ["x"])


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


FORGED = {"staff_id": "1", "mode": "live", "balance_cents": "1", "on": "2020-01-01", "is_manager": "1", "role": "owner"}


def test_forged_fields_change_nothing_of_a_redemption(app: Flask) -> None:
    hire("owner")
    staff, certificate = hire("staff"), build.certificate()
    client, actor = signed_in(app, staff), f"staff:{staff.id}"
    form = {**FORGED, "amount": "10", "request_key": build.request_key()}
    assert client.post(found(client, certificate), data=form).status_code == 303
    entry = db.session.query(LedgerEntry).filter_by(kind="redeem").one()
    assert (entry.actor, entry.amount_cents, entry.balance_after_cents) == (actor, 10_00, 110_00)
    assert db.session.get_one(Certificate, certificate.id).mode == "simulated"


def test_forged_fields_make_nobody_a_manager_who_undoes(app: Flask) -> None:
    client, certificate = signed_in(app, hire("staff")), build.certificate()
    path, entry = found(client, certificate), build.redeem(certificate, 10_00, actor="staff:99")
    db.session.commit()
    form = {**FORGED, "entry": entry, "reason": "rang twice", "request_key": build.request_key()}
    refused = client.post(f"{path}/undo", data=form)
    assert refused.status_code == 409
    assert NotRedeemedByYouError().message in refused.text
    assert db.session.get_one(Certificate, certificate.id).balance_cents == 110_00


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
