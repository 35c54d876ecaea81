"""Finding orders: by all that names one, by people, state and time, page by page without gap or repeat."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.delivery.models import Delivery
from giftshop.disputes.outcomes import record_dispute
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import letters
from giftshop.orders import finding
from giftshop.orders.finding import ANY, UNPAID, Wanted, find_orders, first_order_at
from giftshop.orders.models import Order
from giftshop.orders.search import find_exactly
from giftshop.payments.facts import DisputeFacts
from giftshop.payments.shares import list_certificates
from giftshop.refunds.outcomes import record_refund
from tests import build
from tests.conftest import both_databases
from tests.orders import told

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def order(app: Flask) -> Order:
    """An order with a refund and a dispute, from Jürgen to Żaneta; somebody else's stands beside it."""
    build.certificate(recipient_name="Iris", giver_name="Olaf", recipient_email="iris@example.com")
    gift = build.gift_request(recipient_name="Żaneta 100%", giver_name="Jürgen", recipient_email="zaneta@example.com")
    made = told.sold(gift)
    record_refund(told.refund_of(made, 1_00), made.id)
    record_dispute(DisputeFacts("dp_1", "needs_response", 1_00, 1_00, "fraudulent", "pi_1", None, NOON), made.id)
    return made


def numbers(words: str) -> list[str]:
    return [found.number for found in find_orders(Wanted(words=words)).orders]


SPELLED = ("G-1002", "g-1002", " 1002 ", "G1002", "g 1002", "#1002", "Order G‑1002", "no. 1002", "Ｇ－１００２")
NAMED = (*SPELLED, "pi_1", "cs_1", "re_1", "dp_1")
NOBODYS = ("G-1003", "pi_2", "cs_2", "re_2", "dp_2", "du_1")


@both_databases
def test_what_names_one_order_finds_it_exactly(order: Order) -> None:
    assert {words: (numbers(words), find_exactly(words)) for words in NAMED} == {
        words: (["G-1002"], order.id) for words in NAMED
    }
    assert {words: (numbers(words), find_exactly(words)) for words in NOBODYS} == {
        words: ([], None) for words in NOBODYS
    }


def test_a_dispute_is_found_by_either_kind_of_id(order: Order) -> None:
    record_dispute(DisputeFacts("du_2", "needs_response", 1_00, 1_00, "fraudulent", "pi_1", None, NOON), order.id)
    assert (numbers("du_2"), find_exactly("du_2")) == (["G-1002"], order.id)


FOUND = {
    "zaneta@example.com": ["G-1002"],
    "ZANETA@example.com": ["G-1002"],
    "iris@example.com": ["G-1001"],
    "marko@example.com": ["G-1002", "G-1001"],
    "nobody@example.com": [],
    "Żaneta": ["G-1002"],
    "żaneta": ["G-1002"],
    "aneta": ["G-1002"],
    "jürgen": ["G-1002"],
    "IRIS": ["G-1001"],
    "olaf": ["G-1001"],
    "100%": ["G-1002"],
    "%": [],
    "Zaneta": ["G-1002"],
    "Juergen": ["G-1002"],
    "zanetta": ["G-1002"],
    "jurgne": ["G-1002"],
    "zaneta jürgen": ["G-1002"],
    "zaneta olaf": [],
    "zaneta@ex": ["G-1002"],
    "order no. 1002x": [],
    "_": [],
    "999": [],
    "nobody": [],
    "": ["G-1002", "G-1001"],
}


@both_databases
def test_people_find_their_orders_newest_first(order: Order) -> None:
    assert {words: numbers(words) for words in FOUND} == FOUND
    assert {find_exactly(words) for words in FOUND} == {None}


def test_a_certificate_finds_its_order_and_its_code_none(order: Order) -> None:
    (certificate,) = list_certificates(order.id)
    assert numbers(certificate.public_id.lower()) == ["G-1002"]
    assert numbers(build.code_of(certificate)) == []
    assert db.session.query(Certificate).count() == 2


def at(hours: int) -> Order:
    """An unpaid order of an hour after noon."""
    made = told.placed(attempts=0)
    made.created_at = NOON + hours * HOUR
    db.session.flush()
    return made


def test_state_and_time_narrow_the_list(app: Flask) -> None:
    assert first_order_at() is None
    first, second, third = (at(hours) for hours in (0, 1, 2))
    second.state = "expired"
    assert first_order_at() == NOON
    found = {
        "expired": Wanted(state="expired"),
        "from": Wanted(state=ANY, start=NOON + HOUR),
        "until": Wanted(state=UNPAID, end=NOON + HOUR),
        "one hour": Wanted(state=ANY, start=NOON + HOUR, end=NOON + 2 * HOUR),
        "both": Wanted(state="awaiting_payment", start=NOON + HOUR),
    }
    assert {name: find_orders(wanted).orders for name, wanted in found.items()} == {
        "expired": [second],
        "from": [third, second],
        "until": [first],
        "one hour": [second],
        "both": [third],
    }


@pytest.mark.parametrize(("count", "pages"), [(2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_pages_follow_each_other_also_through_one_moment(
    app: Flask, monkeypatch: pytest.MonkeyPatch, count: int, pages: list[int]
) -> None:
    monkeypatch.setattr(finding, "PAGE", 2)
    made = [at(hours) for hours in (0, 0, 0, 1, 1)[:count]]
    seen, before = [list[Order]()], None
    page = find_orders(Wanted(state=UNPAID))
    while page.orders:
        seen.append(page.orders)
        before = page.orders[-1]
        assert page.has_more == (sum(map(len, seen)) < count)
        page = find_orders(Wanted(state=UNPAID, before=before))
    assert [len(each) for each in seen[1:]] == pages
    assert [each for some in seen for each in some] == made[::-1]


def test_a_page_brings_each_orders_newest_messages_about_gifts(order: Order) -> None:
    gift = db.session.scalars(sa.select(Delivery).where(Delivery.order_id == order.id, Delivery.kind == "gift")).one()
    assert find_orders(Wanted(words="G-1002")).messages == {order.id: [gift]}
    again = letters.send_again(gift.id, to_address="zaneta@example.com", actor="staff:1", at=NOON)
    assert find_orders(Wanted(words="G-1002")).messages == {order.id: [again]}


def test_what_was_never_paid_is_shown_to_who_asks_for_it(order: Order) -> None:
    unpaid = [told.placed(build.gift_request(recipient_name="Żaneta"), attempts=0) for _ in range(2)]
    unpaid[0].state = "expired"
    for words in ("", "zaneta"):
        page = find_orders(Wanted(words=words))
        assert ({each.number for each in page.orders} & {each.number for each in unpaid}, page.unpaid) == (set(), 2)
        asked = find_orders(Wanted(words=words, state=UNPAID))
        assert (asked.orders, asked.unpaid) == (unpaid[::-1], 0)
    assert len(find_orders(Wanted(state=ANY)).orders) == 4


def test_what_is_only_near_is_said_to_be(order: Order) -> None:
    assert [find_orders(Wanted(words=words)).are_near for words in ("zaneta", "zanetta", "nobody", "")] == [
        False,
        True,
        True,
        False,
    ]
