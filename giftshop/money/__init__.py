"""Money as integer minor units: which currencies there are, reading what people type, writing what people read."""

from giftshop.money.reading import parse_amount, read_exact, reading_rules
from giftshop.money.writing import (
    LOCALE,
    be_at_home_in,
    format_amount,
    format_choice,
    format_plain,
    name_unit,
)

__all__ = [
    "LOCALE",
    "be_at_home_in",
    "format_amount",
    "format_choice",
    "format_plain",
    "name_unit",
    "parse_amount",
    "read_exact",
    "reading_rules",
]
