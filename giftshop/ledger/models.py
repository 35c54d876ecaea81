"""The certificate and its ledger as tables, for the modules of this package and for queries elsewhere.

The tables themselves (CHECKs, triggers, the deferred key) are written by hand in migrations/; these classes
mirror them. Balances move only through ledger/posting.py.
"""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from giftshop.foundation.database import Base, BigId, Day, Moment, YesOrNo
from giftshop.ledger.states import CertificateStatus


class Certificate(Base):
    """Money the practice owes to whoever holds the code."""

    __tablename__ = "certificate"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement="ignore_fk")
    public_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    code_lookup: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    code_end_lookup: Mapped[bytes | None] = mapped_column(sa.LargeBinary, index=True)
    code_enc: Mapped[bytes] = mapped_column(sa.LargeBinary)
    mode: Mapped[str] = mapped_column(sa.Text)
    currency: Mapped[str] = mapped_column(sa.Text)
    face_value_cents: Mapped[int] = mapped_column(BigId)
    balance_cents: Mapped[int] = mapped_column(BigId, default=0)
    last_sequence: Mapped[int] = mapped_column(sa.Integer, default=0)
    status: Mapped[str] = mapped_column(sa.Text, default=CertificateStatus.ACTIVE)
    offer_slug: Mapped[str] = mapped_column(sa.Text)
    service_name: Mapped[str] = mapped_column(sa.Text)
    recipient_name: Mapped[str] = mapped_column(sa.Text, index=True)
    giver_name: Mapped[str] = mapped_column(sa.Text)
    message: Mapped[str] = mapped_column(sa.Text)
    design: Mapped[str] = mapped_column(sa.Text)
    is_price_shown: Mapped[bool] = mapped_column(YesOrNo, default=True, server_default=sa.true())
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_on: Mapped[date | None] = mapped_column(Day)

    entries: Mapped[list["LedgerEntry"]] = relationship(
        foreign_keys="LedgerEntry.certificate_id", order_by="LedgerEntry.sequence", viewonly=True
    )

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["id", "last_sequence", "balance_cents"],
            ["ledger_entry.certificate_id", "ledger_entry.sequence", "ledger_entry.balance_after_cents"],
            name="certificate_agrees_with_ledger",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
    )

    @property
    def is_left_told(self) -> bool:
        """Whether its holder may read what is on it: where the buyer left the price out, once some of it has gone."""
        return self.is_price_shown or self.balance_cents != self.face_value_cents


class LedgerEntry(Base):
    """One transfer between two accounts; appended once, never changed."""

    __tablename__ = "ledger_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("certificate.id"))
    sequence: Mapped[int] = mapped_column(sa.Integer)
    kind: Mapped[str] = mapped_column(sa.Text)
    debit_account: Mapped[str] = mapped_column(sa.Text)
    credit_account: Mapped[str] = mapped_column(sa.Text)
    amount_cents: Mapped[int] = mapped_column(BigId)
    balance_after_cents: Mapped[int] = mapped_column(BigId)
    actor: Mapped[str] = mapped_column(sa.Text)
    reason_code: Mapped[str] = mapped_column(sa.Text, default="")
    external_ref: Mapped[str | None] = mapped_column(sa.Text)
    request_scope: Mapped[str] = mapped_column(sa.Text)
    request_key: Mapped[str] = mapped_column(sa.Text)
    reverses_id: Mapped[int | None] = mapped_column(BigId, sa.ForeignKey("ledger_entry.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    prev_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)

    __table_args__ = (
        sa.UniqueConstraint("certificate_id", "sequence"),
        sa.UniqueConstraint("certificate_id", "sequence", "balance_after_cents"),
        sa.UniqueConstraint("request_scope", "request_key"),
        sa.Index("ix_ledger_entry_created_at", "created_at"),
        sa.Index("ix_ledger_entry_actor_created_at", "actor", "created_at"),
        sa.Index("ix_ledger_entry_external_ref", "external_ref"),
    )


class RedemptionNote(Base):
    """The few words a staff member wrote beside a redemption; apart from the ledger, so that it can be blanked."""

    __tablename__ = "redemption_note"

    entry_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("ledger_entry.id"), primary_key=True)
    text: Mapped[str] = mapped_column(sa.Text)


class HonouredSession(Base):
    """A session given for all of a certificate that was sold as that session, beside the redemption that took it.

    `promised_cents` was paid for it, `price_cents` is what it cost when it was given; None: it was no longer sold. The
    difference is given away and moves no account. Who undoes the redemption undoes this, too (`open_entries.is_open`).
    """

    __tablename__ = "honoured_session"

    entry_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("ledger_entry.id"), primary_key=True)
    service_name: Mapped[str] = mapped_column(sa.Text)
    promised_cents: Mapped[int] = mapped_column(BigId)
    price_cents: Mapped[int | None] = mapped_column(BigId)

    __table_args__ = (
        sa.CheckConstraint("promised_cents > 0 AND (price_cents IS NULL OR price_cents > promised_cents)", name="sums"),
    )

    @property
    def difference_cents(self) -> int:
        """What was given away, in minor units; nothing that could be counted where it was no longer sold."""
        return 0 if self.price_cents is None else self.price_cents - self.promised_cents


class CertificateFreeze(Base):
    """One reason why a certificate is on hold, from when to when; `subject` is Stripe's id of a dispute, or a hand."""

    __tablename__ = "certificate_freeze"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("certificate.id"))
    subject: Mapped[str] = mapped_column(sa.Text)
    reason_code: Mapped[str] = mapped_column(sa.Text)
    actor: Mapped[str] = mapped_column(sa.Text)
    frozen_at: Mapped[datetime] = mapped_column(Moment)
    lifted_at: Mapped[datetime | None] = mapped_column(Moment)
    lifted_by: Mapped[str] = mapped_column(sa.Text, default="")

    __table_args__ = (
        sa.Index("ix_certificate_freeze_certificate_id", "certificate_id"),
        sa.Index(
            "uq_certificate_freeze_open",
            "certificate_id",
            "subject",
            unique=True,
            sqlite_where=sa.text("lifted_at IS NULL"),
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
    )


class ReplacedCode(Base):
    """The look-up value of a code that was replaced: staff are told so, strangers get the one answer."""

    __tablename__ = "replaced_code"

    code_lookup: Mapped[bytes] = mapped_column(sa.LargeBinary, primary_key=True)
    certificate_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("certificate.id"), index=True)
    replaced_at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(sa.Text)


class MoneyRequest(Base):
    """The first answer to a request that moves money, kept for ever and given again to its copies."""

    __tablename__ = "money_request"

    scope: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    body_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary)
    status: Mapped[int] = mapped_column(sa.Integer)
    answer: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(Moment)


class LedgerSeal(Base):
    """One digest over the heads of all chains, made daily and kept outside by the owner."""

    __tablename__ = "ledger_seal"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    certificates: Mapped[int] = mapped_column(BigId)
    entries: Mapped[int] = mapped_column(BigId)
    prev_digest: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
