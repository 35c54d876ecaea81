"""Refunds in the ledger: what is taken off a certificate before Stripe is asked, and how that ends, for orders/.

There is no instant at which money is both refundable and spendable: a hold takes it off the balance first, and the
conditional UPDATE decides who was first. Every entry's key says the fact, so that a copy of it is refused.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftshop.errors import CertificateVoidError, InsufficientBalanceError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.posting import LIABILITY, Cause, Transfer, hold_certificate, post

StatusAfter = sa.ColumnElement[str] | str | None
VOID_WHEN_EMPTY: sa.ColumnElement[str] = sa.case((Certificate.balance_cents == 0, "void"), else_=Certificate.status)
"""What a certificate becomes by an act that leaves its balance: ended, when nothing is on it."""
BACK_FROM_VOID: sa.ColumnElement[str] = sa.case((Certificate.status == "void", "frozen"), else_=Certificate.status)
"""What a certificate becomes by an act that gives it value again: a person looks at one that had ended."""


def hold_refund(
    certificate_id: int, amount_cents: int, *, refund_id: int, actor: str, reason_code: str, at: datetime
) -> LedgerEntry:
    """Take `amount_cents` (positive minor units) off a balance until Stripe has answered.

    Raises InsufficientBalanceError, CertificateVoidError; then nothing has moved.
    """
    return post(
        certificate_id,
        Transfer("refund_hold", LIABILITY, "refund_due", amount_cents),
        Cause(actor=actor, scope="refund", key=f"refund:{refund_id}:hold", at=at, reason_code=reason_code),
        only_if=[Certificate.status.in_(("active", "frozen"))],
        refusal=lambda found: CertificateVoidError() if found.status == "void" else InsufficientBalanceError(),
    )


def settle_refund(hold: LedgerEntry, *, refund_id: int, stripe_refund_id: str, at: datetime) -> LedgerEntry:
    """Close a hold: Stripe has paid it back. A certificate with nothing left ends with it."""
    key = f"refund:{refund_id}:settled"
    return post(
        hold.certificate_id,
        Transfer("refund_settled", "refund_due", "stripe_clearing", hold.amount_cents, reverses_id=hold.id),
        Cause(actor="stripe", scope="refund", key=key, at=at, external_ref=stripe_refund_id),
        status=VOID_WHEN_EMPTY,
    )


def release_refund(hold: LedgerEntry, *, refund_id: int, actor: str, at: datetime) -> LedgerEntry:
    """Close a hold: Stripe will not pay it back, so it is on the certificate again."""
    return post(
        hold.certificate_id,
        Transfer("refund_released", "refund_due", LIABILITY, hold.amount_cents, reverses_id=hold.id),
        Cause(actor=actor, scope="refund", key=f"refund:{refund_id}:released", at=at),
        status=BACK_FROM_VOID,
    )


def take_foreign_refund(certificate_id: int, amount_cents: int, *, stripe_refund_id: str, at: datetime) -> int:
    """Take off what was paid back in Stripe's own dashboard, as far as it is still there; return what was not.

    `amount_cents` is the certificate's share in minor units; the part that was spent already is posted as a loss.
    """
    balance = hold_certificate(certificate_id).balance_cents
    taken = min(balance, amount_cents)
    if taken:
        post(
            certificate_id,
            Transfer("refund_external", LIABILITY, "stripe_clearing", taken),
            _stripe_cause(f"refund:{stripe_refund_id}:cert:{certificate_id}", stripe_refund_id, at),
            status="void" if balance == amount_cents else None,
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


def return_refund(entry: LedgerEntry, *, stripe_refund_id: str, at: datetime) -> LedgerEntry:
    """Give back what a refund took, because it failed after all; a certificate that had ended comes back frozen."""
    return post(
        entry.certificate_id,
        Transfer("refund_returned", "stripe_clearing", LIABILITY, entry.amount_cents, reverses_id=entry.id),
        _stripe_cause(f"refund:{stripe_refund_id}:returned:{entry.id}", stripe_refund_id, at),
        status=BACK_FROM_VOID,
    )


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
    transfer = Transfer("loss", "write_off", "stripe_clearing", amount_cents)
    return post(certificate_id, transfer, _stripe_cause(key, external_ref, at), status=status)


def recover_loss(
    loss: LedgerEntry, *, external_ref: str | None, at: datetime, status: StatusAfter = None
) -> LedgerEntry:
    """Take back a loss: the money came after all; the balance stays."""
    return post(
        loss.certificate_id,
        Transfer("loss_recovered", "stripe_clearing", "write_off", loss.amount_cents, reverses_id=loss.id),
        _stripe_cause(f"loss:{loss.id}:recovered", external_ref, at),
        status=status,
    )


def lose_beyond(certificate_id: int, amount_cents: int, *, external_ref: str, at: datetime) -> LedgerEntry:
    """Write off what Stripe took beyond all certificates' shares (positive minor units): it had gone out before."""
    key = f"loss:{external_ref}:beyond"
    return post_loss(certificate_id, amount_cents, key=key, external_ref=external_ref, at=at)


def shrink_loss(loss: LedgerEntry, by_cents: int, *, at: datetime) -> None:
    """Make a loss smaller by so much (positive minor units, at most all of it)."""
    recover_loss(loss, external_ref=loss.external_ref, at=at)
    if rest := loss.amount_cents - by_cents:
        post_loss(loss.certificate_id, rest, key=f"loss:{loss.id}:rest", external_ref=loss.external_ref, at=at)


def pay_loss(loss: LedgerEntry, certificate_id: int, amount_cents: int, *, at: datetime) -> None:
    """Let value on a certificate (positive minor units) be what a refund took when there was nothing to take.

    The loss becomes smaller by so much, as if the value had been there all the time; with nothing left of either, the
    certificate ends.
    """
    has_ended = hold_certificate(certificate_id).balance_cents == amount_cents == loss.amount_cents
    shrink_loss(loss, amount_cents, at=at)
    post(
        certificate_id,
        Transfer("refund_external", LIABILITY, "stripe_clearing", amount_cents),
        _stripe_cause(f"loss:{loss.id}:paid", loss.external_ref, at),
        status="void" if has_ended else None,
    )


def list_open_losses(certificate_id: int) -> list[LedgerEntry]:
    """Return what was written off on a certificate and has not come back, oldest first."""
    return _list_open(LedgerEntry.certificate_id == certificate_id, LedgerEntry.kind == "loss")


def list_open_entries(external_ref: str, kinds: tuple[str, ...]) -> list[LedgerEntry]:
    """Return the entries of these kinds that one of Stripe's objects caused and that nothing has closed yet."""
    return _list_open(LedgerEntry.external_ref == external_ref, LedgerEntry.kind.in_(kinds))


def _list_open(*conditions: sa.ColumnElement[bool]) -> list[LedgerEntry]:
    closed = aliased(LedgerEntry)
    query = sa.select(LedgerEntry).where(*conditions, ~sa.exists().where(closed.reverses_id == LedgerEntry.id))
    return list(db.session.scalars(query.order_by(LedgerEntry.id)))


def _stripe_cause(key: str, external_ref: str | None, at: datetime) -> Cause:
    return Cause(actor="stripe", scope="stripe", key=key, at=at, external_ref=external_ref)
