"""Orders, their gifts, their attempts to pay, and what Stripe told us, as tables."""

import secrets
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from giftshop.foundation.database import Base, BigId, Day, Moment, YesOrNo
from giftshop.orders.states import OrderState

NUMBERED_FROM = 1000
"""The number of no order: the first one is G-1001."""


def number_of(order_id: int) -> str:
    """Return the number of the order with this id, as people say it."""
    return f"G-{NUMBERED_FROM + order_id}"


class Order(Base):
    """One purchase: some gifts, one payment; `received_cents` is what Stripe took for it, right or in review, in
    `received_currency`; `purged_at` is when who placed it was forgotten, because nobody paid. For `refund_days` an
    unused gift is paid back: what was promised when it was placed.
    """

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    token_lookup: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    token_enc: Mapped[bytes] = mapped_column(sa.LargeBinary)
    request_key: Mapped[str] = mapped_column(sa.Text, unique=True)
    request_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary)
    mode: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.Text)
    review_reason: Mapped[str] = mapped_column(sa.Text, default="")
    currency: Mapped[str] = mapped_column(sa.Text)
    total_cents: Mapped[int] = mapped_column(BigId)
    received_cents: Mapped[int | None] = mapped_column(BigId)
    received_currency: Mapped[str | None] = mapped_column(sa.Text)
    buyer_email: Mapped[str] = mapped_column(sa.Text)
    refund_days: Mapped[int | None] = mapped_column(sa.Integer)
    payment_intent_id: Mapped[str | None] = mapped_column(sa.Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    paid_at: Mapped[datetime | None] = mapped_column(Moment)
    purged_at: Mapped[datetime | None] = mapped_column(Moment)

    gifts: Mapped[list["Gift"]] = relationship(back_populates="order", order_by="Gift.position")
    attempts: Mapped[list["CheckoutAttempt"]] = relationship(back_populates="order", order_by="CheckoutAttempt.number")

    __table_args__ = (
        sa.CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in OrderState)})", name="state"),
        sa.CheckConstraint("total_cents > 0", name="total"),
        sa.Index("ix_order_state_created_at", "state", "created_at"),
        sa.Index("ix_order_buyer_email_created_at", "buyer_email", "created_at"),
        sa.Index("ix_order_created_at", "created_at", "id"),
    )

    @property
    def number(self) -> str:
        """The number people say on the phone."""
        return number_of(self.id)

    @property
    def payment_currency(self) -> str:
        """The currency of what was received, and of all that goes back of it: in review it may be another one."""
        return self.received_currency or self.currency


class Gift(Base):
    """One line of an order: a certificate to be, or several equal ones.

    `minutes` is how long the session takes that was bought; `shown_cents` the higher price that the buyer had seen.
    `is_price_shown` is whether the recipient may see what it cost.
    """

    __tablename__ = "gift"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    position: Mapped[int] = mapped_column(sa.Integer)
    offer_slug: Mapped[str] = mapped_column(sa.Text)
    service_name: Mapped[str] = mapped_column(sa.Text)
    minutes: Mapped[int | None] = mapped_column(sa.Integer)
    amount_cents: Mapped[int] = mapped_column(BigId)
    shown_cents: Mapped[int | None] = mapped_column(BigId)
    quantity: Mapped[int] = mapped_column(sa.Integer)
    recipient_name: Mapped[str] = mapped_column(sa.Text)
    giver_name: Mapped[str] = mapped_column(sa.Text)
    message: Mapped[str] = mapped_column(sa.Text)
    design: Mapped[str] = mapped_column(sa.Text)
    is_price_shown: Mapped[bool] = mapped_column(YesOrNo, default=True, server_default=sa.true())
    delivery: Mapped[str] = mapped_column(sa.Text)
    recipient_email: Mapped[str] = mapped_column(sa.Text, index=True)
    deliver_on: Mapped[date | None] = mapped_column(Day)

    order: Mapped[Order] = relationship(back_populates="gifts")
    issued: Mapped[list["GiftCertificate"]] = relationship(order_by="GiftCertificate.number")

    __table_args__ = (
        sa.UniqueConstraint("order_id", "position"),
        sa.CheckConstraint("delivery IN ('recipient','buyer','print')", name="delivery"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 10", name="quantity"),
        sa.CheckConstraint("amount_cents > 0", name="amount"),
    )


class GiftCertificate(Base):
    """The certificate issued for one number of a gift: the keys say that there is never a second one."""

    __tablename__ = "gift_certificate"

    gift_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("gift.id"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("certificate.id"), unique=True)


class CheckoutAttempt(Base):
    """One try to pay an order at Stripe: the parameters, frozen before the first call, and the session made.

    The parameters hold the order's private address, so they are sealed. `browser` names the browser that asked.
    """

    __tablename__ = "checkout_attempt"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"))
    number: Mapped[int] = mapped_column(sa.Integer)
    parameters_enc: Mapped[bytes] = mapped_column(sa.LargeBinary)
    idempotency_key: Mapped[str] = mapped_column(sa.Text, unique=True)
    session_id: Mapped[str | None] = mapped_column(sa.Text, unique=True)
    session_url: Mapped[str | None] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.Text)
    first_tried_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    client_address: Mapped[str] = mapped_column(sa.Text, default="")
    browser: Mapped[str] = mapped_column(sa.Text, default="", server_default="")

    order: Mapped[Order] = relationship(back_populates="attempts")

    __table_args__ = (
        sa.UniqueConstraint("order_id", "number"),
        sa.CheckConstraint("state IN ('created','open','complete','expired')", name="state"),
        sa.Index("ix_checkout_attempt_client_address_first_tried_at", "client_address", "first_tried_at"),
        sa.Index("ix_checkout_attempt_browser_first_tried_at", "browser", "first_tried_at"),
        sa.Index("ix_checkout_attempt_first_tried_at", "first_tried_at"),
    )


