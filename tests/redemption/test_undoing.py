"""Undoing at the till: by whom, until when, with which reason; the page asks for what the rule will ask for."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.foundation.database import db
from tests import build
from tests.redemption.desk import JSON, find, redeem
from tests.signing_in import hire, signed_in


def test_undo_gives_it_back_once(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    entry = redeem(desk, path, "95").json["entry"]
    form = {"entry": entry, "request_key": build.request_key()}
    assert desk.post(f"{path}/undo", data=form, headers=JSON).json["balance_after"] == 120_00
    again = desk.post(f"{path}/undo", data={**form, "request_key": build.request_key()}, headers=JSON)
    assert again.status_code == 409


def test_a_colleague_cannot_undo_it_but_a_manager_with_a_reason_can(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    path = find(desk, certificate)
    entry = redeem(desk, path, "95").json["entry"]
    colleague = signed_in(app, hire("staff", "other@practice.example"))
    manager = signed_in(app, hire("manager"))
    for client, reason, status in ((colleague, "", 409), (manager, "", 409), (manager, "rang twice", 200)):
        find(client, certificate)
        form = {"entry": entry, "request_key": build.request_key(), "reason": reason}
        assert client.post(f"{path}/undo", data=form, headers=JSON).status_code == status


def undo_three(client: FlaskClient) -> None:
    """Use up a person's undos of a day."""
    path = find(client, build.certificate())
    for _ in range(3):
        entry = redeem(client, path, "1").json["entry"]
        form = {"entry": entry, "request_key": build.request_key()}
        assert client.post(f"{path}/undo", data=form).status_code == 303


def test_after_three_undos_a_day_a_managers_own_fresh_one_asks_for_a_reason_and_works(app: Flask) -> None:
    manager = signed_in(app, hire("manager"))
    undo_three(manager)
    certificate = build.certificate()
    path = find(manager, certificate)
    entry = redeem(manager, path, "95").json["entry"]
    assert 'name="reason"' in manager.get(f"{path}?done={entry}").text
    form = {"entry": entry, "request_key": build.request_key()}
    refused = manager.post(f"{path}/undo", data=form)
    assert refused.status_code == 409
    assert 'href="#reason"' in refused.text
    assert 'id="reason"' in refused.text
    again = {**form, "request_key": build.request_key(), "reason": "rang twice"}
    assert manager.post(f"{path}/undo", data=again).status_code == 303
    assert certificate.balance_cents == 120_00


def test_after_three_undos_a_day_staff_read_that_a_manager_has_to_confirm(app: Flask, desk: FlaskClient) -> None:
    undo_three(desk)
    path = find(desk, build.certificate())
    entry = redeem(desk, path, "95").json["entry"]
    page = desk.get(f"{path}?done={entry}").text
    assert "A manager has to confirm the next one" in page
    assert f'action="{path}/undo"' not in page
    assert "Took $95.00" in page


def test_a_refused_undo_is_asked_for_again_even_if_more_was_taken_since(app: Flask) -> None:
    manager = signed_in(app, hire("manager"))
    certificate = build.certificate()
    path = find(manager, certificate)
    old = build.redeem(certificate, 50_00, actor="staff:99", at=clock.now() - timedelta(minutes=20))
    db.session.commit()
    newer = redeem(manager, path, "20").json["entry"]
    refused = manager.post(f"{path}/undo", data={"entry": old, "request_key": build.request_key()})
    assert 'id="reason"' in refused.text
    assert f'name="entry" value="{old}"' in refused.text
    assert f'name="entry" value="{newer}"' in manager.get(path).text
