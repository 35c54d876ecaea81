"""Going to Stripe's page: every rule is asked when a page for paying is made, however old the order's link is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Offer, Practice
from giftshop.checkout import limits, sessions
from giftshop.checkout.placing import Purchase, place_order
from giftshop.checkout.sessions import leave_checkout, open_checkout
from giftshop.delivery.models import Delivery
from giftshop.errors import (
    AmountOutOfBoundsError,
    BuyerLimitError,
    CheckoutRefusedError,
    OfferChangedError,
    OrderTooOldError,
    SalesPausedError,
    TooManyOpenCheckoutsError,
)
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.notifications.models import Alert
from giftshop.orders.look_up import token_of
from giftshop.orders.models import CheckoutAttempt, Order
from giftshop.payments.gateway import StripeGateway
from giftshop.web.limiter import limiter
from tests import build
from tests.conftest import both_databases, make_settings
from tests.orders.stripe_side import BASE, StripeSide
from tests.storefront.conftest import Visitor, heading
from tests.workbench.running import RunningWorkbench

HOME, CAFE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """The settings of a shop with the real limits, whose Stripe is the workbench."""
    return make_settings(database_url, limits="real", **workbench.shop_settings)


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    """A stranger with an empty browser and no tries counted against them."""
    limiter.reset()
    return Visitor(app.test_client(), app.config["SHOP_SETTINGS"].base_url)


def wish(amount_cents: int = 50_00, **changes: Any) -> Purchase:
    """An order to be of one amount, by a buyer of their own in a browser of their own unless said otherwise."""
    mine = {"buyer_email": f"{build.request_key()}@example.com"}
    return build.purchase(build.gift_request(offer="amount", amount_cents=amount_cents), **{**mine, **changes})


def place(purchase: Purchase) -> Order:
    order = place_order(purchase, mode="simulated", at=clock.now())
    db.session.commit()
    return order


def press_pay(order: Order, stripe_side: StripeSide, *, browser: str = "", at: str = CAFE) -> str | None:
    """Press Pay from an address, in a browser of one's own unless it is named."""
    who = build.visitor(at, browser=browser) if browser else build.visitor(at)
    try:
        return open_checkout(order.id, stripe_side.gateway, base_url=BASE, visitor=who)
    finally:
        db.session.rollback()


def limit_a_day(cents: int) -> None:
    db.session.get_one(Practice, 1).buyer_day_limit_cents = cents
    db.session.commit()


def let_attempts_expire() -> None:
    db.session.execute(sa.update(CheckoutAttempt).values(state="expired"))
    db.session.commit()


def pages_made(stripe_side: StripeSide) -> int:
    """Count the payment pages that Stripe was asked to make."""
    calls = stripe_side.workbench.requests()
    return sum((call["method"], call["path"]) == ("POST", "/v1/checkout/sessions") for call in calls)


