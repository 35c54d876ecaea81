"""Reading the builder's form as a purchase: every answer refused with its own sentence, and all of them at once."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar, cast

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.catalog.offers import FREE_AMOUNT
from giftshop.catalog.prices import get_price
from giftshop.catalog.shown import Shown
from giftshop.checkout.limits import Visitor
from giftshop.checkout.placing import DeliveryWay, GiftRequest, Purchase
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.errors import OfferNotFoundError, ShopError
from giftshop.money import format_choice, parse_amount
from giftshop.storefront import typed
from giftshop.storefront.builder.form import SEEN, TRAP, Draft
from giftshop.storefront.builder.seen import get_sold
from giftshop.words import N_, _

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


def read_purchase(draft: Draft, practice: Practice, *, visitor: Visitor, unprintable: Mapping[str, str]) -> Purchase:
    """Read the form as a purchase. Raises WrongFieldsError naming every field that needs another look.

    `unprintable` is what is wrong with fields as the press sees it.
    """
    errors = dict(unprintable)
    gifts = [
        _read_gift(_Answers(raw, f"gifts-{number}-", errors, draft.kept), draft.shown, practice)
        for number, raw in enumerate(draft.gifts)
    ]
    buyer = _Answers({"buyer_email": draft.buyer_email}, "", errors, draft.kept)
    buyer_email = buyer.take_email("buyer_email", wrong=_(_NO_BUYER_EMAIL))
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


def is_finished(raw: Mapping[str, str], draft: Draft, practice: Practice) -> bool:
    """Tell whether one gift of a form could be bought as it stands."""
    errors: dict[str, str] = {}
    _read_gift(_Answers(raw, "", errors, draft.kept), draft.shown, practice)
    return not errors


class _Answers:
    """The answers about one gift; a refusal is noted at its field and reading goes on, so that all are told at once."""

    def __init__(self, raw: Mapping[str, str], prefix: str, errors: dict[str, str], kept: Collection[str]) -> None:
        self.raw, self._prefix, self._errors, self._kept = raw, prefix, errors, kept

    def take(self, name: str, read: Callable[[str], Value], otherwise: Value) -> Value:
        """Return what `read` makes of the text typed in the field `name`."""
        try:
            return read(self.raw[name])
        except ShopError as refusal:
            self._errors[self._prefix + name] = typed.told(refusal)
            return otherwise

    def take_email(self, name: str, *, wrong: str) -> str:
        """Return the address in the field `name`; nothing of one that is wrong, or doubtful and not asked about yet."""
        return self.take(name, lambda text: typed.read_email(text, wrong=wrong, kept=self._kept), "")


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
        is_price_shown=answers.take("price", _is_price_shown, True),
    )
    if delivery != "recipient":  # what the other ways don't need is not looked at
        return request
    return replace(
        request,
        recipient_email=answers.take_email("recipient_email", wrong=_(NO_EMAIL)),
        deliver_on=answers.take("deliver_on", lambda text: read_deliver_on(text, practice), None),
    )


def _delivery_way(text: str) -> DeliveryWay:
    if text not in ("recipient", "buyer", "print"):
        raise typed.TypedError(_("Choose how it should get there"))
    return cast(DeliveryWay, text)


def _is_price_shown(text: str) -> bool:
    """Read whether the recipient may see the price."""
    if text not in SEEN:
        raise typed.TypedError(_("Choose whether they see the price"))
    return SEEN[text]


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
