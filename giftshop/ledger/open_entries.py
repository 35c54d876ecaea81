"""Open entries: those that nothing has taken back or closed yet, and what is held by them."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import LedgerEntry


def is_open() -> sa.ColumnElement[bool]:
    """Return the condition that no later entry is the mirror of this one."""
    closing = aliased(LedgerEntry)
    return ~sa.exists().where(closing.reverses_id == LedgerEntry.id)


def list_open_entries(external_ref: str, *kinds: EntryKind) -> list[LedgerEntry]:
    """Return the open entries of these kinds that one of Stripe's objects caused, oldest first."""
    return _list_open(LedgerEntry.external_ref == external_ref, LedgerEntry.kind.in_(kinds))


def list_open_of(certificate_ids: Iterable[int], *kinds: EntryKind) -> list[LedgerEntry]:
    """Return the open entries of these kinds on certificates, oldest first."""
    return _list_open(LedgerEntry.certificate_id.in_(list(certificate_ids)), LedgerEntry.kind.in_(kinds))


def held_for(dispute_ids: Iterable[str]) -> dict[str, int]:
    """Return what each of these disputes holds, in minor units, by its id at Stripe."""
    return _sum_held(LedgerEntry.external_ref, dispute_ids)


def held_by_certificate(dispute_id: str) -> dict[int, int]:
    """Return what a dispute holds of each certificate, in minor units, by the certificate's id."""
    return _sum_held(LedgerEntry.certificate_id, [dispute_id])


def _sum_held(key: Any, dispute_ids: Iterable[str]) -> dict[Any, int]:
    held = (LedgerEntry.external_ref.in_(list(dispute_ids)), LedgerEntry.kind == EntryKind.DISPUTE_HOLD, is_open())
    query = sa.select(key, sa.func.sum(LedgerEntry.amount_cents)).where(*held).group_by(key)
    return {found: int(cents) for found, cents in db.session.execute(query)}


def _list_open(*conditions: sa.ColumnElement[bool]) -> list[LedgerEntry]:
    return list(db.session.scalars(sa.select(LedgerEntry).where(*conditions, is_open()).order_by(LedgerEntry.id)))