def test_links_collected_before_open_thirty_pages_an_hour_and_stripe_hears_of_no_other(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHECKOUTS_AN_HOUR", 3)
    orders = [place(wish()) for _ in range(4)]
    for order in orders[:3]:
        assert press_pay(order, stripe_side, browser="mine")
        let_attempts_expire()
    with pytest.raises(TooManyOpenCheckoutsError):
        press_pay(orders[3], stripe_side, browser="mine")
    assert pages_made(stripe_side) == 3
    assert press_pay(orders[3], stripe_side)


def test_pages_for_one_order_end_after_ten_in_an_hour_whoever_asks(stripe_side: StripeSide) -> None:
    order, other = place(wish()), place(wish())
    for _ in range(10):
        assert press_pay(order, stripe_side)
        let_attempts_expire()
    with pytest.raises(TooManyOpenCheckoutsError):
        press_pay(order, stripe_side)
    assert press_pay(other, stripe_side)


def test_a_sixth_page_beside_five_open_ones_in_one_browser_is_refused(stripe_side: StripeSide) -> None:
    orders = [place(wish()) for _ in range(6)]
    for order in orders[:5]:
        assert press_pay(order, stripe_side, browser="mine")
    with pytest.raises(TooManyOpenCheckoutsError):
        press_pay(orders[5], stripe_side, browser="mine")
    assert press_pay(orders[0], stripe_side, browser="mine"), "an open page may be gone to again"
    leave_checkout(orders[0].id, stripe_side.gateway)
    assert press_pay(orders[5], stripe_side, browser="mine"), "a page that was left frees its place"


def test_five_buyers_stand_on_stripes_page_behind_one_address_and_the_sixth_goes_there_too(
    stripe_side: StripeSide,
) -> None:
    assert all(press_pay(place(wish()), stripe_side, at=HOME) for _ in range(12))


def test_a_browser_with_too_many_pages_open_is_told_how_long_to_wait(
    stripe_side: StripeSide, stranger: Visitor
) -> None:
    stranger.open("/gift")
    for _ in range(5):
        fresh = {"request_key": build.request_key()}
        assert stranger.send("/gift", stranger.fill_gift() | fresh).status_code == 303
    answer = stranger.send("/gift", stranger.fill_gift() | {"request_key": build.request_key()})
    assert answer.status_code == 429
    assert 2300 < int(answer.headers["Retry-After"]) <= 2400
    assert "Please finish or cancel one, or try again in 40 minutes" in answer.text


def raise_the_price() -> None:
    db.session.execute(sa.update(Offer).where(Offer.slug == "60-minutes").values(price_cents=Offer.price_cents + 1))


def change_the_offer(**values: Any) -> None:
    db.session.execute(sa.update(Offer).where(Offer.slug == "60-minutes").values(**values))


def lower_the_price() -> None:
    change_the_offer(price_cents=80_00)


def rename_the_offer() -> None:
    change_the_offer(name="Deep rest")


def shorten_the_session() -> None:
    change_the_offer(minutes=50)


def retire_the_offer() -> None:
    db.session.execute(sa.update(Offer).where(Offer.slug == "60-minutes").values(visibility="retired"))


def pause_sales() -> None:
    db.session.get_one(Practice, 1).is_selling = False


def let_a_week_pass() -> None:
    db.session.execute(sa.update(Order).values(created_at=clock.now() - timedelta(days=7)))


CHANGES: list[tuple[Callable[[], None], str]] = [
    (raise_the_price, "The price of “60-minute massage” was $95.00 and is $95.01 now. Please look it over"),
    (lower_the_price, "The price of “60-minute massage” fell from $95.00 to $80.00. You pay the lower one"),
    (rename_the_offer, "“60-minute massage” is now “Deep rest”. Please look it over"),
    (shorten_the_session, "It takes 50 minutes now, not 60. Please look it over"),
    (retire_the_offer, "“60-minute massage” for $95.00 is not sold any more. Choose again. Please look it over"),
    (pause_sales, SalesPausedError().message),
    (let_a_week_pass, OrderTooOldError().message),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
@pytest.mark.parametrize("state", ["awaiting_payment", "expired", "failed"])
def test_an_old_link_sells_nothing_that_is_not_sold_like_this_any_more(
    stripe_side: StripeSide,
    stranger: Visitor,
    change: Callable[[], None],
    told: str,
    state: str,
) -> None:
    order = place(build.purchase())
    order.state = state
    token = token_of(order)
    db.session.commit()
    stranger.open(f"/orders/{token}")
    change()
    db.session.commit()
    answer = stranger.send(f"/orders/{token}/pay")
    assert answer.status_code == 409
    assert told in answer.text
    assert heading(answer) == "Nothing was charged. This order can’t be paid now"
    assert (f'href="/gift?order={token}"' in answer.text) is (change is not pause_sales)
    assert f'action="/orders/{token}/pay"' not in answer.text
    assert pages_made(stripe_side) == 0
    assert db.session.get_one(Order, order.id).state == state


def test_an_order_can_be_paid_until_its_week_is_over(stripe_side: StripeSide) -> None:
    order = place(build.purchase())
    order.created_at = clock.now() - limits.PAYABLE_FOR + timedelta(minutes=1)
    db.session.commit()
    assert press_pay(order, stripe_side)


def test_a_page_that_is_open_keeps_its_price(stripe_side: StripeSide) -> None:
    order = place(build.purchase())
    address = press_pay(order, stripe_side)
    raise_the_price()
    db.session.commit()
    assert press_pay(order, stripe_side) == address


def test_a_free_amount_is_measured_by_the_bounds_of_today(stripe_side: StripeSide) -> None:
    order = place(wish(50_00))
    db.session.get_one(Practice, 1).minimum_cents = 50_01
    db.session.commit()
    with pytest.raises(OfferChangedError):
        press_pay(order, stripe_side)


@pytest.mark.parametrize(("price_cents", "is_sold"), [(2_000_00, True), (2_000_01, False)])
def test_an_offer_is_sold_for_no_more_than_the_law_allows(app: Flask, price_cents: int, is_sold: bool) -> None:
    db.session.execute(sa.update(Offer).where(Offer.slug == "60-minutes").values(price_cents=price_cents))
    if is_sold:
        assert place(build.purchase()).total_cents == price_cents
    else:
        with pytest.raises(AmountOutOfBoundsError):
            place(build.purchase())
        db.session.rollback()


SAME_BROWSER = [{"buyer_email": "marko@example.com"}, {"buyer_email": "else@example.com"}]


@pytest.mark.parametrize("spelled", SAME_BROWSER)
def test_orders_that_can_still_be_paid_in_a_browser_count_towards_the_days_limit(
    stripe_side: StripeSide, spelled: dict[str, str]
) -> None:
    limit_a_day(100_00)
    first = place(wish(60_00, buyer_email="marko@example.com"))
    second = place(wish(40_01, **spelled))
    third = place(wish(40_00, **spelled))
    assert press_pay(first, stripe_side, browser="mine", at=HOME)
    with pytest.raises(BuyerLimitError):
        place(wish(40_01, visitor=build.visitor(browser="mine"), **spelled))
    db.session.rollback()
    with pytest.raises(BuyerLimitError):
        press_pay(second, stripe_side, browser="mine")
    assert press_pay(third, stripe_side, browser="mine")


@pytest.mark.parametrize("spelled", ["marko@example.com", "Marko@Example.COM"])
def test_what_was_paid_with_an_address_counts_in_every_browser(stripe_side: StripeSide, spelled: str) -> None:
    limit_a_day(100_00)
    first = place(wish(60_00, buyer_email="marko@example.com"))
    assert press_pay(first, stripe_side)
    stripe_side.tell("checkout.session.completed", stripe_side.pay(first))
    with pytest.raises(BuyerLimitError):
        place(wish(40_01, buyer_email=spelled))
    db.session.rollback()
    assert press_pay(place(wish(40_00, buyer_email=spelled)), stripe_side)


def test_an_unpaid_order_in_somebodys_address_keeps_nobody_from_buying(stripe_side: StripeSide) -> None:
    limit_a_day(100_00)
    assert press_pay(place(wish(100_00, buyer_email="marko@example.com")), stripe_side, at=HOME)
    assert press_pay(place(wish(100_00, buyer_email="marko@example.com")), stripe_side, at=HOME)


def test_a_firms_second_buyer_is_another_person(stripe_side: StripeSide) -> None:
    limit_a_day(100_00)
    for _ in range(2):
        order = place(wish(100_00))
        assert press_pay(order, stripe_side, at=HOME)
        stripe_side.tell("checkout.session.completed", stripe_side.pay(order))


def test_what_was_paid_counts_a_day_from_when_it_was_paid_not_from_when_it_was_ordered(
    stripe_side: StripeSide,
) -> None:
    limit_a_day(100_00)
    first, second = (place(wish(60_00, buyer_email="marko@example.com")) for _ in range(2))
    first.created_at = second.created_at = clock.now() - timedelta(days=3)
    db.session.commit()
    assert press_pay(first, stripe_side)
    stripe_side.tell("checkout.session.completed", stripe_side.pay(first))
    with pytest.raises(BuyerLimitError):
        press_pay(second, stripe_side)
    first.attempts[-1].first_tried_at = clock.now() - timedelta(days=1, seconds=1)
    db.session.commit()
    assert press_pay(second, stripe_side)


@pytest.mark.parametrize("state", ["expired", "failed", "refunded"])
def test_what_can_no_longer_be_paid_or_was_paid_back_frees_the_limit(stripe_side: StripeSide, state: str) -> None:
    """Case 21 of Stripe's: an attempt that has expired is no sale; case 22 sees to it that it cannot be paid later."""
    limit_a_day(100_00)
    first = place(wish(60_00, buyer_email="marko@example.com"))
    assert press_pay(first, stripe_side)
    first.state = state
    db.session.commit()
    assert press_pay(place(wish(60_00, buyer_email="marko@example.com")), stripe_side)


def test_an_order_does_not_count_against_itself(stripe_side: StripeSide) -> None:
    limit_a_day(100_00)
    order = place(wish(100_00))
    assert press_pay(order, stripe_side)
    let_attempts_expire()
    assert press_pay(order, stripe_side)
    assert len(order.attempts) == 2


def test_an_order_paid_between_two_looks_is_not_paid_again(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = stripe_side.sell()
    monkeypatch.setattr(sessions, "_close_stale", lambda *_: True)
    assert press_pay(order, stripe_side) is None
    assert order.state == "fulfilled"


def pay_both_at_once(app: Flask, gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let one buyer press Pay on two orders, each judged before either attempt is written, where nothing keeps them
    apart; return how many pages were opened."""
    limit_a_day(100_00)
    order_ids = [place(wish(60_00, buyer_email="marko@example.com")).id for _ in range(2)]
    db.session.rollback()
    both_judged, judge = Barrier(2), limits.check_limits

    def judge_and_wait(*args: Any, **changes: Any) -> None:
        judge(*args, **changes)
        with suppress(BrokenBarrierError):  # the other one waits for us
            both_judged.wait(timeout=1)

    monkeypatch.setattr(limits, "check_limits", judge_and_wait)

    def press(order_id: int) -> bool:
        with app.app_context():
            try:
                return bool(
                    open_checkout(order_id, gateway, base_url=BASE, visitor=build.visitor(CAFE, browser="mine"))
                )
            except BuyerLimitError:
                return False

    with ThreadPoolExecutor(2) as buyers:
        return sum(buyers.map(press, order_ids))


@both_databases
def test_two_pages_opened_at_once_are_counted_one_after_the_other(
    app: Flask, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pay_both_at_once(app, stripe_side.gateway, monkeypatch) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_without_the_guard_both_pages_are_opened(
    app: Flask, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "wait_for_copies", lambda *_: None)
    assert pay_both_at_once(app, stripe_side.gateway, monkeypatch) == 2


def test_a_buyer_who_was_turned_away_is_mailed_to_the_practice_for_each_attempt(
    stripe_side: StripeSide, app: Flask
) -> None:
    order = place(wish())
    wrong_key = StripeGateway(secret_key="sk_live_wrong", api_base=stripe_side.workbench.url, webhook_secrets=["whsec"])
    for attempt in (1, 1, 2):
        if attempt == 2:
            order.attempts[-1].first_tried_at -= timedelta(minutes=10)
            db.session.commit()
        with pytest.raises(CheckoutRefusedError):
            open_checkout(order.id, wrong_key, base_url=BASE, visitor=build.visitor(CAFE))
    alerts = db.session.scalars(sa.select(Alert)).all()
    assert [alert.kind for alert in alerts] == ["checkout_refused"] * 2
    assert all(f"order {order.number}" in alert.detail for alert in alerts)
    mails = db.session.scalars(sa.select(Delivery).where(Delivery.kind == "alert")).all()
    assert [mail.order_id for mail in mails] == [order.id] * 2
