"""Payments: which order one paid, and how a sum of it falls on certificates: nobody's gift pays for another's."""

import pytest
from flask import Flask

from giftshop.checkout.fulfilment import find_order_of_payment
from giftshop.errors import OrderNotFoundError
from giftshop.orders.look_up import certificates_of, find_paid_order, get_order
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.payments.shares import Share, cleared_by_certificate, list_certificates, share_out
from giftshop.refunds.outcomes import record_refund
from tests import build
from tests.orders import told
from tests.orders.kept import count_certificates
from tests.orders.stripe_side import StripeSide, Watched


@pytest.fixture
def order(app: Flask) -> Order:
    """An order of three certificates of $40.00; another one stands beside it."""
    build.certificate()
    gift = build.gift_request(offer="amount", amount_cents=40_00, quantity=2)
    return told.sold(gift, build.gift_request(offer="amount", amount_cents=40_00))


@pytest.mark.parametrize(
    ("cents", "first", "shares"),
    [
        (0, None, {}),
        (1, None, {0: 1}),
        (40_00, None, {0: 40_00}),
        (40_01, None, {0: 40_00, 1: 1}),
        (120_00, None, {0: 40_00, 1: 40_00, 2: 40_00}),
        (500_00, None, {0: 40_00, 1: 40_00, 2: 40_00}),
        (1, 2, {2: 1}),
        (60_00, 2, {2: 40_00, 0: 20_00}),
        (60_00, 1, {1: 40_00, 0: 20_00}),
    ],
)
def test_a_sum_fills_one_certificate_after_the_other(
    order: Order, cents: int, first: int | None, shares: dict[int, int]
) -> None:
    certificates = list_certificates(order.id)
    named = certificates[first].public_id if first is not None else ""
    expected = [Share(certificates[place].id, amount) for place, amount in shares.items()]
    assert share_out(order.id, cents, first=named) == expected


def test_what_has_been_paid_back_takes_no_share_again(order: Order) -> None:
    certificates = list_certificates(order.id)
    record_refund(told.refund_of(order, 50_00), order.id)
    cleared = cleared_by_certificate(order.id)
    assert [cleared[each.id] for each in certificates] == [0, 30_00, 40_00]
    assert share_out(order.id, 40_00) == [Share(certificates[1].id, 30_00), Share(certificates[2].id, 10_00)]


@pytest.mark.parametrize(
    ("cents", "first", "shares"),
    [
        (40_00, None, {0: 10_00, 1: 30_00}),
        (50_00, None, {0: 10_00, 1: 40_00}),
        (90_00, None, {0: 10_00, 1: 40_00, 2: 40_00}),
        (100_00, None, {0: 20_00, 1: 40_00, 2: 40_00}),
        (500_00, None, {0: 40_00, 1: 40_00, 2: 40_00}),
        (40_00, 0, {0: 40_00}),
        (50_00, 0, {0: 40_00, 1: 10_00}),
    ],
)
def test_what_a_refund_under_way_holds_is_left_to_it_while_there_is_other_money(
    order: Order, cents: int, first: int | None, shares: dict[int, int]
) -> None:
    certificates = list_certificates(order.id)
    told.held(order, certificates[0], 30_00)
    named = certificates[first].public_id if first is not None else ""
    expected = [Share(certificates[place].id, amount) for place, amount in shares.items()]
    assert sorted(share_out(order.id, cents, first=named), key=lambda each: each.certificate_id) == expected


def test_certificates_stand_with_their_gifts(order: Order) -> None:
    first, second, third = list_certificates(order.id)
    assert certificates_of(order) == {order.gifts[0].id: [first, second], order.gifts[1].id: [third]}


def test_a_payment_of_ours_is_known_without_asking(order: Order, gateway: StripeGateway) -> None:
    watched = Watched(gateway)
    assert find_order_of_payment("pi_1", watched.gateway, patience="page") is order
    assert (find_paid_order("pi_1"), watched.asked) == (order.id, [])


def test_no_payment_is_no_order(order: Order, gateway: StripeGateway) -> None:
    watched = Watched(gateway)
    assert find_order_of_payment("", watched.gateway, patience="page") is None
    assert (find_paid_order(""), find_paid_order("pi_nobody"), watched.asked) == (None, None, [])


@pytest.mark.parametrize("patience", ["page", "job"])
def test_a_payment_that_nobody_told_of_is_settled_first(stripe_side: StripeSide, patience: str) -> None:
    placed = stripe_side.place()
    stripe_side.pay(placed)
    (charge,) = stripe_side.workbench.get("/state")["charges"]
    watched = Watched(stripe_side.gateway)
    assert find_order_of_payment(charge["payment_intent"], watched.gateway, patience=patience) is placed  # type: ignore[arg-type]
    assert watched.asked == [("find_session_of_payment", patience, False)]
    assert (placed.state, count_certificates()) == ("fulfilled", 1)


def test_a_payment_that_stripe_does_not_know_is_nobodys(stripe_side: StripeSide) -> None:
    assert find_order_of_payment("pi_nobody", stripe_side.gateway, patience="page") is None


def test_an_order_that_is_not_there_is_not_found(app: Flask) -> None:
    with pytest.raises(OrderNotFoundError):
        get_order(1)
