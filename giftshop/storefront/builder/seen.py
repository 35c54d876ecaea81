"""What the form's page showed of each offer, carried by the form, and what of it has changed when it comes back.

It is only compared with what is sold today: whoever forges it is asked, or told of a fall, and pays today's price.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import FREE_AMOUNT, find_offer
from giftshop.catalog.shown import Change, Shown, find_change, show_free_amount, show_offer, tell_change
from giftshop.errors import OfferNotFoundError
from giftshop.orders.models import Order
from giftshop.words import _

SHOWN = "shown"
"""The field of the form."""
_MOST_OFFERS, _LONGEST = 200, 50_000
_OFFER = re.compile(r"(?P<currency>[A-Z]{3}) (?P<cents>[0-9]{1,12}) (?P<minutes>[0-9]{1,4}) (?P<name>.*)", re.ASCII)
_SLUG = re.compile(r"[a-z0-9-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Note:
    """What is said first on the page: a few words, and a sentence."""

    title: str
    told: str


def write_shown(offers: list[Offer], practice: Practice) -> str:
    """Return what the page shows, as the form carries it."""
    shown = [show_free_amount(practice), *(show_offer(offer, practice) for offer in offers)]
    return urlencode(
        {each.slug: f"{each.currency} {each.price_cents} {each.minutes or 0} {each.name}" for each in shown}
    )


def read_shown(text: str) -> dict[str, Shown]:
    """Return what the form's page showed, by the slug of each offer; of what is not readable nothing was shown."""
    try:
        pairs = parse_qsl(text[:_LONGEST], keep_blank_values=True, max_num_fields=_MOST_OFFERS)
    except ValueError:
        return {}
    found = [(slug, _OFFER.fullmatch(value)) for slug, value in pairs if _SLUG.fullmatch(slug)]
    return {
        slug: Shown(
            slug=slug,
            name=offer["name"][:100],
            minutes=int(offer["minutes"]) or None,
            price_cents=int(offer["cents"]),
            currency=offer["currency"],
        )
        for slug, offer in found
        if offer is not None
    }


def shown_by(order: Order) -> dict[str, Shown]:
    """Return what an order says of the offers it was placed with."""
    return {
        gift.offer_slug: Shown(
            slug=gift.offer_slug,
            name=gift.service_name,
            minutes=gift.minutes,
            price_cents=0 if gift.offer_slug == FREE_AMOUNT else gift.amount_cents,
            currency=order.currency,
        )
        for gift in order.gifts
    }


def list_seen_changes(
    gifts: list[dict[str, str]], shown: Mapping[str, Shown], practice: Practice
) -> list[tuple[int, Change]]:
    """Return what has changed of the offers chosen in a form since they were shown, each at the first gift it is of."""
    first: dict[str, int] = {}
    for number, raw in enumerate(gifts):
        first.setdefault(raw["offer"] or FREE_AMOUNT, number)  # an amount typed without choosing anything means Other
    return [
        (number, change)
        for slug, number in first.items()
        if slug in shown and (change := find_change(shown[slug], practice)) is not None
    ]


def get_sold(slug: str, shown: Mapping[str, Shown], practice: Practice) -> Offer:
    """Return an offer that may be bought. Raises OfferNotFoundError, which names one that was sold before."""
    offer = find_offer(slug)
    if offer is not None and offer.visibility != "retired":
        return offer
    if offer is None and slug not in shown:
        raise OfferNotFoundError
    seen = shown.get(slug) or show_offer(offer, practice) if offer is not None else shown[slug]
    raise OfferNotFoundError(tell_change(Change(seen, None)) + ".")


def is_sold(slug: str) -> bool:
    """Tell whether a link may begin with this offer: one that is sold, or an amount of the buyer's own."""
    offer = _find(slug)
    return slug == FREE_AMOUNT or (offer is not None and offer.visibility != "retired")


def tell_gone(slug: str, instead: str) -> Note:
    """Say to whoever comes by a link that its offer is not sold any more, and what is chosen `instead`."""
    gone, usual = _find(slug), _find(instead)
    title = (
        _("“%(name)s” is not sold any more", name=gone.name) if gone else _("What this link is for is not sold here")
    )
    if usual is None:
        return Note(title, _("Choose any amount you like instead."))
    return Note(title, _("We have chosen “%(name)s” for now. Take it, or choose another.", name=usual.name))


def _find(slug: str) -> Offer | None:
    return find_offer(slug) if _SLUG.fullmatch(slug) else None


def ask_again(changes: list[tuple[int, Change]]) -> dict[str, str]:
    """Return the sentences that ask a buyer again, by the field each stands at."""
    question = _("Continue if that is all right, or choose again")
    return {
        f"gifts-{number}-offer": f"{tell_change(change)}. {question}" if change.now else tell_change(change)
        for number, change in changes
        if not change.is_fall
    }
