"""A mail server that does not want the shop: one alert, true words for everybody, and all mail goes when one goes."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock, schedule
from giftshop.delivery import deliveries
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db, may_write
from giftshop.notifications.models import Alert
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from tests import build
from tests.conftest import both_databases
from tests.delivery.refusing_server import RefusingServer, refusing_server
from tests.office.conftest import Desk, words_of
from tests.orders.stripe_side import StripeSide

RELAY = "554 5.7.1 <ana@example.com>: Relay access denied"
UNKNOWN = "550 5.1.1 <ana@example.com>: User unknown"
FULL = "552 5.2.2 <ana@example.com>: mailbox full"
GREYLISTED = "450 4.2.0 <ana@example.com>: Greylisted"


@pytest.fixture
def server() -> Iterator[RefusingServer]:
    with refusing_server(rcpt=RELAY, ehlo="250 mail.example") as running:
        yield running


def deliver_all(server: RefusingServer) -> None:
    """Run the job of every message that waits, as the engine would."""
    mailer = Mailer(
        sender="gifts@practice.example", smtp_url=f"smtp://127.0.0.1:{server.port}", mailbox_url="", mailbox_key=""
    )
    waiting = sa.select(Delivery.id, Delivery.turn).where(
        Delivery.state == "scheduled", Delivery.send_at <= clock.now()
    )
    rows = db.session.execute(waiting.order_by(Delivery.id)).all()
    db.session.rollback()
    may_write()
    for delivery_id, turn in rows:
        deliveries.deliver(delivery_id, turn, mailer, base_url="https://gifts.practice.example")


def open_alerts() -> list[str]:
    query = sa.select(Alert.detail).where(Alert.kind == "mail_stuck", Alert.resolved_at.is_(None))
    return list(db.session.scalars(query))


def states() -> set[str]:
    return set(db.session.scalars(sa.select(Delivery.state)))


def buyers_page(app: Flask, order: Order) -> str:
    path = f"/orders/{token_of(order)}"
    db.session.rollback()
    return words_of(app.test_client().get(path, base_url="http://127.0.0.1:8000").text)


def readiness(app: Flask) -> dict[str, object]:
    answer = app.test_client().get("/readyz")
    assert answer.status_code in (200, 503)
    told: dict[str, object] = answer.get_json()
    return told


@both_databases
def test_a_server_that_refuses_the_shop_is_one_alert_and_ends_by_itself(
    app: Flask, owner: Desk, stripe_side: StripeSide, server: RefusingServer, caplog: pytest.LogCaptureFixture
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    with caplog.at_level(logging.WARNING):
        deliver_all(server)
        deliver_all(server)
    assert states() == {"scheduled"}
    (alert,) = open_alerts()
    assert "It said: “554 5.7.1 <…@…>: Relay access denied”" in alert
    assert "Relay access denied" in caplog.text
    assert "ana@example.com" not in caplog.text
    today = owner.read("/office/")
    assert "2 emails wait to go out, the oldest since" in today
    sentence = "Emails do not go out. The mail server does not pass our mail on to others."
    assert today.count(sentence) == today.count("Relay access denied") == 4  # for the ear, and whole for engineers
    page = buyers_page(app, order)
    assert "Ana’s email is late." in page
    assert "The receipt comes to marko@example.com later: it could not be emailed yet." in page
    assert "Our emails don’t go out at the moment; it is not because of the address" in page
    assert "came back" not in page
    told = readiness(app)
    assert told["mail"]["waiting"] == 2  # type: ignore[index]
    assert any("Relay access denied" in notice for notice in told["notices"])  # type: ignore[attr-defined]
    server.says["rcpt"] = "250 ok"
    deliver_all(server)
    assert (states(), open_alerts()) == ({"sent"}, [])
    assert "The receipt is in your mail" in buyers_page(app, order)
    assert "Emails do not go out" not in owner.read("/office/")
    assert readiness(app)["mail"] == {"waiting": 0, "since": "", "given_up": 0}


def test_the_alert_says_what_the_server_said_last_and_is_never_mailed(
    app: Flask, stripe_side: StripeSide, server: RefusingServer
) -> None:
    stripe_side.sell_one(50_00)
    deliver_all(server)
    server.says["mail"] = "553 5.7.1 Sender address rejected: not owned by user shop"
    deliver_all(server)
    (alert,) = open_alerts()
    assert "refused our sender address. Check GIFTSHOP_MAIL_FROM. It said: “553 5.7.1 Sender" in alert
    assert db.session.query(Delivery).filter_by(kind="alert").count() == 0


def test_an_alert_that_was_ticked_off_does_not_come_back_for_the_same_trouble_but_for_the_next(
    app: Flask, owner: Desk, stripe_side: StripeSide, server: RefusingServer
) -> None:
    stripe_side.sell_one(50_00)
    deliver_all(server)
    owner.send(f"/office/alerts/{db.session.query(Alert).one().id}/done")
    deliver_all(server)
    assert open_alerts() == []
    assert "emails wait to go out" in owner.read("/office/")
    server.says["rcpt"] = "250 ok"
    deliver_all(server)
    server.says["rcpt"] = RELAY
    stripe_side.sell_one(50_00)
    deliver_all(server)
    assert len(open_alerts()) == 1


def test_what_waits_goes_as_soon_as_one_message_goes(
    app: Flask, stripe_side: StripeSide, server: RefusingServer
) -> None:
    began = clock.now()
    stripe_side.sell_one(50_00)
    for hours in (0, 1, 2, 3, 4):
        with time_machine.travel(began + timedelta(hours=hours), tick=False):
            deliver_all(server)
    before = {row.id: row.turn for row in db.session.execute(sa.select(Delivery.id, Delivery.turn))}
    server.says["rcpt"] = "250 ok"
    with time_machine.travel(began + timedelta(hours=4, minutes=20), tick=False):
        stripe_side.sell_one(60_00)
        (first,) = db.session.scalars(sa.select(Delivery.id).where(Delivery.kind == "receipt", Delivery.turn == 0))
        db.session.rollback()
        deliveries.deliver(
            first,
            0,
            Mailer(
                sender="g@practice.example", smtp_url=f"smtp://127.0.0.1:{server.port}", mailbox_url="", mailbox_key=""
            ),
            base_url="https://gifts.practice.example",
        )
        after = {row.id: row.turn for row in db.session.execute(sa.select(Delivery.id, Delivery.turn))}
        assert all(after[each] == turn + 1 for each, turn in before.items())
        deliver_all(server)
    assert states() == {"sent"}


def test_a_refused_recipient_is_no_alert_and_the_buyer_reads_that_it_came_back(
    app: Flask, owner: Desk, stripe_side: StripeSide, server: RefusingServer
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    server.says["rcpt"] = UNKNOWN
    deliver_all(server)
    assert open_alerts() == []
    assert "Ana’s email came back." in buyers_page(app, order)
    page = owner.read("/office/")
    assert "It said: “550 5.1.1 <…@…>: User unknown”" in page
    assert "Send all of them now" not in page


def test_a_full_mailbox_is_said_to_the_buyer_and_is_no_alert(
    app: Flask, owner: Desk, stripe_side: StripeSide, server: RefusingServer
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    server.says["rcpt"] = FULL
    deliver_all(server)
    assert open_alerts() == []
    assert "Not there yet: the mailbox of ana@example.com is full. We keep trying until" in buyers_page(app, order)
    assert "The mailbox of this address is full." in owner.read("/office/")
    db.session.execute(sa.update(Delivery).values(state="failed", ended_at=clock.now()))
    db.session.commit()
    assert "the mailbox stayed full. Nothing is lost" in buyers_page(app, order)


def test_a_greylist_is_no_alert_but_one_that_lasts_is(
    app: Flask, stripe_side: StripeSide, server: RefusingServer
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    server.says["rcpt"] = GREYLISTED
    began = clock.now()
    deliver_all(server)
    assert open_alerts() == []
    assert "the mail server asks us to try ana@example.com again later" in buyers_page(app, order)
    with time_machine.travel(began + timedelta(hours=1, minutes=21), tick=False):
        deliver_all(server)
        assert len(open_alerts()) == 1


def test_one_press_sends_what_waits_and_what_was_given_up_wrongly(
    app: Flask, owner: Desk, stripe_side: StripeSide, server: RefusingServer
) -> None:
    stripe_side.sell_one(50_00)
    deliver_all(server)
    put_last_try(timedelta(minutes=1))
    receipt, gift = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
    gift.state, gift.ended_at, gift.trouble = "failed", clock.now(), ""  # as an older version left it
    db.session.commit()
    turn = receipt.turn
    page = owner.read("/office/")
    assert "One email waits to go out" in page
    assert "One email was given up that may go out if it is sent again. Send all of them now" in page
    for _ in range(2):
        assert owner.send("/office/messages/send-all").status_code == 303
    db.session.expire_all()
    assert (receipt.turn, db.session.query(Delivery).count()) == (turn + 1, 3)
    server.says["rcpt"] = "250 ok"
    deliver_all(server)
    assert len(server.taken) == 2
    assert "didn’t reach" not in owner.read("/office/")


def put_last_try(ago: timedelta) -> None:
    db.session.execute(sa.update(Delivery).values(tried_at=clock.now() - ago))
    db.session.commit()


def test_only_managers_send_all(sign_in: Callable[[str], Desk]) -> None:
    assert sign_in("staff").send("/office/messages/send-all").status_code == 403


def plain_words(raw: bytes) -> str:
    """Return the words of a letter as the server took it."""
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    return " ".join(body.get_content().split()) if body is not None else ""


def test_a_gift_given_up_for_our_fault_says_so_to_its_buyer_and_to_nobody_that_it_came_back(
    app: Flask, owner: Desk, stripe_side: StripeSide, server: RefusingServer
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    deliver_all(server)
    db.session.execute(sa.update(Delivery).values(state="failed", ended_at=clock.now()))
    db.session.commit()
    page = buyers_page(app, order)
    assert "Ana’s email couldn’t be sent." in page
    assert "that is our fault, not the address’s. Nothing is lost: send it again" in page
    assert "came back" not in page
    schedule.queue_news()
    told = {each.kind: each for each in db.session.query(Delivery).filter(Delivery.state == "scheduled")}
    server.says["rcpt"] = "250 ok"
    deliver_all(server)
    letter = next(words for words in map(plain_words, server.taken) if "couldn’t reach Ana" in words)
    assert "our emails did not go out" in letter
    assert "put the address right" not in letter
    assert {"unreached", "alert"} <= set(told)


def test_a_gift_that_went_out_late_says_when_it_should_have(
    app: Flask, stripe_side: StripeSide, server: RefusingServer
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    message = db.session.query(Delivery).filter_by(kind="gift").one()
    message.state, message.sent_at = "sent", message.send_at + timedelta(hours=30)
    db.session.commit()
    assert "later than it should have been" in buyers_page(app, order)
    message.sent_at = message.send_at + timedelta(minutes=30)
    db.session.commit()
    assert "later than" not in buyers_page(app, order)


def test_a_waiting_message_that_is_cancelled_ends_the_alert(
    app: Flask, stripe_side: StripeSide, server: RefusingServer
) -> None:
    stripe_side.sell_one(50_00)
    deliver_all(server)
    db.session.execute(sa.update(Delivery).values(state="cancelled", ended_at=clock.now()))
    db.session.commit()
    schedule.queue_news()
    assert open_alerts() == []


def test_mail_that_nobody_tries_is_counted_too(app: Flask, owner: Desk, stripe_side: StripeSide) -> None:
    stripe_side.sell_one(50_00)
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        assert readiness(app)["mail"]["waiting"] == 2  # type: ignore[index]
        assert "Nobody has tried them" in owner.read("/office/")


def test_a_gift_for_a_later_day_does_not_count(app: Flask, stripe_side: StripeSide) -> None:
    stripe_side.sell(build.gift_request(deliver_on=clock.today("America/Denver") + timedelta(days=9)))
    db.session.execute(sa.update(Delivery).where(Delivery.kind == "receipt").values(state="sent"))
    db.session.commit()
    assert readiness(app)["mail"]["waiting"] == 0  # type: ignore[index]
