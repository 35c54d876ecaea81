"""Disputes in the ledger: value held while a bank decides, then given back or lost, for disputes/outcomes.py."""

from datetime import datetime

import sqlalchemy as sa

from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import LedgerEntry
from giftshop.ledger.open_entries import list_open_entries
from giftshop.ledger.posting import Cause, Transfer, lock_certificate, post
from giftshop.ledger.refund_entries import (
    BACK_FROM_VOID,
    VOID_WHEN_EMPTY,
    post_loss,
    recover_loss,
    shrink_loss,
)
from giftshop.ledger.states import CertificateStatus


def hold_disputed(certificate_id: int, share_cents: int, *, dispute_id: str, at: datetime) -> int:
    """Hold what is left of a certificate, up to its share of the dispute (minor units); return what is now held.

    May be called again: value that has come back meanwhile is held too, never more than the share.
    """
    balance = lock_certificate(certificate_id).balance_cents
    held = sum(entry.amount_cents for entry in _open_holds(certificate_id, dispute_id))
    amount = min(balance, share_cents - held)
    if amount <= 0:
        return held
    # A certificate may be held several times for one dispute, as value comes back; each hold has a key of its own.
    number = _count_holds(certificate_id, dispute_id) + 1
    post(
        certificate_id,
        Transfer.of(EntryKind.DISPUTE_HOLD, amount),
        _cause(f"dispute:{dispute_id}:hold:{certificate_id}:{number}", dispute_id, at),
        status=CertificateStatus.FROZEN,
    )
    return held + amount


def release_disputed(certificate_id: int, *, dispute_id: str, at: datetime) -> list[LedgerEntry]:
    """Give back exactly what this dispute holds of a certificate; return the entries that did."""
    return [
        post(
            certificate_id,
            Transfer.closing(EntryKind.DISPUTE_RELEASED, hold),
            _cause(f"dispute:{dispute_id}:released:{hold.id}", dispute_id, at),
            status=BACK_FROM_VOID,
        )
        for hold in _open_holds(certificate_id, dispute_id)
    ]


def lose_disputed(certificate_id: int, share_cents: int, *, dispute_id: str, at: datetime) -> int:
    """Close a lost dispute: what is held leaves with the bank, what was spent of the share is a loss; return the loss.

    Nothing is lost twice: called again, it finds no hold and the loss written.
    """
    # Held first, also when it was not before: what is there leaves as held money, and only the rest is a loss.
    held = hold_disputed(certificate_id, share_cents, dispute_id=dispute_id, at=at)
    _lose_held(certificate_id, dispute_id, at)
    loss = share_cents - held
    if loss:
        key = f"dispute:{dispute_id}:loss:{certificate_id}"
        post_loss(certificate_id, loss, key=key, external_ref=dispute_id, at=at, status=VOID_WHEN_EMPTY)
    return loss


def pay_loss(loss: LedgerEntry, certificate_id: int, amount_cents: int, *, at: datetime) -> None:
    """Let value on a certificate (positive minor units) go to the bank that had taken it already.

    The lost dispute's loss becomes smaller by so much, as if the value had been there all the time.
    """
    dispute_id = loss.external_ref or ""
    # The loss first: held value beside the whole loss would count the same money twice for a moment.
    shrink_loss(loss, amount_cents, at=at)
    hold_disputed(certificate_id, amount_cents, dispute_id=dispute_id, at=at)
    _lose_held(certificate_id, dispute_id, at)


def recover_disputed(*, dispute_id: str, at: datetime) -> list[LedgerEntry]:
    """Take back what a dispute had cost, after an appeal was won; a certificate that had ended comes back frozen.

    Returns the entries that brought value back.
    """
    back = [
        post(
            lost.certificate_id,
            Transfer.closing(EntryKind.DISPUTE_RECOVERED, lost),
            _cause(f"dispute:{dispute_id}:recovered:{lost.id}", dispute_id, at),
            status=BACK_FROM_VOID,
        )
        for lost in list_open_entries(dispute_id, EntryKind.DISPUTE_LOST)
    ]
    for loss in list_open_entries(dispute_id, EntryKind.LOSS):
        recover_loss(loss, external_ref=dispute_id, at=at, status=BACK_FROM_VOID)
    return back


def _lose_held(certificate_id: int, dispute_id: str, at: datetime) -> None:
    for hold in _open_holds(certificate_id, dispute_id):
        post(
            certificate_id,
            Transfer.closing(EntryKind.DISPUTE_LOST, hold),
            _cause(f"dispute:{dispute_id}:lost:{hold.id}", dispute_id, at),
            status=VOID_WHEN_EMPTY,
        )


def _open_holds(certificate_id: int, dispute_id: str) -> list[LedgerEntry]:
    entries = list_open_entries(dispute_id, EntryKind.DISPUTE_HOLD)
    return [entry for entry in entries if entry.certificate_id == certificate_id]


def _count_holds(certificate_id: int, dispute_id: str) -> int:
    query = sa.select(sa.func.count()).where(
        LedgerEntry.external_ref == dispute_id,
        LedgerEntry.kind == EntryKind.DISPUTE_HOLD,
        LedgerEntry.certificate_id == certificate_id,
    )
    return db.session.scalars(query).one()


def _cause(key: str, dispute_id: str, at: datetime) -> Cause:
    return Cause(actor="stripe", scope="stripe", key=key, at=at, external_ref=dispute_id)
