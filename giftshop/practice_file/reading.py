"""Reading a practice file: everything that is wrong with it at once, or what it wants, column by column."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from giftshop.catalog.prices import Limits, limits_of, step_sentence
from giftshop.errors import ShopError
from giftshop.money import format_amount
from giftshop.money.currencies import get_currency
from giftshop.practice_file.values import (
    OPTIONAL,
    Reader,
    ValueWrongError,
    column_of,
    offer_readers,
    practice_readers,
    read_currency,
)


class PracticeFileError(ShopError):
    """The file does not describe a practice."""


@dataclass(frozen=True, slots=True)
class PracticeFile:
    """What a file wants, by columns: the practice's facts, and each offer's in the order they stand."""

    facts: dict[str, Any]
    offers: list[dict[str, Any]]


def read_practice(text: str) -> PracticeFile:
    """Read what is wanted. Raises PracticeFileError, which names everything that is wrong, one line each."""
    try:
        file = tomllib.loads(text, parse_float=_read_figures)
    except tomllib.TOMLDecodeError as error:
        raise PracticeFileError(f"This is not a TOML file: {error}.") from None
    wrong = [f"{name} is not known here." for name in file if name not in ("practice", "offers")]
    currency = _currency_of(file)
    facts = _read_table("practice", file.get("practice"), practice_readers(currency), wrong)
    offers = _read_offers(file.get("offers", []), currency, wrong)
    limits = limits_of(facts.get("place", "US"), currency)
    wrong += _wrong_sums(facts, currency, limits) + _wrong_offers(offers, currency, limits)
    if wrong:
        raise PracticeFileError("\n".join(["Nothing was changed, because of this:", *wrong]))
    return PracticeFile(facts, offers)


def _read_figures(text: str) -> Decimal | str:
    """Keep a number with decimals exactly as it stands; what is none that a sum is written as stays text."""
    return Decimal(text) if text.replace("_", "").replace(".", "").isdecimal() else text


def _currency_of(file: dict[str, Any]) -> str:
    """Return the currency that sums are read in; while it is wrong itself, any that has cents."""
    practice = file.get("practice")
    try:
        return read_currency(practice.get("currency") if isinstance(practice, dict) else None)
    except ValueWrongError:
        return "USD"


def _read_offers(tables: Any, currency: str, wrong: list[str]) -> list[dict[str, Any]]:
    if not isinstance(tables, list):
        wrong.append("offers: each must begin with a line [[offers]].")
        return []
    offers = [
        _read_table(f"offer {number}", table, offer_readers(currency), wrong) for number, table in enumerate(tables, 1)
    ]
    return [{**offer, "kind": "amount" if offer.get("minutes") is None else "session"} for offer in offers]


def _read_table(where: str, table: Any, readers: dict[str, Reader], wrong: list[str]) -> dict[str, Any]:
    """Return the columns of a table; add to `wrong` whatever is missing, unknown or does not fit."""
    if not isinstance(table, dict):
        wrong.append(f"{where}: this table is missing.")
        return {}
    wrong += [f"{where}.{name} is not known here." for name in table if name not in readers]
    found = {}
    for name, read in readers.items():
        try:
            found[column_of(name)] = _read_value(name, table, read)
        except ShopError as refusal:
            wrong.append(f"{where}.{name}: {refusal.message}")
    return found


def _read_value(name: str, table: dict[str, Any], read: Reader) -> Any:
    if name in table:
        return read(table[name])
    if name not in OPTIONAL:
        raise ValueWrongError("is missing.")
    return OPTIONAL[name]


def _wrong_sums(facts: dict[str, Any], currency: str, limits: Limits) -> list[str]:
    """Compare sums with each other and with what Stripe and the law allow; what could not be read is named already."""
    low, high = facts.get("minimum_cents", limits.least_cents), facts.get("maximum_cents", limits.most_cents)
    wrong = []
    if low < limits.least_cents:
        wrong.append(f"practice.minimum: must be {format_amount(limits.least_cents, currency)} or more.")
    if high > limits.most_cents:
        wrong.append(f"practice.maximum: must be {format_amount(limits.most_cents, currency)} or less.")
    if low > high:
        wrong.append("practice.minimum: must not be more than the maximum.")
    most_a_day = limits.most_a_day_cents
    if most_a_day is not None and facts.get("buyer_day_limit_cents", 0) > most_a_day:
        wrong.append(f"practice.buyer_day_limit: must be {format_amount(most_a_day, currency)} or less.")
    return wrong


def _wrong_offers(offers: list[dict[str, Any]], currency: str, limits: Limits) -> list[str]:
    """Name prices that cannot be paid, and offers with one slug."""
    prices = [(number, offer["price_cents"]) for number, offer in enumerate(offers, 1) if "price_cents" in offer]
    least, most = (format_amount(cents, currency) for cents in (limits.least_cents, limits.most_cents))
    step_cents = get_currency(currency).step_cents
    wrong = [
        f"offer {number}.price: must be between {least} and {most}."
        for number, cents in prices
        if not limits.least_cents <= cents <= limits.most_cents
    ]
    wrong += [f"offer {number}.price: {step_sentence(currency)}" for number, cents in prices if cents % step_cents]
    slugs = [offer["slug"] for offer in offers if "slug" in offer]
    return wrong + [
        f"There are two offers {slug}." for slug in sorted({each for each in slugs if slugs.count(each) > 1})
    ]
