"""Refunds in the ledger: what is taken off a certificate before Stripe is asked, and how that ends, for orders/.

There is no instant at which money is both refundable and spendable: a hold takes it off the balance first, and the
conditional UPDATE decides who was first. Every entry's key says the fact, so that a copy of it is refused.
"""

from datetime import datetime

import sqlalchemy as sa

from giftshop.errors import CertificateVoidError, InsufficientBalanceError
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.open_entries import list_open_entries
from giftshop.ledger.posting import Cause, Transfer, lock_certificate, post
from giftshop.ledger.states import ALIVE, CertificateStatus

SCOPE = "refund"
"""Of the entries that hold a refund's money, and close that."""
StatusAfter = sa.ColumnElement[str] | str | None
VOID_WHEN_EMPTY: sa.ColumnElement[str] = sa.case(
    (Certificate.balance_cents == 0, CertificateStatus.VOID), else_=Certificate.status
)
"""What a certificate becomes by an act that leaves its balance: ended, when nothing is on it."""
BACK_FROM_VOID: sa.ColumnElement[str] = sa.case(
    (Certificate.status == CertificateStatus.VOID, CertificateStatus.FROZEN), else_=Certificate.status
)
"""What a certificate becomes by an act that gives it value again: a person looks at one that had ended."""


def hold_refund(
    certificate_id: int, amount_cents: int, *, refund_id: int, actor: str, reason_code: str, at: datetime
) -> LedgerEntry:
    """Take `amount_cents` (positive minor units) off a balance until Stripe has answered.

    Raises InsufficientBalanceError, CertificateVoidError; then nothing has moved.
    """
    return post(
        certificate_id,
        Transfer.of(EntryKind.REFUND_HOLD, amount_cents),
        Cause(actor=actor, scope=SCOPE, key=hold_key(refund_id), at=at, reason_code=reason_code),
        only_if=[Certificate.status.in_(ALIVE)],
        refusal=lambda found: (
            CertificateVoidError() if found.status == CertificateStatus.VOID else InsufficientBalanceError()
        ),
    )


def hold_key(refund_id: int) -> str:
    """Return the key of the entry that holds the money of a refund."""
    return f"refund:{refund_id}:hold"


def settle_refund(hold: LedgerEntry, *, refund_id: int, stripe_refund_id: str, at: datetime) -> LedgerEntry:
    """Close a hold: Stripe has paid it back. A certificate with nothing left ends with it."""
    key = f"refund:{refund_id}:settled"
    return post(
        hold.certificate_id,
        Transfer.closing(EntryKind.REFUND_SETTLED, hold),
        Cause(actor="stripe", scope=SCOPE, key=key, at=at, external_ref=stripe_refund_id),
        status=VOID_WHEN_EMPTY,
    )


def release_refund(hold: LedgerEntry, *, refund_id: int, actor: str, at: datetime) -> LedgerEntry:
    """Close a hold: Stripe will not pay it back, so it is on the certificate again."""
    return post(
        hold.certificate_id,
        Transfer.closing(EntryKind.REFUND_RELEASED, hold),
        Cause(actor=actor, scope=SCOPE, key=f"refund:{refund_id}:released", at=at),
        status=BACK_FROM_VOID,
    )


def take_foreign_refund(certificate_id: int, amount_cents: int, *, stripe_refund_id: str, at: datetime) -> int:
    """Take off what was paid back in Stripe's own dashboard, as far as it is still there; return what was not.

    `amount_cents` is the certificate's share in minor units; the part that was spent already is posted as a loss.
    """
    # Locked before it is read: a redemption in between would leave a balance below what is taken here.
    balance = lock_certificate(certificate_id).balance_cents
    taken = min(balance, amount_cents)
    if taken:
        post(
            certificate_id,
            Transfer.of(EntryKind.REFUND_EXTERNAL, taken),
            _stripe_cause(f"refund:{stripe_refund_id}:cert:{certificate_id}", stripe_refund_id, at),
            status=CertificateStatus.VOID if balance == amount_cents else None,
        )
    if missing := amount_cents - taken:
        post_loss(
            certificate_id,
            missing,
            key=f"refund:{stripe_refund_id}:loss:{certificate_id}",
            external_ref=stripe_refund_id,
            at=at,
        )
    return missing


