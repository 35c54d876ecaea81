"""Sending: once, again after trouble, never after a definite no; by one process at a time, whichever dies."""

import re
import sqlite3
import threading
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.delivery import deliveries, stuck
from giftshop.delivery.faults import MailFault
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.documents.worker import press
from giftshop.foundation.database import LOCK_SECONDS, db
from tests import build
from tests.conftest import both_databases
from tests.delivery.conftest import schedule_gift
from tests.delivery.mail_servers import MailServer, free_port

BASE = "https://gifts.focusedcare.example"
DELIVERS = "SELECT workflow_uuid FROM {}workflow_status WHERE workflow_uuid LIKE 'deliver:%' ORDER BY created_at"


def mailer(server: MailServer | None) -> Mailer:
    """Return a mailer that uses `server`, or finds nobody."""
    url = server.url if server else f"smtp://127.0.0.1:{free_port()}"
    return Mailer(sender="gifts@practice.example", smtp_url=url, mailbox_url="", mailbox_key="")


def row(delivery_id: int) -> Delivery:
    return db.session.get_one(Delivery, delivery_id, populate_existing=True)


def send(delivery_id: int, through: Mailer, *, turn: int | None = None) -> Delivery:
    """Run the message's job of this turn, as the engine would (of the row's turn unless another is given)."""
    now = row(delivery_id).turn
    db.session.rollback()
    deliveries.deliver(delivery_id, now if turn is None else turn, through, base_url=BASE)
    return row(delivery_id)


@both_databases
def test_a_message_is_sent_once(app: Flask, mail_server: MailServer) -> None:
    delivery_id = schedule_gift()
    for _ in range(3):
        sent = send(delivery_id, mailer(mail_server))
    assert (sent.state, sent.attempts, sent.last_error) == ("sent", 1, "")
    assert sent.sent_at is not None
    (arrived,) = mail_server.arrived
    assert (arrived.sender, arrived.recipients) == ("gifts@practice.example", ["ana@example.com"])


def test_the_message_id_is_made_once_and_names_the_senders_host(app: Flask, mail_server: MailServer) -> None:
    certificate = build.certificate()
    deliveries.register_job(mailer(mail_server), base_url=BASE)
    delivery_id = schedule_gift(certificate)
    mail_server.to_data = "451 later"
    send(delivery_id, mailer(mail_server))
    mail_server.to_data = ""
    send(delivery_id, mailer(mail_server))
    message_id = f"<{certificate.public_id}.gift.0.1@practice.example>"
    assert [arrived.message["Message-ID"] for arrived in mail_server.arrived] == [message_id]


def test_two_messages_of_one_key_are_refused_by_the_database(app: Flask) -> None:
    certificate = build.certificate()
    schedule_gift(certificate)
    with pytest.raises(sa.exc.IntegrityError):
        schedule_gift(certificate)
    db.session.rollback()


def test_a_message_that_is_tried_again_has_the_date_of_that_try(app: Flask, mail_server: MailServer) -> None:
    delivery_id, at = schedule_gift(), clock.now()
    with time_machine.travel(at, tick=False):
        send(delivery_id, mailer(None))
    with time_machine.travel(at + timedelta(days=2), tick=False):
        send(delivery_id, mailer(mail_server))
    (arrived,) = mail_server.arrived
    dated = re.search(rb"^Date: (.*?)\r?\n", arrived.raw, re.MULTILINE)
    assert dated is not None
    assert abs(parsedate_to_datetime(dated[1].decode()) - at - timedelta(days=2)) < timedelta(seconds=2)


