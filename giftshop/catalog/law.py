"""Legal rules as data: which rule of which place holds on which day. Not legal advice; see law.json."""

import functools
import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

_FILE = Path(__file__).with_name("law.json")


@dataclass(frozen=True, slots=True)
class CashOutRule:
    """When a holder may ask for the rest in cash.

    `operator`: "lt" (balance under `amount_cents`), "le" (that or less), "used_share_ge" (at least
    `used_percent` of the face value used). `is_sure` is False where the source is old or second-hand.
    """

    place: str
    operator: Literal["lt", "le", "used_share_ge"]
    amount_cents: int
    used_percent: int
    from_on: date | None
    until_on: date | None
    source: str
    is_sure: bool


def find_cash_out_rule(place: str, *, on: date) -> CashOutRule | None:
    """Return the cash-out rule of `place` (like "US-CO") on the day `on`, or None where none is known."""
    for rule in _rules():
        began = rule.from_on is None or rule.from_on <= on
        lasts = rule.until_on is None or on <= rule.until_on
        if rule.place == place and began and lasts:
            return rule
    return None


@dataclass(frozen=True, slots=True)
class SaleLimit:
    """Up to how much one certificate may be sold for, and to one buyer in a day, before other laws begin to apply."""

    most_cents: int
    most_a_day_cents: int
    source: str


def find_sale_limit(place: str, currency: str) -> SaleLimit | None:
    """Return the limit of the country of `place` for sales in its own money, or None where none is known.

    A sum in another currency is not what the law names, and no rate of exchange is its business here.
    """
    for record in _data()["sale_limits"]:
        if place[:2] in record["countries"] and currency == record["currency"]:
            return SaleLimit(record["most_cents"], record["most_a_day_cents"], record["source"])
    return None


def name_of_place(place: str) -> str:
    """Return the name people use for a place of the data file; the code itself where it has none."""
    names: dict[str, str] = _data()["places"]
    return names.get(place, place)


def is_place(text: str) -> bool:
    """Tell whether this is a place like "US-CO" or "DE": known where it is in the United States, else by its form."""
    is_in_form = re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", text, re.ASCII) is not None
    return text in _data()["places"] or (is_in_form and not text.startswith("US"))


@functools.cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


@functools.cache
def _rules() -> tuple[CashOutRule, ...]:
    return tuple(
        CashOutRule(
            place=record["place"],
            operator=record["operator"],
            amount_cents=record.get("amount_cents", 0),
            used_percent=record.get("used_percent", 0),
            from_on=_day(record.get("from_on")),
            until_on=_day(record.get("until_on")),
            source=record["source"],
            is_sure=record["sure"],
        )
        for record in _data()["cash_out"]
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
