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
from giftshop.web.links import phone_link
from giftshop.words import N_, _


@dataclass(frozen=True, slots=True)
class Words:
    """What a holder reads in one state: a heading with the name, one without, and a sentence, if there is more."""

    heading: str
    bare: str
    sentence: str = ""


_CALL = N_("Please call us about this certificate")
_ON_HOLD = N_("This certificate is on hold")
WORDS = {
    Standing.FULL: Words(N_("%(name)s, you have %(left)s to spend"), N_("%(left)s left to spend")),
    Standing.PART_USED: Words(
        N_("%(name)s, you have %(left)s to spend"),
        N_("%(left)s left to spend"),
        N_("You’ve used %(spent)s of %(face)s."),
    ),
    Standing.USED_UP: Words(
        N_("%(name)s, this one is used up"),
        N_("This certificate is used up"),
        N_("%(spent)s have been spent, the last of it on %(day)s. We hope they did you good."),
    ),
    Standing.EXPIRED: Words(
        N_("%(name)s, this certificate has expired"),
        N_("This certificate has expired"),
        N_("It could be used until %(last_day)s, and %(left)s was left. Call %(phone)s; we’ll see what we can do."),
    ),
    Standing.ON_HOLD: Words(
        _CALL,
        _CALL,
        N_(
            "We’d like a word before it is used. We put it on hold on %(day)s; the %(amount)s on it stays there. "
            "Call %(phone)s and have this page open; it takes a minute."
        ),
    ),
    Standing.WARNED: Words(
        _CALL,
        _CALL,
        N_(
            "We have a question about its payment. It has been on hold since %(day)s; the %(amount)s on it stays "
            "there. Call %(phone)s and have this page open; it takes a minute."
        ),
    ),
    Standing.DISPUTED: Words(
        N_("%(name)s, this certificate is on hold"),
        _ON_HOLD,
        N_(
            "Since %(day)s a bank has been looking into the payment for it. Until the bank has decided, the "
            "%(amount)s on it can’t be used. There is nothing you have to do. Call %(phone)s before you come."
        ),
    ),
    Standing.RETURNED: Words(
        _CALL,
        _CALL,
        N_(
            "Money came back to it, and there is %(amount)s on it. It has been on hold since %(day)s, until we have "
            "looked at that. Call %(phone)s before you come."
        ),
    ),
    Standing.OVERDRAWN: Words(
        _CALL,
        _CALL,
        N_(
            "Money was paid back to whoever bought it. It has been on hold since %(day)s, with %(amount)s on it, until "
            "we have looked at that. Call %(phone)s before you come."
        ),
    ),
    Standing.BEING_REFUNDED: Words(
        N_("%(name)s, this certificate is being paid back"),
        N_("This certificate is being paid back"),
        N_(
            "Since %(day)s, %(amount)s is on its way back to whoever bought it, so it can’t be used. Is that a "
            "surprise? Call %(phone)s and we will look together."
        ),
    ),
    Standing.REFUNDED: Words(
        N_("%(name)s, this certificate was paid back"),
        N_("This certificate was paid back"),
        N_(
            "%(amount)s went back to whoever bought it on %(day)s, so it can no longer be used. Is that a surprise? "
            "Call %(phone)s and we will look together."
        ),
    ),
    Standing.LOST: Words(
        N_("%(name)s, this certificate can no longer be used"),
        N_("This certificate can no longer be used"),
        N_(
            "A bank gave the payment for it back on %(day)s, and with it the %(amount)s that was left. Is that a "
            "surprise? Call %(phone)s and we will look together."
        ),
    ),
    Standing.ENDED: Words(
        N_("%(name)s, this certificate has ended"),
        N_("This certificate has ended"),
        N_(
            "We ended it on %(day)s, with %(amount)s on it, so it can no longer be used. Is that a surprise? Call "
            "%(phone)s and we will look together."
        ),
    ),
}
_EMPTY = {
    **dict.fromkeys(
        HELD, N_("It has been on hold since %(day)s, and nothing is left on it. Call %(phone)s before you come.")
    ),
    Standing.LOST: N_("A bank gave the payment for it back on %(day)s. Nothing was left on it then."),
    Standing.ENDED: N_("It can no longer be used. Is that a surprise? Call %(phone)s and we will look together."),
}
"""The sentence of a state where there is no amount to name."""
MOVEMENTS: dict[EntryKind, str] = {
    EntryKind.ISSUE: N_("Gift from %(giver)s"),
    EntryKind.PROMOTE: N_("Given by us"),
    EntryKind.IMPORT: N_("Taken over from an earlier certificate"),
    EntryKind.REDEEM: N_("Used for a visit"),
    EntryKind.REVERSAL: N_("Put back"),
    EntryKind.CASH_OUT: N_("Paid out"),
    EntryKind.ESCHEAT: N_("Handed to the state, as the law asks"),
    EntryKind.BREAKAGE: N_("Written off by us"),
    EntryKind.VOID: N_("Ended by us"),
    EntryKind.REFUND_HOLD: N_("To be paid back to whoever bought it"),
    EntryKind.REFUND_SETTLED: N_("Paid back to whoever bought it"),
    EntryKind.REFUND_RELEASED: N_("Not paid back after all"),
    EntryKind.REFUND_EXTERNAL: N_("Paid back to whoever bought it"),
    EntryKind.REFUND_RETURNED: N_("Came back: the bank didn’t take it"),
    EntryKind.DISPUTE_HOLD: N_("On hold: a bank looks into the payment"),
    EntryKind.DISPUTE_LOST: N_("The bank gave the payment back"),
    EntryKind.DISPUTE_RELEASED: N_("No longer on hold for the bank"),
    EntryKind.DISPUTE_RECOVERED: N_("The bank decided for us after all"),
    EntryKind.LOSS: "",
    EntryKind.LOSS_RECOVERED: "",
}
"""What each movement is called in the history; the shop's own losses are none of a holder's."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the history as the holder reads it; amounts in minor units, `change_cents` with its sign."""

    day: str
    what: str
    change_cents: int
    left_cents: int


def tell_heading(situation: Situation, *, is_named: bool = True) -> str:
    """Return what stands first, with the holder's name or without."""
    words = WORDS[situation.standing]
    left = format_amount(situation.certificate.balance_cents, situation.certificate.currency)
    return _(words.heading if is_named else words.bare, name=situation.certificate.recipient_name, left=left)


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


def _list_sentences(situation: Situation) -> Iterator[tuple[str, datetime | None]]:
    """Yield the sentences that are true, each with the moment whose day it names."""
    standing, about, back = situation.standing, situation.about, situation.back
    is_over, is_usable = standing in OVER, standing in USABLE
    first = (_EMPTY.get(standing, "") if not about.cents else "") or WORDS[standing].sentence
    sentences = {
        (first, about.at): bool(first),
        (N_("%(spent)s of it had been used before."), None): is_over and situation.used.cents,
        (N_("%(back)s of it was paid back to whoever bought it, the last of that on %(day)s."), back.at): back.cents
        and not is_over,
        (N_("%(coming)s of it is on its way back to whoever bought it."), None): situation.coming.cents and not is_over,
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
