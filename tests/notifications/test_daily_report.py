"""The daily mail: one a day, with the seal, figures that add up, and everything an owner should have heard of."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock, schedule
from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.delivery.messages import MOST_SUBJECT, compose
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger import seals
from giftshop.ledger.models import Certificate, LedgerSeal
from giftshop.notifications import daily_report
from giftshop.notifications.alerts import raise_alert
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.orders.kept import facts_of

YESTERDAY_NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)
"""Seven in the morning at the sample practice."""


def seal_and_report(at: datetime = MORNING) -> LedgerSeal | None:
    """Do what the job does, at a moment."""
    db.session.rollback()
    with time_machine.travel(at, tick=False):
        seal = daily_report.seal_and_report(at=at)
        db.session.commit()
    return seal


def mails() -> list[Delivery]:
    return list(db.session.scalars(sa.select(Delivery).where(Delivery.kind == "daily").order_by(Delivery.id)))


def text_of(mail: Delivery, kind: str = "plain") -> str:
    message = compose(mail, facts_of(mail), [], base_url="https://gifts.example.com", sender="gifts@example.com")
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def busy_day(app: Flask) -> Certificate:
    """Yesterday: two certificates sold, one used, undone and used again, one ended, one put on hold."""
    with time_machine.travel(YESTERDAY_NOON, tick=False):
        used = build.certificate(face_value_cents=120_00)
        build.certificate(face_value_cents=80_00, status="void")
        held = build.certificate(face_value_cents=50_00)
        give_back(take(used.id, 40_00), actor="staff:2", is_manager=True, reason="wrong person")
        take(used.id, 30_00)
        status.freeze_by_hand(held.id, reason_code="reported lost", actor="staff:1", at=clock.now())
        raise_alert("in_review", "cs_1", "Order G-1042: the amount differs. No certificate was issued.")
        db.session.commit()
    return used


@both_databases
def test_the_ledger_is_sealed_and_the_owner_told_once_a_day(busy_day: Certificate) -> None:
    seal = seal_and_report()
    assert seal is not None
    assert [seal_and_report(MORNING + timedelta(hours=hours)) for hours in (0, 1, 10)] == [None] * 3
    (mail,) = mails()
    assert (mail.to_address, mail.state) == (get_practice().email, "scheduled")
    assert facts_of(mail)["digest"] == seal.digest.hex()
    assert seal_and_report(MORNING + timedelta(days=1)) is not None
    assert len(mails()) == 2


@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        (datetime(2026, 11, 25, 7, 1, tzinfo=UTC), False),
        (datetime(2026, 11, 25, 11, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 25, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 26, 6, 59, tzinfo=UTC), True),
    ],
)
def test_it_is_told_from_five_in_the_morning_of_the_practice_on(app: Flask, at: datetime, is_due: bool) -> None:
    assert (seal_and_report(at) is not None) == is_due


@both_databases
def test_the_figures_of_yesterday_add_up_to_what_is_owed(busy_day: Certificate) -> None:
    with time_machine.travel(MORNING, tick=False):
        take(busy_day.id, 5_00)
        db.session.commit()
    seal_and_report()
    facts = facts_of(mails()[0])
    assert facts["owed_before"] == "$0.00"
    assert dict(facts["movements"]) == {
        "Sold": "+ $250.00",
        "Redeemed ($40.00 undone)": "− $30.00",
        "Refunded": "+ $0.00",
        "Ended": "− $80.00",
    }
    assert (facts["owed"], facts["period"]) == ("$140.00", "November 24, 2026")


def test_days_without_a_mail_are_told_with_the_next_one(busy_day: Certificate) -> None:
    seal_and_report(YESTERDAY_NOON - timedelta(days=3))
    seal_and_report()
    facts = facts_of(mails()[1])
    assert facts["period"] == "November 21, 2026 to November 24, 2026"
    assert ["Sold", "+ $250.00"] in facts["movements"]


def test_every_undo_and_every_act_by_hand_is_named_with_who_and_why(busy_day: Certificate) -> None:
    seal_and_report()
    facts = facts_of(mails()[0])
    (undo,) = facts["undone"]
    assert undo.endswith(f"staff:2 gave $40.00 back to {busy_day.public_id} that staff:7 had taken (wrong person)")
    assert [line.partition("was ")[2] for line in facts["acts"]] == [
        "ended by staff:3 (test)",
        "put on hold by staff:1 (reported lost)",
    ]


def test_what_stripe_did_is_no_act_by_hand(app: Flask) -> None:
    with time_machine.travel(YESTERDAY_NOON, tick=False):
        certificate = build.certificate()
        status.freeze(certificate.id, subject="dp_1", reason_code="disputed", actor="stripe", at=clock.now())
        db.session.commit()
    seal_and_report()
    assert facts_of(mails()[0])["acts"] == []


def test_what_needs_a_person_is_named_until_somebody_has_seen_to_it(busy_day: Certificate) -> None:
    with time_machine.travel(YESTERDAY_NOON, tick=False):
        failed = db.session.scalars(sa.select(Delivery)).first()
        assert failed is not None
        failed.state, failed.last_error = "failed", "There is no such mailbox."
        db.session.commit()
    seal_and_report()
    alert, message = facts_of(mails()[0])["needs"]
    assert alert.startswith("Order G-1042")
    assert message.endswith("There is no such mailbox.")


def test_a_long_list_is_cut_and_says_so(app: Flask) -> None:
    for number in range(daily_report.MOST_LINES + 3):
        raise_alert("in_review", f"cs_{number}", f"Order G-{number}: look at it.")
    db.session.commit()
    seal_and_report()
    assert len(facts_of(mails()[0])["needs"]) == daily_report.MOST_LINES
    assert "and 3 more" in text_of(mails()[0])


def test_text_and_html_say_the_same_and_the_subject_is_short(busy_day: Certificate) -> None:
    seal = seal_and_report()
    assert seal is not None
    (mail,) = mails()
    for kind in ("plain", "html"):
        said = text_of(mail, kind)
        for fact in (
            seal.digest.hex(),
            "$140.00",
            busy_day.public_id,
            "Order G-1042",
            "reported lost",
            "ledger verify",
        ):
            assert fact in said, (kind, fact)
    message = compose(mail, facts_of(mail), [], base_url="https://gifts.example.com", sender="gifts@example.com")
    assert message["Subject"] == "$30.00 used, $250.00 sold: your day at Focused Care"
    assert len(message["Subject"]) <= MOST_SUBJECT
    assert len(message.as_bytes()) < 20_000


def test_the_seal_in_the_mail_verifies(busy_day: Certificate) -> None:
    seal_and_report()
    assert list(seals.verify(mailed=facts_of(mails()[0])["digest"]))


def test_a_shop_without_a_practice_has_nobody_to_tell(app: Flask) -> None:
    db.session.delete(get_practice())
    db.session.commit()
    assert seal_and_report() is None


def test_the_job_seals_and_commits(app: Flask) -> None:
    with time_machine.travel(MORNING, tick=False):
        schedule.seal_ledger()
        schedule.seal_ledger()
    db.session.rollback()
    assert len(mails()) == 1


def test_a_day_that_another_process_sealed_meanwhile_is_told_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one has committed while this one waited for its turn."""

    def wait(_scope: str, _key: str) -> None:
        monkeypatch.undo()
        assert seal_and_report() is not None

    monkeypatch.setattr(daily_report, "wait_for_copies", wait)
    assert seal_and_report() is None
    assert len(mails()) == 1
