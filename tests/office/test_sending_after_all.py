"""Sending a cancelled message after all: a gift whose refund came back still reaches its recipient, on its day."""

from datetime import date, timedelta

from giftshop import clock
from giftshop.corrections import gifts
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.orders.models import Order, Refund
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk, path_of
from tests.orders.kept import messages
from tests.orders.stripe_side import StripeSide
from tests.statements import count_queries

CHRISTMAS = date(clock.now().year + 1, 12, 24)


def sell(side: StripeSide, day: date | None = CHRISTMAS) -> Order:
    """Sell a gift of $50.00 that goes out on a day."""
    return side.sell(build.gift_request(offer="amount", amount_cents=50_00, deliver_on=day))


def come_back(side: StripeSide, order: Order) -> Delivery:
    """Pay all of an order back in the dashboard and let that fail; return its gift's cancelled message."""
    refund_id = side.refund(order, order.total_cents)
    side.tell("refund.created", refund_id)
    side.workbench.post(f"/refunds/{refund_id}/status", {"status": "failed"})
    side.tell("refund.failed", refund_id)
    (message,) = messages(order, "gift")
    assert (message.state, db.session.query(Refund).one().state) == ("cancelled", "returned")
    return message


@both_databases
def test_the_owner_ends_the_hold_and_sends_the_gift_on_its_day(owner: Desk, stripe_side: StripeSide) -> None:
    order = sell(stripe_side)
    message = come_back(stripe_side, order)
    assert "Its certificate is on hold: end the hold first" in owner.read(path_of(order))
    owner.act(list_certificates(order.id)[0], "unfreeze")
    page = owner.read(path_of(order))
    assert "Send it after all" in page
    assert "end the hold first" not in page
    form = f"/office/messages/{message.id}/resend"
    on_its_day = f"It goes out on its day, December 24, {CHRISTMAS.year} at 9:00"
    assert on_its_day in page
    assert on_its_day in owner.read(form)
    assert "at once" not in owner.read(form)
    answer = owner.send(form, address="ana@example.org")
    assert answer.status_code == 303
    assert "The message goes out after all." in owner.read(answer.location)
    again = messages(order, "gift")[-1]
    assert (again.state, again.send_at, again.replaces_id) == ("scheduled", message.send_at, message.id)
    assert again.send_on == order.gifts[0].deliver_on
    assert (again.to_address, order.gifts[0].recipient_email) == ("ana@example.org", "ana@example.org")
    assert f"{form}" not in owner.open(path_of(order)).text


def test_a_gift_whose_day_has_passed_or_that_had_none_goes_out_at_once(owner: Desk, stripe_side: StripeSide) -> None:
    order = sell(stripe_side, None)
    message = come_back(stripe_side, order)
    assert "It goes out at once." in owner.read(f"/office/messages/{message.id}/resend")
    owner.send(f"/office/messages/{message.id}/resend", address="ana@example.com")
    assert messages(order, "gift")[-1].send_at <= clock.now()
    order.gifts[0].deliver_on = (clock.now() - timedelta(days=3)).date()
    again = messages(order, "gift")[-1]
    again.state = "cancelled"
    db.session.commit()
    assert "on its day" not in owner.read(f"/office/messages/{again.id}/resend")


def test_a_cancelled_message_whose_certificate_has_ended_is_not_offered(owner: Desk, stripe_side: StripeSide) -> None:
    order = sell(stripe_side)
    stripe_side.tell("refund.created", stripe_side.refund(order, 50_00))
    (message,) = messages(order, "gift")
    assert message.state == "cancelled"
    assert f"/office/messages/{message.id}/resend" not in owner.open(path_of(order)).text
    refused = owner.send(f"/office/messages/{message.id}/resend", address="ana@example.com")
    assert (refused.status_code, "has ended, so it cannot be sent again" in refused.text) == (409, True)


def test_a_gift_that_its_buyer_kept_back_may_be_sent_and_is_the_recipients_then(
    manager: Desk, stripe_side: StripeSide
) -> None:
    order = sell(stripe_side)
    gifts.keep_back(order.gifts[0], key=build.request_key())
    db.session.commit()
    (message,) = messages(order, "gift")
    page = manager.read(path_of(order))
    assert "Send it after all" in page
    assert "The buyer chose not to have it sent." in page
    manager.send(f"/office/messages/{message.id}/resend", address="ana@example.org")
    (gift,) = order.gifts
    assert (gift.delivery, gift.recipient_email, order.buyer_email) == (
        "recipient",
        "ana@example.org",
        "marko@example.com",
    )
    assert messages(order, "gift")[-1].send_at <= clock.now()


def test_a_cancelled_message_that_brings_no_gift_is_not_offered(manager: Desk, stripe_side: StripeSide) -> None:
    """One about a new code may have an address that was corrected since."""
    order, certificate = stripe_side.sell_one(50_00)
    (gift_message,) = messages(order, "gift")
    gift_message.state = "sent"
    db.session.commit()
    manager.act(certificate, "reissue")
    (message,) = messages(order, "reissued")
    message.state = "cancelled"
    db.session.commit()
    assert f"/office/messages/{message.id}/resend" not in manager.open(path_of(order)).text


@both_databases
def test_ten_cancelled_messages_take_no_more_questions_than_one(owner: Desk, stripe_side: StripeSide) -> None:
    orders = [
        stripe_side.sell(*[build.gift_request(offer="amount", amount_cents=50_00, deliver_on=CHRISTMAS)] * count)
        for count in (1, 10)
    ]
    for message in db.session.query(Delivery).filter(Delivery.kind == "gift"):
        message.state, message.ended_at = "cancelled", clock.now()
    db.session.commit()
    counts = []
    for order in orders:
        owner.open(path_of(order))
        with count_queries() as queries:
            assert owner.open(path_of(order)).text.count("Send it after all") == len(order.gifts)
        counts.append(len(queries))
    assert counts[1] <= counts[0]
