"""Where and when a gift goes, changed by its buyer: the address, the day, or not at all."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import letters
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Gift, Order
from tests import build
from tests.office.conftest import words_of
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor, errors_of, heading
from tests.storefront.order_buyer import (
    LATER,
    NEXT_WEEK,
    TODAY,
    Buyer,
    buy,
    messages,
    nine_o_clock,
    only_code,
    put,
    trail_of_buyer,
)


@pytest.fixture
def waiting(visitor: Visitor, stripe_side: StripeSide) -> Buyer:
    """The buyer of a gift that goes out in a week."""
    return buy(visitor, stripe_side, deliver_on=NEXT_WEEK.isoformat())


@pytest.fixture
def sent(visitor: Visitor, stripe_side: StripeSide) -> Buyer:
    """The buyer of a gift that has gone out."""
    buyer = buy(visitor, stripe_side)
    put(state="sent", attempts=1, sent_at=clock.now())
    return buyer


# --- before it is sent ------------------------------------------------------------------------------


def test_an_address_corrected_before_sending_is_used_on_the_day_chosen(waiting: Buyer) -> None:
    code = only_code()
    answer = waiting.change("address", address=" Ana@Example.org ")
    assert (answer.status_code, answer.location) == (303, f"{waiting.path}?done=address")
    old, new = messages()
    assert (old.state, old.to_address) == ("cancelled", "ana@example.com")
    assert (new.state, new.to_address, new.send_at) == ("scheduled", "Ana@example.org", nine_o_clock(NEXT_WEEK))
    assert old.message_id != new.message_id
    assert only_code() == code
    assert trail_of_buyer() == ["sent_again"]
    words = words_of(waiting.visitor.open(answer.location).text)
    assert "It goes to that address." in words
    assert "Goes to Ana@example.org on" in words


def test_another_day_keeps_hour_and_zone(waiting: Buyer) -> None:
    assert waiting.change("day", day=LATER.isoformat()).status_code == 303
    old, new = messages()
    assert (old.state, new.state, new.send_at) == ("cancelled", "scheduled", nine_o_clock(LATER))
    assert (old.send_on, new.send_on) == (NEXT_WEEK, LATER)
    assert db.session.query(Gift).one().deliver_on == LATER
    assert trail_of_buyer() == ["day_changed"]


def test_an_empty_day_sends_it_now(waiting: Buyer) -> None:
    assert waiting.change("day", day="").status_code == 303
    assert messages()[-1].send_at <= clock.now()


def test_a_gift_that_is_not_to_be_sent_is_there_to_print_and_can_be_sent_later(waiting: Buyer) -> None:
    answer = waiting.change("cancel")
    assert answer.status_code == 303
    (message,) = messages()
    assert message.state == "cancelled"
    page = waiting.visitor.open(waiting.path)
    assert heading(page) == "Thank you, Marko. Ana’s certificate is ready to print."
    assert f"/c/{only_code()}/certificate.pdf" in page.text
    db.session.rollback()
    assert waiting.change("address", address="ana@example.com").status_code == 303
    assert [each.state for each in messages()] == ["cancelled", "scheduled"]
    page = waiting.visitor.open(waiting.path)
    assert "/c/" not in page.text
    assert trail_of_buyer() == ["sending_cancelled", "sent_again"]


def test_a_cancelled_gift_can_be_given_a_day(waiting: Buyer) -> None:
    waiting.change("cancel")
    assert waiting.change("day", day=LATER.isoformat()).status_code == 303
    assert (messages()[-1].send_at, db.session.query(Gift).one().delivery) == (nine_o_clock(LATER), "recipient")


# --- after it was sent ------------------------------------------------------------------------------


def test_a_gift_at_the_wrong_address_is_sent_again_with_a_new_code(sent: Buyer) -> None:
    old_code = only_code()
    assert sent.change("address", address="ana@example.org").status_code == 303
    first, second = messages()
    assert (first.state, first.to_address) == ("sent", "ana@example.com")
    assert (second.state, second.to_address, second.replaces_id) == ("scheduled", "ana@example.org", first.id)
    assert second.message_id != first.message_id
    new_code = only_code()
    assert new_code != old_code
    assert sent.visitor.open(f"/c/{old_code}").status_code == 404
    assert trail_of_buyer() == ["reissued", "sent_again"]
    page = sent.visitor.open(sent.path)
    assert new_code not in page.text.replace("-", "")
    assert "an older email or print of it no longer works" in page.text


def test_a_new_code_on_its_way_to_the_wrong_address_is_stopped(sent: Buyer) -> None:
    certificate = db.session.query(Certificate).one()
    status.reissue(certificate.id, reason_code="lost", actor="staff:1", at=clock.now())
    assert letters.queue_new_code(db.session.query(Gift).one(), certificate, at=clock.now())
    db.session.commit()
    assert sent.change("address", address="ana@example.org").status_code == 303
    assert db.session.query(Delivery).filter_by(kind="reissued").one().state == "cancelled"


def test_the_same_address_gets_the_same_code_once_more(sent: Buyer) -> None:
    code = only_code()
    assert sent.change("address", address="ana@example.com").status_code == 303
    assert len(messages()) == 2
    assert only_code() == code


def test_a_failed_message_is_fixed_and_sent_again(waiting: Buyer) -> None:
    put(state="failed", attempts=1, last_error="Refused.", ended_at=clock.now())
    assert f'action="{waiting.path}/gifts/1/address"' in waiting.visitor.open(waiting.path).text
    assert waiting.change("address", address="ana@example.org").status_code == 303
    assert messages()[-1].send_at <= clock.now()


def test_a_certificate_that_was_opened_does_not_go_to_another_address(sent: Buyer, app: Flask) -> None:
    code = only_code()
    opened = Visitor(app.test_client(), sent.visitor.base_url).open_certificate(code)
    assert opened.status_code == 204
    answer = sent.change("address", address="stranger@example.org")
    assert answer.status_code == 409
    assert "opened or used already" in errors_of(answer)["address"]
    assert len(messages()) == 1
    assert only_code() == code
    assert sent.change("address", address="ana@example.com").status_code == 303


def test_a_link_that_a_mail_program_checked_does_not_keep_a_gift_from_its_right_address(
    sent: Buyer, app: Flask
) -> None:
    code = only_code()
    assert Visitor(app.test_client(), sent.visitor.base_url).open(f"/c/{code}").status_code == 200
    assert sent.change("address", address="ana@example.org").status_code == 303
    assert only_code() != code


def test_a_look_kept_before_openings_were_told_apart_still_counts_as_one(sent: Buyer) -> None:
    activity_log.note(Activity.VIEWED, actor="holder", certificate_id=db.session.query(Certificate).one().id)
    db.session.commit()
    assert sent.change("address", address="stranger@example.org").status_code == 409


def test_a_certificate_that_was_used_does_not_go_to_another_address(sent: Buyer) -> None:
    build.redeem(db.session.query(Certificate).one(), 20_00)
    db.session.commit()
    assert sent.change("address", address="stranger@example.org").status_code == 409
    assert len(messages()) == 1


def test_the_buyers_own_copy_is_sent_again_to_the_buyer(visitor: Visitor, stripe_side: StripeSide) -> None:
    buyer = buy(visitor, stripe_side, delivery="buyer")
    put(state="sent", attempts=1, sent_at=clock.now())
    assert buyer.change("copy").status_code == 303
    copies = db.session.query(Delivery).filter_by(kind="certificate").order_by(Delivery.id)
    assert [each.to_address for each in copies] == ["marko@example.com"] * 2


# --- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["", "ana", "ana@", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com", "a\x00@example.com"],
)
def test_what_is_no_address_is_refused_and_stays_in_the_field(waiting: Buyer, typed: str) -> None:
    answer = waiting.change("address", address=typed)
    assert answer.status_code == 422
    assert errors_of(answer) == {"address": "Enter their email address, like name@example.com"}
    assert waiting.visitor.fields["address"].split() == typed.replace("\0", "\ufffd").split()
    assert len(messages()) == 1


@pytest.mark.parametrize("typed", [(TODAY - timedelta(days=1)).isoformat(), "2126-01-01", "tomorrow"])
def test_a_day_that_cannot_be_is_refused_and_stays_in_the_field(waiting: Buyer, typed: str) -> None:
    answer = waiting.change("day", day=typed)
    assert (answer.status_code, list(errors_of(answer))) == (422, ["day"])
    assert waiting.visitor.fields["day"] == typed
    assert len(messages()) == 1


@pytest.mark.parametrize(
    ("state", "offered"),
    [("scheduled", "address day cancel"), ("sending", ""), ("sent", "address"), ("failed", "address")],
)
def test_only_what_can_still_be_changed_is_offered_and_taken(waiting: Buyer, state: str, offered: str) -> None:
    waiting.open()
    put(state=state)
    page = waiting.visitor.ask(f"{waiting.path}/gifts/1", method="GET").text
    for way in ("address", "day", "cancel", "copy"):
        assert (f'/gifts/1/{way}"' in page) == (way in offered.split())
        if way not in offered.split():
            fields = {"address": "x@example.org", "day": LATER.isoformat(), "request_key": build.request_key()}
            assert waiting.visitor.send(f"{waiting.path}/gifts/1/{way}", fields).status_code == 409
    assert len(messages()) == 1


def test_a_gift_on_hold_or_ended_is_not_changed(waiting: Buyer) -> None:
    why = {"reason_code": "asked", "actor": "staff:1", "at": clock.now()}
    acts = [
        lambda certificate_id: status.freeze_by_hand(certificate_id, **why),
        lambda certificate_id: status.void(certificate_id, request_key=build.request_key(), **why),
    ]
    waiting.open()
    for act in acts:
        act(db.session.query(Certificate.id).scalar())
        db.session.commit()
        page = waiting.visitor.ask(f"{waiting.path}/gifts/1", method="GET")
        assert "Nothing can be changed here just now" in page.text
        fields = {"address": "x@example.org", "request_key": build.request_key()}
        assert waiting.visitor.send(f"{waiting.path}/gifts/1/address", fields).status_code == 409
    assert len(messages()) == 1


def test_the_same_form_sent_twice_sends_one_message(sent: Buyer) -> None:
    sent.open()
    key = sent.visitor.fields["request_key"]
    for _ in range(2):
        fields = {"address": "ana@example.org", "request_key": key}
        assert sent.visitor.send(f"{sent.path}/gifts/1/address", fields).status_code == 303
    assert len(messages()) == 2


def test_three_mails_an_hour_and_then_the_buyer_is_asked_to_wait_with_the_address_kept(sent: Buyer) -> None:
    for number in range(3):
        assert sent.change("address", address="ana@example.com").status_code == 303
        put(state="sent")
        assert len(messages()) == number + 2
    answer = sent.change("address", address="ana@example.org")
    assert answer.status_code == 429
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert "Wait 60 minutes, or call us" in answer.text
    assert sent.visitor.fields["address"] == "ana@example.org"
    assert len(messages()) == 4


def test_what_is_refused_and_what_sends_nothing_costs_no_mail(waiting: Buyer) -> None:
    for number in range(4):
        assert waiting.change("address", address="nobody").status_code == 422
        assert waiting.change("address", address=f"ana{number}@example.com").status_code == 303
        assert waiting.change("day", day=LATER.isoformat()).status_code == 303
    messages_waiting = sa.update(Delivery).where(Delivery.kind == "gift", Delivery.state == "scheduled")
    db.session.execute(messages_waiting.values(state="sent", attempts=1, sent_at=clock.now()))
    db.session.commit()
    assert waiting.change("address", address="ana@example.org").status_code == 303


def test_another_order_from_the_same_network_has_letters_of_its_own(
    sent: Buyer, app: Flask, stripe_side: StripeSide
) -> None:
    for _ in range(3):
        assert sent.change("address", address="ana@example.com").status_code == 303
        put(state="sent")
    colleague = Visitor(app.test_client(), sent.visitor.base_url)
    colleague.open("/gift")
    assert colleague.send("/gift", colleague.fill_gift()).status_code == 303
    order = db.session.query(Order).order_by(Order.id.desc()).first()
    assert order is not None
    stripe_side.tell("checkout.session.completed", stripe_side.pay(order))
    other = Buyer(colleague, f"/orders/{token_of(order)}")
    put(state="sent", attempts=1, sent_at=clock.now())
    assert other.change("address", address="ana@example.org").status_code == 303


def test_ten_gifts_of_one_order_are_each_sent_again(visitor: Visitor, stripe_side: StripeSide) -> None:
    visitor.open("/gift")
    for _ in range(9):
        visitor.send("/gift", visitor.fill_gift() | {"add_gift": "1"})
    gifts = {name: value for number in range(10) for name, value in visitor.fill_gift(number).items()}
    assert visitor.send("/gift", gifts).status_code == 303
    order = db.session.query(Order).one()
    stripe_side.tell("checkout.session.completed", stripe_side.pay(order))
    put(state="sent", attempts=1, sent_at=clock.now())
    path = f"/orders/{token_of(order)}/gifts"
    db.session.rollback()
    for number in range(1, 11):
        visitor.open(f"{path}/{number}")
        assert visitor.send(f"{path}/{number}/address", {"address": "ana@example.org"}).status_code == 303


def test_the_same_form_with_another_address_is_shown_again_to_be_sent_once_more(waiting: Buyer) -> None:
    waiting.open()
    key = waiting.visitor.fields["request_key"]
    statuses = []
    for address in ("ana@example.org", "ana@example.net"):
        fields = {"address": address, "request_key": key}
        statuses.append(waiting.visitor.send(f"{waiting.path}/gifts/1/address", fields).status_code)
    assert statuses == [303, 409]
    assert waiting.visitor.fields["address"] == "ana@example.net"
    assert waiting.visitor.send(f"{waiting.path}/gifts/1/address").status_code == 303
    assert messages()[-1].to_address == "ana@example.net"


@pytest.mark.parametrize("path", ["/orders/unknown/gifts/1/address", "/orders/unknown/link", "gifts/9/day"])
def test_a_form_without_a_token_for_what_is_not_there_breaks_nothing(waiting: Buyer, path: str) -> None:
    where = path if path.startswith("/") else f"{waiting.path}/{path}"
    assert waiting.visitor.ask(where, method="POST").status_code in (403, 404)


def test_a_form_that_stood_open_too_long_keeps_what_was_typed(waiting: Buyer) -> None:
    waiting.open()
    answer = waiting.visitor.send(f"{waiting.path}/gifts/1/address", {"address": "x@example.org", "csrf_token": "old"})
    assert answer.status_code == 403
    assert waiting.visitor.fields["address"] == "x@example.org"
    assert len(messages()) == 1


@pytest.mark.parametrize("place", ["gifts/0", "gifts/2", "gifts/x", "gifts/1/nothing"])
def test_what_is_not_there_is_not_found(waiting: Buyer, place: str) -> None:
    waiting.open()
    assert waiting.visitor.send(f"{waiting.path}/{place}").status_code in (404, 405)
    assert waiting.visitor.open("/orders/unknown/gifts/1").status_code == 404
