"""The trail: what happened to orders and certificates, who did it and when, appended and never changed.

Money is not written here a second time: the ledger is its own trail, and orders/history.py shows both as one list.
Details hold no code and no address: a trail outlives the people in it.
"""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop import clock
from giftshop.foundation.database import Base, BigId, Moment, db

HOLDER = "holder"
"""Who looks at a certificate's own page: whoever holds its code."""


class TrailEvent(Base):
    """One thing that happened; `actor` is like "staff:7", "buyer", "stripe", "system"; `facts` is JSON."""

    __tablename__ = "trail_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    order_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("order.id"))
    certificate_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("certificate.id"))
    facts: Mapped[str] = mapped_column(sa.Text)

    __table_args__ = (
        sa.Index("ix_trail_event_order_id", "order_id", "id"),
        sa.Index("ix_trail_event_certificate_id", "certificate_id", "id"),
        sa.Index("ix_trail_event_kind_at", "kind", "at"),
    )


def note(
    kind: str,
    *,
    actor: str,
    order_id: int | None = None,
    certificate_id: int | None = None,
    **facts: Any,
) -> None:
    """Append what happened, in the caller's transaction; `facts` are JSON values without codes or addresses."""
    db.session.add(
        TrailEvent(
            at=clock.now(),
            actor=actor,
            kind=kind,
            order_id=order_id,
            certificate_id=certificate_id,
            facts=json.dumps(facts, sort_keys=True),
        )
    )


def list_events(*, order_id: int | None = None, certificate_ids: list[int] | None = None) -> list[TrailEvent]:
    """Return what happened to an order, to certificates, or to both, oldest first."""
    concerns: list[sa.ColumnElement[bool]] = [TrailEvent.certificate_id.in_(certificate_ids or [])]
    if order_id is not None:
        concerns.append(TrailEvent.order_id == order_id)
    return list(db.session.scalars(sa.select(TrailEvent).where(sa.or_(*concerns)).order_by(TrailEvent.id)))
