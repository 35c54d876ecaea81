"""Writing a practice file: what stands in the database, or a form to fill in while there is nothing yet."""

import json
from typing import Any

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.sample import PRACTICE, sample_offers
from giftshop.documents.artwork.drawing import PALETTES
from giftshop.money import format_plain
from giftshop.practice_file.values import AMOUNTS, OPTIONAL, column_of, offer_readers, practice_readers

HEAD = f"""\
# The practice and what it sells. Edit this file, then: flask practice set FILE
# Amounts are in the practice's currency. A booking_url may hold {{ref}} (the certificate's number), {{minutes}} and
# {{offer}}; an offer may have its own booking_link. {{code}} is for Acuity alone: ...?certificate={{code}}
# place is the state or country whose law counts, like "US-CO" or "DE"; palette is one of {", ".join(PALETTES)}.
# buyer_refund is "ask" (a buyer who wants the money back within refund_days asks you) or "at_once" (it goes back).
# An offer with minutes is a session, one without is an amount; visibility is "public", or "unlisted" for those who
# have its link. An offer taken out of this file is no longer sold, and certificates bought with it stay good.
# Of an order that nobody paid all names and addresses are deleted after unpaid_kept_days.
# session_promise says what a certificate for a session is good for once that session costs more or is no longer sold:
# "honour" the session, its "value", or "ask" you.
"""
OWN = ("name", "short_name", "legal_name", "address", "phone", "email", "booking_url", "time_zone", "place")
"""What nobody can guess: empty in the form to fill in, and refused while it is."""


def write_practice(practice: Practice, offers: list[Offer]) -> str:
    """Write what stands, as reading.py reads it."""
    names = map(column_of, practice_readers(practice.currency))
    facts = {name: getattr(practice, name) for name in names}
    columns = list(map(column_of, offer_readers(practice.currency)))
    return _written(facts, [{name: getattr(offer, name) for name in columns} for offer in offers])


def write_form() -> str:
    """Write a file with sample offers in which the practice's own lines wait to be filled in."""
    return _written({**PRACTICE, **dict.fromkeys(OWN, "")}, sample_offers())


def _written(facts: dict[str, Any], offers: list[dict[str, Any]]) -> str:
    currency = facts["currency"]
    lines = [HEAD, "[practice]", *_lines(facts, list(practice_readers(currency)), currency)]
    for offer in offers:
        lines += ["", "[[offers]]", *_lines(offer, list(offer_readers(currency)), currency)]
    return "\n".join(lines) + "\n"


def _lines(facts: dict[str, Any], names: list[str], currency: str) -> list[str]:
    """Write one line for each name that has a value; TOML writes texts, numbers and truths as JSON does."""
    found = {name: facts.get(column_of(name), OPTIONAL.get(name)) for name in names}
    values = {name: value for name, value in found.items() if value is not None}
    return [
        f"{name} = {format_plain(value, currency) if name in AMOUNTS else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    ]
