"""Alerts, and the failed scans that may become one, as tables."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.foundation.database import Base, BigId, Moment


class Alert(Base):
    """Something a person has to look at, and the order it is about, where there is one."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    subject: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    detail: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (sa.UniqueConstraint("kind", "subject"), sa.Index("ix_alert_resolved_at", "resolved_at"))


class AlertRun(Base):
    """Something that goes on and was told when it began: it is one run until it has been quiet for a while."""

    __tablename__ = "alert_run"

    kind: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    subject: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)


class FailedScan(Base):
    """A code that opened nothing, tried at the counter by one person; forgotten after a day."""

    __tablename__ = "failed_scan"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    actor: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (sa.Index("ix_failed_scan_actor_at", "actor", "at"),)
