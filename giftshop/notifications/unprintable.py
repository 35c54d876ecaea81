"""Certificates that cannot be printed: the owner is told once, why, and the alert goes as soon as one is printed."""

import sqlalchemy as sa

from giftshop.documents import printing
from giftshop.foundation.database import db, may_write, only_reads
from giftshop.ledger.models import Certificate
from giftshop.notifications.alerts import alert_owner, resolve_alert
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert
from giftshop.orders.look_up import find_gift
from giftshop.words import _


def watch_the_press() -> None:
    """Hear of every certificate that the press found faulty, and of those it printed."""
    printing.watch(unprintable=tell_unprintable, printed=settle_printed)


def tell_unprintable(public_id: str, reason: str) -> None:
    """Keep an alert that a certificate waits, and mail it to the practice, once. Commits."""
    may_write()
    certificate = db.session.scalar(sa.select(Certificate).where(Certificate.public_id == public_id))
    gift = find_gift(certificate.id) if certificate else None
    detail = _(
        "Certificate %(id)s cannot be printed, so nothing of it goes out. %(reason)s It is tried again by itself.",
        id=public_id,
        reason=reason,
    )
    alert_owner(AlertKind.UNPRINTABLE, public_id, detail, order=gift.order if gift else None)
    db.session.commit()


def settle_printed(public_id: str) -> None:
    """Tick the alert off, if there is one. Commits only then."""
    is_open = (Alert.kind == AlertKind.UNPRINTABLE, Alert.subject == public_id, Alert.resolved_at.is_(None))
    only_reads()
    found = db.session.scalar(sa.select(Alert.id).where(*is_open))
    may_write()
    if found is not None:
        resolve_alert(AlertKind.UNPRINTABLE, public_id)
        db.session.commit()
