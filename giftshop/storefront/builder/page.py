"""The builder as a page: what its template needs to show a form as it stands, with previews and errors."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from giftshop import dates
from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import find_offer, list_public_offers
from giftshop.catalog.practice import get_practice, is_open_for_sales
from giftshop.catalog.prices import bounds_of, bounds_sentence, step_sentence
from giftshop.catalog.shown import tell_change
from giftshop.catalog.terms import amount_bounds, short_terms
from giftshop.delivery.timing import moment_of
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import AmountInTwoWaysError, AmountTooFineError, InvalidAmountError
from giftshop.money import format_amount, name_unit, reading_rules
from giftshop.storefront import typed
from giftshop.storefront.art import draw_sample
from giftshop.storefront.builder.form import (
    MOST_GIFTS,
    TRAP,
    Draft,
    find_price,
    is_price_seen,
)
from giftshop.storefront.builder.reading import first_day, is_finished, read_deliver_on
from giftshop.storefront.builder.seen import Note, list_seen_changes, write_shown
from giftshop.storefront.lettering import LONG_NAME, LONG_WORD
from giftshop.storefront.visitors import greet
from giftshop.words import N_, _

NO_AMOUNT = "–"
"""Where an amount would stand that nobody knows yet."""
_PAUSED = N_("We’ve paused the sale of certificates for the moment. What you typed stays here")
_FIXED = {
    "designs": DESIGNS,
    "trap": TRAP,
    "message_limit": typed.MESSAGE_LIMIT,
    "most_alike": typed.MOST_ALIKE,
    "long_name": LONG_NAME,
    "long_word": LONG_WORD,
}
"""What every such page and its script are told."""


@dataclass(frozen=True, slots=True)
class GiftOnPage:
    """One gift as the page shows it: the typed values, what it costs, and the certificate they would make.

    `seen` is the price as the recipient would see it; one that `is_open` stands there whole, others in one line.
    """

    raw: Mapping[str, str]
    prefix: str
    price_cents: int | None
    price: str
    seen: str
    session: str
    art: Markup
    goes_out: str
    is_open: bool


def show_form(
    draft: Draft, errors: dict[str, str] | None = None, status: int = 200, *, note: Note | None = None
) -> ResponseReturnValue:
    """Return the builder with this draft in it, whatever was typed; `errors` maps field ids to sentences.

    Whatever has changed since the offers in it were shown is said: from now on the page shows today's. While sales are
    paused only a form that was sent is shown, so that nothing typed is lost.
    """
    practice = get_practice()
    known, is_open, offers = errors or {}, is_open_for_sales(practice), shelf_for(draft)
    if not is_open and request.method != "POST":
        return render_template("storefront/closed.html"), status
    known = known if is_open else {**known, "": _(_PAUSED)}
    greet()
    gifts = [_on_page(draft, number, offers, practice, errors=known) for number in range(len(draft.gifts))]
    page = render_template(
        "storefront/gift.html",
        **{"draft": draft, "errors": known, "note": note},
        places=_places(known, gifts),
        gifts=gifts,
        total=_total(gifts, practice),
        offers=offers,
        shown=write_shown(offers, practice),
        changes=_tell_changes(draft, practice, known=known),
        may_add=len(gifts) < MOST_GIFTS,
        **_of_practice(practice),
        **_for_script(practice),
        **_FIXED,
    )
    return page, status


def _of_practice(practice: Practice) -> dict[str, object]:
    """Return what the page says of the practice: its amounts, its clock, its terms."""
    return {
        "bounds": amount_bounds(practice),
        "hour": dates.write_hour(practice.delivery_hour, practice.time_zone),
        "first_day": first_day(practice),
        "terms": short_terms(practice),
        "unit": name_unit(practice.currency),
    }


def _for_script(practice: Practice) -> dict[str, object]:
    """Return how the script reads amounts, and what it says of one that will be refused, as the form itself would."""
    sentences = {
        "unreadable": InvalidAmountError().message,
        "too_fine": AmountTooFineError().message,
        "two_ways": AmountInTwoWaysError().message,
        "bounds": bounds_sentence(practice),
        "step": step_sentence(practice.currency),
    }
    unread = {reason: sentence.removesuffix(".") for reason, sentence in sentences.items()}
    return {"rules": reading_rules(practice.currency), "least_and_most": bounds_of(practice), "unread": unread}


def shelf_for(draft: Draft) -> list[Offer]:
    """Return what may be chosen: the public offers, and an unlisted one that this form came with."""
    offers = list_public_offers()
    known = {offer.slug for offer in offers}
    wanted = sorted({raw["offer"] for raw in draft.gifts} - known - {"", "amount"})
    unlisted = [find_offer(slug) for slug in wanted if slug.isascii() and slug.isprintable()]
    return [*offers, *(offer for offer in unlisted if offer is not None and offer.visibility == "unlisted")]


def _tell_changes(draft: Draft, practice: Practice, *, known: dict[str, str]) -> list[str]:
    """Say what has changed of the chosen offers since they were shown, where no field says so already."""
    changes = list_seen_changes(draft.gifts, draft.shown, practice)
    return [tell_change(change) for number, change in changes if f"gifts-{number}-offer" not in known]


def _on_page(
    draft: Draft, number: int, offers: list[Offer], practice: Practice, *, errors: Mapping[str, str]
) -> GiftOnPage:
    raw, prefix = draft.gifts[number], f"gifts-{number}-"
    price_cents = find_price(raw, offers, practice)
    offer = next((offer for offer in offers if offer.slug == raw["offer"]), None)
    price = _price(price_cents, practice)
    design = raw["design"] if raw["design"] in DESIGNS else next(iter(DESIGNS))
    return GiftOnPage(
        raw=raw,
        prefix=prefix,
        price_cents=price_cents,
        price=price,
        seen=price if is_price_seen(raw) else "",
        session=offer.name if offer is not None and offer.kind == "session" else "",
        art=draw_sample(design),
        goes_out=_goes_out(raw["deliver_on"], practice),
        is_open=_is_open(draft, number, practice) or any(name.startswith(prefix) for name in errors),
    )


def _is_open(draft: Draft, number: int, practice: Practice) -> bool:
    """Tell whether a gift stands there whole: the only one, the one looked at, and any that is not finished."""
    return len(draft.gifts) == 1 or number == draft.looked_at or not is_finished(draft.gifts[number], draft, practice)


def _price(price_cents: int | None, practice: Practice) -> str:
    """Write what a gift costs; what nobody knows yet is none."""
    return NO_AMOUNT if price_cents is None else format_amount(price_cents, practice.currency)


def _places(errors: dict[str, str], gifts: list[GiftOnPage]) -> dict[str, str]:
    """Say which gift an error is about, where there are several."""
    return {
        field_id: _("Gift %(number)s:", number=number) + " "
        for number, gift in enumerate(gifts, start=1)
        for field_id in errors
        if len(gifts) > 1 and field_id.startswith(gift.prefix)
    }


def _goes_out(text: str, practice: Practice) -> str:
    """Say when it goes out on the day that was chosen, if it may be that day."""
    try:
        day = read_deliver_on(text, practice)
    except typed.TypedError:
        return ""
    return dates.write_appointment(moment_of(day, practice), practice.time_zone) if day else ""


def _total(gifts: list[GiftOnPage], practice: Practice) -> str:
    if NO_AMOUNT in (gift.price for gift in gifts):
        return NO_AMOUNT
    cents = sum((gift.price_cents or 0) * _quantity(gift.raw["quantity"]) for gift in gifts)
    return format_amount(cents, practice.currency)


def _quantity(text: str) -> int:
    try:
        return typed.read_quantity(text)
    except typed.TypedError:
        return 1
