"""The page of an order: everything about it in a fixed number of questions, its history as one list, never a code."""

import json

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import MoneyRequest
from giftshop.orders.notes import OrderNote
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk, path_of, shows_a_code
from tests.orders.stripe_side import StripeSide
from tests.statements import count_queries


@both_databases
def test_an_order_shows_what_was_bought_paid_sent_and_used(manager: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00, actor=manager.actor)
    db.session.commit()
    end, payment = build.code_of(certificate)[-4:], order.payment_intent_id or ""
    page = manager.read(path_of(order))
    for said in (order.number, "$50.00 paid on", "marko@example.com", "Ana, from Marko", "$30.00 left", payment):
        assert said in page
    assert f"code ends in {end}" in page
    assert "ana@example.com" in page


def test_no_page_of_the_office_shows_a_whole_code(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    acts = [f"/office/certificates/{certificate.public_id}/{name}" for name in ("refund", "freeze", "void", "reissue")]
    messages = [f"/office/messages/{each.id}/resend" for each in db.session.query(Delivery)]
    for path in (path_of(order), "/office/", "/office/orders", *acts, *messages):
        answer = owner.open(path)
        assert answer.status_code == 200, path
        assert not shows_a_code(answer.text, certificate), path


@both_databases
def test_the_history_is_one_list_newest_first_with_names(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00, actor=owner.actor)
    db.session.commit()
    owner.act(certificate, "freeze", reason="someone else called")
    owner.act(certificate, "unfreeze", reason="it was her")
    owner.act(certificate, "refund", amount="10", reason="too much")
    page = owner.read(path_of(order))
    told = page[page.index("Everything that happened") :]
    lines = [
        "Paid back to the buyer $10.00",
        "Held to be paid back $10.00 too much · $20.00 left",
        "Hold ended it was her",
        "Put on hold someone else called",
        "Redeemed $20.00 $30.00 left",
        "Issued $50.00 $50.00 left",
        "Paid $50.00",
        "Ordered",
    ]
    places = [told.index(line) for line in lines]
    assert places == sorted(places)
    assert "· Owner" in told
    assert "· Stripe" in told
    assert "· The buyer" in told
    assert "staff:" not in told


def test_looking_is_kept_on_record_once_an_hour_for_each_person(
    owner: Desk, manager: Desk, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    for _ in range(3):
        owner.open(path_of(order))
        manager.open(path_of(order))
    assert [event.actor for event in viewed(order.id)] == [owner.actor, manager.actor]
    monkeypatch.setattr("giftshop.foundation.sightings.PAUSE", clock.now() - clock.now())
    owner.open(path_of(order))
    assert [event.actor for event in viewed(order.id)] == [owner.actor, manager.actor, owner.actor]


def viewed(order_id: int) -> list[activity_log.ActivityEvent]:
    return [event for event in activity_log.list_events(order_id=order_id) if event.kind == "viewed"]


@both_databases
def test_ten_certificates_take_no_more_questions_than_one(owner: Desk, stripe_side: StripeSide) -> None:
    small, _certificate = stripe_side.sell_one(50_00)
    large = stripe_side.sell(build.gift_request(offer="amount", amount_cents=30_00, quantity=10))
    for certificate in list_certificates(large.id):
        build.redeem(certificate, 1_00, actor=owner.actor)
        status.freeze_by_hand(certificate.id, reason_code="looked odd", actor=owner.actor, at=clock.now())
    db.session.commit()
    counts = []
    for order in (small, large):
        owner.open(path_of(order))
        with count_queries() as queries:
            assert owner.open(path_of(order)).status_code == 200
        counts.append(len(queries))
    assert counts[1] <= counts[0]
    assert counts[0] <= 24


def test_an_unpaid_order_shows_what_was_asked_for(manager: Desk, stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    page = manager.read(path_of(order))
    assert "Not paid yet" in page
    assert "Not issued: 60-minute massage" in page
    assert "Nothing was sent yet" in page


def test_an_order_in_review_says_why(owner: Desk, stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    order.state, order.review_reason = "in_review", "the amount differs"
    db.session.commit()
    assert "The amount differs. No certificate was issued." in owner.read(path_of(order))
    assert f"Order {order.number} is in review: the amount differs." in owner.read("/office/")


def test_a_dispute_shows_what_is_at_stake_and_a_hold_that_nobody_may_end(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 20_00)
    db.session.commit()
    dispute_id = stripe_side.dispute(order)
    stripe_side.tell("charge.dispute.created", dispute_id)
    page = owner.read(path_of(order))
    assert (
        "The bank disputes the payment, $50.00. $20.00 of it is spent or paid back already and would be lost. Answer by"
        in page
    )
    assert "On hold: The buyer’s bank questions the payment Stripe" in page
    refused = owner.act(certificate, "unfreeze")
    assert (refused.status_code, "The hold ends when the dispute does" in refused.text) == (409, True)
    stripe_side.decide(dispute_id, "lost")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    assert "The dispute was lost, $50.00. $20.00 was lost." in owner.read(path_of(order))


def test_a_note_is_kept_once_and_its_words_can_be_taken_away(manager: Desk, stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    key = build.request_key()
    for _ in range(2):
        answer = manager.send(f"{path_of(order)}/note", text="  Called, wants\nit by Friday ", request_key=key)
    assert "The note is kept." in manager.read(answer.location)
    (note,) = db.session.query(OrderNote)
    assert (note.text, note.actor) == ("Called, wants it by Friday", manager.actor)
    manager.send(f"/office/notes/{note.id}/blank")
    page = manager.read(path_of(order))
    assert "Called, wants" not in page
    assert "Took the words of a note away" in page
    stored = " ".join(db.session.scalars(sa.select(MoneyRequest.answer)))
    assert "Friday" not in stored
    assert "Friday" not in json.dumps([event.facts for event in activity_log.list_events(order_id=order.id)])


@pytest.mark.parametrize(("text", "sentence"), [("", "Write a few words first"), ("x" * 141, "at most 140 characters")])
def test_a_note_that_cannot_be_kept_stays_in_its_field(
    manager: Desk, stripe_side: StripeSide, text: str, sentence: str
) -> None:
    order = stripe_side.place()
    answer = manager.send(f"{path_of(order)}/note", text=text)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'name="text" value="{text}"' in answer.text
    assert db.session.query(OrderNote).count() == 0


@pytest.mark.parametrize("number", ["999", "9223372036854775807", "9223372036854775808", "1e3"])
def test_an_order_that_is_not_there_is_not_found(owner: Desk, number: str) -> None:
    assert owner.open(f"/office/orders/{number}").status_code == 404
    assert owner.open(f"/office/messages/{number}/resend").status_code == 404
    for path in (f"/office/notes/{number}/blank", f"/office/alerts/{number}/done", f"/office/orders/{number}/note"):
        assert owner.send(path, text="x").status_code == 404