@both_databases
def test_trouble_is_tried_again_later_and_said(app: Flask, mail_server: MailServer, database: str) -> None:
    delivery_id = schedule_gift()
    first = send(delivery_id, mailer(None))
    assert (first.state, first.turn, first.attempts) == ("scheduled", 1, 1)
    assert first.last_error.startswith("The mail server could not be reached: nothing answers there.")
    mail_server.to_address = "450 mailbox busy"
    assert "450 mailbox busy" in send(delivery_id, mailer(mail_server)).last_error
    mail_server.to_address = ""
    assert send(delivery_id, mailer(mail_server)).state == "sent"
    schema = "" if database == "sqlite" else "dbos."
    keys = [f"deliver:{delivery_id}:{turn}" for turn in range(3)]
    assert list(db.session.scalars(sa.text(DELIVERS.format(schema)))) == keys


def test_a_definite_no_is_final_and_visible(app: Flask, mail_server: MailServer) -> None:
    delivery_id = schedule_gift()
    mail_server.to_address = "550 no such user"
    assert send(delivery_id, mailer(mail_server)).state == "failed"
    mail_server.to_address = ""
    assert send(delivery_id, mailer(mail_server)).state == "failed"
    assert mail_server.arrived == []
    (failed,) = deliveries.list_failed()
    assert (failed.id, failed.to_address) == (delivery_id, "ana@example.com")
    refused = "The mail server refused the address. Check it for a typing error."
    assert failed.last_error == f"{refused} It said: “550 no such user”"


def try_until_given_up(delivery_id: int, through: Mailer) -> tuple[int, timedelta]:
    """Try a message at each moment its next try is planned for; return how often, and for how long in all."""
    began, tries = clock.now(), 0
    at, message = began, row(delivery_id)
    while message.state == "scheduled":
        with time_machine.travel(at, tick=False):
            message = send(delivery_id, through)
        at += stuck.pause_after(MailFault(message.trouble), tries)
        tries += 1
    assert message.state == "failed"
    assert message.ended_at is not None
    return tries, message.ended_at - began


def test_a_message_that_is_put_off_is_given_up_after_three_days(app: Flask, mail_server: MailServer) -> None:
    delivery_id = schedule_gift()
    mail_server.to_address = "451 4.7.1 greylisted"
    tries, took = try_until_given_up(delivery_id, mailer(mail_server))
    assert tries == 12
    assert timedelta(hours=70) < took <= timedelta(hours=72)


def test_a_full_mailbox_is_tried_for_five_days_and_nobody_to_talk_to_for_seven(
    app: Flask, mail_server: MailServer
) -> None:
    full, stuck_one = schedule_gift(), schedule_gift(build.certificate())
    mail_server.to_address = "552 5.2.2 mailbox full"
    tries, took = try_until_given_up(full, mailer(mail_server))
    assert (timedelta(days=5) <= took < timedelta(days=6), tries < 20) == (True, True)
    tries, took = try_until_given_up(stuck_one, mailer(None))
    assert timedelta(days=7) <= took < timedelta(days=7, hours=2)
    assert tries > 100, "hourly, so that mail goes within the hour in which it can"


def test_a_cancelled_message_is_not_sent(app: Flask, mail_server: MailServer) -> None:
    delivery_id = schedule_gift()
    db.session.execute(sa.update(Delivery).where(Delivery.id == delivery_id).values(state="cancelled"))
    db.session.commit()
    assert send(delivery_id, mailer(mail_server)).state == "cancelled"
    assert mail_server.arrived == []


@both_databases
def test_the_job_of_a_process_that_died_while_sending_sends_again(app: Flask, mail_server: MailServer) -> None:
    delivery_id = schedule_gift()
    deliveries._claim(delivery_id, 0)
    db.session.commit()
    assert row(delivery_id).state == "sending"
    assert send(delivery_id, mailer(mail_server), turn=0).state == "sent"
    assert row(delivery_id).attempts == 2


def test_a_finished_turn_that_is_run_again_does_nothing(app: Flask, mail_server: MailServer) -> None:
    """The process died after it had planned the next try, and before the engine knew that this one was over."""
    delivery_id = schedule_gift()
    send(delivery_id, mailer(None), turn=0)
    assert send(delivery_id, mailer(mail_server), turn=0).state == "scheduled"
    assert mail_server.arrived == []
    assert send(delivery_id, mailer(mail_server), turn=1).state == "sent"


