"""The policy sentences, made from the practice's settings in this one place for pages, paper and e-mail.

They can never contradict each other, because nobody else writes them. Wording: cautious starting values,
not legal advice; the practice decides with its own counsel.
"""

from datetime import date

from giftshop import dates
from giftshop.catalog.law import CashOutRule, find_cash_out_rule, name_of_place
from giftshop.catalog.models import Practice
from giftshop.money import format_amount, format_choice


def short_terms(practice: Practice) -> list[str]:
    """Return the three sentences that stand beside the pay button and on the home page."""
    return ["No fees.", "Never expires.", refund_sentence(practice)]


def refund_sentence(practice: Practice) -> str:
    """Say until when an unused certificate is paid back in full."""
    return f"Full refund for {practice.refund_days} days while unused."


def certificate_terms(practice: Practice, *, on: date, expires_on: date | None = None) -> list[str]:
    """Return the sentences of a certificate issued on the day `on`; `expires_on` is the last day it can be used."""
    return [
        f"Good for any of our services at {practice.name}. Use it at once or bit by bit: what you leave stays on it.",
        life_sentence(expires_on),
        "Treat it as you would cash. Lost, or seen by someone it was not meant for? "
        "Tell us and we replace what is left, free of charge.",
        cash_sentence(practice, on=on),
        "A tip is not included.",
    ]


def life_sentence(expires_on: date | None) -> str:
    """Say how long a certificate is good; only old ones, taken over from paper, may have a last day."""
    if expires_on is None:
        return "It never expires and no fee is ever taken from it."
    return f"Use it by {dates.write_day(expires_on)}. No fee is ever taken from it."


def cash_sentence(practice: Practice, *, on: date) -> str:
    """Say when a balance is paid out in cash, by the rule of the practice's place on that day."""
    rule = find_cash_out_rule(practice.place, on=on)
    if rule is None:
        return "It is not exchangeable for cash unless the law requires it."
    limit = _limit(rule, practice.currency)
    place = name_of_place(practice.place)
    return f"In {place}, {limit}, you may ask us to pay it out. It is not exchangeable for cash otherwise."


def amount_bounds(practice: Practice) -> str:
    """Say which amounts can be bought ("$25 to $500")."""
    low, high = practice.minimum_cents, practice.maximum_cents
    return f"{format_choice(low, practice.currency)} to {format_choice(high, practice.currency)}"


def _limit(rule: CashOutRule, currency: str) -> str:
    if rule.operator == "used_share_ge":
        return f"once {rule.used_percent}% of it is used"
    amount = format_amount(rule.amount_cents, currency)
    return f"once the balance is {amount} or less" if rule.operator == "le" else f"once the balance is under {amount}"
