"""Where and when a gift goes, changed by its buyer: the address, the day, not at all; and by nobody else."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from giftshop import clock, trail
from giftshop.certificates import standing, vault
from giftshop.certificates.models import Certificate
from giftshop.database import db
from giftshop.delivery.models import Delivery
from giftshop.orders import notices
from giftshop.orders.models import Gift, Order
from giftshop.orders.payments import list_certificates
from giftshop.orders.register import token_of
from tests import build
from tests.office.conftest import words_of
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor, errors_of, heading

TODAY = clock.today("America/Denver")
NEXT_WEEK, LATER = TODAY + timedelta(days=7), TODAY + timedelta(days=30)


@dataclass
class Buyer:
    """The person who ordered one gift, in the browser they ordered it with."""

    visitor: Visitor
    path: str

    def open(self) -> TestResponse:
        """Open the page on which the gift is changed."""
        return self.visitor.open(f"{self.path}/gifts/1")

    def change(self, way: str, **fields: str) -> TestResponse:
        """Fill in one of its forms and send it."""
        self.open()
        return self.visitor.send(f"{self.path}/gifts/1/{way}", fields)


def buy(visitor: Visitor, side: StripeSide, **gift: str) -> Buyer:
    """Order a gift in the builder, pay it, and let the shop know."""
    visitor.open("/gift")
    assert visitor.send("/gift", visitor.fill_gift(**gift)).status_code == 303
    order = db.session.query(Order).one()
    side.tell("checkout.session.completed", side.pay(order))
    path = f"/orders/{token_of(order)}"
    db.session.rollback()
    return Buyer(visitor, path)


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


def put(**values: object) -> None:
    """Set how far the gift's message has come."""
    change = sa.update(Delivery).where(Delivery.kind.in_(("gift", "certificate"))).values(**values)
    db.session.execute(change)
    db.session.commit()


def messages() -> list[Delivery]:
    """The gift's messages, oldest first, as they are now; no transaction is left open."""
    db.session.rollback()
    found = list(db.session.scalars(sa.select(Delivery).where(Delivery.kind == "gift").order_by(Delivery.id)))
    for message in found:
        db.session.expunge(message)
    db.session.rollback()
    return found


def only_code() -> str:
    """The code on the only certificate now."""
    code = build.code_of(db.session.query(Certificate).one())
    db.session.rollback()
    return code


def nine_o_clock(day: date) -> datetime:
    return clock.local_moment(day, hour=9, time_zone="America/Denver")


def trail_of_buyer() -> list[str]:
    order = db.session.query(Order).one()
    ids = [certificate.id for certificate in list_certificates(order.id)]
    events = trail.list_events(order_id=order.id, certificate_ids=ids)
    kinds = [event.kind for event in events if event.actor == "buyer"]
    db.session.rollback()
    return kinds


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
    standing.reissue(certificate.id, reason_code="lost", actor="staff:1", at=clock.now())
    assert notices.tell_reissued(db.session.query(Gift).one(), certificate, at=clock.now())
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
    assert "Fix the address and send it again" in waiting.visitor.open(waiting.path).text
    assert waiting.change("address", address="ana@example.org").status_code == 303
    assert messages()[-1].send_at <= clock.now()


def test_a_certificate_that_was_opened_does_not_go_to_another_address(sent: Buyer, app: Flask) -> None:
    code = only_code()
    assert Visitor(app.test_client(), sent.visitor.base_url).open(f"/c/{code}").status_code == 200
    answer = sent.change("address", address="stranger@example.org")
    assert answer.status_code == 409
    assert "opened or used already" in errors_of(answer)["address"]
    assert len(messages()) == 1
    assert only_code() == code
    assert sent.change("address", address="ana@example.com").status_code == 303


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
    assert waiting.visitor.fields["address"].split() == typed.split()
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
        lambda certificate_id: standing.freeze_by_hand(certificate_id, **why),
        lambda certificate_id: standing.void(certificate_id, request_key=build.request_key(), **why),
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
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert sent.visitor.fields["address"] == "ana@example.org"
    assert len(messages()) == 4


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


# --- whose order it is ------------------------------------------------------------------------------


@pytest.fixture
def stranger(waiting: Buyer, app: Flask) -> Buyer:
    """Somebody the order's address was passed on to."""
    return Buyer(Visitor(app.test_client(), waiting.visitor.base_url), waiting.path)


@pytest.mark.parametrize("way", ["address", "day", "cancel", "copy"])
def test_a_stranger_with_the_orders_address_changes_nothing(stranger: Buyer, way: str) -> None:
    answer = stranger.change(way, address="stranger@example.org", day=LATER.isoformat())
    assert answer.status_code == 403
    assert "First show that the order is yours" in answer.text
    (message,) = messages()
    assert (message.state, message.to_address) == ("scheduled", "ana@example.com")
    assert only_code() not in answer.text


def way_in(buyer: Buyer) -> str:
    """Ask for the link that proves whose order it is; return it from the mail that carries it."""
    buyer.open()
    answer = buyer.visitor.send(f"{buyer.path}/link")
    assert (answer.status_code, answer.location) == (303, f"{buyer.path}?done=link")
    mail = db.session.query(Delivery).filter_by(kind="way_in").order_by(Delivery.id.desc()).first()
    assert mail is not None
    assert mail.to_address == "marko@example.com"
    path = json.loads(vault.open_sealed(mail.facts_enc, mail.message_id))["order_path"]
    db.session.rollback()
    return str(path)


def test_who_reads_the_buyers_mail_may_change_the_gift_in_any_browser(stranger: Buyer) -> None:
    path = way_in(stranger)
    assert stranger.visitor.open(path).location == f"{stranger.path}?done=yours"
    assert stranger.change("address", address="ana@example.org").status_code == 303


def test_proof_of_one_order_is_none_of_another(stranger: Buyer, stripe_side: StripeSide) -> None:
    proof = way_in(stranger).rsplit("/", 1)[1]
    other = f"/orders/{token_of(stripe_side.sell(build.gift_request()))}"
    db.session.commit()
    for forged in (proof, "x", proof[:-2]):
        assert stranger.visitor.open(f"{other}/yours/{forged}").status_code == 410
    assert stranger.visitor.open(f"{stranger.path}/yours/{proof[:-2]}").status_code == 410
    assert stranger.change("cancel").status_code == 403


def test_proof_ends_after_an_hour_and_when_the_buyers_address_is_corrected(
    stranger: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = way_in(stranger)
    monkeypatch.setattr("giftshop.storefront.order_proof.LINK_SECONDS", -1)
    assert stranger.visitor.open(path).status_code == 410
    monkeypatch.undo()
    db.session.execute(sa.update(Order).values(buyer_email="right@example.com"))
    db.session.commit()
    assert stranger.visitor.open(path).status_code == 410


def test_links_are_mailed_three_times_an_hour_and_the_answer_stays_the_same(stranger: Buyer) -> None:
    stranger.open()
    for _ in range(5):
        fields = {"request_key": build.request_key()}
        answer = stranger.visitor.send(f"{stranger.path}/link", fields)
        assert (answer.status_code, answer.location) == (303, f"{stranger.path}?done=link")
    assert db.session.query(Delivery).filter_by(kind="way_in").count() == 3


def test_too_many_links_asked_for_by_others_do_not_keep_the_buyer_from_a_change(
    stranger: Buyer, waiting: Buyer
) -> None:
    for _ in range(4):
        way_in(stranger)
    assert waiting.change("address", address="ana@example.org").status_code == 303
