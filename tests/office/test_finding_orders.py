"""Finding orders: by what people remember and what Stripe calls them, by state and month, page by page."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.orders import finding
from giftshop.orders.models import Dispute, Order, Refund
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk, path_of
from tests.orders.stripe_side import StripeSide
from tests.statements import count_queries


def found(desk: Desk, **asked: str) -> list[str]:
    """Return the numbers of the orders on the page, as they stand there."""
    answer = desk.client.get("/office/orders", query_string=asked)
    assert answer.status_code == 200
    return re.findall(r'<a href="/office/orders/\d+">(G-\d+)</a>', answer.text)


@both_databases
def test_a_number_and_every_id_of_stripes_lead_straight_to_the_order(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    stripe_side.sell_one(60_00)
    owner.act(certificate, "refund", amount="10")
    stripe_side.tell("charge.dispute.created", stripe_side.dispute(order))
    refund, dispute = db.session.query(Refund).one(), db.session.query(Dispute).one()
    session_id = order.attempts[-1].session_id
    figures = order.number.removeprefix("G-")
    ids = (order.payment_intent_id, session_id, refund.stripe_refund_id, dispute.stripe_dispute_id)
    for words in (order.number, order.number.lower(), figures, f" {figures} ", *ids):
        answer = owner.client.get("/office/orders", query_string={"q": words})
        assert answer.location == path_of(order), words


@both_databases
def test_addresses_names_and_certificates_find_their_orders(owner: Desk, stripe_side: StripeSide) -> None:
    mine = stripe_side.sell(build.gift_request(recipient_name="Żaneta Kowalska", recipient_email="z@example.com"))
    other = stripe_side.sell(build.gift_request(giver_name="Iris 100%"), buyer_email="iris@example.com")
    (certificate,) = list_certificates(mine.id)
    assert found(owner, q="z@example.com") == [mine.number]
    assert found(owner, q="Z@Example.com") == [mine.number]
    assert found(owner, q="iris@example.com") == [other.number]
    for words in ("Żaneta", "żaneta", "kowalska", "KOWAL", certificate.public_id, certificate.public_id.lower()):
        assert found(owner, q=words) == [mine.number], words
    assert found(owner, q="100%") == [other.number]
    assert found(owner, q="%") == []
    assert found(owner, q="_") == []


def test_what_fits_nothing_says_so(owner: Desk, stripe_side: StripeSide) -> None:
    assert "No orders yet." in owner.read("/office/orders")
    stripe_side.place()
    assert "One that was never paid" in owner.read("/office/orders")
    assert "Nothing fits." in owner.read("/office/orders?q=nobody")
    assert "Nothing fits." in owner.read("/office/orders?q=pi_nothing")
    assert "Nothing fits." in owner.read("/office/orders?state=refunded")


def test_a_state_narrows_the_list_and_nonsense_does_not(owner: Desk, stripe_side: StripeSide) -> None:
    paid, _certificate = stripe_side.sell_one(50_00)
    unpaid = stripe_side.place()
    assert found(owner, state="fulfilled") == [paid.number]
    assert found(owner, state="awaiting_payment") == [unpaid.number]
    assert found(owner, state="unpaid") == [unpaid.number]
    assert found(owner, state="any") == [unpaid.number, paid.number]
    assert found(owner, state="nonsense") == [paid.number]
    assert found(owner, month="2026-13", before="x") == [paid.number]


@both_databases
def test_a_month_is_the_practices_month(owner: Desk, stripe_side: StripeSide) -> None:
    """In Denver it is still September 30 at 5 o'clock UTC on October 1."""
    orders = [stripe_side.place() for _ in range(3)]
    moments = ("2026-10-01T05:00:00+00:00", "2026-10-01T07:00:00+00:00", "2026-11-01T06:30:00+00:00")
    for order, moment in zip(orders, moments, strict=True):
        order.created_at = datetime.fromisoformat(moment)
    db.session.commit()
    september, october, november = orders
    assert found(owner, state="any", month="2026-09") == [september.number]
    assert found(owner, state="any", month="2026-10") == [october.number]
    assert found(owner, state="any", month="2026-11") == [november.number]
    assert '<option value="2026-09">September 2026</option>' in owner.open("/office/orders").text


@both_databases
def test_pages_follow_each_other_without_gap_or_repeat(
    owner: Desk, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PAGE", 2)
    orders = [stripe_side.place() for _ in range(5)]
    same = clock.now()
    for order in orders[:3]:
        order.created_at = same - timedelta(days=1)
    db.session.commit()
    seen, path = [], "/office/orders?state=any"
    while path:
        page = owner.open(path).text
        seen += re.findall(r'<a href="/office/orders/\d+">(G-\d+)</a>', page)
        older = re.search(r'href="(/office/orders\?[^"]+)">Older', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [order.number for order in orders[::-1]]


STATUSES = [
    ("sent", timedelta(), "Sent"),
    ("failed", timedelta(), "Email failed"),
    ("scheduled", timedelta(days=5), "Sends "),
    ("scheduled", timedelta(), "Sending"),
    ("sending", timedelta(), "Sending"),
    ("cancelled", timedelta(), "Sent"),
]


@pytest.mark.parametrize(("state", "ahead", "word"), STATUSES)
def test_a_sold_order_shows_what_its_gift_has_come_to(
    owner: Desk, stripe_side: StripeSide, state: str, ahead: timedelta, word: str
) -> None:
    stripe_side.sell_one(50_00)
    gift = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    gift.state, gift.send_at = state, gift.send_at + ahead
    db.session.commit()
    page = owner.read("/office/orders")
    assert f"Marko → Ana $50.00 $50.00 {word}" in page


@both_databases
def test_a_full_page_takes_no_more_questions_than_one_order(owner: Desk, stripe_side: StripeSide) -> None:
    counts = []
    for more in (1, 12):
        for _ in range(more):
            stripe_side.place(build.gift_request(), build.gift_request(recipient_name="Tom"))
        with count_queries() as queries:
            assert "Marko → Ana, 1 more" in owner.read("/office/orders?state=any")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


PLANS = [
    ({}, "ix_order_created_at"),
    ({"state": "in_review"}, "ix_order_state_created_at"),
    ({"words": "ana@example.com"}, "sqlite_autoindex_search_key_1"),
]


@pytest.mark.parametrize(("asked", "index"), PLANS)
def test_the_list_is_read_through_an_index(owner: Desk, asked: dict[str, str], index: str) -> None:
    wanted = finding.Wanted(**asked)  # type: ignore[arg-type]
    conditions, _ = finding._conditions(wanted)
    query = (
        sa.select(Order.id)
        .where(*conditions, *finding._in_state(wanted.state))
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(51)
    )
    sql = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = " ".join(row.detail for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {sql}")))
    assert index in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan or "words" in asked
