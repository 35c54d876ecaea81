"""The verdict on a certificate at the counter: a tone, a word, a reason, and whether anything may be taken."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from giftshop.dates import write_moment, write_short_day
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.words import _

Tone = Literal["good", "warn", "bad", "note"]
JUST_NOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the till shows first; `may_redeem` only for what is good to use."""

    tone: Tone
    word: str
    reason: str
    may_redeem: bool = False


def judge(
    certificate: Certificate,
    last: LedgerEntry | None,
    *,
    mode: str,
    on: date,
    time_zone: str,
    send_at: datetime | None = None,
) -> Verdict:
    """Return the verdict; `last` is the newest redemption that was not undone, `send_at` when it is still to go out."""
    refusals = (
        _refuse_mode(certificate, mode),
        _refuse_status(certificate),
        _refuse_expired(certificate, on),
        _refuse_empty(certificate, last, time_zone),
    )
    refused = next((verdict for verdict in refusals if verdict is not None), None)
    return refused or _allow(certificate, send_at, time_zone)


def just_redeemed(last: LedgerEntry | None, *, at: datetime) -> bool:
    """Tell whether the certificate was redeemed less than two minutes ago: a second scan may be a slip."""
    return last is not None and abs(at - last.created_at) < JUST_NOW


def _allow(certificate: Certificate, send_at: datetime | None, time_zone: str) -> Verdict:
    left = format_amount(certificate.balance_cents, certificate.currency)
    word, name = _("%(left)s left", left=left), certificate.recipient_name
    if send_at is None:
        reason = _("Good to use. For %(name)s, from %(giver)s", name=name, giver=certificate.giver_name)
        return Verdict("good", word, reason, may_redeem=True)
    when = write_moment(send_at, time_zone)
    reason = _(
        "Not sent yet: it goes to %(name)s on %(moment)s. Ask how they came by it before you redeem it",
        name=name,
        moment=when,
    )
    return Verdict("warn", word, reason, may_redeem=True)


def _refuse_mode(certificate: Certificate, mode: str) -> Verdict | None:
    if certificate.mode == mode:
        return None
    return Verdict("bad", _("A test certificate"), _("It was made for a rehearsal and has no value here"))


def _refuse_status(certificate: Certificate) -> Verdict | None:
    if certificate.status == CertificateStatus.FROZEN:
        return Verdict("bad", _("On hold"), _("Don’t redeem it. Ask a manager, and say that we will call them"))
    if certificate.status == CertificateStatus.VOID:
        return Verdict("bad", _("Ended"), _("Nothing is left on it, and nothing can be taken from it"))
    return None


def _refuse_expired(certificate: Certificate, on: date) -> Verdict | None:
    if certificate.expires_on is None or certificate.expires_on >= on:
        return None
    left = format_amount(certificate.balance_cents, certificate.currency)
    word = _("Expired %(day)s", day=write_short_day(certificate.expires_on))
    return Verdict("warn", word, _("%(left)s was left. The owner can extend it", left=left))


def _refuse_empty(certificate: Certificate, last: LedgerEntry | None, time_zone: str) -> Verdict | None:
    if certificate.balance_cents > 0:
        return None
    if last is None:
        return Verdict("warn", _("Already used up"), _("Nothing is left on it"))
    taken = format_amount(last.amount_cents, certificate.currency)
    when = write_moment(last.created_at, time_zone)
    reason = _("The last %(amount)s was taken %(moment)s", amount=taken, moment=when)
    return Verdict("warn", _("Already used up"), reason)
