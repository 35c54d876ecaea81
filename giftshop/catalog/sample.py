"""The sample practice, so that a newcomer's first shop has something to sell. Prices are samples."""

from typing import Any

from giftshop.catalog.editing import set_practice
from giftshop.catalog.models import PromiseRule
from giftshop.catalog.practice import find_practice

PRACTICE: dict[str, Any] = {
    "name": "Focused Care Therapeutic Massage",
    "short_name": "Focused Care",
    "legal_name": "Focused Care Therapeutic Massage LLC",
    "address": "214 Juniper Street, Fort Collins, CO 80521",
    "phone": "(970) 555-0134",
    "email": "hello@focusedcare.example",
    "booking_url": "https://focusedcare.example/book",
    "time_zone": "America/Denver",
    "currency": "USD",
    "place": "US-CO",
    "palette": "spruce",
    "is_selling": True,
    "minimum_cents": 25_00,
    "maximum_cents": 500_00,
    "buyer_day_limit_cents": 10_000_00,
    "delivery_hour": 9,
    "refund_days": 14,
    "unpaid_kept_days": 30,
    "manager_refund_limit_cents": 0,
    "session_promise": PromiseRule.HONOUR,
    "buyer_refund": "ask",
}

OFFERS = [
    ("30-minutes", "session", "30-minute massage", 30, "One place that hurts: neck, shoulders or lower back.", 60_00),
    ("60-minutes", "session", "60-minute massage", 60, "The usual visit: time for what hurts and for the rest.", 95_00),
    ("90-minutes", "session", "90-minute massage", 90, "Slow, thorough work from head to foot.", 120_00),
    ("2-hours", "session", "2-hour massage", 120, "For long recoveries and long-standing knots.", 180_00),
    ("toward-any-visit", "amount", "Toward any visit", None, "An amount to spend on any of our services.", 50_00),
]


def seed_sample() -> bool:
    """Add the sample practice and its offers unless there is a practice already; return whether it was added."""
    if find_practice() is not None:
        return False
    set_practice(PRACTICE, sample_offers())
    return True


def sample_offers() -> list[dict[str, Any]]:
    """Return the sample offers, column by column."""
    names = ("slug", "kind", "name", "minutes", "description", "price_cents")
    return [{**dict(zip(names, row, strict=True)), "visibility": "public"} for row in OFFERS]
