"""What reconciliation keeps: the events of Stripe that were handled, and its own runs."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.foundation.database import Base, BigId, JsonText, Moment


class StripeEvent(Base):
    """An event we have handled, by its id; two events for one fact end the same because handlers re-read."""

    __tablename__ = "stripe_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    type: Mapped[str] = mapped_column(sa.Text)
    object_id: Mapped[str] = mapped_column(sa.Text)
    outcome: Mapped[str] = mapped_column(sa.Text)
    received_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (sa.Index("ix_stripe_event_object_id", "object_id"),)


class Reconciliation(Base):
    """One run of reconciliation; the start of the last that ended is where the next one looks back to."""

    __tablename__ = "reconciliation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    checked: Mapped[int] = mapped_column(sa.Integer, default=0)
    changed: Mapped[list[str]] = mapped_column(JsonText, default=list)
    problems: Mapped[list[str]] = mapped_column(JsonText, default=list)

    __table_args__ = (sa.Index("ix_reconciliation_finished_at", "finished_at"),)
