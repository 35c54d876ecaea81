"""Fulfilling by Stripe's word: the session is read anew, no transaction waits for it, and the caller commits."""

from typing import Any

import pytest

from giftshop.catalog.practice import get_practice
from giftshop.checkout.fulfilment import fulfil_order
from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.orders.models import Order
from tests.conftest import both_databases
from tests.orders.kept import assert_nothing_was_issued, count_certificates
from tests.orders.stripe_side import StripeSide, Watched


@both_databases
def test_a_paid_session_is_fulfilled_when_the_caller_commits(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    session_id = stripe_side.pay(order)
    for end in (db.session.rollback, db.session.commit):
        assert fulfil_order(session_id, stripe_side.gateway) is order
        assert (order.state, count_certificates()) == ("fulfilled", 1)
        end()
        db.session.expire_all()
        assert order.state == ("awaiting_payment" if end == db.session.rollback else "fulfilled")


@pytest.mark.parametrize(
    ("given", "patience"), [({}, "page"), ({"patience": "page"}, "page"), ({"patience": "job"}, "job")]
)
def test_what_was_not_committed_before_is_given_up_and_nothing_waits_for_stripe(
    stripe_side: StripeSide, given: Any, patience: str
) -> None:
    session_id = stripe_side.pay(stripe_side.place())
    get_practice().phone = "not to be kept"
    db.session.flush()
    watched = Watched(stripe_side.gateway)
    fulfil_order(session_id, watched.gateway, **given)
    assert watched.asked == [("retrieve_session", patience, False)]
    assert get_practice().phone != "not to be kept"


def test_the_word_of_an_address_pays_nothing(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    assert fulfil_order(order.attempts[0].session_id or "", stripe_side.gateway) is order
    assert order.state == "awaiting_payment"
    assert_nothing_was_issued(order)


def test_a_session_that_stripe_does_not_know_is_none(stripe_side: StripeSide) -> None:
    assert fulfil_order("cs_nobody", stripe_side.gateway) is None
    assert db.session.query(Order).count() == 0


def test_while_stripe_is_away_nothing_is_decided(stripe_side: StripeSide) -> None:
    order = stripe_side.place()
    session_id = stripe_side.pay(order)
    stripe_side.workbench.post("/faults", {"do": "500", "times": -1})
    with pytest.raises(CheckoutUnavailableError):
        fulfil_order(session_id, stripe_side.gateway)
    db.session.commit()
    assert order.state == "awaiting_payment"
    assert_nothing_was_issued(order)
