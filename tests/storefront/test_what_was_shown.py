"""What was shown is what is charged: a price, name or length that changed under an open form is said, old and new."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.catalog.models import Offer, Practice
from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from giftshop.payments.gateway import StripeGateway
from tests.storefront.conftest import Fields, Visitor, errors_of, heading, orders
from tests.workbench.running import RunningWorkbench


def change(slug: str = "60-minutes", **values: Any) -> Callable[[], None]:
    """Return an act that changes an offer."""

    def act() -> None:
        db.session.execute(sa.update(Offer).where(Offer.slug == slug).values(**values))
        db.session.commit()

    return act


def sell_in_euros() -> None:
    db.session.get_one(Practice, 1).currency = "EUR"
    db.session.commit()


CHANGES: list[tuple[Callable[[], None], list[str]]] = [
    (change(price_cents=115_00), ["was $95.00 and is $115.00 now"]),
    (change(price_cents=95_01), ["was $95.00 and is $95.01 now"]),
    (change(name="Deep rest"), ["“60-minute massage” is now “Deep rest”"]),
    (change(minutes=50), ["It takes 50 minutes now, not 60"]),
    (change(name="Deep rest", price_cents=80_00), ["is now “Deep rest”", "was $95.00 and is $80.00 now"]),
    (sell_in_euros, ["was $95.00 and is €95.00 now"]),
]


@pytest.mark.parametrize(("act", "told"), CHANGES)
def test_what_changed_under_an_open_form_is_asked_again_and_the_next_yes_counts(
    paying: Visitor, act: Callable[[], None], told: list[str]
) -> None:
    paying.open("/gift")
    filled = paying.fill_gift()
    act()
    answer = paying.send("/gift", filled)
    assert answer.status_code == 422
    assert list(errors_of(answer)) == ["gifts-0-offer"]
    assert all(each in errors_of(answer)["gifts-0-offer"] for each in told)
    assert {name: paying.fields[name] for name in filled} == filled
    assert orders() == []
    assert paying.send("/gift").status_code == 303
    (order,) = orders()
    assert order.total_cents == db.session.scalar(sa.select(Offer.price_cents).where(Offer.slug == "60-minutes"))


def test_an_offer_that_is_not_sold_any_more_is_named_and_another_is_chosen(paying: Visitor) -> None:
    paying.open("/gift")
    filled = paying.fill_gift()
    change(visibility="retired")()
    answer = paying.send("/gift", filled)
    assert answer.status_code == 422
    assert errors_of(answer) == {"gifts-0-offer": "“60-minute massage” for $95.00 is not sold any more. Choose again"}
    assert paying.fields["gifts-0-recipient_name"] == "Ana"
    assert paying.send("/gift", {"gifts-0-offer": "90-minutes"}).status_code == 303


@pytest.mark.parametrize("offer", ["amount", ""])
def test_an_amount_typed_in_another_currency_than_is_taken_now_is_asked_again(paying: Visitor, offer: str) -> None:
    paying.open("/gift")
    sell_in_euros()
    answer = paying.send("/gift", paying.fill_gift(offer=offer, amount="100"))
    assert answer.status_code == 422
    assert "Amounts are in euros now, not in dollars" in errors_of(answer)["gifts-0-offer"]


def test_a_price_that_fell_is_passed_on_and_said_before_and_after_payment(
    paying: Visitor, workbench: RunningWorkbench
) -> None:
    paying.open("/gift")
    filled = paying.fill_gift()
    change(price_cents=80_00)()
    answer = paying.send("/gift", filled)
    assert answer.status_code == 303
    (order,) = orders()
    assert (order.total_cents, order.gifts[0].shown_cents) == (80_00, 95_00)
    sent = next(call for call in workbench.requests() if call["path"] == "/v1/checkout/sessions")
    assert "For Ana. The price fell: $80.00 instead of $95.00" in str(sent)
    page = paying.open(f"/orders/{token_of(order)}").text
    assert "The price of “60-minute massage” fell from $95.00 to $80.00 while you ordered." in page


def test_of_two_gifts_one_dearer_and_one_cheaper_the_dearer_is_asked_and_both_are_said(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift() | {"add_gift": "1"})
    filled = paying.fill_gift() | paying.fill_gift(1, offer="90-minutes")
    change(price_cents=96_00)()
    change("90-minutes", price_cents=100_00)()
    answer = paying.send("/gift", filled)
    assert answer.status_code == 422
    assert list(errors_of(answer)) == ["gifts-0-offer"]
    assert "The price of “90-minute massage” fell from $120.00 to $100.00" in answer.text


def test_whatever_else_is_wrong_the_new_price_is_not_shown_without_a_word(paying: Visitor) -> None:
    paying.open("/gift")
    change(price_cents=115_00)()
    answer = paying.send("/gift", paying.fill_gift(recipient_name=""))
    assert list(errors_of(answer)) == ["gifts-0-recipient_name"]
    assert "Something has changed since you saw it" in answer.text
    assert "was $95.00 and is $115.00 now" in answer.text


@pytest.mark.parametrize("button", ["add_gift", "update_preview"])
def test_a_change_is_said_when_the_form_is_only_looked_at_anew(visitor: Visitor, button: str) -> None:
    visitor.open("/gift")
    change(price_cents=115_00)()
    answer = visitor.send("/gift", visitor.fill_gift() | {button: "1"})
    assert answer.status_code == 200
    assert "was $95.00 and is $115.00 now" in answer.text


def test_a_form_sent_twice_pays_the_price_it_was_placed_with(paying: Visitor) -> None:
    paying.open("/gift")
    filled = paying.fill_gift()
    first = paying.send("/gift", filled)
    change(price_cents=115_00)()
    again = paying.send("/gift", filled)
    assert (again.status_code, again.location) == (303, first.location)
    assert [order.total_cents for order in orders()] == [95_00]


@pytest.mark.parametrize(
    "forged",
    [
        "60-minutes=USD+1+60+60-minute+massage",
        "60-minutes=USD+999999999999+60+60-minute+massage",
        "60-minutes=USD+1",
        "60-minutes=%00",
        "&" * 300,
        "=",
        "amount=EUR+0+0+",
        "\ud800",
        "60-minutes=USD+9500+60+<b>x</b>",
    ],
)
def test_whoever_forges_what_was_shown_pays_what_it_costs(paying: Visitor, forged: str) -> None:
    paying.open("/gift")
    readable = forged.encode("utf-8", "replace").decode()
    for _ in range(2):
        answer = paying.send("/gift", paying.fill_gift() | {"shown": readable})
        assert answer.status_code in (303, 422)
        assert "<b>x</b>" not in answer.text
    assert {order.total_cents for order in orders()} <= {95_00}


def test_a_form_that_says_nothing_of_what_was_shown_pays_todays_price(paying: Visitor) -> None:
    paying.open("/gift")
    change(price_cents=115_00)()
    filled = paying.fill_gift()
    del paying.fields["shown"]
    assert paying.send("/gift", filled).status_code == 303
    assert orders()[0].total_cents == 115_00


def come_back(paying: Visitor, workbench: RunningWorkbench) -> str:
    """Go to Stripe's page with the usual gift; return the address to which its way back leads."""
    paying.open("/gift")
    address = paying.send("/gift", paying.fill_gift()).location
    assert address is not None
    return f"/gift?order={token_of(orders()[0])}"


