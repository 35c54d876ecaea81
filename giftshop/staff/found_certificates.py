"""Which certificates were found in which sign-in, as a table, and how they are forgotten: what rules need of it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from giftshop.foundation.database import Base, BigId, Moment, db


class CertificateFound(Base):
    """A certificate that a person found by its code (or a manager by search) during one sign-in."""

    __tablename__ = "certificate_found"

    staff_session_id: Mapped[int] = mapped_column(
        BigId, sa.ForeignKey("staff_session.id", ondelete="CASCADE"), primary_key=True
    )
    certificate_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("certificate.id"), primary_key=True)
    found_at: Mapped[datetime] = mapped_column(Moment)


def forget_found(certificate_id: int) -> None:
    """Make everybody find a certificate again: what a dead code opened stays open to nobody. The caller commits."""
    db.session.execute(sa.delete(CertificateFound).where(CertificateFound.certificate_id == certificate_id))
