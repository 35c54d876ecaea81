"""Signed out while a form is open: it is never acted on, it leads to the sign-in, and what was typed is still there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.staff import sessions
from giftshop.staff.models import Staff
from tests import build
from tests.redemption.pictures import photo_of
from tests.signing_in import browser, hire, send_form, sign_in_by_form, signed_in, token_of

TYPED = "K7M2-QX9R-TB4D-HVWR"
JSON = {"Accept": "application/json"}


def sign_out_in_another_tab(client: FlaskClient, _staff: Staff) -> None:
    assert send_form(client, "/redeem", to="/staff/logout").location == "/staff/login"


def lose_the_cookie(client: FlaskClient, _staff: Staff) -> None:
    client.delete_cookie("giftshop", domain="127.0.0.1")


def be_signed_out_by_the_owner(_client: FlaskClient, staff: Staff) -> None:
    sessions.close_sessions_of(staff)
    db.session.commit()


ENDINGS: list[Callable[[FlaskClient, Staff], None]] = [
    sign_out_in_another_tab,
    lose_the_cookie,
    be_signed_out_by_the_owner,
]
every_ending = pytest.mark.parametrize("end", ENDINGS)


@pytest.fixture
def staff(app: Flask) -> Staff:
    """A person at the front desk."""
    return hire("staff")


@pytest.fixture
def desk(app: Flask, staff: Staff) -> FlaskClient:
    """Their browser, signed in; from here on forms need their tokens."""
    return signed_in(app, staff, with_tokens=True)


def find(desk: FlaskClient, certificate: Certificate) -> str:
    """Find a certificate; return the path of its page."""
    return str(send_form(desk, "/redeem", code=build.code_of(certificate)).location)


def left_on(certificate: Certificate) -> int:
    db.session.rollback()
    return db.session.get_one(Certificate, certificate.id).balance_cents


@every_ending
def test_a_typed_code_is_still_there_after_signing_in_again(desk: FlaskClient, staff: Staff, end: Any) -> None:
    token = token_of(desk.get("/redeem").text)
    end(desk, staff)
    assert desk.post("/redeem", data={"code": TYPED, "csrf_token": token}).location == "/staff/login"
    assert sign_in_by_form(desk, staff) == "/redeem"
    assert f'value="{TYPED}"' in desk.get("/redeem").text
    assert TYPED not in desk.get("/redeem").text  # it was there once; the next scan starts with an empty field


def test_a_typed_code_outlasts_half_an_hour_of_idling(desk: FlaskClient, staff: Staff) -> None:
    token = token_of(desk.get("/redeem").text)
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=True):
        assert desk.post("/redeem", data={"code": TYPED, "csrf_token": token}).location == "/staff/login"
        sign_in_by_form(desk, staff)
        assert f'value="{TYPED}"' in desk.get("/redeem").text


@every_ending
def test_a_redemption_sent_while_signed_out_is_filled_in_again_and_is_still_the_same_request(
    desk: FlaskClient, staff: Staff, end: Any
) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    key = build.request_key()
    form = {"amount": "other", "other_amount": "40", "note": "ran late", "request_key": key}
    form["csrf_token"] = token_of(desk.get(path).text)
    end(desk, staff)
    assert desk.post(path, data=form).location == "/staff/login"
    assert left_on(certificate) == 120_00
    assert sign_in_by_form(desk, staff) == "/redeem"
    assert "Find it once more" in desk.get("/redeem").text
    page = desk.get(find(desk, certificate)).text
    for kept in ('value="other" checked', 'value="40"', 'value="ran late"', f'name="request_key" value="{key}"'):
        assert kept in page
    assert "Find it once more" not in desk.get("/redeem").text


def test_a_redemption_whose_answer_was_lost_with_the_sign_in_is_not_done_twice(desk: FlaskClient, staff: Staff) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    form = {"amount": "40", "request_key": build.request_key(), "csrf_token": token_of(desk.get(path).text)}
    assert desk.post(path, data=form).status_code == 303  # nobody saw this answer
    be_signed_out_by_the_owner(desk, staff)
    assert desk.post(path, data=form).location == "/staff/login"
    with time_machine.travel(clock.now() + timedelta(minutes=3), tick=True):
        sign_in_by_form(desk, staff)
        page = desk.get(find(desk, certificate)).text
        again = {**form, "csrf_token": token_of(page)}
        assert f'name="request_key" value="{form["request_key"]}"' in page
        assert desk.post(path, data=again).headers["Idempotent-Replayed"] == "true"
    assert left_on(certificate) == 80_00


@every_ending
def test_a_camera_is_told_that_its_person_is_signed_out(desk: FlaskClient, staff: Staff, end: Any) -> None:
    token = token_of(desk.get("/redeem").text)
    end(desk, staff)
    headers = {**JSON, "X-CSRFToken": token}
    answer = desk.post("/redeem/frame", data=photo_of("x"), content_type="image/jpeg", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/redeem", "/redeem/frame", "/redeem/unknown", "/redeem/unknown/undo"])
def test_a_program_without_a_sign_in_is_told_so_in_json(app: Flask, path: str) -> None:
    answer = browser(app, with_tokens=True).post(path, data={"code": TYPED}, headers=JSON)
    assert (answer.status_code, answer.is_json) == (401, True)


def test_a_form_older_than_the_sign_in_is_refused_and_what_was_typed_waits_on_its_page(
    desk: FlaskClient, staff: Staff
) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    old = token_of(desk.get(path).text)
    sign_out_in_another_tab(desk, staff)
    sign_in_by_form(desk, staff)
    find(desk, certificate)
    form = {"amount": "other", "other_amount": "40", "request_key": build.request_key(), "csrf_token": old}
    refused = desk.post(path, data=form)
    assert refused.status_code == 403
    assert "Please send that once more" in refused.text
    assert f'href="{path}">Open the page again' in refused.text
    assert left_on(certificate) == 120_00
    page = desk.get(path).text
    assert 'value="40"' in page
    assert desk.post(path, data={**form, "csrf_token": token_of(page)}).status_code == 303
    assert left_on(certificate) == 80_00


def test_a_program_with_an_old_token_is_told_so_in_json(desk: FlaskClient) -> None:
    for path, sent in (("/redeem", {"data": {"code": TYPED}}), ("/redeem/frame", {"data": photo_of("x")})):
        answer = desk.post(path, headers=JSON, **sent)
        assert answer.status_code == 403
        assert "out of date" in answer.json["error"]


def test_an_undo_older_than_the_sign_in_leads_to_the_certificates_page(desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    refused = desk.post(f"{path}/undo", data={"entry": "1", "reason": "rang twice"})
    assert refused.status_code == 403
    assert f'href="{path}">Open the page again' in refused.text


def test_a_sign_in_form_without_its_cookie_keeps_the_address_and_never_the_password(app: Flask) -> None:
    client = browser(app, with_tokens=True)
    refused = client.post("/staff/login", data={"email": "desk@practice.example", "password": "not-to-be-kept"})
    assert refused.status_code == 403
    with client.session_transaction(base_url="http://127.0.0.1:8000") as session:
        assert "not-to-be-kept" not in str(dict(session))
    assert 'value="desk@practice.example"' in client.get("/staff/login").text


@pytest.mark.parametrize("path", ["/staff/account", "/staff/second-step", "/staff/enrol"])
def test_no_secret_of_a_form_without_its_token_is_kept(desk: FlaskClient, path: str) -> None:
    secrets = {"password": "one-secret", "new_password": "one-secret", "code": "one-secret", "csrf_token": "one-secret"}
    assert desk.post(path, data=secrets).status_code == 403
    with desk.session_transaction(base_url="http://127.0.0.1:8000") as session:
        assert "one-secret" not in str(dict(session))


OFFICE = {
    "/office/certificates/{certificate}/freeze": {"reason": "lost in the post"},
    "/office/certificates/{certificate}/refund": {"reason": "lost in the post", "amount": "12.34"},
    "/office/messages/{message}/resend": {"address": "ana@elsewhere.example"},
    "/office/orders/{order}/note": {"text": "She rang on Friday"},
}


@pytest.mark.parametrize("form", OFFICE)
def test_the_office_leads_back_to_the_page_of_the_form_with_what_was_typed(app: Flask, form: str) -> None:
    owner, certificate = hire("owner"), build.certificate()
    message = db.session.query(Delivery).filter_by(kind="certificate").one()
    path = form.format(certificate=certificate.public_id, message=message.id, order=message.order_id)
    typed = {**OFFICE[form], "request_key": build.request_key()}
    desk = signed_in(app, owner, with_tokens=True)
    be_signed_out_by_the_owner(desk, owner)
    assert desk.post(path, data=typed).location == "/staff/login"
    page = sign_in_by_form(desk, owner)
    assert page == path.removesuffix("/note")
    shown = desk.get(page).text
    assert all(value in shown for value in typed.values())


@pytest.mark.parametrize("length", [10, 1_000, 100_000])
def test_what_is_kept_never_outgrows_a_cookie(app: Flask, length: int) -> None:
    client = browser(app, with_tokens=True)
    form = {"code": "é" * length, "note": "n" * length, "request_key": build.request_key()}
    answer = client.post("/redeem/" + "x" * 150, data=form)
    assert answer.location == "/staff/login"
    assert len(answer.headers["Set-Cookie"]) < 4093