@pytest.mark.parametrize(("act", "told"), CHANGES)
def test_coming_back_says_what_has_changed_since_the_order_and_the_next_yes_counts(
    paying: Visitor, workbench: RunningWorkbench, act: Callable[[], None], told: list[str]
) -> None:
    way_back = come_back(paying, workbench)
    act()
    page = paying.open(way_back)
    assert heading(page) == "Make a gift certificate"
    assert all(each in page.text for each in told)
    assert paying.send("/gift").status_code == 303
    assert len(orders()) == 2


def test_coming_back_to_a_lower_price_says_so_and_passes_it_on(paying: Visitor, workbench: RunningWorkbench) -> None:
    way_back = come_back(paying, workbench)
    change(price_cents=80_00)()
    assert "fell from $95.00 to $80.00. You pay the lower one" in paying.open(way_back).text
    assert paying.send("/gift").status_code == 303
    assert [order.total_cents for order in orders()] == [95_00, 80_00]


def test_coming_back_to_an_offer_that_is_gone_says_so_and_nothing_is_chosen(
    paying: Visitor, workbench: RunningWorkbench
) -> None:
    way_back = come_back(paying, workbench)
    change(visibility="retired")()
    page = paying.open(way_back)
    assert "“60-minute massage” for $95.00 is not sold any more. Choose again" in page.text
    assert "gifts-0-offer" not in Fields(page.text).values
    assert paying.send("/gift").status_code == 422


def test_coming_back_says_that_nothing_was_charged_and_nothing_can_be_any_more(
    paying: Visitor, workbench: RunningWorkbench
) -> None:
    way_back = come_back(paying, workbench)
    page = paying.open(way_back)
    assert "<b>Nothing was charged.</b>" in page.text
    assert "Everything is as you filled it in" in page.text
    assert [attempt.state for attempt in orders()[0].attempts] == ["expired"]
    (session,) = workbench.sessions()
    assert session["status"] == "expired"
    assert heading(paying.open(f"/orders/{token_of(orders()[0])}")) == "Not paid yet"


def test_coming_back_after_the_page_has_closed_says_that_too(paying: Visitor, workbench: RunningWorkbench) -> None:
    way_back = come_back(paying, workbench)
    session_id = orders()[0].attempts[0].session_id
    workbench.post(f"/sessions/{session_id}/expire")
    page = paying.open(way_back)
    assert "<b>Nothing was charged.</b>" in page.text
    assert "The payment page was open for 40 minutes and has closed" in page.text


def test_coming_back_from_a_page_that_was_paid_leads_to_the_order(paying: Visitor, workbench: RunningWorkbench) -> None:
    way_back = come_back(paying, workbench)
    workbench.post("/hook", {"drop": -1})
    workbench.post(f"/sessions/{orders()[0].attempts[0].session_id}/settle", {"outcome": "pay"})
    answer = paying.open(way_back)
    assert (answer.status_code, answer.location) == (303, f"/orders/{token_of(orders()[0])}")
    assert orders()[0].state == "fulfilled"


def test_while_stripe_cannot_be_asked_nobody_says_that_nothing_was_charged(
    paying: Visitor, app: Flask, workbench: RunningWorkbench
) -> None:
    way_back = come_back(paying, workbench)
    app.extensions["stripe_gateway"] = StripeGateway(
        secret_key="sk_test_sim_0123456789", api_base="http://127.0.0.1:9", webhook_secrets=["x"]
    )
    page = paying.open(way_back)
    assert page.status_code == 200
    assert "Nothing was charged" not in page.text
    assert "Did you pay on the payment page?" in page.text
    assert paying.fields["gifts-0-recipient_name"] == "Ana"
