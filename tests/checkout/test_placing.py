"""Placing an order: prices are the catalogue's, and each rule about how much may be bought holds to the cent."""

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.prices import check_total, limits_of
from giftshop.checkout.placing import GiftRequest, place_order
from giftshop.errors import (
    AmountOutOfBoundsError,
    BuyerLimitError,
    OfferNotFoundError,
    RequestKeyMissingError,
    RequestKeyReusedError,
    SalesPausedError,
    TooManyOpenCheckoutsError,
)
from giftshop.foundation.database import db
from giftshop.orders.look_up import find_order, get_order, token_of
from giftshop.orders.models import Order
from tests import build
from tests.conftest import both_databases
from tests.orders import told

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
LIMITS = limits_of("US-CO", "USD")
STRIPE_MOST_CENTS = 999_999_99
A_DAY, AN_HOUR, MICROSECOND = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def place(*gifts: GiftRequest, at: datetime = NOW, mode: str = "simulated", **changes: Any) -> Order:
    return place_order(build.purchase(*gifts, **changes), mode=mode, at=at)


def amount(cents: int | None, **changes: Any) -> GiftRequest:
    return build.gift_request(offer="amount", amount_cents=cents, **changes)


def set_practice(**values: Any) -> Practice:
    practice = get_practice()
    for name, value in values.items():
        setattr(practice, name, value)
    return practice


def orders() -> int:
    return db.session.scalars(sa.select(sa.func.count()).select_from(Order)).one()


@both_databases
def test_an_order_costs_what_the_catalogue_says(app: Flask) -> None:
    order = place(build.gift_request(quantity=2, amount_cents=1), amount(45_00))
    assert (order.state, order.mode, order.currency, order.total_cents) == (
        "awaiting_payment",
        "simulated",
        "USD",
        235_00,
    )
    assert [(gift.offer_slug, gift.service_name, gift.amount_cents, gift.position) for gift in order.gifts] == [
        ("60-minutes", "60-minute massage", 95_00, 0),
        ("amount", "", 45_00, 1),
    ]
    assert (order.created_at, order.paid_at, order.received_cents) == (NOW, None, None)
    assert find_order(token_of(order)) is order
    assert get_order(order.id) is order


def test_an_offer_that_is_an_amount_names_no_service(app: Flask) -> None:
    (gift,) = place(build.gift_request(offer="toward-any-visit")).gifts
    assert (gift.offer_slug, gift.service_name, gift.amount_cents) == ("toward-any-visit", "", 50_00)


@pytest.mark.parametrize("delivery", ["buyer", "print"])
def test_only_what_is_mailed_keeps_an_address_and_a_day(app: Flask, delivery: str) -> None:
    day = date(2026, 12, 24)
    mailed, handed = place(
        build.gift_request(deliver_on=day), build.gift_request(deliver_on=day, delivery=delivery)
    ).gifts
    assert (mailed.recipient_email, mailed.deliver_on) == ("ana@example.com", day)
    assert (handed.recipient_email, handed.deliver_on) == ("", None)


@both_databases
def test_the_same_form_is_one_order(app: Flask) -> None:
    key = build.request_key()
    first = place(request_key=key)
    assert place(request_key=key, visitor=build.visitor("198.51.100.7")) is first
    with pytest.raises(RequestKeyReusedError):
        place(request_key=key, buyer_email="vera@example.com")
    assert orders() == 1


@pytest.mark.parametrize("length", [0, 15])
def test_a_form_without_its_key_is_refused(app: Flask, length: int) -> None:
    with pytest.raises(RequestKeyMissingError):
        place(request_key="k" * length)
    assert place(request_key="k" * 16).request_key == "k" * 16


@pytest.mark.parametrize("missing", [{"is_selling": False}, {"phone": ""}, {"booking_url": ""}])
def test_nothing_is_sold_while_sales_are_paused_or_nobody_could_be_reached(app: Flask, missing: dict[str, Any]) -> None:
    set_practice(**missing)
    with pytest.raises(SalesPausedError):
        place()
    assert orders() == 0


