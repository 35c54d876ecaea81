"""Blank objects follow the installed SDK: an upgrade that changes a shape is noticed here."""

import pytest
import stripe

from giftshop.workbench.stripe.objects.skeletons import build
from tests.stripe_schema import validate_object

RESOURCES = [
    stripe.checkout.Session, stripe.PaymentIntent, stripe.Charge, stripe.Refund, stripe.Dispute, stripe.Price,
    stripe.Product, stripe.PaymentMethod, stripe.LineItem, stripe.BalanceTransaction, stripe.radar.EarlyFraudWarning,
]  # fmt: skip


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.__name__)
def test_a_blank_object_is_valid(resource: type) -> None:
    validate_object(build(resource))


def test_a_field_the_sdk_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError, match="Refund has no colour"):
        build(stripe.Refund, colour="red")


def test_two_blanks_share_nothing() -> None:
    build(stripe.Charge)["metadata"]["a"] = "b"
    assert build(stripe.Charge)["metadata"] == {}