def test_a_process_that_was_thought_dead_does_not_undo_what_its_successor_did(
    app: Flask, mail_server: MailServer
) -> None:
    delivery_id = schedule_gift()
    stale = deliveries._claim(delivery_id, 0)
    db.session.commit()
    assert stale is not None
    assert send(delivery_id, mailer(mail_server), turn=0).state == "sent"
    deliveries._record_trouble(stale, MailFault.NO_ANSWER, "The mail server could not be reached.")
    db.session.commit()
    assert (row(delivery_id).state, row(delivery_id).turn) == ("sent", 0)


def test_a_message_that_ends_its_process_each_time_is_given_up(app: Flask, mail_server: MailServer) -> None:
    delivery_id = schedule_gift()
    for _ in range(deliveries.MOST_CRASHES):
        deliveries._claim(delivery_id, 0)
        db.session.commit()
    given_up = send(delivery_id, mailer(mail_server))
    assert (given_up.state, given_up.last_error) == ("failed", deliveries.BROKE_OFF)
    assert mail_server.arrived == []


def test_a_message_that_cannot_be_made_is_tried_again_and_the_log_tells_nothing_of_it(
    app: Flask, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    delivery_id = schedule_gift(message="a very private line")
    db.session.execute(sa.update(Delivery).where(Delivery.id == delivery_id).values(to_address="ana@example.com\nx"))
    db.session.commit()
    troubled = send(delivery_id, mailer(mail_server))
    assert (troubled.state, troubled.turn, troubled.last_error) == ("scheduled", 1, deliveries.NOT_MADE)
    assert f"message {delivery_id} could not be made" in caplog.text
    assert "messages.py" in caplog.text
    assert "ana@example.com" not in caplog.text
    assert "private" not in caplog.text


def test_a_certificate_that_cannot_be_printed_is_tried_again(
    app: Flask, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery_id = schedule_gift()
    press.stop()
    monkeypatch.setattr("giftshop.documents.worker.MOST_SECONDS", 0)
    troubled = send(delivery_id, mailer(mail_server))
    assert (troubled.state, troubled.turn) == ("scheduled", 1)
    assert "could not be printed" in troubled.last_error
    monkeypatch.undo()
    assert send(delivery_id, mailer(mail_server)).state == "sent"


def test_a_sent_message_is_not_sent_again_because_the_database_was_busy(
    app: Flask, mail_server: MailServer, database_url: str
) -> None:
    delivery_id = schedule_gift()
    blocker = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)

    def block() -> None:
        blocker.execute("BEGIN IMMEDIATE")
        unblock.start()

    unblock = threading.Timer(LOCK_SECONDS + 2, blocker.execute, ["ROLLBACK"])
    mail_server.before_taking = block
    assert send(delivery_id, mailer(mail_server)).state == "sent"
    unblock.join()
    blocker.close()
    assert len(mail_server.arrived) == 1


def test_what_a_message_says_is_not_readable_in_the_database(app: Flask, database_url: str) -> None:
    certificate = build.certificate(message="")
    schedule_gift(certificate, message="a very private line")
    stored = Path(database_url.removeprefix("sqlite:///")).read_bytes()
    assert b"very private" not in stored
    assert build.code_of(certificate).encode() not in stored


def test_failed_messages_are_listed_with_their_order(app: Flask) -> None:
    delivery_id = schedule_gift()
    order_id = row(delivery_id).order_id
    kinds = [delivery.kind for delivery in deliveries.list_for_order(order_id)]
    assert kinds == ["receipt", "certificate", "gift"]
    assert deliveries.list_failed() == []
    assert row(delivery_id).send_at <= clock.now()
