"""What a buyer asks back is paid back in one step, by who may, and is then no alert any more."""

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.foundation.database import db
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order, Refund
from giftshop.refunds.wishes import ask_back, find_unused
from tests import build
from tests.conftest import both_databases
from tests.office.conftest import Desk
from tests.orders.stripe_side import StripeSide


def ask_for(order: Order) -> str:
    """Let the buyer ask for all of an order; return the address where it is answered."""
    practice = get_practice()
    unused = find_unused(order, practice, at=clock.now())
    assert unused is not None
    gifts, key = {gift.id for gift in order.gifts}, build.request_key()
    assert not ask_back(order.id, gifts, practice, key=key).refusal
    db.session.commit()
    return f"/office/orders/{order.id}/asked-back"


def open_alerts() -> list[str]:
    query = sa.select(Alert.kind).where(Alert.resolved_at.is_(None), Alert.kind == "refund_wished")
    return list(db.session.scalars(query))


def refunds() -> list[tuple[int, str]]:
    return [(each.amount_cents, each.state) for each in db.session.query(Refund).order_by(Refund.id)]


@both_databases
def test_one_press_on_what_today_leads_to_pays_all_of_it_back_once(owner: Desk, stripe_side: StripeSide) -> None:
    order = stripe_side.sell(build.gift_request(quantity=2), build.gift_request(offer="30-minutes"))
    address = ask_for(order)
    assert f'href="{address}"' in owner.open("/office/").text
    page = owner.open(address).text
    assert "Pay $250.00 back" in page
    key = build.request_key()
    first, second = (owner.send(address, request_key=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert sorted(refunds()) == [(60_00, "settled"), (95_00, "settled"), (95_00, "settled")]
    assert open_alerts() == []
    assert "Nothing to pay back" in owner.open(address).text


def test_of_what_was_used_since_only_the_rest_goes_back(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    address = ask_for(order)
    build.redeem(certificate, 15_00)
    db.session.commit()
    assert "some of it was used since" in owner.open(address).text
    owner.send(address)
    assert refunds() == [(35_00, "settled")]


def test_paid_back_another_way_it_is_answered_too(owner: Desk, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    address = ask_for(order)
    owner.act(certificate, "refund", amount="50")
    assert open_alerts() == []
    owner.send(address)
    assert refunds() == [(50_00, "settled")]


@pytest.mark.parametrize(("limit_cents", "status"), [(0, 403), (49_99, 409), (50_00, 303)])
def test_a_manager_pays_back_what_managers_may(
    manager: Desk, stripe_side: StripeSide, limit_cents: int, status: int
) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    address = ask_for(order)
    db.session.get_one(Practice, 1).manager_refund_limit_cents = limit_cents
    db.session.commit()
    assert manager.send(address).status_code == status
    assert refunds() == ([(50_00, "settled")] if status == 303 else [])


def test_an_order_that_is_not_there_has_nothing_to_pay_back(owner: Desk) -> None:
    assert owner.open("/office/orders/999/asked-back").status_code == 404
