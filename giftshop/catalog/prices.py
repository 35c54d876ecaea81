"""Prices: what an offer costs now, and between which bounds anything is sold, for placing.py and limits.py."""

from dataclasses import dataclass

from giftshop.catalog.law import find_sale_limit
from giftshop.catalog.models import Practice
from giftshop.catalog.offers import FREE_AMOUNT, get_offer
from giftshop.errors import AmountOutOfBoundsError, AmountTooFineError
from giftshop.money import format_amount, format_choice
from giftshop.money.currencies import get_currency
from giftshop.words import _


@dataclass(frozen=True, slots=True)
class Price:
    """What is sold by this slug, under which name (none for an amount), and for how much in minor units."""

    slug: str
    service_name: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which sums one certificate may cost, and what one buyer may buy in a day, None where no law says.

    Stripe's bounds by its own table; the law's only where it is in force, and in its own money.
    """

    least_cents: int
    most_cents: int
    most_a_day_cents: int | None


def limits_of(place: str, currency: str) -> Limits:
    """Return what Stripe and the law of `place` ("US-CO", "DE") allow in `currency`."""
    kind, law = get_currency(currency), find_sale_limit(place, currency)
    if law is None:
        return Limits(kind.least_cents, kind.most_cents, None)
    return Limits(kind.least_cents, min(kind.most_cents, law.most_cents), law.most_a_day_cents)


def bounds_of(practice: Practice) -> tuple[int, int]:
    """Return the least and the most a buyer may choose freely: the owner's bounds, within Stripe's and the law's."""
    limits = limits_of(practice.place, practice.currency)
    return max(practice.minimum_cents, limits.least_cents), min(practice.maximum_cents, limits.most_cents)


def get_price(slug: str, amount_cents: int | None, practice: Practice) -> Price:
    """Return the catalogue's price now, or the free amount when it is between the practice's bounds.

    Raises OfferNotFoundError (unknown, retired), AmountOutOfBoundsError, AmountTooFineError.
    """
    if slug == FREE_AMOUNT:
        return _free_amount(amount_cents, practice)
    offer = get_offer(slug)
    if offer.price_cents > limits_of(practice.place, practice.currency).most_cents:
        raise AmountOutOfBoundsError
    return Price(offer.slug, offer.name if offer.kind == "session" else "", offer.price_cents)


def check_total(total_cents: int, currency: str) -> None:
    """Refuse what Stripe would not take as one payment. Raises AmountOutOfBoundsError."""
    kind = get_currency(currency)
    if not kind.least_cents <= total_cents <= kind.most_cents:
        raise AmountOutOfBoundsError


def step_sentence(currency: str) -> str:
    """Say in which steps amounts can be charged; empty where every one can."""
    step_cents = get_currency(currency).step_cents
    return _("Amounts go in steps of %(step)s.", step=format_amount(step_cents, currency)) if step_cents > 1 else ""


def _free_amount(amount_cents: int | None, practice: Practice) -> Price:
    low, high = bounds_of(practice)
    if amount_cents is None or not low <= amount_cents <= high:
        raise AmountOutOfBoundsError(bounds_sentence(practice))
    if amount_cents % get_currency(practice.currency).step_cents:
        raise AmountTooFineError(step_sentence(practice.currency))
    return Price(FREE_AMOUNT, "", amount_cents)


def bounds_sentence(practice: Practice) -> str:
    """Say between which amounts a free one must be."""
    low, high = (format_choice(cents, practice.currency) for cents in bounds_of(practice))
    return _("Amount must be between %(low)s and %(high)s.", low=low, high=high)
