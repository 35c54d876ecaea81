"""The builder's form: what was typed, kept as typed, whatever it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import FREE_AMOUNT
from giftshop.catalog.shown import Shown
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import InvalidAmountError
from giftshop.ledger.idempotency import new_request_key
from giftshop.money import parse_amount
from giftshop.storefront import typed
from giftshop.storefront.builder.seen import SHOWN, read_shown
from giftshop.web.form_state import kept_addresses, taken

MOST_GIFTS = 10
ADD, REMOVE, PREVIEW = "add_gift", "remove_gift-", "update_preview"
"""The names of the buttons that change the form without sending it to payment."""
TRAP = "website"
"""A field that people don't see and that programs fill in."""
GIFT_FIELDS = (
    "offer",
    "amount",
    "recipient_name",
    "giver_name",
    "message",
    "design",
    "price",
    "delivery",
    "recipient_email",
    "deliver_on",
    "quantity",
)
SEEN = {"": True, "shown": True, "hidden": False}
"""What the form says of whether the recipient sees the price; who says nothing shows it."""


@dataclass(slots=True)
class Draft:
    """The form as it stands on the page: every value is the text that was typed.

    `shown` is what its page showed, `kept` the addresses that its buyer was asked about and meant,
    `looked_at` the gift whose preview was asked for.
    """

    gifts: list[dict[str, str]]
    buyer_email: str = ""
    request_key: str = field(default_factory=new_request_key)
    replaces: str = ""
    trap: str = ""
    shown: dict[str, Shown] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    looked_at: int | None = None


def new_draft(offers: list[Offer], *, offer: str = "") -> Draft:
    """Return an empty form; `offer` is the slug to begin with."""
    return Draft([new_gift(offers, offer=offer)])


def new_gift(offers: list[Offer], *, offer: str = "", giver_name: str = "") -> dict[str, str]:
    """Return an empty gift with the usual choices made: a session from the middle of the list, e-mailed."""
    usual = offers[(len(offers) - 1) // 3].slug if offers else FREE_AMOUNT
    chosen = {"offer": offer or usual, "giver_name": giver_name, "design": next(iter(DESIGNS)), "price": "shown"}
    return {**dict.fromkeys(GIFT_FIELDS, ""), "delivery": "recipient", "quantity": "1", **chosen}


def read_draft(form: Mapping[str, str]) -> Draft:
    """Return what the browser sent, value by value, whatever it is; fields we don't know are left out.

    A request key is kept as it came, for the rules of an order to use or to refuse. A form without one gets a fresh
    one: whoever sends none asks for no guard against a second sending, and an order that nobody pays harms nobody.
    """
    numbers = [n for n in range(MOST_GIFTS) if any(f"gifts-{n}-{name}" in form for name in GIFT_FIELDS)]
    gifts = [{name: _typed(form, f"gifts-{n}-{name}") for name in GIFT_FIELDS} for n in numbers]
    return Draft(
        gifts=gifts or [dict.fromkeys(GIFT_FIELDS, "")],
        buyer_email=_typed(form, "buyer_email"),
        request_key=_typed(form, "request_key") or new_request_key(),
        replaces=_typed(form, "replaces")[:100],
        trap=_typed(form, TRAP),
        shown=read_shown(_typed(form, SHOWN)),
        looked_at=_number(form.get(PREVIEW, "")),
        kept=kept_addresses(is_sent=not is_change(form)),
    )


def is_change(form: Mapping[str, str]) -> bool:
    """Tell whether a button was pressed that changes the form and does not send it to payment."""
    return any(name in (ADD, PREVIEW) or name.startswith(REMOVE) for name in form)


def find_price(raw: Mapping[str, str], offers: list[Offer], practice: Practice) -> int | None:
    """Return what one gift costs as it stands in the form, in minor units; None while that is open."""
    if raw["offer"] and raw["offer"] != FREE_AMOUNT:
        return next((offer.price_cents for offer in offers if offer.slug == raw["offer"]), None)
    try:
        return parse_amount(raw["amount"], practice.currency)
    except InvalidAmountError:
        return None


def _number(text: str) -> int | None:
    """Return which gift a button says, counted from 0."""
    return int(text) - 1 if text in {str(number) for number in range(1, MOST_GIFTS + 1)} else None


def _typed(form: Mapping[str, str], name: str) -> str:
    return typed.readable(taken(name, form.get(name, "")))


def is_price_seen(raw: Mapping[str, str]) -> bool:
    """Tell whether the recipient would see the price of a gift as it stands in the form."""
    return SEEN.get(raw["price"], True)