def return_refund(stripe_refund_id: str, *, at: datetime) -> list[LedgerEntry]:
    """Give back all that a refund took, because it failed after all, and what it was written off with.

    A certificate that had ended comes back frozen. Returns the entries by which the value had been taken.
    """
    for loss in list_open_entries(stripe_refund_id, EntryKind.LOSS):
        recover_loss(loss, external_ref=stripe_refund_id, at=at)
    taken = list_open_entries(stripe_refund_id, EntryKind.REFUND_SETTLED, EntryKind.REFUND_EXTERNAL)
    for entry in taken:
        key = f"refund:{stripe_refund_id}:returned:{entry.id}"
        returned = Transfer.closing(EntryKind.REFUND_RETURNED, entry)
        post(entry.certificate_id, returned, _stripe_cause(key, stripe_refund_id, at), status=BACK_FROM_VOID)
    return taken


def post_loss(
    certificate_id: int,
    amount_cents: int,
    *,
    key: str,
    external_ref: str | None,
    at: datetime,
    status: StatusAfter = None,
) -> LedgerEntry:
    """Write off what Stripe took back although it was spent; the balance stays."""
    transfer = Transfer.of(EntryKind.LOSS, amount_cents)
    return post(certificate_id, transfer, _stripe_cause(key, external_ref, at), status=status)


def recover_loss(
    loss: LedgerEntry, *, external_ref: str | None, at: datetime, status: StatusAfter = None
) -> LedgerEntry:
    """Take back a loss: the money came after all; the balance stays."""
    return post(
        loss.certificate_id,
        Transfer.closing(EntryKind.LOSS_RECOVERED, loss),
        _stripe_cause(f"loss:{loss.id}:recovered", external_ref, at),
        status=status,
    )


def lose_beyond(certificate_id: int, amount_cents: int, *, external_ref: str, at: datetime) -> LedgerEntry:
    """Write off what Stripe took beyond all certificates' shares (positive minor units): it had gone out before."""
    key = f"loss:{external_ref}:beyond"
    return post_loss(certificate_id, amount_cents, key=key, external_ref=external_ref, at=at)


def shrink_loss(loss: LedgerEntry, by_cents: int, *, at: datetime) -> None:
    """Make a loss smaller by so much (positive minor units, at most all of it)."""
    # Entries never change: the loss is taken back whole, and what is left of it is written anew.
    recover_loss(loss, external_ref=loss.external_ref, at=at)
    if rest := loss.amount_cents - by_cents:
        post_loss(loss.certificate_id, rest, key=f"loss:{loss.id}:rest", external_ref=loss.external_ref, at=at)


def pay_loss(loss: LedgerEntry, certificate_id: int, amount_cents: int, *, at: datetime) -> None:
    """Let value on a certificate (positive minor units) be what a refund took when there was nothing to take.

    The loss becomes smaller by so much, as if the value had been there all the time; with nothing left of either, the
    certificate ends.
    """
    # With nothing left of loss and balance it is as if the refund had found all of its money: the certificate ends.
    has_ended = lock_certificate(certificate_id).balance_cents == amount_cents == loss.amount_cents
    shrink_loss(loss, amount_cents, at=at)
    post(
        certificate_id,
        Transfer.of(EntryKind.REFUND_EXTERNAL, amount_cents),
        _stripe_cause(f"loss:{loss.id}:paid", loss.external_ref, at),
        status=CertificateStatus.VOID if has_ended else None,
    )


def _stripe_cause(key: str, external_ref: str | None, at: datetime) -> Cause:
    return Cause(actor="stripe", scope="stripe", key=key, at=at, external_ref=external_ref)
