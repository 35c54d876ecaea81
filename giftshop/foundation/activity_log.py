"""The activity log: what happened to orders and certificates, who did it and when, appended and never changed.

Money is not written here a second time: the ledger is its own log, and orders/history.py shows both as one list.
Details hold no code and no address: the log outlives the people in it. It is for people to read; rules decide by
nothing in it but whether a gift was opened (corrections/gifts.py).
"""

import json
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop import clock
from giftshop.foundation.database import Base, BigId, Moment, db

HOLDER, VISITOR = "holder", "visitor"
"""Who opens a certificate's own page in a browser: whoever holds its code; who fetches it: a person, or a program that
checks the links of a mail."""


class Activity(StrEnum):
    """What happened; orders/labels.py says it in words."""

    ORDER_MOVED = auto()
    ORDER_ACCEPTED = auto()
    ORDER_RECOVERED = auto()
    PAYBACK_ASKED = auto()
    PAYBACK_REFUSED = auto()
    REFUND_WISHED = auto()
    REFUND_ASKED = auto()
    REFUND_SETTLED = auto()
    REFUND_REFUSED = auto()
    REFUND_RETURNED = auto()
    DISPUTE = auto()
    FRAUD_WARNING = auto()
    FROZEN = auto()
    UNFROZEN = auto()
    VOIDED = auto()
    REISSUED = auto()
    SENT_AGAIN = auto()
    DAY_CHANGED = auto()
    SENDING_CANCELLED = auto()
    VIEWED = auto()
    FETCHED = auto()
    OPENED = auto()
    SCANNED = auto()
    FOUND_BY_SEARCH = auto()
    SCAN_FAILED = auto()
    ALERT_DONE = auto()
    PRACTICE_SET = auto()
    PURGED = auto()
    BACKED_UP = auto()


class ActivityEvent(Base):
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
    kind: Activity,
    *,
    actor: str,
    at: datetime | None = None,
    order_id: int | None = None,
    certificate_id: int | None = None,
    **facts: Any,
) -> None:
    """Append what happened (at `at`, else now), in the caller's transaction.

    `facts` are JSON values without codes or addresses.
    """
    db.session.add(
        ActivityEvent(
            at=at or clock.now(),
            actor=actor,
            kind=kind,
            order_id=order_id,
            certificate_id=certificate_id,
            facts=json.dumps(facts, sort_keys=True),
        )
    )


def list_events(*, order_id: int | None = None, certificate_ids: list[int] | None = None) -> list[ActivityEvent]:
    """Return what happened to an order, to certificates, or to both, oldest first."""
    concerns: list[sa.ColumnElement[bool]] = [ActivityEvent.certificate_id.in_(certificate_ids or [])]
    if order_id is not None:
        concerns.append(ActivityEvent.order_id == order_id)
    return list(db.session.scalars(sa.select(ActivityEvent).where(sa.or_(*concerns)).order_by(ActivityEvent.id)))
