"""The builder's form: what was typed, kept as typed, and read as a purchase or refused field by field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar, cast

from giftshop import clock, dates
from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import FREE_AMOUNT
from giftshop.catalog.prices import get_price
from giftshop.catalog.shown import Shown
from giftshop.checkout.limits import Visitor
from giftshop.checkout.placing import DeliveryWay, GiftRequest, Purchase
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import InvalidAmountError, OfferNotFoundError, ShopError
from giftshop.ledger.idempotency import new_request_key
from giftshop.money import format_choice, parse_amount
from giftshop.storefront import typed
from giftshop.storefront.builder.seen import SHOWN, get_sold, read_shown
from giftshop.words import N_, _

MOST_GIFTS = 10
TRAP = "website"
"""A field that people don't see and that programs fill in."""
GIFT_FIELDS = (
    "offer",
    "amount",
    "recipient_name",
    "giver_name",
    "message",
    "design",
    "delivery",
    "recipient_email",
    "deliver_on",
    "quantity",
)
_NO_NAME = N_("Enter their name, as it should look on the certificate")
NO_EMAIL = N_("Enter their email address, like name@example.com")
_NO_BUYER_EMAIL = N_("Enter your email address, like name@example.com")
_SLUG = re.compile(r"[a-z0-9-]{1,100}", re.ASCII)
Value = TypeVar("Value")


class WrongFieldsError(ShopError):
    """Some answers need another look."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__()
        self.errors = errors


@dataclass(slots=True)
class Draft:
    """The form as it stands on the page: every value is the text that was typed; `shown` is what its page showed."""

    gifts: list[dict[str, str]]
    buyer_email: str = ""
    request_key: str = field(default_factory=new_request_key)
    replaces: str = ""
    trap: str = ""
    shown: dict[str, Shown] = field(default_factory=dict)


def new_draft(offers: list[Offer], *, offer: str = "") -> Draft:
    """Return an empty form; `offer` is the slug to begin with."""
    return Draft([new_gift(offers, offer=offer)])


def new_gift(offers: list[Offer], *, offer: str = "", giver_name: str = "") -> dict[str, str]:
    """Return an empty gift with the usual choices made: a session from the middle of the list, e-mailed."""
    usual = offers[(len(offers) - 1) // 3].slug if offers else FREE_AMOUNT
    chosen = {"offer": offer or usual, "giver_name": giver_name, "design": next(iter(DESIGNS))}
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
    )


def read_purchase(draft: Draft, practice: Practice, *, visitor: Visitor, unprintable: Mapping[str, str]) -> Purchase:
    """Read the form as a purchase. Raises WrongFieldsError naming every field that needs another look.

    `unprintable` is what is wrong with fields as the press sees it.
    """
    errors = dict(unprintable)
    gifts = [
        _read_gift(_Answers(raw, f"gifts-{number}-", errors), draft.shown, practice)
        for number, raw in enumerate(draft.gifts)
    ]
    buyer = _Answers({"buyer_email": draft.buyer_email}, "", errors)
    buyer_email = buyer.take("buyer_email", lambda text: typed.read_email(text, wrong=_(_NO_BUYER_EMAIL)), "")
    if draft.trap:
        errors[TRAP] = _("Leave this field empty")
    if errors:
        raise WrongFieldsError(errors)
    return Purchase(
        gifts=gifts,
        buyer_email=buyer_email,
        request_key=draft.request_key,
        visitor=visitor,
        shown=draft.shown,
        replaces=draft.replaces,
    )


def find_price(raw: Mapping[str, str], offers: list[Offer], practice: Practice) -> int | None:
    """Return what one gift costs as it stands in the form, in minor units; None while that is open."""
    if raw["offer"] and raw["offer"] != FREE_AMOUNT:
        return next((offer.price_cents for offer in offers if offer.slug == raw["offer"]), None)
    try:
        return parse_amount(raw["amount"], practice.currency)
    except InvalidAmountError:
        return None


def _typed(form: Mapping[str, str], name: str) -> str:
    return typed.readable(form.get(name, ""))


class _Answers:
    """The answers about one gift; a refusal is noted at its field and reading goes on, so that all are told at once."""

    def __init__(self, raw: Mapping[str, str], prefix: str, errors: dict[str, str]) -> None:
        self.raw, self._prefix, self._errors = raw, prefix, errors

    def take(self, name: str, read: Callable[[str], Value], otherwise: Value) -> Value:
        """Return what `read` makes of the text typed in the field `name`."""
        try:
            return read(self.raw[name])
        except ShopError as refusal:
            self._errors[self._prefix + name] = refusal.message.removesuffix(".")
            return otherwise


def _read_gift(answers: _Answers, shown: dict[str, Shown], practice: Practice) -> GiftRequest:
    offer = answers.take("offer", lambda text: _offer(text, answers.raw["amount"], shown, practice), "")
    delivery: DeliveryWay = answers.take("delivery", _delivery_way, "print")
    request = GiftRequest(
        offer=offer,
        amount_cents=answers.take("amount", lambda text: _amount_cents(text, offer, practice), None),
        recipient_name=answers.take("recipient_name", lambda text: typed.read_name(text, missing=_(_NO_NAME)), ""),
        giver_name=answers.take("giver_name", lambda text: typed.read_name(text, missing=_("Enter your name")), ""),
        message=answers.take("message", typed.read_message, ""),
        design=answers.take("design", _design, ""),
        delivery=delivery,
        quantity=answers.take("quantity", typed.read_quantity, 1),
    )
    if delivery != "recipient":  # what the other ways don't need is not looked at
        return request
    return replace(
        request,
        recipient_email=answers.take("recipient_email", lambda text: typed.read_email(text, wrong=_(NO_EMAIL)), ""),
        deliver_on=answers.take("deliver_on", lambda text: read_deliver_on(text, practice), None),
    )


def _delivery_way(text: str) -> DeliveryWay:
    if text not in ("recipient", "buyer", "print"):
        raise typed.TypedError(_("Choose how it should get there"))
    return cast(DeliveryWay, text)


def _offer(slug: str, amount: str, shown: dict[str, Shown], practice: Practice) -> str:
    """Return the offer's slug; an amount typed without choosing anything means Other."""
    if slug == FREE_AMOUNT or (not slug and amount.strip()):
        return FREE_AMOUNT
    if not _SLUG.fullmatch(slug):
        raise OfferNotFoundError
    return get_sold(slug, shown, practice).slug


