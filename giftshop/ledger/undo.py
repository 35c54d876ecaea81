"""Who may undo a redemption, until when, and on which certificates: the guards in the order a doorman would ask."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop.errors import (
    AlreadyReversedError,
    NotRedeemedByYouError,
    NotReversibleError,
    ReasonMissingError,
    TooLateToUndoError,
    TooManyUndosError,
)
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import wait_for_copies
from giftshop.ledger.kinds import Ends, EntryKind, kinds_that_end
from giftshop.ledger.models import Certificate, CertificateFreeze, LedgerEntry
from giftshop.ledger.open_entries import is_open
from giftshop.ledger.states import CertificateStatus

UNDO_MINUTES = 15
UNDOS_A_DAY = 3
_BY_PAYBACK, _FOR_GOOD = kinds_that_end(Ends.PAYBACK), kinds_that_end(Ends.FOR_GOOD)


def refuse_undo(entry: LedgerEntry, *, actor: str, is_manager: bool, reason: str, at: datetime) -> None:
    """Raise the refusal that applies, if any: a manager gives a reason, others undo their own, soon and seldom."""
    if entry.kind != EntryKind.REDEEM:
        raise NotReversibleError
    if find_reversal(entry.id) is not None:
        raise AlreadyReversedError
    if may_undo_own(entry, actor=actor, at=at) and _count_undos(actor, until=at) < UNDOS_A_DAY:
        return
    if not is_manager:
        raise _staff_refusal(entry, actor=actor, at=at)
    if not reason:
        raise ReasonMissingError


def may_undo_own(entry: LedgerEntry, *, actor: str, at: datetime) -> bool:
    """Tell whether `actor` redeemed this, less than 15 minutes before `at`; what is dated later is another clock's."""
    return entry.actor == actor and abs(at - entry.created_at) <= timedelta(minutes=UNDO_MINUTES)


def undo_ends_at(entry: LedgerEntry) -> datetime:
    """Return the moment until which the one who redeemed may undo it alone."""
    return entry.created_at + timedelta(minutes=UNDO_MINUTES)


def find_reversal(entry_id: int) -> LedgerEntry | None:
    """Return the entry that undid this one, if there is one."""
    return db.session.scalar(sa.select(LedgerEntry).where(LedgerEntry.reverses_id == entry_id))


def has_ended_for_good(certificate: Certificate) -> bool:
    """Tell whether a certificate has ended so that nothing comes back to it.

    A person ended it, or a bank took its payment back. A refund ends one only because nothing is left on it: what
    was redeemed by mistake before is still owed.
    """
    return certificate.status == CertificateStatus.VOID and not _is_only_paid_back(certificate.id)


def status_with_value(certificate: Certificate) -> str:
    """Return what a certificate is once it has value again: still on hold while anything holds it."""
    if certificate.status != CertificateStatus.VOID:
        return certificate.status
    hold = sa.select(CertificateFreeze.id).where(
        CertificateFreeze.certificate_id == certificate.id, CertificateFreeze.lifted_at.is_(None)
    )
    return CertificateStatus.ACTIVE if db.session.scalar(hold.limit(1)) is None else CertificateStatus.FROZEN


def _is_only_paid_back(certificate_id: int) -> bool:
    """Tell whether refunds and nothing else left the certificate empty, going by what was not taken back since."""
    endings = sa.select(LedgerEntry.kind).where(
        LedgerEntry.certificate_id == certificate_id,
        LedgerEntry.kind.in_((*_BY_PAYBACK, *_FOR_GOOD)),
        LedgerEntry.balance_after_cents == 0,
        is_open(),
    )
    found = set(db.session.scalars(endings))
    # One other ending among them is enough: value may not come back past a bank or a person.
    return bool(found) and found <= set(_BY_PAYBACK)


def _staff_refusal(entry: LedgerEntry, *, actor: str, at: datetime) -> Exception:
    if entry.actor != actor:
        return NotRedeemedByYouError()
    if at > undo_ends_at(entry):
        return TooLateToUndoError()
    return TooManyUndosError()


def _count_undos(actor: str, *, until: datetime) -> int:
    """Return how often a person has undone something in the day before, once no other undo of theirs is under way."""
    # Two undos at the same moment would not see each other: one waits until the other has ended.
    wait_for_copies("undo-day", actor)
    query = sa.select(sa.func.count()).where(
        LedgerEntry.kind == EntryKind.REVERSAL,
        LedgerEntry.actor == actor,
        LedgerEntry.created_at > until - timedelta(days=1),
        LedgerEntry.created_at < until + timedelta(days=1),
    )
    return db.session.scalar(query) or 0
