"""Cases 35 and 36: amounts are whole cents of the right currency, between what may be sold and what Stripe takes."""

import pytest

from tests.stripe_cases.conftest import OpenScene
from tests.stripe_cases.purchases import Purchase, heading, words
from tests.stripe_cases.scene import Scene

PRICE = "line_items[{}][price_data][unit_amount]"


@pytest.mark.parametrize(
    ("typed", "cents"), [("19.99", 1999), ("64.10", 6410), ("0.57", 57), ("1.1", 110), ("$1,115.35", 1115_35)]
)
def test_case_35_the_amount_typed_reaches_stripe_to_the_cent(scene: Scene, typed: str, cents: int) -> None:
    order = Purchase(scene).place(**{"gifts-0-amount": typed})
    (call,) = order.created()
    assert call["form"][PRICE.format(0)] == str(cents)
    assert order.session()["amount_total"] == order.row["total_cents"] == cents


def test_case_35_several_amounts_add_up_exactly(scene: Scene) -> None:
    second = {
        "gifts-1-offer": "amount",
        "gifts-1-amount": "20.20",
        "gifts-1-recipient_name": "Ben",
        "gifts-1-giver_name": "Marko",
        "gifts-1-design": "shoulders",
        "gifts-1-delivery": "print",
        "gifts-1-quantity": "3",
    }
    order = Purchase(scene).place(**{"gifts-0-amount": "10.10", **second})
    (call,) = order.created()
    assert [call["form"][PRICE.format(number)] for number in (0, 1)] == ["1010", "2020"]
    assert call["form"]["line_items[1][quantity]"] == "3"
    assert order.session()["amount_total"] == order.row["total_cents"] == 70_70


def test_case_35_yen_have_no_cents(open_scene: OpenScene) -> None:
    scene = open_scene("UPDATE practice SET currency = 'JPY'")
    assert Purchase(scene).send(**{"gifts-0-amount": "5000.50"}).status_code == 422
    order = Purchase(scene).place(**{"gifts-0-amount": "5000"})
    (call,) = order.created()
    assert (call["form"][PRICE.format(0)], order.session()["currency"]) == ("5000", "jpy")
    order.pay().wait_until_mailed()
    (certificate,) = scene.records.certificates(order.public_id)
    assert (certificate["face_value_cents"], certificate["currency"]) == (5000, "JPY")
    page = order.open()
    assert heading(page) == "Thank you, Marko. Ana’s massage has been sent."
    assert "¥5,000 paid on " in words(page)


@pytest.mark.parametrize(
    ("typed", "is_sold"),
    [("0.49", False), ("0.50", True), ("2000.00", True), ("2000.01", False), ("1000000.00", False), ("0", False)],
)
def test_case_36_an_amount_stripe_or_the_law_refuses_is_refused_by_the_shop(
    scene: Scene, typed: str, is_sold: bool
) -> None:
    calls = len(scene.bench.requests())
    order = Purchase(scene)
    answer = order.send(**{"gifts-0-amount": typed})
    assert answer.status_code == (303 if is_sold else 422)
    made = [call["form"]["customer_email"] for call in scene.bench.requests()[calls:] if call["method"] == "POST"]
    assert made == ([order.buyer_email] if is_sold else [])
    orders = scene.records.ask('SELECT state FROM "order" WHERE buyer_email = ?', order.buyer_email)
    assert orders == ([{"state": "awaiting_payment"}] if is_sold else [])
    if not is_sold:
        assert "Amount must be between " in words(answer)
        assert f'value="{typed}"' in answer.text, "what was typed stays in the form"
