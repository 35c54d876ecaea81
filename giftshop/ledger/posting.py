"""The ledger: the one way a balance moves, with its entry, in the caller's transaction.

Every act runs one conditional UPDATE … RETURNING and inserts one entry. Never read a balance, compare it in
Python and write: 20 tills each took 300 from 1,000 that way (docs/decisions/0004-conditional-update.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm.util import identity_key

from giftshop.errors import (
    CertificateExpiredError,
    CertificateFrozenError,
    CertificateNotFoundError,
    CertificateVoidError,
    InsufficientBalanceError,
    InvalidAmountError,
    WrongModeError,
)
from giftshop.foundation.database import db
from giftshop.ledger import hash_chain
from giftshop.ledger.kinds import KINDS, LIABILITY, Account, EntryKind, credited_for
from giftshop.ledger.models import Certificate, LedgerEntry, RedemptionNote
from giftshop.ledger.states import CertificateStatus
from giftshop.ledger.undo import has_ended_for_good, refuse_undo, status_with_value

Refusal = Callable[[Certificate], Exception]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who moves money and by which request: `scope` and `key` together happen once for ever."""

    actor: str
    scope: str
    key: str
    at: datetime
    reason_code: str = ""
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one entry moves, from which account to which; `amount_cents` positive minor units."""

    kind: EntryKind
    debit: Account
    credit: Account
    amount_cents: int
    reverses_id: int | None = None

    @classmethod
    def of(cls, kind: EntryKind, amount_cents: int, *, credit: Account | None = None) -> "Transfer":
        """Return what a kind moves by the table of kinds; `credit` says whereto, for one that moves to several."""
        debit, usual = KINDS[kind].transfers[0]
        return cls(kind, debit, credit or usual, amount_cents)

    @classmethod
    def closing(cls, kind: EntryKind, entry: LedgerEntry) -> "Transfer":
        """Return the mirror of an entry: all that it moved, out of the account that it moved it into."""
        debit = Account(entry.credit_account)
        return cls(kind, debit, credited_for(kind, debit), entry.amount_cents, reverses_id=entry.id)

    @property
    def balance_change_cents(self) -> int:
        return self.amount_cents * ((self.credit == LIABILITY) - (self.debit == LIABILITY))


def redeem(certificate_id: int, amount_cents: int, *, on: date, mode: str, cause: Cause, note: str = "") -> LedgerEntry:
    """Take `amount_cents` (positive minor units) off a certificate's balance for a service.

    `on` is the practice's day, `mode` the shop's money. Raises InvalidAmountError, InsufficientBalanceError,
    CertificateFrozenError, CertificateVoidError, CertificateExpiredError, WrongModeError,
    CertificateNotFoundError; then nothing has moved.
    """
    check_amount(amount_cents)
    usable = [Certificate.mode == mode, sa.or_(Certificate.expires_on.is_(None), Certificate.expires_on >= on)]
    entry = post(
        certificate_id,
        Transfer.of(EntryKind.REDEEM, amount_cents),
        cause,
        only_if=[Certificate.status == CertificateStatus.ACTIVE, *usable],
        refusal=lambda found: _name_refusal(found, on=on, mode=mode),
    )
    if note:
        db.session.add(RedemptionNote(entry_id=entry.id, text=note))
    return entry


def reverse(entry_id: int, *, certificate_id: int, is_manager: bool, cause: Cause) -> LedgerEntry:
    """Undo one redemption by a linked entry that gives back exactly what it took, once.

    Raises NotReversibleError, AlreadyReversedError, NotRedeemedByYouError, TooLateToUndoError,
    TooManyUndosError, ReasonMissingError, CertificateVoidError.
    """
    certificate = lock_certificate(certificate_id)
    original = db.session.get(LedgerEntry, entry_id)
    if original is None or original.certificate_id != certificate_id:
        raise CertificateNotFoundError
    refuse_undo(original, actor=cause.actor, is_manager=is_manager, reason=cause.reason_code, at=cause.at)
    if has_ended_for_good(certificate):
        raise CertificateVoidError
    return post(
        certificate_id,
        Transfer.closing(EntryKind.REVERSAL, original),
        cause,
        status=status_with_value(certificate),
    )


def lock_certificate(certificate_id: int) -> Certificate:
    """Keep others off a certificate until this transaction ends, and return it as it is: the second sees the first.

    SQLite needs no row lock, because whoever may write has the whole file. Raises CertificateNotFoundError.
    """
    row = sa.select(Certificate).where(Certificate.id == certificate_id).with_for_update(key_share=True)
    found = db.session.scalar(row.execution_options(populate_existing=True))
    if found is None:
        raise CertificateNotFoundError
    return found


def post(
    certificate_id: int,
    transfer: Transfer,
    cause: Cause,
    *,
    only_if: Sequence[sa.ColumnElement[bool]] = (),
    refusal: Refusal | None = None,
    status: sa.ColumnElement[str] | str | None = None,
) -> LedgerEntry:
    """Move the balance if every condition still holds at that instant, and write the entry that says so.

    `status` is what the certificate becomes by the same UPDATE. Raises what `refusal` names, else
    InsufficientBalanceError, CertificateNotFoundError; then nothing has moved.
    """
    change = transfer.balance_change_cents
    enough = [Certificate.balance_cents >= transfer.amount_cents] if change < 0 else []
    # One statement checks and moves: whoever comes second finds the row changed, and nothing to move.
    moved = _move(change, status, [Certificate.id == certificate_id, *enough, *only_if])
    if moved is None:
        raise _refused(certificate_id, refusal)
    entry = _build_entry(certificate_id, transfer, cause, sequence=moved.last_sequence, balance=moved.balance_cents)
    db.session.add(entry)
    db.session.flush()
    _forget_loaded(certificate_id)
    return entry


def check_amount(amount_cents: int) -> None:
    """Refuse what is not a positive whole number of 63 bits: PostgreSQL stored 1.5 as 2, SQLite chokes on 2⁶³."""
    if type(amount_cents) is not int or not 0 < amount_cents < 2**63:
        raise InvalidAmountError


def _move(
    change_cents: int, status: sa.ColumnElement[str] | str | None, conditions: Sequence[sa.ColumnElement[bool]]
) -> sa.Row[int, int] | None:
    """Change the balance of the certificate that meets the conditions; return its new balance and sequence, or None."""
    change = sa.update(Certificate).values(
        balance_cents=Certificate.balance_cents + change_cents,
        last_sequence=Certificate.last_sequence + 1,
        status=Certificate.status if status is None else status,
    )
    moved = change.where(*conditions).returning(Certificate.balance_cents, Certificate.last_sequence)
    return db.session.execute(moved.execution_options(synchronize_session=False)).one_or_none()


def _build_entry(certificate_id: int, transfer: Transfer, cause: Cause, *, sequence: int, balance: int) -> LedgerEntry:
    entry = LedgerEntry(
        certificate_id=certificate_id,
        sequence=sequence,
        kind=transfer.kind,
        debit_account=transfer.debit,
        credit_account=transfer.credit,
        amount_cents=transfer.amount_cents,
        balance_after_cents=balance,
        actor=cause.actor,
        reason_code=cause.reason_code,
        external_ref=cause.external_ref,
        request_scope=cause.scope,
        request_key=cause.key,
        reverses_id=transfer.reverses_id,
        created_at=cause.at,
        # The UPDATE above holds the row until commit, so the entry before is the last one and stays it.
        prev_hash=_hash_before(certificate_id, sequence),
    )
    entry.hash = hash_chain.entry_hash(entry)
    return entry


def _refused(certificate_id: int, refusal: Refusal | None) -> Exception:
    """Read the certificate once, to name why the UPDATE found nothing to move."""
    found = db.session.get(Certificate, certificate_id, populate_existing=True)
    if found is None:
        return CertificateNotFoundError()
    return refusal(found) if refusal else InsufficientBalanceError()


def _name_refusal(found: Certificate, *, on: date, mode: str) -> Exception:
    if found.mode != mode:
        return WrongModeError()
    if found.status == CertificateStatus.FROZEN:
        return CertificateFrozenError()
    if found.status == CertificateStatus.VOID:
        return CertificateVoidError()
    if found.expires_on is not None and found.expires_on < on:
        return CertificateExpiredError()
    return InsufficientBalanceError()


def _hash_before(certificate_id: int, sequence: int) -> bytes:
    """Return the hash that the new entry continues; the certificate's row is locked by now, so it stays the last."""
    if sequence == 1:
        return hash_chain.FIRST
    return db.session.scalars(
        sa.select(LedgerEntry.hash).where(
            LedgerEntry.certificate_id == certificate_id, LedgerEntry.sequence == sequence - 1
        )
    ).one()


def _forget_loaded(certificate_id: int) -> None:
    """Expire a loaded certificate, so that nobody reads the balance from before."""
    loaded = db.session.identity_map.get(identity_key(Certificate, certificate_id))
    if loaded is not None:
        db.session.expire(loaded)
