"""What a buyer was shown of an offer, what has changed of it since, and the sentence that says so.

For the builder, whose form carries what its page showed, and for orders, which say what they were placed with.
"""

from dataclasses import dataclass

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import FREE_AMOUNT, find_offer
from giftshop.money import format_amount, name_unit
from giftshop.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An offer as it was shown: name ("" and minutes None where that is not known), price in minor units, currency."""

    slug: str
    name: str
    minutes: int | None
    price_cents: int
    currency: str

    @property
    def price(self) -> str:
        """The price as people read it."""
        return format_amount(self.price_cents, self.currency)


@dataclass(frozen=True, slots=True)
class Change:
    """An offer as it was shown and as it is now: None when it is not sold any more."""

    before: Shown
    now: Shown | None

    @property
    def is_fall(self) -> bool:
        """Whether nothing but the price changed, and that for the better: nobody has to agree to it."""
        if self.now is None or self.now.price_cents >= self.before.price_cents:
            return False
        return not (_is_renamed(self) or _has_other_length(self) or _has_other_currency(self))


def show_offer(offer: Offer, practice: Practice) -> Shown:
    """Return what a page shows of an offer now."""
    return Shown(
        slug=offer.slug,
        name=offer.name,
        minutes=offer.minutes,
        price_cents=offer.price_cents,
        currency=practice.currency,
    )


def show_free_amount(practice: Practice) -> Shown:
    """Return what a page shows of an amount to be typed: the currency."""
    return Shown(slug=FREE_AMOUNT, name="", minutes=None, price_cents=0, currency=practice.currency)


def find_change(shown: Shown, practice: Practice) -> Change | None:
    """Return what has changed since an offer was shown; None when all is as it was."""
    if shown.slug == FREE_AMOUNT:
        change = Change(shown, show_free_amount(practice))
        return change if _has_other_currency(change) else None
    offer = find_offer(shown.slug)
    if offer is None or offer.visibility == "retired":
        return Change(shown, None)
    change = Change(shown, show_offer(offer, practice))
    is_same_price = change.now is not None and change.now.price_cents == shown.price_cents
    has_changed = _is_renamed(change) or _has_other_length(change) or _has_other_currency(change)
    return change if has_changed or not is_same_price else None


def tell_change(change: Change) -> str:
    """Say what has changed, the old and the new of it by name; without a last full stop."""
    before, now = change.before, change.now
    name = before.name or (now.name if now else "")
    if now is None:
        return _("“%(name)s” for %(price)s is not sold any more. Choose again", name=name, price=before.price)
    if before.slug == FREE_AMOUNT:
        units = {"old": name_unit(before.currency), "new": name_unit(now.currency)}
        return _("Amounts are in %(new)s now, not in %(old)s", **units)
    told = {
        _("“%(name)s” is now “%(new)s”", name=name, new=now.name): _is_renamed(change),
        _("It takes %(new)s minutes now, not %(old)s", new=now.minutes, old=before.minutes): _has_other_length(change),
        _tell_price(change, now, name): now.price != before.price,
    }
    return ". ".join(sentence for sentence, is_so in told.items() if is_so)


def _tell_price(change: Change, now: Shown, name: str) -> str:
    values = {"name": name, "old": change.before.price, "new": now.price}
    if change.is_fall:
        return _("The price of “%(name)s” fell from %(old)s to %(new)s. You pay the lower one", **values)
    return _("The price of “%(name)s” was %(old)s and is %(new)s now", **values)


def _is_renamed(change: Change) -> bool:
    return bool(change.now and change.before.name and change.now.name != change.before.name)


def _has_other_length(change: Change) -> bool:
    """Tell whether the session takes another time than was shown, where that is known."""
    return bool(change.now and change.before.minutes and change.now.minutes != change.before.minutes)


def _has_other_currency(change: Change) -> bool:
    return bool(change.now and change.now.currency != change.before.currency)
