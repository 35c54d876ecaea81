"""What a script that sends a form is told instead of being led on: the page where people go on, unopened."""

from flask import Flask

from giftshop.foundation.database import db
from tests import build
from tests.signing_in import browser, hire, signed_in

BY_SCRIPT = {"X-Requested-With": "fetch", "Accept": "text/html"}


def test_a_form_sent_by_a_script_is_told_where_it_leads(app: Flask) -> None:
    desk, certificate = signed_in(app, hire("staff")), build.certificate()
    form = {"code": build.code_of(certificate)}
    page = f"/redeem/{certificate.public_id}"
    answer = desk.post("/redeem", data=form, headers=BY_SCRIPT)
    assert (answer.status_code, answer.json, answer.location) == (200, {"page": page}, None)
    taken = {"amount": "95", "request_key": build.request_key()}
    first, second = (desk.post(page, data=taken, headers=BY_SCRIPT) for _ in range(2))
    assert first.json == second.json
    assert first.json is not None
    assert first.json["page"].startswith(f"{page}?done=")
    assert second.headers["Idempotent-Replayed"] == "true"
    db.session.refresh(certificate)
    assert certificate.balance_cents == 25_00


def test_a_form_sent_by_a_browser_is_led_on(app: Flask) -> None:
    desk, certificate = signed_in(app, hire("staff")), build.certificate()
    assert desk.post("/redeem", data={"code": build.code_of(certificate)}).status_code == 303


def test_a_refusal_is_the_page_that_people_would_see(app: Flask) -> None:
    desk = signed_in(app, hire("staff"))
    form = {"code": "K7M2-QX9R-TB4D-HVWA"}
    by_script, by_browser = (desk.post("/redeem", data=form, headers=more) for more in (BY_SCRIPT, {}))
    assert by_script.status_code == by_browser.status_code == 422
    assert 'id="summary"' in by_script.text
    assert by_script.text.rstrip().endswith("</html>")  # by which a script knows that nothing was cut off


def test_who_is_signed_out_is_led_to_the_sign_in_and_what_was_typed_waits(app: Flask) -> None:
    client = browser(app)
    answer = client.post("/redeem", data={"code": "K7M2"}, headers=BY_SCRIPT)
    assert (answer.status_code, answer.json) == (200, {"page": "/staff/login"})
    with client.session_transaction(base_url="http://127.0.0.1:8000") as kept:
        assert kept["unsent"] == {"page": "/redeem", "fields": {"code": "K7M2"}}


def test_a_page_that_a_script_opens_leads_on_as_ever(app: Flask) -> None:
    assert browser(app).get("/redeem", headers=BY_SCRIPT).status_code == 303
