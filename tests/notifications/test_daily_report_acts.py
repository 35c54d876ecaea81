"""The daily mail's list of acts: nothing grave is lost in a crowd, and a search is one line however much it found."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates import encryption, status
from giftshop.delivery.messages import compose
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import daily_report, letters
from giftshop.notifications.daily_report_acts import list_acts
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.signing_in import hire

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


def hold_and_release(certificate: Certificate, times: int) -> None:
    """Make a crowd of slight acts."""
    for _ in range(times):
        status.freeze_by_hand(certificate.id, reason_code="x", actor="staff:9", at=clock.now())
        status.lift_all(certificate.id, reason_code="x", actor="staff:9", at=clock.now())


def told_in(days: int = 1) -> tuple[list[str], list[str]]:
    """Return the grave and the slight lines from noon on, without their moments."""
    lists = list_acts(get_practice(), NOON, NOON + timedelta(days=days))
    return tuple([line.partition("M: ")[2] or line for line in lines] for lines in lists)  # type: ignore[return-value]


@both_databases
def test_a_search_is_one_line_for_each_person_with_how_many_it_found(app: Flask) -> None:
    person = hire("manager")
    with time_machine.travel(NOON, tick=False):
        found = [build.certificate() for _ in range(3)]
        for each in [*found, *found]:
            activity_log.note("found_by_search", actor=f"staff:{person.id}", certificate_id=each.id)
        activity_log.note("found_by_search", actor="staff:99", certificate_id=found[0].id)
        db.session.commit()
    assert told_in() == (
        ["Manager found 3 certificates by search", "staff:99 found 1 certificate by search"],
        [],
    )


def test_a_message_to_another_address_is_named_and_one_to_the_same_is_not(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        build.certificate()
        receipt, gift = db.session.scalars(sa.select(Delivery).order_by(Delivery.id))
        number = f"G-{1000 + (gift.order_id or 0)}"
        for message, address in ((receipt, receipt.to_address), (gift, "me@practice.example")):
            message.facts_enc = encryption.seal("{}", message.message_id)
            letters.send_again(message.id, to_address=address, actor="staff:2", at=clock.now())
        activity_log.note("sent_again", actor="buyer", order_id=gift.order_id, message="gift", is_corrected=True)
        db.session.commit()
    grave, slight = told_in()
    assert grave == [f"Certificate to print {number} was sent to another address by staff:2"]
    assert slight == []
    assert "me@practice.example" not in json.dumps(grave)


def test_what_was_decided_about_an_order_in_review_is_named(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        build.certificate()
        order_id = db.session.scalars(sa.select(Delivery.order_id)).first() or 0
        for kind in ("order_accepted", "payback_asked"):
            activity_log.note(kind, actor="staff:1", order_id=order_id, reason="they rang")
        db.session.commit()
    number = f"G-{1000 + order_id}"
    assert told_in() == (
        [
            f"{number} was accepted as it was paid by staff:1 (they rang)",
            f"{number} was put up for a full refund by staff:1 (they rang)",
        ],
        [],
    )


@both_databases
def test_a_crowd_hides_no_undo_no_new_code_and_no_end(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False):
        certificate, ended = build.certificate(), build.certificate()
        hold_and_release(certificate, daily_report.MOST_LINES)
        for _ in range(daily_report.MOST_LINES + 1):
            give_back(take(certificate.id, 1_00), actor="staff:9", is_manager=True, reason="x")
        status.reissue(certificate.id, reason_code="a quiet new code", actor="staff:9", at=clock.now())
        status.void(ended.id, reason_code="a quiet end", request_key="x" * 16, actor="staff:9", at=clock.now())
        db.session.commit()
    morning = NOON + timedelta(hours=18)
    with time_machine.travel(morning, tick=False):
        daily_report.seal_and_report(at=morning)
        db.session.commit()
    mail = db.session.scalars(sa.select(Delivery).where(Delivery.kind == "daily")).one()
    facts = json.loads(encryption.open_sealed(mail.facts_enc, mail.message_id))
    assert len(facts["undone"]) == daily_report.MOST_LINES + 1
    assert ["a quiet new code" in facts["acts"][0], "a quiet end" in facts["acts"][1]] == [True, True]
    assert (len(facts["acts"]), facts["more"]["acts"]) == (2 + daily_report.MOST_LINES, daily_report.MOST_LINES)
    message = compose(mail, facts, [], base_url="https://gifts.example.com", sender="gifts@example.com")
    part = message.get_body(("plain",))
    assert part is not None
    said = part.get_content()
    assert said.count("gave $1.00 back") == daily_report.MOST_LINES + 1
    assert f"and {daily_report.MOST_LINES} more" in said
