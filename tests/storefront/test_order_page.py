"""The buyer's private page in every state, settled by what Stripe says and by nothing in the address."""

import re
from datetime import date
from typing import Any

import pytest

from giftshop import clock, dates
from giftshop.certificates.look_up import code_of
from giftshop.checkout.placing import GiftRequest, place_order
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.orders.look_up import certificates_of, token_of
from giftshop.orders.models import CheckoutAttempt, Order, Refund
from tests import build
from tests.statements import count_queries
from tests.storefront.conftest import Visitor, heading
from tests.workbench.running import RunningWorkbench


def place(*gifts: GiftRequest, **changes: Any) -> str:
    """Place an order, put it into a state if one is named, and return its token."""
    order = place_order(build.purchase(*gifts), mode="simulated", at=clock.now())
    for name, value in changes.items():
        setattr(order, name, value)
    token = token_of(order)
    db.session.commit()
    return token


def buy(visitor: Visitor, bench: RunningWorkbench, *, outcome: str = "pay", **gift: str) -> str:
    """Buy a gift as a visitor does, settle it at the simulated Stripe, and return the order's token."""
    visitor.open("/gift")
    assert visitor.send("/gift", visitor.fill_gift(**gift)).status_code == 303
    bench.post(f"/sessions/{bench.sessions()[0]['id']}/settle", {"outcome": outcome})
    return only_order_token()


def only_order_token() -> str:
    token = token_of(db.session.query(Order).one())
    db.session.rollback()
    return token


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("awaiting_payment", "Not paid yet"),
        ("processing", "Your bank is confirming the payment"),
        ("expired", "This order ran out of time"),
        ("failed", "The payment didn’t go through"),
        ("in_review", "We’re looking at this order"),
        ("refunded", "This order was paid back"),
    ],
)
def test_every_state_has_its_own_words(visitor: Visitor, state: str, words: str) -> None:
    page = visitor.open(f"/orders/{place(state=state)}")
    assert page.status_code == 200
    assert heading(page) == words
    assert page.headers["Cache-Control"] == "no-store"


def test_an_order_that_ended_without_a_payment_claims_no_money_back(visitor: Visitor) -> None:
    page = visitor.open(f"/orders/{place(state='refunded', received_cents=0)}")
    assert heading(page) == "This order has ended"
    assert "Nothing was taken for order G-1001, so nothing had to go back." in page.text
    assert "All of it went back" not in page.text
    assert "Banks take some days" not in page.text


def test_an_order_in_review_for_which_nothing_was_taken_does_not_speak_of_a_payment(visitor: Visitor) -> None:
    page = visitor.open(f"/orders/{place(state='in_review', received_cents=0)}")
    assert "Nothing was charged for it." in page.text
    assert "Your payment arrived" not in page.text


def test_money_that_came_in_another_currency_goes_back_in_it(visitor: Visitor) -> None:
    token = place(state="refunded", received_cents=50_00, received_currency="JPY")
    order = db.session.query(Order).one()
    for number in (1, 2):
        refund = Refund(
            public_id=f"rf_{number}",
            order_id=order.id,
            amount_cents=25_00,
            state="settled",
            reason="made at Stripe",
            actor="stripe",
            stripe_refund_id=f"re_{number}",
            created_at=clock.now(),
        )
        db.session.add(refund)
    db.session.commit()
    page = visitor.open(f"/orders/{token}")
    assert "All of it went back to the card it came from: ¥5,000 for order" in page.text
    assert page.text.count("¥2,500 went back to the card") == 2


@pytest.mark.parametrize("state", ["awaiting_payment", "failed", "expired"])
def test_an_unpaid_order_can_be_paid_or_changed(visitor: Visitor, state: str) -> None:
    token = place(state=state)
    page = visitor.open(f"/orders/{token}")
    assert f'action="/orders/{token}/pay"' in page.text
    assert f'href="/gift?order={token}"' in page.text
    assert "http-equiv" not in page.text


def test_an_unknown_token_is_not_found(visitor: Visitor) -> None:
    place()
    assert visitor.open("/orders/unknown").status_code == 404
    assert visitor.open("/orders/unknown?session_id=cs_test_123").status_code == 404


def test_a_pending_order_looks_again_at_most_ten_times_without_a_script(visitor: Visitor) -> None:
    token = place(state="processing")
    first = visitor.open(f"/orders/{token}")
    assert f'<noscript><meta http-equiv="refresh" content="5; url=/orders/{token}?tries=1"></noscript>' in first.text
    assert 'data-most="10"' in first.text
    for tries in ("10", "999", "x", "-1"):
        assert "http-equiv" not in visitor.open(f"/orders/{token}?tries={tries}").text


def test_a_paid_order_is_fulfilled_by_the_page_itself_and_only_once(
    paying: Visitor, workbench: RunningWorkbench
) -> None:
    token = buy(paying, workbench)
    page = paying.open(f"/orders/{token}?session_id=cs_of_somebody_else")
    again = paying.open(f"/orders/{token}")
    assert heading(page) == heading(again) == "Thank you, Marko. Ana’s massage is on its way."
    assert re.search(r"\$95\.00 paid on \w+ \d+, \d+\. Order G-1001\.", page.text)
    assert "On its way to ana@example.com" in page.text
    assert db.session.query(Delivery).filter_by(kind="gift").count() == 1