def new_refund_id() -> str:
    """Return a fresh public id of a refund: Stripe is told it, and a restored database never gives it out again."""
    return f"rf_{secrets.token_hex(12)}"


class Refund(Base):
    """Money on its way back to the buyer: asked for here, or found at Stripe (then it concerns a whole payment).

    `refusal` is why it was refused or waits, in words; `refusal_kind` and `refusal_code` say the same as data.
    """

    __tablename__ = "refund"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    certificate_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("certificate.id"))
    amount_cents: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text)
    actor: Mapped[str] = mapped_column(sa.Text)
    stripe_refund_id: Mapped[str | None] = mapped_column(sa.Text, unique=True)
    refusal: Mapped[str] = mapped_column(sa.Text, default="")
    refusal_kind: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    refusal_code: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    order: Mapped[Order] = relationship()

    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0", name="amount"),
        sa.CheckConstraint("state IN ('held','settled','released','returned')", name="state"),
        sa.CheckConstraint("certificate_id IS NOT NULL OR stripe_refund_id IS NOT NULL", name="origin"),
        sa.Index("ix_refund_state", "state"),
    )


class RefundWish(Base):
    """That the buyer asks for a certificate's money back, as the practice's terms promise while it is unused."""

    __tablename__ = "refund_wish"

    certificate_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("certificate.id"), primary_key=True, autoincrement=False
    )
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    wished_at: Mapped[datetime] = mapped_column(Moment)


class Payback(Base):
    """That a whole payment in review is to be paid back: who asked last, why, and how often Stripe has refused it.

    The count is part of the idempotency key at Stripe, which gives a key the same refusal for a day.
    """

    __tablename__ = "payback"

    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), primary_key=True, autoincrement=False)
    actor: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    refusals: Mapped[int] = mapped_column(sa.Integer, default=0)


class FraudWarning(Base):
    """A warning of the card's bank about an order that has no certificates to freeze yet."""

    __tablename__ = "fraud_warning"

    warning_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    noted_at: Mapped[datetime] = mapped_column(Moment)


class Dispute(Base):
    """A payment that the buyer's bank questions, by what Stripe said of it last."""

    __tablename__ = "dispute"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order.id"), index=True)
    stripe_dispute_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    amount_cents: Mapped[int] = mapped_column(BigId)
    status: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text)
    loss_cents: Mapped[int] = mapped_column(BigId, default=0)
    evidence_due_at: Mapped[datetime | None] = mapped_column(Moment)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    order: Mapped[Order] = relationship()

    __table_args__ = (sa.Index("ix_dispute_status", "status"),)
