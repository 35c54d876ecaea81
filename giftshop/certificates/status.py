"""A certificate's status: put on hold and released, ended, given a new code; each with who and why, in the log.

A certificate is frozen while any freeze is open: two disputes, or a dispute and a manager, do not undo each other.
Whoever puts one on hold or releases it locks it first: else a release overlooks a hold that is not committed yet.
"""

from datetime import datetime

import sqlalchemy as sa

from giftshop.certificates import codes, look_up
from giftshop.errors import CertificateVoidError, NotFrozenByHandError, ReasonMissingError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.kinds import CLEARING, Account, EntryKind
from giftshop.ledger.models import Certificate, CertificateFreeze, LedgerEntry, ReplacedCode
from giftshop.ledger.open_entries import list_open_of
from giftshop.ledger.posting import Cause, Transfer, lock_certificate, post
from giftshop.ledger.states import CertificateStatus

BY_HAND = "by hand"


def freeze(certificate_id: int, *, subject: str, reason_code: str, actor: str, at: datetime) -> bool:
    """Put a certificate on hold because of `subject` (Stripe's id, or `BY_HAND`); False when it is already for that."""
    lock_certificate(certificate_id)
    if _open_freeze(certificate_id, subject) is not None:
        return False
    db.session.add(
        CertificateFreeze(
            certificate_id=certificate_id, subject=subject, reason_code=reason_code, actor=actor, frozen_at=at
        )
    )
    db.session.flush()
    _change_status(certificate_id, CertificateStatus.ACTIVE, CertificateStatus.FROZEN)
    activity_log.note(Activity.FROZEN, actor=actor, certificate_id=certificate_id, reason=reason_code, subject=subject)
    return True


def freeze_by_hand(certificate_id: int, *, reason_code: str, actor: str, at: datetime) -> bool:
    """Put a certificate on hold for a manager. Raises ReasonMissingError, CertificateVoidError."""
    _check_reason(reason_code)
    _lock_unended(certificate_id)
    return freeze(certificate_id, subject=BY_HAND, reason_code=reason_code, actor=actor, at=at)


def lift(certificate_id: int, *, subject: str, actor: str, at: datetime, reason_code: str = "") -> bool:
    """End the hold that `subject` caused; the certificate is usable again when no other is open."""
    lock_certificate(certificate_id)
    found = _open_freeze(certificate_id, subject)
    if found is None:
        return False
    found.lifted_at, found.lifted_by = at, actor
    # Usable again only when no other reason stands: the freeze that was lifted is not among them any more.
    db.session.flush()
    if not list_freezes(certificate_id):
        _change_status(certificate_id, CertificateStatus.FROZEN, CertificateStatus.ACTIVE)
    activity_log.note(
        Activity.UNFROZEN, actor=actor, certificate_id=certificate_id, reason=reason_code, subject=subject
    )
    return True


def was_released(certificate_id: int, subject: str) -> bool:
    """Tell whether the hold that `subject` caused was ended and nothing is held for a dispute: a copy of the news
    must not undo what a person decided.
    """
    ended = sa.select(CertificateFreeze.id).where(
        CertificateFreeze.certificate_id == certificate_id,
        CertificateFreeze.subject == subject,
        CertificateFreeze.lifted_at.is_not(None),
    )
    return db.session.scalar(ended.limit(1)) is not None and not _holds_disputed_money(certificate_id)


def lift_all(certificate_id: int, *, reason_code: str, actor: str, at: datetime) -> int:
    """End every hold a person may end: all but those of a dispute that still holds money. Returns how many.

    Raises ReasonMissingError, CertificateVoidError, NotFrozenByHandError.
    """
    _check_reason(reason_code)
    _lock_unended(certificate_id)
    if _holds_disputed_money(certificate_id):
        raise NotFrozenByHandError
    subjects = [each.subject for each in list_freezes(certificate_id)]
    reason = {"reason_code": reason_code, "actor": actor}
    return sum(lift(certificate_id, subject=subject, at=at, **reason) for subject in subjects)