def test_an_order_whose_bank_still_thinks_says_so_and_shows_no_code(
    paying: Visitor, workbench: RunningWorkbench
) -> None:
    token = buy(paying, workbench, outcome="pay_later_ok", delivery="print")
    page = paying.open(f"/orders/{token}")
    assert heading(page) == "Your bank is confirming the payment"
    assert "/c/" not in page.text


def test_an_unpaid_order_stays_unpaid_whatever_the_address_claims(paying: Visitor, workbench: RunningWorkbench) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift())
    token = only_order_token()
    for claim in ("", "?session_id=../../v1/refunds", "?session_id=cs_test_forged", "?session_id="):
        assert heading(paying.open(f"/orders/{token}{claim}")) == "Not paid yet"
    assert db.session.query(Order).one().state == "awaiting_payment"


def test_when_stripe_cannot_be_asked_the_page_does_not_claim_that_nothing_was_paid(visitor: Visitor) -> None:
    token = place()
    order = db.session.query(Order).one()
    db.session.add(
        CheckoutAttempt(
            order=order,
            number=1,
            parameters_enc=b"",
            idempotency_key="k",
            session_id="cs_test_1",
            session_url="https://checkout.stripe.com/x",
            state="open",
            first_tried_at=clock.now(),
            expires_at=clock.now(),
        )
    )
    db.session.commit()
    page = visitor.open(f"/orders/{token}")
    assert heading(page) == "One moment, we’re asking about your payment"
    assert "Pay now" not in page.text
    assert "http-equiv" in page.text


def test_a_gift_for_a_later_day_names_day_hour_and_zone(paying: Visitor, workbench: RunningWorkbench) -> None:
    today = clock.today("America/Denver")
    day = date(today.year + (today >= date(today.year, 7, 1)), 7, 1)
    page = paying.open(f"/orders/{buy(paying, workbench, deliver_on=day.isoformat())}")
    expected = f"Goes to ana@example.com on {dates.write_day(day)} at 9:00 AM Denver time (UTC−6)"
    assert expected in page.text.replace("\u202f", " ")


def test_the_buyer_sees_codes_of_what_came_to_them_and_never_of_what_went_to_others(
    paying: Visitor, workbench: RunningWorkbench
) -> None:
    paying.open("/gift")
    paying.send("/gift", {**paying.fill_gift(), "add_gift": "1"})
    paying.fields.pop("add_gift", None)
    paying.send("/gift", paying.fill_gift(1, delivery="print", quantity="2"))
    workbench.post(f"/sessions/{workbench.sessions()[0]['id']}/settle", {"outcome": "pay"})
    token = only_order_token()
    page = paying.open(f"/orders/{token}")
    order = db.session.query(Order).one()
    mailed, printed = (
        [code_of(certificate) for certificate in certificates_of(order)[gift.id]] for gift in order.gifts
    )
    assert all(f'href="/c/{code}"' in page.text for code in printed)
    assert len(printed) == 2
    assert not any(code in page.text for code in mailed)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("sending", "On its way to ana@example.com"),
        ("sent", "Emailed to ana@example.com on"),
        (
            "failed",
            "We couldn’t deliver it to ana@example.com. Nothing is lost: with the right address it goes out again",
        ),
        ("cancelled", "The email was cancelled"),
    ],
)
def test_each_delivery_tells_where_it_is(
    paying: Visitor, workbench: RunningWorkbench, state: str, sentence: str
) -> None:
    token = buy(paying, workbench)
    paying.open(f"/orders/{token}")
    for delivery in db.session.query(Delivery):
        delivery.state, delivery.sent_at = state, clock.now()
    db.session.commit()
    assert sentence in paying.open(f"/orders/{token}").text


def test_the_page_asks_the_database_equally_often_for_one_gift_and_for_many(visitor: Visitor) -> None:
    one, many = place(state="in_review"), place(*[build.gift_request() for _ in range(8)], state="in_review")
    counts = []
    for token in (one, many):
        with count_queries() as queries:
            visitor.open(f"/orders/{token}")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_paying_again_needs_the_forms_token(visitor: Visitor) -> None:
    token = place()
    assert visitor.ask(f"/orders/{token}/pay", method="POST").status_code in (400, 403)
    assert db.session.query(CheckoutAttempt).count() == 0


def test_paying_again_for_a_paid_order_leads_to_its_page(paying: Visitor, workbench: RunningWorkbench) -> None:
    token = place()
    paying.open(f"/orders/{token}")
    db.session.query(Order).update({"state": "refunded"})
    db.session.commit()
    answer = paying.send(f"/orders/{token}/pay")
    assert (answer.status_code, answer.location) == (303, f"/orders/{token}")
    assert paying.open(f"/gift?order={token}").location == f"/orders/{token}"
