"""Messages to send as tables: what, to whom, when, and how far each has come."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.delivery.states import DeliveryState
from giftshop.foundation.database import Base, BigId, Day, Moment


class Delivery(Base):
    """One message to send, once; its `message_id` stays the same however often it is tried.

    `message_id` is made of the order, the kind, the gift and the revision, so its UNIQUE says that there is never
    a second row for one message.

    `facts_enc` holds, sealed, what the message says beyond the certificates it carries: names, words, the order's
    private address. `order_id` and `gift_id` say whose it is. `turn` is the number of the job that may send it now,
    `attempts` counts how often sending was begun, also by processes that died over it. `replaces_id` is the message
    that this one was sent again for; `ended_at` is when it was given up or cancelled.

    `send_on` is the day it was promised for, if it was; then `send_at` is the practice's hour on that day and follows
    it (timing.py). Each move takes a turn, so `first_turn` is that of its first try; `moved_at` is when it moved last.

    `trouble` names why it last came back (faults.py; "" for what never did, or was given up by an older version),
    `last_error` says it; `troubled_at` is when it first came back, `tried_at` when it did last.
    """

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text)
    order_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("order.id"))
    gift_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("gift.id"))
    revision: Mapped[int] = mapped_column(sa.Integer, default=1)
    to_address: Mapped[str] = mapped_column(sa.Text)
    facts_enc: Mapped[bytes] = mapped_column(sa.LargeBinary)
    message_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    state: Mapped[str] = mapped_column(sa.Text)
    send_on: Mapped[date | None] = mapped_column(Day)
    send_at: Mapped[datetime] = mapped_column(Moment)
    moved_at: Mapped[datetime | None] = mapped_column(Moment)
    turn: Mapped[int] = mapped_column(sa.Integer, default=0)
    first_turn: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    trouble: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    last_error: Mapped[str] = mapped_column(sa.Text, default="")
    troubled_at: Mapped[datetime | None] = mapped_column(Moment)
    tried_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    replaces_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("delivery.id"))

    __table_args__ = (
        sa.CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in DeliveryState)})", name="state"),
        sa.Index("ix_delivery_state_send_at", "state", "send_at"),
        sa.Index("ix_delivery_gift_id", "gift_id"),
        sa.Index("ix_delivery_order_id", "order_id"),
        sa.Index("uq_delivery_replaces_id", "replaces_id", unique=True),
    )


class DeliveryCertificate(Base):
    """A certificate that a message carries."""

    __tablename__ = "delivery_certificate"

    delivery_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("delivery.id"), primary_key=True)
    certificate_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("certificate.id"), primary_key=True, index=True)