def hold_what_returned(certificate_id: int, *, subject: str, reason_code: str, at: datetime) -> None:
    """Name why a certificate is on hold that had ended and has value again: a person looks at it first."""
    certificate = db.session.get_one(Certificate, certificate_id, populate_existing=True)
    if certificate.status == CertificateStatus.FROZEN and not list_freezes(certificate_id):
        freeze(certificate_id, subject=subject, reason_code=reason_code, actor="stripe", at=at)


def list_freezes(certificate_id: int) -> list[CertificateFreeze]:
    """Return the holds that are open, oldest first."""
    query = sa.select(CertificateFreeze).where(
        CertificateFreeze.certificate_id == certificate_id, CertificateFreeze.lifted_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(CertificateFreeze.id)))


def void(certificate_id: int, *, reason_code: str, request_key: str, actor: str, at: datetime) -> LedgerEntry:
    """End a certificate whose money was paid back outside Stripe, or that was never paid; its balance goes to zero.

    Raises ReasonMissingError, CertificateVoidError (it has ended, or nothing is left on it).
    """
    _check_reason(reason_code)
    certificate = _lock_unended(certificate_id)
    if certificate.balance_cents == 0:
        raise CertificateVoidError
    entry = post(
        certificate_id,
        Transfer.of(EntryKind.VOID, certificate.balance_cents, credit=_void_account(certificate_id)),
        Cause(actor=actor, scope="void", key=request_key, at=at, reason_code=reason_code),
        status=CertificateStatus.VOID,
    )
    activity_log.note(Activity.VOIDED, actor=actor, certificate_id=certificate_id, reason=reason_code)
    return entry


def was_voided(certificate_id: int) -> bool:
    """Tell whether somebody ended a certificate for good, also when it has value again."""
    ended = sa.select(LedgerEntry.id).where(
        LedgerEntry.certificate_id == certificate_id, LedgerEntry.kind == EntryKind.VOID
    )
    return db.session.scalar(ended.limit(1)) is not None


def reissue(certificate_id: int, *, reason_code: str, actor: str, at: datetime) -> str:
    """Give a certificate a new code and return it; the old one is dead in this transaction, the balance untouched.

    Raises ReasonMissingError, CertificateVoidError.
    """
    _check_reason(reason_code)
    certificate = _lock_unended(certificate_id)
    code = codes.new_code()
    db.session.add(
        ReplacedCode(code_lookup=certificate.code_lookup, certificate_id=certificate_id, replaced_at=at, actor=actor)
    )
    look_up.keep_code(certificate, code)
    db.session.flush()
    activity_log.note(Activity.REISSUED, actor=actor, certificate_id=certificate_id, reason=reason_code)
    return code


def _lock_unended(certificate_id: int) -> Certificate:
    """Return a certificate that is nobody else's until this transaction ends. Raises CertificateVoidError."""
    certificate = lock_certificate(certificate_id)
    if certificate.status == CertificateStatus.VOID:
        raise CertificateVoidError
    return certificate


def _open_freeze(certificate_id: int, subject: str) -> CertificateFreeze | None:
    query = sa.select(CertificateFreeze).where(
        CertificateFreeze.certificate_id == certificate_id,
        CertificateFreeze.subject == subject,
        CertificateFreeze.lifted_at.is_(None),
    )
    return db.session.scalar(query)


def _change_status(certificate_id: int, before: CertificateStatus, after: CertificateStatus) -> None:
    change = sa.update(Certificate).where(Certificate.id == certificate_id, Certificate.status == before)
    db.session.execute(change.values(status=after))


def _void_account(certificate_id: int) -> Account:
    """Return where a voided value goes: back where it came from, or, if Stripe took it, out in cash."""
    first = sa.select(LedgerEntry.debit_account).where(
        LedgerEntry.certificate_id == certificate_id, LedgerEntry.sequence == 1
    )
    source = db.session.scalars(first).one()
    return Account.CASH_PAID_OUT if source == CLEARING else Account(source)


def _holds_disputed_money(certificate_id: int) -> bool:
    return bool(list_open_of([certificate_id], EntryKind.DISPUTE_HOLD))


def _check_reason(reason_code: str) -> None:
    if not reason_code.strip():
        raise ReasonMissingError
