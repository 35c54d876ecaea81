"""The verdict on a certificate at the counter: a tone, a word, a reason, and whether anything may be taken.

Which state it is in says orders/standings.py; here is what staff read of each.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from giftshop.dates import write_local_day, write_moment, write_short_day
from giftshop.ledger.models import LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.labels import tell_reason
from giftshop.orders.standings import HELD, USABLE, Situation, Standing
from giftshop.words import N_, _

Tone = Literal["good", "warn", "bad", "note"]
JUST_NOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the till shows first; `may_redeem` only for what is good to use."""

    tone: Tone
    word: str
    reason: str
    may_redeem: bool = False


_ASK = N_("Don’t redeem it. Ask a manager, and say that we will call them")
_NOTHING = N_("Nothing can be taken from it. Ask a manager if they did not know")
WORDS: dict[Standing, tuple[Tone, str, str, str]] = {
    Standing.ON_HOLD: (
        "bad",
        N_("On hold"),
        N_("A manager put it on hold on %(day)s: %(why)s. %(amount)s is on it"),
        _ASK,
    ),
    Standing.WARNED: (
        "bad",
        N_("On hold, maybe fraud"),
        N_("The card’s bank warned on %(day)s that the payment may be fraud. %(amount)s is on it"),
        _ASK,
    ),
    Standing.DISPUTED: (
        "bad",
        N_("On hold, disputed"),
        N_("The buyer’s bank has questioned the payment since %(day)s. %(amount)s waits until it has decided"),
        _ASK,
    ),
    Standing.RETURNED: (
        "bad",
        N_("On hold, money came back"),
        N_("What had gone from it came back. %(amount)s is on it, on hold since %(day)s until a manager has looked"),
        _ASK,
    ),
    Standing.OVERDRAWN: (
        "bad",
        N_("On hold, paid back too much"),
        N_("More was paid back at Stripe than was left. %(amount)s is on it, on hold since %(day)s"),
        _ASK,
    ),
    Standing.BEING_REFUNDED: (
        "bad",
        N_("Being paid back"),
        N_("%(amount)s is on its way back to the buyer since %(day)s"),
        _NOTHING,
    ),
    Standing.REFUNDED: ("bad", N_("Paid back"), N_("%(amount)s went back to the buyer on %(day)s"), _NOTHING),
    Standing.LOST: (
        "bad",
        N_("Lost to the bank"),
        N_("The bank gave the payment back on %(day)s, and with it the %(amount)s that was left"),
        _NOTHING,
    ),
    Standing.ENDED: ("bad", N_("Ended"), N_("%(amount)s was taken off on %(day)s: %(why)s"), _NOTHING),
    Standing.EXPIRED: ("warn", N_("Expired %(last_day)s"), N_("%(left)s was left"), N_("The owner can extend it")),
    Standing.USED_UP: ("warn", N_("Already used up"), N_("The last %(taken)s was taken %(moment)s"), ""),
}
"""Of what cannot be redeemed: a tone, a word, what happened, and what to do."""
_EMPTY = {
    **dict.fromkeys(HELD, N_("On hold since %(day)s. Nothing is left on it")),
    Standing.LOST: N_("The bank gave the payment back on %(day)s. Nothing was left on it then"),
}
"""What happened where there is no amount to name."""


def judge(
    situation: Situation,
    last: LedgerEntry | None,
    *,
    mode: str,
    time_zone: str,
    send_at: datetime | None = None,
    bounced_at: datetime | None = None,
) -> Verdict:
    """Return the verdict; `last` is the newest redemption that was not undone, `send_at` when it is still to go out,
    `bounced_at` when the message that should have brought it was given up.
    """
    if situation.certificate.mode != mode:
        return Verdict("bad", _("A test certificate"), _("It was made for a rehearsal and has no value here"))
    if situation.standing not in USABLE:
        return _refuse(situation, last, time_zone)
    return _allow(situation, send_at, bounced_at, time_zone)


def just_redeemed(last: LedgerEntry | None, *, at: datetime) -> bool:
    """Tell whether the certificate was redeemed less than two minutes ago: a second scan may be a slip."""
    return last is not None and abs(at - last.created_at) < JUST_NOW


def list_notes(situation: Situation, *, time_zone: str) -> list[tuple[str, str]]:
    """Return what else happened to a certificate, each with what it is called; nothing of what its verdict says."""
    notes, currency = list[tuple[str, str]](), situation.certificate.currency
    back, coming = situation.back, situation.coming
    if back.at and situation.standing not in (Standing.REFUNDED, Standing.LOST):
        amount, day = format_amount(back.cents, currency), write_local_day(back.at, time_zone)
        notes.append((_("Paid back"), _("%(amount)s, the last of it on %(day)s", amount=amount, day=day)))
    if coming.cents and situation.standing != Standing.BEING_REFUNDED:
        notes.append((_("On its way back"), format_amount(coming.cents, currency)))
    if situation.cleared_at and situation.standing in USABLE:
        day = write_local_day(situation.cleared_at, time_zone)
        notes.append((_("Bank’s question"), _("Ended on %(day)s, decided for us", day=day)))
    if situation.renewed_at:
        notes.append((_("New code since"), write_local_day(situation.renewed_at, time_zone)))
    return notes


def _allow(situation: Situation, send_at: datetime | None, bounced_at: datetime | None, time_zone: str) -> Verdict:
    certificate = situation.certificate
    word = _("%(left)s left", left=format_amount(certificate.balance_cents, certificate.currency))
    name, moment = certificate.recipient_name, send_at or bounced_at
    if moment is None:
        reason = _("Good to use. For %(name)s, from %(giver)s", name=name, giver=certificate.giver_name)
        return Verdict("good", word, reason, may_redeem=True)
    told = (
        N_("Not sent yet: it goes to %(name)s on %(moment)s. Ask how they came by it before you redeem it")
        if send_at
        else N_("Its email to %(name)s came back %(moment)s. Ask how they came by it before you redeem it")
    )
    return Verdict("warn", word, _(told, name=name, moment=write_moment(moment, time_zone)), may_redeem=True)


def _refuse(situation: Situation, last: LedgerEntry | None, time_zone: str) -> Verdict:
    tone, word, happened, way_on = WORDS[situation.standing]
    values = _values(situation, last, time_zone)
    if not situation.about.cents:
        happened = _EMPTY.get(situation.standing, happened)
    has_moment = last if situation.standing == Standing.USED_UP else situation.about.at
    told = _(happened, **values) if has_moment else _("Nothing is left on it")
    return Verdict(tone, _(word, **values), ". ".join(filter(None, [told, way_on and _(way_on)])))


def _values(situation: Situation, last: LedgerEntry | None, time_zone: str) -> dict[str, str]:
    certificate, at = situation.certificate, situation.about.at
    currency = certificate.currency
    return {
        "amount": format_amount(situation.about.cents, currency),
        "left": format_amount(certificate.balance_cents, currency),
        "day": write_local_day(at, time_zone) if at else "",
        "why": _why(situation),
        "last_day": write_short_day(certificate.expires_on) if certificate.expires_on else "",
        "taken": format_amount(last.amount_cents, currency) if last else "",
        "moment": write_moment(last.created_at, time_zone) if last else "",
    }


def _why(situation: Situation) -> str:
    """Say why a person held or ended it, in that person's words."""
    if situation.ended is not None and situation.standing == Standing.ENDED:
        return tell_reason(situation.ended.reason_code, situation.ended.actor)
    by_people = [tell_reason(each.reason_code, each.actor) for each in situation.holds if each.actor != "stripe"]
    return ", ".join(by_people)
