"""The policy sentences, made from the practice's settings in this one place for pages, paper and e-mail.

They can never contradict each other, because nobody else writes them. Wording: cautious starting values,
not legal advice; the practice decides with its own counsel.
"""

from datetime import date

from giftshop import dates
from giftshop.catalog.law import CashOutRule, find_cash_out_rule, name_of_place
from giftshop.catalog.models import Practice
from giftshop.catalog.prices import bounds_of
from giftshop.money import format_amount, format_choice
from giftshop.words import _, ngettext


def short_terms(practice: Practice) -> list[str]:
    """Return the three sentences that stand beside the pay button and on the home page."""
    return [_("No fees."), _("Never expires."), refund_sentence(practice)]


def refund_sentence(practice: Practice) -> str:
    """Say until when an unused certificate is paid back in full."""
    if not practice.refund_days:
        return _("It cannot be paid back once it is bought.")
    return ngettext(
        "Full refund for %(num)s day while unused.",
        "Full refund for %(num)s days while unused.",
        practice.refund_days,
    )


def certificate_terms(practice: Practice, *, on: date, expires_on: date | None = None) -> list[str]:
    """Return the sentences of a certificate issued on the day `on`; `expires_on` is the last day it can be used."""
    return [
        _(
            "Good for any of our services at %(name)s. Use it at once or bit by bit: what you leave stays on it.",
            name=practice.name,
        ),
        life_sentence(expires_on),
        _(
            "Treat it as you would cash. Lost, or seen by someone it was not meant for? "
            "Tell us and we replace what is left, free of charge."
        ),
        cash_sentence(practice, on=on),
        _("A tip is not included."),
    ]


def printed_terms(practice: Practice, *, on: date, expires_on: date | None = None) -> list[str]:
    """Return the sentences that must stand on paper; the others are on the page that its QR code opens."""
    return [life_sentence(expires_on), cash_sentence(practice, on=on)]


def life_sentence(expires_on: date | None) -> str:
    """Say how long a certificate is good; only old ones, taken over from paper, may have a last day."""
    if expires_on is None:
        return _("It never expires and no fee is ever taken from it.")
    return _("Use it by %(day)s. No fee is ever taken from it.", day=dates.write_day(expires_on))


def cash_sentence(practice: Practice, *, on: date) -> str:
    """Say when a balance is paid out in cash, by the rule of the practice's place on that day."""
    rule = find_cash_out_rule(practice.place, on=on)
    if rule is None:
        return _("It is not exchangeable for cash unless the law requires it.")
    return _cash_out_sentence(rule, place=name_of_place(practice.place), currency=practice.currency)


def amount_bounds(practice: Practice) -> str:
    """Say which amounts can be bought ("$25 to $500")."""
    low, high = bounds_of(practice)
    return _(
        "%(least)s to %(most)s",
        least=format_choice(low, practice.currency),
        most=format_choice(high, practice.currency),
    )


def _cash_out_sentence(rule: CashOutRule, *, place: str, currency: str) -> str:
    if rule.operator == "used_share_ge":
        return _(
            "In %(place)s, once %(percent)s%% of it is used, you may ask us to pay it out. "
            "It is not exchangeable for cash otherwise.",
            place=place,
            percent=rule.used_percent,
        )
    amount = format_amount(rule.amount_cents, currency)
    if rule.operator == "le":
        return _(
            "In %(place)s, once the balance is %(amount)s or less, you may ask us to pay it out. "
            "It is not exchangeable for cash otherwise.",
            place=place,
            amount=amount,
        )
    return _(
        "In %(place)s, once the balance is under %(amount)s, you may ask us to pay it out. "
        "It is not exchangeable for cash otherwise.",
        place=place,
        amount=amount,
    )
