"""Alerts as a table: what a person has to look at, until somebody ticks it off."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.foundation.database import Base, BigId, Moment


class Alert(Base):
    """Something a person has to look at: an order in review, a foreign payment, a failed delivery."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    detail: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (sa.UniqueConstraint("kind", "subject"), sa.Index("ix_alert_resolved_at", "resolved_at"))
