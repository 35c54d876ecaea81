"""How a certificate stands, in the words of the office: a tone and a tag, and what happened, when and how much."""

from giftshop.catalog.models import Practice
from giftshop.dates import write_day, write_local_day
from giftshop.money import format_amount
from giftshop.orders.labels import tell_reason
from giftshop.orders.standings import HELD, OVER, USABLE, Situation, Standing
from giftshop.words import N_, _

_USED = N_("%(spent)s was used, the last of it on %(used_day)s.")
WORDS = {
    Standing.FULL: ("good", N_("Good to use"), ""),
    Standing.PART_USED: ("good", N_("Good to use"), _USED),
    Standing.USED_UP: ("note", N_("Used up"), _USED),
    Standing.EXPIRED: ("warn", N_("Expired"), N_("It could be used until %(last_day)s.")),
    Standing.ON_HOLD: ("bad", N_("On hold"), N_("%(amount)s has waited on it since %(day)s.")),
    Standing.WARNED: ("bad", N_("On hold, maybe fraud"), N_("%(amount)s has waited on it since %(day)s.")),
    Standing.DISPUTED: (
        "bad",
        N_("On hold, disputed"),
        N_("%(amount)s has waited since %(day)s for the bank to decide about the payment."),
    ),
    Standing.RETURNED: (
        "bad",
        N_("On hold, money came back"),
        N_("%(amount)s is on it. Look at what happened, then end the hold or end the certificate."),
    ),
    Standing.OVERDRAWN: (
        "bad",
        N_("On hold, paid back too much"),
        N_("More was paid back at Stripe than was left; %(amount)s has waited on it since %(day)s."),
    ),
    Standing.BEING_REFUNDED: (
        "warn",
        N_("Being paid back"),
        N_("%(amount)s is held to be paid back since %(day)s. Nothing can be taken from it."),
    ),
    Standing.REFUNDED: ("note", N_("Paid back"), N_("%(amount)s went back to the buyer, the last of it on %(day)s.")),
    Standing.LOST: (
        "note",
        N_("Lost to the bank"),
        N_("The bank gave the payment back on %(day)s, and with it the %(amount)s that was left."),
    ),
    Standing.ENDED: ("note", N_("Ended"), N_("%(amount)s was taken off on %(day)s: %(why)s.")),
}

_EMPTY = {
    **dict.fromkeys(HELD, N_("Nothing is left on it. It has been on hold since %(day)s.")),
    Standing.LOST: N_("The bank gave the payment back on %(day)s. Nothing was left on it then."),
}
"""What is said where there is no amount to name."""


def tell_standing(situation: Situation, practice: Practice) -> tuple[str, str, str]:
    """Return the tone and the word of a certificate, and all there is to say of it."""
    tone, tag, _sentence = WORDS[situation.standing]
    return tone, _(tag), " ".join(_list_sentences(situation, practice))


def _list_sentences(situation: Situation, practice: Practice) -> list[str]:
    """Say what happened to a certificate, the most telling first; nothing of one that is as it was sold."""
    standing, (_tone, _tag, sentence) = situation.standing, WORDS[situation.standing]
    is_over = standing in OVER
    if not situation.about.cents:
        sentence = _EMPTY.get(standing, sentence)
    sentences = {
        sentence: sentence and situation.about.at,
        _USED: situation.used.at,
        N_("%(back)s went back to the buyer, the last of it on %(back_day)s."): situation.back.at and not is_over,
        N_("%(coming)s is on its way back."): situation.coming.at and not is_over,
        N_("The bank’s question ended on %(clear_day)s, decided for you."): situation.cleared_at and standing in USABLE,
        N_("New code since %(new_day)s."): situation.renewed_at,
    }
    values = _values(situation, practice)
    return [_(each, **values) for each, is_so in sentences.items() if is_so]


def _values(situation: Situation, practice: Practice) -> dict[str, str]:
    certificate, ended = situation.certificate, situation.ended
    sums = {"amount": situation.about, "spent": situation.used, "back": situation.back, "coming": situation.coming}
    days = {
        "day": situation.about.at,
        "used_day": situation.used.at,
        "back_day": situation.back.at,
        "clear_day": situation.cleared_at,
        "new_day": situation.renewed_at,
    }
    return {
        **{name: format_amount(each.cents, certificate.currency) for name, each in sums.items()},
        **{name: write_local_day(at, practice.time_zone) if at else "" for name, at in days.items()},
        "last_day": write_day(certificate.expires_on) if certificate.expires_on else "",
        "why": tell_reason(ended.reason_code, ended.actor) if ended else "",
    }
