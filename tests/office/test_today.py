"""The office's first page: what needs somebody, what is open, and an equation that adds up to the cent."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.kinds import Figure
from giftshop.ledger.liability import Term, read_equation
from giftshop.ledger.models import Certificate
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert
from giftshop.reconciliation.models import Reconciliation
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk
from tests.orders import told
from tests.orders.stripe_side import StripeSide
from tests.statements import count_queries

LONG_AGO = timedelta(days=400)


def test_on_the_first_day_there_is_an_address_to_share(owner: Desk) -> None:
    page = owner.read("/office/")
    assert "No certificates sold yet" in page
    assert "http://127.0.0.1:8000/gift" in page
    assert "What you owe" not in page
    assert "have not been compared with Stripe yet" in page


@both_databases
def test_the_equation_nets_what_was_undone_and_adds_up(owner: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(100_00)
    stripe_side.sell_one(60_00)
    build.redeem(certificate, 25_00)
    slip = build.redeem(certificate, 5_00)
    undo = build.cause("undo", build.request_key(), "staff:1")
    posting.reverse(slip, certificate_id=certificate.id, is_manager=True, cause=undo)
    db.session.commit()
    owner.act(certificate, "refund", amount="30")
    owed = read_equation(clock.now() - timedelta(days=1))
    assert (owed.before_cents, owed.after_cents) == (0, 105_00)
    assert owed.terms == [
        Term(Figure.SOLD, 160_00, 0),
        Term(Figure.REDEEMED, -25_00, 5_00),
        Term(Figure.REFUNDED, -30_00, 0),
    ]
    page = owner.read("/office/")
    assert "$105.00 in unused certificates" in page
    assert "2 certificates still have money on them. Nothing needs you." in page
    equation = (
        "$0.00 + plus Sold $160.00 − minus Redeemed ($5.00 undone) $25.00 − minus Refunded $30.00"
        " = makes Owed today $105.00"
    )
    assert equation in page


@both_databases
def test_what_was_owed_before_stands_first(owner: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(100_00)
    since = clock.now()
    build.redeem(certificate, 40_00)
    db.session.commit()
    owed = read_equation(since)
    assert (owed.before_cents, owed.after_cents) == (100_00, 60_00)
    assert owed.terms == [Term(Figure.SOLD, 0, 0), Term(Figure.REDEEMED, -40_00, 0), Term(Figure.REFUNDED, 0, 0)]


@both_databases
def test_disputed_and_ended_value_have_words_of_their_own(owner: Desk, stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(100_00)
    _other, ended = stripe_side.sell_one(30_00)
    stripe_side.tell("charge.dispute.created", stripe_side.dispute(order, 70_00))
    owner.act(ended, "void")
    owed = read_equation(clock.now() - timedelta(days=1))
    assert owed.terms[3:] == [Term(Figure.DISPUTED, -70_00, 0), Term(Figure.ENDED, -30_00, 0)]
    assert owed.before_cents + sum(term.change_cents for term in owed.terms) == owed.after_cents == 30_00
    assert db.session.scalar(sa.select(sa.func.sum(Certificate.balance_cents))) == 30_00


def test_an_alert_stands_there_until_it_is_ticked_off(manager: Desk, stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    detail = f"The refund for order {order.number} was refused."
    alert_owner(AlertKind.REFUND_REFUSED, "refund 7", detail, order=order)
    db.session.commit()
    page = manager.open("/office/").text
    assert f'href="/office/orders/{order.id}"' in page
    (path,) = re.findall(r'action="(/office/alerts/\d+/done)"', page)
    for _ in range(2):
        assert manager.send(path).location == "/office/"
    assert "was refused" not in manager.read("/office/")
    alert = db.session.query(Alert).filter(Alert.kind == "refund_refused").one()
    assert alert.resolved_at is not None


LINKS = [
    ("in_review", "cs_test_1", "Order G-1042: the amount differs.", "/office/orders/42"),
    ("paid_twice", "cs_test_1", "An order was paid twice.", "/office/orders?q=cs_test_1"),
    ("checkout_refused", "42", "AuthenticationError", "/office/orders/42"),
    ("wrong_mode_event", "evt_1", "An event of the other mode arrived.", "/office/orders?q=evt_1"),
    ("refund_refused", "refund 7", "Something about nothing.", "/office/orders"),
]


@pytest.mark.parametrize(("kind", "subject", "detail", "to"), LINKS)
def test_an_alert_leads_to_what_it_is_about(owner: Desk, kind: str, subject: str, detail: str, to: str) -> None:
    order_id = told.placed().id if to == "/office/orders/42" else None
    db.session.add(Alert(kind=kind, subject=subject, detail=detail, order_id=order_id, created_at=clock.now()))
    db.session.commit()
    assert f'href="{to.replace("42", str(order_id))}"' in owner.open("/office/").text


def test_a_message_that_failed_needs_somebody_until_it_is_sent_again(manager: Desk, stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    message.state, message.last_error, message.ended_at = "failed", "Refused (550).", clock.now()
    db.session.commit()
    assert f"Gift message of order {order.number} didn’t reach ana@example.com. Refused (550)." in manager.read(
        "/office/"
    )
    manager.send(f"/office/messages/{message.id}/resend", address="ana@example.org")
    assert "didn’t reach" not in manager.read("/office/")
    assert order.gifts[0].recipient_email == "ana@example.org"


RUNS = [
    ({"checked": 3}, "The books agree with Stripe"),
    ({"changed": ["G-1001: expired → fulfilled"]}, "Put right: G-1001: expired → fulfilled."),
    ({"problems": ["cs_1: belongs to no order"]}, "One problem when the books were compared"),
    ({"problems": ["a", "b"]}, "2 problems when the books were compared"),
    ({"problems": ["cs_1: belongs to no order"]}, "cs_1: belongs to no order"),
]


@pytest.mark.parametrize(("run", "sentence"), RUNS)
def test_the_last_comparison_with_stripe_is_told(owner: Desk, run: dict[str, object], sentence: str) -> None:
    now = clock.now()
    db.session.add(Reconciliation(started_at=now, finished_at=now, **run))
    db.session.commit()
    assert sentence in owner.read("/office/")


def test_a_comparison_long_ago_asks_whether_anybody_runs_it(owner: Desk) -> None:
    then = clock.now() - LONG_AGO
    db.session.add(Reconciliation(started_at=then, finished_at=then))
    db.session.commit()
    assert "were last compared with Stripe on" in (page := owner.read("/office/"))
    assert "Please tell whoever looks after the shop." in page


@both_databases
def test_more_of_everything_takes_no_more_questions(owner: Desk, stripe_side: StripeSide) -> None:
    counts = []
    for round_ in range(2):
        for number in range(1 + 3 * round_):
            order, certificate = stripe_side.sell_one(50_00)
            build.redeem(certificate, 10_00)
            db.session.commit()
            stripe_side.tell("charge.dispute.created", stripe_side.dispute(order))
            alert_owner(AlertKind.PAID_TWICE, f"{round_}.{number}", "Something happened.")
            db.session.commit()
        with count_queries() as queries:
            assert owner.open("/office/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


def test_the_month_begins_at_the_practices_midnight(owner: Desk) -> None:
    zone = get_practice().time_zone
    first = clock.today(zone).replace(day=1)
    assert clock.local(clock.local_moment(first, hour=0, time_zone=zone), zone).hour == 0
    build.certificate()
    assert f"Owed on {first:%b} 1, {first:%Y}" in owner.read("/office/")
