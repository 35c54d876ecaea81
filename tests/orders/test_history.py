"""The history of an order: each thing that happened once, newest first, in words, with names and reasons."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.delivery import deliveries
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from giftshop.ledger.refund_entries import hold_key
from giftshop.orders import history
from giftshop.orders import labels as words
from giftshop.orders.actors import name_actors
from giftshop.orders.history import Sources, list_happenings
from giftshop.orders.models import Order, Refund
from giftshop.orders.notes import blank_note, list_notes, write_note
from giftshop.orders.states import OrderState
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import record_refund
from tests import build
from tests.orders import told
from tests.signing_in import hire

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def history_of(order: Order) -> list[tuple[str, str, str]]:
    """What the page of an order lists, newest first: by whom, what, and what else there is to say."""
    sources = Sources(
        order=order,
        certificates=list_certificates(order.id),
        deliveries=deliveries.list_for_order(order.id),
        refunds=db.session.query(Refund).filter(Refund.order_id == order.id).order_by(Refund.id).all(),
        notes=list_notes(order.id),
        practice=get_practice(),
    )
    return [(each.actor, each.what, each.detail) for each in list_happenings(sources)]


def test_a_sale_a_use_and_a_refund_that_fails_are_told_once_each(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        order, certificate = told.sold_one()
    with time_machine.travel(NOON + MINUTE, tick=False):
        build.redeem(certificate, 20_00, actor="staff:7")
    with time_machine.travel(NOON + 2 * MINUTE, tick=False):
        refund = told.held(order, certificate, 10_00)
        record_refund(told.answer_to(refund), order.id)
    with time_machine.travel(NOON + 3 * MINUTE, tick=False):
        record_refund(told.answer_to(refund, "failed"), order.id)
    lines = history_of(order)
    assert [line for line in lines if line[0] in ("buyer", "staff:7")] == [
        ("staff:7", "Redeemed $20.00", "$30.00 left"),
        ("buyer", "Ordered", ""),
    ]
    assert ("stripe", "Issued $50.00", "$50.00 left") in lines
    assert ("staff:1", "Held to be paid back $10.00", "changed their mind · $20.00 left") in lines
    assert ("stripe", "Paid back to the buyer $10.00", "$20.00 left") in lines
    assert ("stripe", "The refund failed, put back $10.00", "$30.00 left") in lines
    assert ("stripe", "Put on hold", "A refund failed and its money came back") in lines
    assert ("stripe", "Paid $50.00", "") in lines
    assert len(lines) == len(set(lines))
    assert [what for _, what, _ in lines][-1] == "Ordered"


def test_an_order_paid_back_in_full_and_not_after_all_says_both(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 50_00)
    record_refund(told.answer_to(refund), order.id)
    record_refund(told.answer_to(refund, "failed"), order.id)
    said = [what for _, what, _ in history_of(order)]
    assert said.index("No longer paid back in full") < said.index("All of it is paid back")


def test_of_several_certificates_each_line_says_whose(app: Flask) -> None:
    order = told.sold(build.gift_request(recipient_name="Ana"), build.gift_request(recipient_name="Vera"))
    ana, vera = list_certificates(order.id)
    status.freeze_by_hand(vera.id, reason_code="reported lost", actor="staff:1", at=NOON)
    activity_log.note("reissued", actor="staff:1", certificate_id=ana.id, reason="lost")
    lines = history_of(order)
    assert ("staff:1", "Put on hold", f"Vera ({vera.public_id}) · reported lost") in lines
    assert ("staff:1", "Given a new code; the old one no longer works", f"Ana ({ana.public_id}) · lost") in lines
    assert ("stripe", "Issued $95.00", f"Ana ({ana.public_id}) · $95.00 left") in lines


def test_a_note_and_its_end_are_two_lines(app: Flask) -> None:
    order = told.placed()
    write_note(order.id, "called back", actor="staff:1", key=build.request_key(), at=NOON)
    write_note(order.id, "secret", actor="staff:1", key=build.request_key(), at=NOON)
    blank_note(list_notes(order.id)[1].id, actor="staff:2", at=NOON + MINUTE)
    notes = [line for line in history_of(order) if "note" in line[1].lower()]
    assert sorted(notes) == [
        ("staff:1", "Note", "Its words were taken away"),
        ("staff:1", "Note", "called back"),
        ("staff:2", "Took the words of a note away", ""),
    ]


def test_a_message_says_when_it_was_made_when_it_goes_out_and_how_it_ended(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        order = told.sold(build.gift_request(deliver_on=date(2026, 12, 24)))
    receipt, gift = deliveries.list_for_order(order.id)
    ended = {"ended_at": NOON + MINUTE, "last_error": "There is no such mailbox."}
    assert tell(receipt, state="scheduled") == ["Receipt made ready: to marko@example.com"]
    assert tell(receipt, state="sent", sent_at=NOON)[1:] == ["Receipt sent: to marko@example.com"]
    assert tell(gift, state="scheduled")[0].startswith("Gift message made ready: to ana@example.com · goes out on Dec")
    no_mailbox = ["Gift message failed: to ana@example.com · There is no such mailbox."]
    assert tell(gift, state="failed", **ended)[1:] == no_mailbox
    assert tell(gift, state="cancelled", **ended)[1:] == ["Gift message cancelled: to ana@example.com"]
    db.session.rollback()


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_message_whose_end_was_not_noted_ended_when_it_was_due(app: Flask, state: str) -> None:
    with time_machine.travel(NOON, tick=False):
        order = told.sold()
    gift = deliveries.list_for_order(order.id)[1]
    gift.state, gift.ended_at = state, None
    _, (at, _told) = words.tell_delivery(gift, get_practice())
    assert at == gift.send_at
    db.session.rollback()


def tell(delivery: Delivery, **changes: Any) -> list[str]:
    delivery.sent_at = None
    for name, value in changes.items():
        setattr(delivery, name, value)
    return [f"{said.what}: {said.detail}" for _, said in words.tell_delivery(delivery, get_practice())]


def event(kind: str, **facts: Any) -> activity_log.ActivityEvent:
    return activity_log.ActivityEvent(at=NOON, actor="staff:1", kind=kind, facts=json.dumps(facts))


@pytest.mark.parametrize("after", [str(state) for state in OrderState])
def test_every_move_of_an_order_has_its_words(app: Flask, after: str) -> None:
    order = told.placed()
    order.review_reason = "the amount differs"
    said = words.tell_event(event("order_moved", before="refunded", after=after), order, "")
    assert said is not None
    assert said.what != after
    assert said.detail == ("the amount differs" if after == "in_review" else "")
    db.session.rollback()


def test_an_order_that_is_paid_becomes_fulfilled_without_a_word_of_its_own(app: Flask) -> None:
    assert words.tell_event(event("order_moved", before="paid", after="fulfilled"), told.placed(), "") is None


@pytest.mark.parametrize(
    ("happened", "what", "detail"),
    [
        (event("dispute", status="lost", amount_cents=50_00), "The dispute was lost", "$50.00"),
        (event("dispute", status="of_next_year", amount_cents=50_00), "of_next_year", "$50.00"),
        (event("frozen", reason="fraud_warning"), "Put on hold", "The card’s bank warns of fraud"),
        (event("frozen", reason="reported lost"), "Put on hold", "reported lost"),
        (event("unfrozen"), "Hold ended", ""),
        (event("sent_again", message="gift"), "Asked to send a message again", "Gift message"),
        (
            event("sent_again", message="gift", is_corrected=True),
            "Asked to send a message again",
            "Gift message, to a corrected address",
        ),
        (event("something_new"), "Something new", ""),
    ],
)
def test_an_event_of_the_trail_is_told_in_words(
    app: Flask, happened: activity_log.ActivityEvent, what: str, detail: str
) -> None:
    assert words.tell_event(happened, told.placed(), "") == words.Told(what, detail)


@pytest.mark.parametrize("kind", ["voided", "refund_asked", "refund_settled", "refund_refused", "refund_returned"])
def test_what_the_ledger_says_too_is_told_once(app: Flask, kind: str) -> None:
    assert words.tell_event(event(kind), told.placed(), "") is None


@pytest.mark.parametrize(
    ("kind", "key", "number"),
    [
        ("refund_hold", "refund:12:hold", 12),
        ("refund_settled", "refund:12:hold", 0),
        ("refund_hold", "refund:x:hold", 0),
        ("refund_hold", "refund:12:holds", 0),
        ("redeem", "k" * 16, 0),
    ],
)
def test_an_entry_that_holds_money_names_its_refund(kind: str, key: str, number: int) -> None:
    entry, reasons = LedgerEntry(kind=kind, request_key=key, reason_code="refund"), {hold_key(12): "changed their mind"}
    assert history._reason_of(entry, reasons) == ("changed their mind" if number == 12 else "refund")


def test_actors_have_names(app: Flask) -> None:
    desk = hire("staff")
    known, gone = f"staff:{desk.id}", f"staff:{desk.id + 1}"
    assert name_actors([known, gone, "staff:x", "buyer", "stripe", "system", "holder", known]) == {
        known: "Staff",
        gone: "Someone who left",
        "staff:x": "Someone who left",
        "buyer": "The buyer",
        "stripe": "Stripe",
        "system": "The shop",
        "holder": "Whoever holds the code",
    }
    assert name_actors([]) == {}
