"""Staff accounts, roles and sign-ins as tables."""

from datetime import datetime

import sqlalchemy as sa
from flask_security import AsaList, RoleMixin, UserMixin
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from giftshop.foundation.database import Base, BigId, Moment

staff_role = sa.Table(
    "staff_role",
    Base.metadata,
    sa.Column("staff_id", BigId, sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("role_id", BigId, sa.ForeignKey("role.id"), primary_key=True),
)


class Role(Base, RoleMixin):
    """owner, manager or staff: what a person may do (the table of rights is staff/rights.py)."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, unique=True)


class Staff(Base, UserMixin):
    """A person who works here and may sign in.

    With a password that somebody else made (`password_was_given`) nothing opens but the page that asks for another.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(sa.Text, unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    password: Mapped[str | None] = mapped_column(sa.Text)
    password_was_given: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    active: Mapped[bool] = mapped_column(sa.Boolean)
    fs_uniquifier: Mapped[str] = mapped_column(sa.Text, unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(sa.Text)
    tf_totp_secret: Mapped[str | None] = mapped_column(sa.Text)
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    last_totp_counter: Mapped[int | None] = mapped_column(BigId)
    failed_second_factors: Mapped[int] = mapped_column(sa.Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)

    roles: Mapped[list[Role]] = relationship(secondary=staff_role, lazy="selectin")  # type: ignore[assignment]


class StaffSession(Base):
    """One sign-in on one device; the cookie holds a random id, this row its SHA-256. No row, no access."""

    __tablename__ = "staff_session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    id_sha256: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    staff_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("staff.id"), index=True)
    device: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)

    staff: Mapped[Staff] = relationship()