@pytest.mark.parametrize("changes", [{"offer": "nothing"}, {"offer": "30-minutes"}, {"design": "nothing"}])
def test_what_is_not_on_offer_is_refused(app: Flask, changes: dict[str, str]) -> None:
    db.session.execute(sa.update(Offer).where(Offer.slug == "30-minutes").values(visibility="retired"))
    with pytest.raises(OfferNotFoundError):
        place(build.gift_request(**changes))
    assert orders() == 0


@pytest.mark.parametrize(
    ("low", "high", "refused", "sentence"),
    [
        (25_00, 500_00, [None, 0, 24_99, 500_01], "$25 and $500"),
        (1, 500_00, [LIMITS.least_cents - 1], "$0.50 and $500"),
        (25_00, 9_999_00, [LIMITS.most_cents + 1], "$25 and $2,000"),
    ],
)
def test_an_amount_lies_within_the_practices_bounds_stripes_and_the_laws(
    app: Flask, low: int, high: int, refused: list[int | None], sentence: str
) -> None:
    set_practice(minimum_cents=low, maximum_cents=high, buyer_day_limit_cents=99_999_00)
    for cents in refused:
        with pytest.raises(AmountOutOfBoundsError) as refusal:
            place(amount(cents))
        assert refusal.value.message == f"Amount must be between {sentence}."
    for cents in (max(low, LIMITS.least_cents), min(high, LIMITS.most_cents)):
        assert place(amount(cents)).total_cents == cents


@pytest.mark.parametrize(
    ("total_cents", "is_taken"),
    [
        (LIMITS.least_cents - 1, False),
        (LIMITS.least_cents, True),
        (STRIPE_MOST_CENTS, True),
        (STRIPE_MOST_CENTS + 1, False),
    ],
)
def test_a_payment_is_one_that_stripe_takes(total_cents: int, is_taken: bool) -> None:
    with nullcontext() if is_taken else pytest.raises(AmountOutOfBoundsError):
        check_total(total_cents, "USD")


def test_an_offer_that_stripe_would_not_take_is_not_placed(app: Flask) -> None:
    db.session.execute(sa.update(Offer).values(price_cents=LIMITS.least_cents - 1))
    with pytest.raises(AmountOutOfBoundsError):
        place()
    assert orders() == 0


COUNTING = ("processing", "paid", "fulfilled", "in_review")


def went_to_pay(cents: int, state: str, *, at: datetime = NOW) -> None:
    """Let the usual buyer have gone to Stripe's page with an order that is in this state now."""
    order = place(amount(cents), at=at)
    order.state = state
    told.attempt(order, 1, session_id=None, state="complete", first_tried_at=at)


@pytest.mark.parametrize("state", ["awaiting_payment", "expired", "failed", "refunded", *COUNTING])
def test_a_buyers_limit_counts_what_was_paid_wherever(app: Flask, state: str) -> None:
    set_practice(buyer_day_limit_cents=100_00)
    went_to_pay(60_00, state)
    if state in COUNTING:
        with pytest.raises(BuyerLimitError):
            place(amount(40_01), at=NOW)
    assert place(amount(40_00)).total_cents == 40_00
    assert place(amount(100_00), buyer_email="vera@example.com").total_cents == 100_00
    db.session.rollback()


@pytest.mark.parametrize(("age", "is_refused"), [(A_DAY - MICROSECOND, True), (A_DAY, False)])
def test_a_buyers_limit_is_of_one_day(app: Flask, age: timedelta, is_refused: bool) -> None:
    set_practice(buyer_day_limit_cents=100_00)
    went_to_pay(100_00, "in_review", at=NOW - age)
    if is_refused:
        with pytest.raises(BuyerLimitError):
            place(amount(25_00))
    else:
        assert place(amount(25_00)).state == "awaiting_payment"


def test_one_order_over_the_days_limit_is_refused_whoever_tries_things_out(app: Flask) -> None:
    set_practice(buyer_day_limit_cents=100_00)
    with pytest.raises(BuyerLimitError):
        place(amount(100_01))
    assert place(amount(100_00)).total_cents == 100_00


