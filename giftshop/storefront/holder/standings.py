"""What whoever holds a certificate reads of it: how it stands, what happened, when, how much, and whom to call.

A code that there was is known to its holder, so its page says what became of it; of a code that never was there is only
the one answer to every bad code. Nothing here says by whom, or whose doing it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from markupsafe import Markup, escape

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.standings import HELD, OVER, USABLE, Situation, Standing
from giftshop.storefront.holder.words import EMPTY, MOVEMENTS, UNPRICED, WORDS, Words
from giftshop.web.links import phone_link
from giftshop.words import N_, _, with_article

_PRICED = (
    N_("%(spent)s of it had been used before."),
    N_("%(back)s of it was paid back to whoever bought it, the last of that on %(day)s."),
    N_("%(coming)s of it is on its way back to whoever bought it."),
)
_UNPRICED = (
    N_("Some of it had been used before."),
    N_("Some of it was paid back to whoever bought it, the last of that on %(day)s."),
    N_("Some of it is on its way back to whoever bought it."),
)


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the history as the holder reads it; amounts in minor units, `change_cents` with its sign."""

    day: str
    what: str
    change_cents: int
    left_cents: int


def tell_heading(situation: Situation, *, is_named: bool = True) -> str:
    """Return what stands first, with the holder's name or without."""
    words, certificate = _words_of(situation), situation.certificate
    return _(
        words.heading if is_named else words.bare,
        name=certificate.recipient_name,
        left=format_amount(certificate.balance_cents, certificate.currency),
        a_session=with_article(certificate.service_name) if certificate.service_name else _("a massage"),
    )


def tell_worth(situation: Situation) -> str:
    """Return the amount that stands on the certificate as the page draws it; nothing of one that is over, or where it
    would tell a price that its buyer left out.
    """
    certificate, standing = situation.certificate, situation.standing
    if standing in OVER or not certificate.is_left_told or (standing in HELD and not certificate.is_price_shown):
        return ""
    cents = situation.about.cents if standing in HELD else certificate.balance_cents
    return format_amount(cents, certificate.currency)


def tell_standing(situation: Situation, practice: Practice) -> list[Markup]:
    """Return the sentences that say how a certificate stands, the most telling first; none of one as it was sold."""
    return [_say(sentence, situation, practice, at) for sentence, at in _list_sentences(situation)]


def tell_replaced(replaced_at: datetime, practice: Practice) -> Markup:
    """Say that a code was replaced, to whoever holds it: nothing of the certificate, which may be another's."""
    day = dates.write_local_day(replaced_at, practice.time_zone)
    told = N_(
        "A new code took its place on %(day)s, and what was on the certificate is on the new one. Open the newest "
        "email about it, or call %(phone)s and we’ll look it up for you."
    )
    return escape(_(told)) % {"day": day, "phone": phone_link(practice.phone)}


def list_movements(certificate: Certificate, *, zone: str) -> list[Movement]:
    """Return what happened to the balance, newest first; never by whom."""
    befores = [0, *(entry.balance_after_cents for entry in certificate.entries)]
    changes = [after - before for before, after in pairwise(befores)]
    rows = [
        Movement(_day(entry, zone), _what(entry, certificate), change, entry.balance_after_cents)
        for entry, change in zip(certificate.entries, changes, strict=True)
        if MOVEMENTS[EntryKind(entry.kind)]
    ]
    return rows[::-1]


def _words_of(situation: Situation) -> Words:
    """Return the words of a state; without any amount but what is left, where the buyer left the price out."""
    certificate, usual = situation.certificate, WORDS[situation.standing]
    if certificate.is_price_shown:
        return usual
    unpriced = UNPRICED[situation.standing]
    if situation.standing == Standing.FULL and certificate.is_left_told:  # some of it went back to the buyer
        return usual
    return Words(unpriced.heading or usual.heading, unpriced.bare or usual.bare, unpriced.sentence)


def _list_sentences(situation: Situation) -> Iterator[tuple[str, datetime | None]]:
    """Yield the sentences that are true, each with the moment whose day it names."""
    standing, about, back = situation.standing, situation.about, situation.back
    is_over, is_usable = standing in OVER, standing in USABLE
    first = (EMPTY.get(standing, "") if not about.cents else "") or _words_of(situation).sentence
    before, gone, going = _PRICED if situation.certificate.is_price_shown else _UNPRICED
    sentences = {
        (first, about.at): bool(first),
        (before, None): is_over and situation.used.cents,
        (gone, back.at): back.cents and not is_over,
        (going, None): situation.coming.cents and not is_over,
        (
            N_("A bank looked into its payment until %(day)s. That is over, and it can be used again."),
            situation.cleared_at,
        ): situation.cleared_at and is_usable,
        (
            N_("New code since %(day)s: an older email or print of it no longer works."),
            situation.renewed_at,
        ): situation.renewed_at and (is_usable or standing in HELD),
    }
    yield from (each for each, is_so in sentences.items() if is_so)


def _say(sentence: str, situation: Situation, practice: Practice, at: datetime | None) -> Markup:
    certificate = situation.certificate
    cents = {
        "amount": situation.about.cents,
        "left": certificate.balance_cents,
        "face": certificate.face_value_cents,
        "spent": situation.used.cents,
        "back": situation.back.cents,
        "coming": situation.coming.cents,
    }
    return escape(_(sentence)) % {
        **{name: format_amount(each, certificate.currency) for name, each in cents.items()},
        "day": dates.write_local_day(at, practice.time_zone) if at else "",
        "last_day": dates.write_day(certificate.expires_on) if certificate.expires_on else "",
        "phone": phone_link(practice.phone),
    }


def _day(entry: LedgerEntry, zone: str) -> str:
    return dates.write_short_day(clock.local(entry.created_at, zone).date())


def _what(entry: LedgerEntry, certificate: Certificate) -> str:
    return _(MOVEMENTS[EntryKind(entry.kind)], giver=certificate.giver_name)
