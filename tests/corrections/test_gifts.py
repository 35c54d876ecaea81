"""What a buyer may not change of a gift, whichever page they come from; what they may is in tests/storefront."""

from collections.abc import Callable

import pytest

from giftshop import clock
from giftshop.corrections import gifts
from giftshop.corrections.gifts import NotChangeableError
from giftshop.ledger.idempotency import Answer
from giftshop.orders.models import Gift
from tests import build
from tests.orders.stripe_side import StripeSide

Change = Callable[[Gift, str], Answer]
CHANGES: dict[str, Change] = {
    "its address": lambda gift, key: gifts.send_to(gift, "ana@example.org", key=key),
    "its day": lambda gift, key: gifts.send_on(gift, clock.today("America/Denver"), key=key),
    "that it is sent": lambda gift, key: gifts.keep_back(gift, key=key),
    "its copies": lambda gift, key: gifts.send_copy(gift, key=key),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_can_be_changed_of_a_gift_before_it_is_paid(stripe_side: StripeSide, change: Change) -> None:
    order = stripe_side.place()
    answer = change(order.gifts[0], build.request_key())
    assert (answer.status, answer.refusal) == (409, NotChangeableError.__name__)