MINE, CAFE = "browser-of-mine", "198.51.100.7"


def unpaid(count: int, state: str, at: datetime, **changes: Any) -> Order:
    """Let this browser have opened so many payment pages of one order, each for 40 minutes."""
    order = told.placed(attempts=0)
    for number in range(count):
        opened = {"state": state, "first_tried_at": at, "expires_at": at + timedelta(minutes=40), "browser": MINE}
        told.attempt(order, number + 1, session_id=None, client_address="192.0.2.1", **{**opened, **changes})
    return order


@pytest.mark.parametrize(
    ("count", "state", "age", "is_refused"),
    [
        (5, "open", MICROSECOND, True),
        (5, "created", MICROSECOND, True),
        (4, "open", MICROSECOND, False),
        (5, "open", timedelta(minutes=40) - MICROSECOND, True),
        (5, "open", timedelta(minutes=40), False),
        (29, "expired", MICROSECOND, False),
        (30, "expired", MICROSECOND, True),
        (30, "complete", MICROSECOND, False),
        (30, "expired", AN_HOUR, False),
    ],
)
@pytest.mark.parametrize("mode", ["live", "test", "simulated"])
def test_a_browser_opens_only_so_many_pages_without_paying(
    app: Flask, mode: str, count: int, state: str, age: timedelta, is_refused: bool
) -> None:
    unpaid(count, state, NOW - age)
    if is_refused:
        with pytest.raises(TooManyOpenCheckoutsError):
            place(mode=mode, visitor=build.visitor(browser=MINE, reads_since=NOW - AN_HOUR))
    else:
        assert place(mode=mode, visitor=build.visitor(browser=MINE, reads_since=NOW - AN_HOUR)).mode == mode
    assert place(mode=mode, visitor=build.visitor(reads_since=NOW - AN_HOUR)).mode == mode


def test_who_has_too_many_pages_open_is_told_when_the_next_one_closes(app: Flask) -> None:
    unpaid(5, "open", NOW - timedelta(minutes=30))
    with pytest.raises(TooManyOpenCheckoutsError, match="try again in 10 minutes") as refused:
        place(visitor=build.visitor(browser=MINE, reads_since=NOW - AN_HOUR))
    assert refused.value.wait_seconds == 600


def test_who_tries_things_out_may_open_more_but_not_without_end(app: Flask) -> None:
    lenient = build.visitor(browser=MINE, leniency=2, reads_since=NOW - A_DAY)
    unpaid(9, "open", NOW)
    assert place(visitor=lenient).state == "awaiting_payment"
    unpaid(1, "open", NOW)
    with pytest.raises(TooManyOpenCheckoutsError):
        place(visitor=lenient)


@pytest.mark.parametrize(
    ("crowd", "reads_for", "is_refused"),
    [
        (19, timedelta(0), False),
        (20, timedelta(seconds=4), True),
        (20, timedelta(seconds=5), False),
        (40, timedelta(seconds=19), True),
        (40, timedelta(seconds=20), False),
        (200, timedelta(minutes=9), False),
    ],
)
def test_a_networks_address_only_slows_whoever_orders_without_reading(
    app: Flask, crowd: int, reads_for: timedelta, is_refused: bool
) -> None:
    unpaid(crowd, "open", NOW, browser="")
    reader = build.visitor(reads_since=NOW - reads_for)
    if is_refused:
        with pytest.raises(TooManyOpenCheckoutsError, match="from your network") as refused:
            place(visitor=reader)
        assert 0 < refused.value.wait_seconds <= 5
    else:
        assert place(visitor=reader).state == "awaiting_payment"
    assert place(visitor=build.visitor(CAFE, reads_since=NOW)).state == "awaiting_payment"


def test_whoever_keeps_no_cookie_has_read_nothing(app: Flask) -> None:
    unpaid(20, "open", NOW, browser="")
    with pytest.raises(TooManyOpenCheckoutsError):
        place(visitor=build.visitor(browser="", reads_since=None))
