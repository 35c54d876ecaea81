"""Prices: what an offer costs now, and between which bounds anything is sold, for placing.py and limits.py."""

from dataclasses import dataclass

from giftshop.catalog.models import Practice
from giftshop.catalog.offers import FREE_AMOUNT, get_offer
from giftshop.errors import AmountOutOfBoundsError
from giftshop.money import format_choice
from giftshop.words import _

MOST_CENTS = 2_000_00
"""Most for one certificate: closed-loop prepaid access stays exempt up to $2,000 (FIN-2016-G002)."""
STRIPE_LEAST_CENTS, STRIPE_MOST_CENTS = 50, 999_999_99
"""What one payment in dollars may come to at Stripe, whatever the practice would like to sell."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is sold by this slug, under which name (none for an amount), and for how much in minor units."""

    slug: str
    service_name: str
    amount_cents: int


def get_price(slug: str, amount_cents: int | None, practice: Practice) -> Price:
    """Return the catalogue's price now, or the free amount when it is between the practice's bounds.

    Raises OfferNotFoundError (unknown, retired), AmountOutOfBoundsError.
    """
    if slug == FREE_AMOUNT:
        return _free_amount(amount_cents, practice)
    offer = get_offer(slug)
    if offer.price_cents > MOST_CENTS:
        raise AmountOutOfBoundsError
    return Price(offer.slug, offer.name if offer.kind == "session" else "", offer.price_cents)


def check_total(total_cents: int) -> None:
    """Refuse what Stripe would not take as one payment. Raises AmountOutOfBoundsError."""
    if not STRIPE_LEAST_CENTS <= total_cents <= STRIPE_MOST_CENTS:
        raise AmountOutOfBoundsError


def _free_amount(amount_cents: int | None, practice: Practice) -> Price:
    low, high = max(practice.minimum_cents, STRIPE_LEAST_CENTS), min(practice.maximum_cents, MOST_CENTS)
    if amount_cents is None or not low <= amount_cents <= high:
        bounds = {"low": format_choice(low, practice.currency), "high": format_choice(high, practice.currency)}
        raise AmountOutOfBoundsError(_("Amount must be between %(low)s and %(high)s.", **bounds))
    return Price(FREE_AMOUNT, "", amount_cents)
