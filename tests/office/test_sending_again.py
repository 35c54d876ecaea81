"""Sending a message again from the office: the form, its refusals, and one message however often it is pressed."""

import pytest

from giftshop import clock
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.models import Order
from tests import build
from tests.office.conftest import Desk, path_of
from tests.orders.stripe_side import StripeSide


@pytest.fixture
def failed(stripe_side: StripeSide) -> Delivery:
    """The gift's message of a paid order, given up."""
    stripe_side.sell_one(50_00)
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    message.state, message.last_error, message.ended_at = "failed", "The address was refused (550).", clock.now()
    db.session.commit()
    return message


def test_the_form_knows_where_it_went_and_why_it_failed(manager: Desk, failed: Delivery) -> None:
    page = manager.open(f"/office/messages/{failed.id}/resend").text
    assert 'value="ana@example.com"' in page
    assert "The address was refused (550)." in page


def test_the_same_press_twice_sends_one_message(manager: Desk, failed: Delivery) -> None:
    key = build.request_key()
    for _ in range(2):
        answer = manager.send(f"/office/messages/{failed.id}/resend", address=" Ana@Example.org ", request_key=key)
        assert answer.status_code == 303
    page = manager.read(answer.location)
    assert "The message goes out again." in page
    assert "Sent again, see below." in page
    (successor,) = db.session.query(Delivery).filter(Delivery.replaces_id == failed.id)
    assert successor.to_address == "Ana@example.org"
    assert answer.location.startswith(path_of(db.session.get_one(Order, failed.order_id)))


REFUSED = [
    "",
    "ana",
    "ana@",
    "ana@example.com, iris@example.com",
    "ana@example.com\r\nBcc: x@example.com",
    "ana@пример",
]


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_no_address_is_refused_and_stays_in_the_field(manager: Desk, failed: Delivery, typed: str) -> None:
    answer = manager.send(f"/office/messages/{failed.id}/resend", address=typed)
    assert (answer.status_code, "Enter an e-mail address" in answer.text) == (422, True)
    assert db.session.query(Delivery).filter(Delivery.replaces_id == failed.id).count() == 0


def test_a_message_that_was_sent_again_meanwhile_is_refused(manager: Desk, failed: Delivery) -> None:
    path = f"/office/messages/{failed.id}/resend"
    assert manager.send(path, address="ana@example.org").status_code == 303
    answer = manager.send(path, address="ana@example.net")
    assert (answer.status_code, "sent again already" in answer.text) == (409, True)


def test_an_alert_about_no_order_leads_back_to_the_first_page(manager: Desk) -> None:
    alert_owner(AlertKind.MANY_FAILED_SCANS, "test", "Something happened.")
    db.session.commit()
    alert = db.session.query(Delivery).one()
    answer = manager.send(f"/office/messages/{alert.id}/resend", address="owner@example.org")
    assert answer.location == "/office/"


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_office_is_asked_too_before_it_sends_again(manager: Desk, failed: Delivery, is_kept: bool) -> None:
    misspelt, meant = "ana@gmial.com", "ana@gmail.com"
    path = f"/office/messages/{failed.id}/resend"
    page = manager.send(path, address=misspelt)
    assert page.status_code == 422
    assert f"Did you mean {meant}?" in page.text
    asked = {"asked_address": misspelt}
    assert f'name="asked_address" value="{misspelt}"' in page.text
    chosen = asked if is_kept else {"take": f"address {meant}", **asked}
    assert manager.send(path, address=misspelt, **chosen).status_code == 303
    db.session.rollback()
    newest = db.session.query(Delivery).order_by(Delivery.id.desc()).first()
    assert newest is not None
    assert newest.to_address == (misspelt if is_kept else meant)
