"""The practice and its offers as tables."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.foundation.database import Base, BigId, Moment

_WITH_LETTER_PAPER = ("US", "CA", "MX")
"""The countries that print on Letter; all others have A4."""


class Installation(Base):
    """Which shop this database belongs to, and with which kind of money; one row, stamped at creation.

    `staff_keys_enc` holds the keys of sign-ins, sealed (staff/keys.py).
    `zone_rules` is the version of the newest time zone rules by which moments to come were computed, "" before.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    instance_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    mode: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    staff_keys_enc: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    zone_rules: Mapped[str] = mapped_column(sa.Text, default="", server_default="")

    __table_args__ = (
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("mode IN ('simulated','test','live')", name="mode"),
    )


class PromiseRule(StrEnum):
    """What becomes of a session that was sold by name when its price has risen since, or it is no longer sold."""

    HONOUR = "honour"
    """It is given for the certificate, whatever it costs now."""
    VALUE = "value"
    """The certificate counts as the money that was paid for it."""
    ASK = "ask"
    """The owner wants to be asked each time."""


class Practice(Base):
    """The practice itself, as the owner edits it; one row.

    A manager may pay back up to `manager_refund_limit_cents` at once: nothing, unless the owner says so. A buyer who
    wants the money back within `refund_days` asks for it, or has it at once, as `buyer_refund` says. Orders that nobody
    paid are kept for `unpaid_kept_days`.
    """

    __tablename__ = "practice"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    short_name: Mapped[str] = mapped_column(sa.Text)
    legal_name: Mapped[str] = mapped_column(sa.Text)
    address: Mapped[str] = mapped_column(sa.Text)
    phone: Mapped[str] = mapped_column(sa.Text)
    email: Mapped[str] = mapped_column(sa.Text)
    booking_url: Mapped[str] = mapped_column(sa.Text)
    time_zone: Mapped[str] = mapped_column(sa.Text)
    currency: Mapped[str] = mapped_column(sa.Text)
    place: Mapped[str] = mapped_column(sa.Text)
    palette: Mapped[str] = mapped_column(sa.Text)
    is_selling: Mapped[bool] = mapped_column(sa.Boolean)
    minimum_cents: Mapped[int] = mapped_column(BigId)
    maximum_cents: Mapped[int] = mapped_column(BigId)
    buyer_day_limit_cents: Mapped[int] = mapped_column(BigId)
    delivery_hour: Mapped[int] = mapped_column(sa.Integer)
    refund_days: Mapped[int] = mapped_column(sa.Integer)
    manager_refund_limit_cents: Mapped[int] = mapped_column(BigId, default=0, server_default=sa.text("0"))
    unpaid_kept_days: Mapped[int] = mapped_column(sa.Integer, default=30, server_default=sa.text("30"))
    session_promise: Mapped[str] = mapped_column(sa.Text, default=PromiseRule.HONOUR, server_default="honour")
    buyer_refund: Mapped[str] = mapped_column(sa.Text, default="ask", server_default="ask")

    __table_args__ = (
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("minimum_cents > 0 AND minimum_cents <= maximum_cents", name="bounds"),
        sa.CheckConstraint("delivery_hour BETWEEN 0 AND 23", name="delivery_hour"),
        sa.CheckConstraint("session_promise IN ('honour','value','ask')", name="session_promise"),
    )

    @property
    def paper(self) -> Literal["letter", "a4"]:
        """The paper people have where the practice is."""
        return "letter" if self.place.startswith(_WITH_LETTER_PAPER) else "a4"

    def booking_address(self) -> str:
        """Return where to book for somebody without a certificate: the places in the link stay empty."""
        return re.sub(r"\{[a-z]+\}", "", self.booking_url)


class Offer(Base):
    """What the catalogue sells: a session of some minutes, or an amount; `booking_link` is its own one, or empty."""

    __tablename__ = "offer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slug: Mapped[str] = mapped_column(sa.Text, unique=True)
    kind: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str] = mapped_column(sa.Text)
    minutes: Mapped[int | None] = mapped_column(sa.Integer)
    description: Mapped[str] = mapped_column(sa.Text)
    price_cents: Mapped[int] = mapped_column(BigId)
    visibility: Mapped[str] = mapped_column(sa.Text)
    booking_link: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    position: Mapped[int] = mapped_column(sa.Integer)

    __table_args__ = (
        sa.CheckConstraint("kind IN ('session','amount')", name="kind"),
        sa.CheckConstraint("(kind = 'session') = (minutes IS NOT NULL)", name="minutes"),
        sa.CheckConstraint("visibility IN ('public','unlisted','retired')", name="visibility"),
        sa.CheckConstraint("price_cents > 0", name="price"),
        sa.CheckConstraint("slug <> 'amount'", name="slug"),
    )