def _amount_cents(text: str, offer: str, practice: Practice) -> int | None:
    """Return the typed amount where it counts; refuse one that contradicts the choice rather than guess."""
    if offer != FREE_AMOUNT:
        if offer and text.strip():
            _refuse_contradiction(text, offer, practice)
        return None
    return get_price(FREE_AMOUNT, parse_amount(text, practice.currency), practice).amount_cents


def _refuse_contradiction(text: str, slug: str, practice: Practice) -> None:
    offer = get_sold(slug, {}, practice)
    if parse_amount(text, practice.currency) != offer.price_cents:
        chosen = format_choice(offer.price_cents, practice.currency)
        raise typed.TypedError(
            _(
                "You chose %(offer)s, %(price)s. Choose Other to use this amount, or clear it",
                offer=offer.name,
                price=chosen,
            )
        )


def _design(text: str) -> str:
    if text not in DESIGNS:
        raise typed.TypedError(_("Pick one of the designs"))
    return text


def first_day(practice: Practice) -> date:
    """Return the first day that may be chosen: the first on which the delivery hour is to come."""
    return clock.first_day(hour=practice.delivery_hour, time_zone=practice.time_zone)


def read_deliver_on(text: str, practice: Practice) -> date | None:
    """Read the day on which to send, of a year from the first that may be chosen; None for now. Raises TypedError."""
    first, today = first_day(practice), clock.today(practice.time_zone)
    if typed.find_day(text) == today < first:
        hour = dates.write_hour(practice.delivery_hour, practice.time_zone)
        raise typed.TypedError(
            _(
                "Today it is past %(hour)s. Choose a day from %(first)s, or leave it empty to send it now",
                hour=hour,
                first=typed.written(first),
            )
        )
    is_leap_day = (first.month, first.day) == (2, 29)
    last = first.replace(year=first.year + 1, day=28 if is_leap_day else first.day)
    return typed.read_day(text, first=first, last=last)
