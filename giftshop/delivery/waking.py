"""Waking: messages whose next try was put off by a clock that was ahead, sent now; for what the clock starts.

The job engine keeps the moment of a try, not the pause before it. After a clock was a year ahead for an hour, a message
that failed in that hour would wait a year.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.delivery.faults import FAULTS
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import JOB
from giftshop.foundation import jobs
from giftshop.foundation.database import db

LONGEST = max(fault.patience for fault in FAULTS.values()) + timedelta(days=1)
"""As long as any message is tried, its last pause, and some hours in which nobody ran jobs."""


def wake_stuck(*, at: datetime) -> int:
    """Enqueue the next turn of messages that should have had all their tries by now; return how many.

    Those made by a clock that was ahead, to be sent at once, are among them; a gift for a later day is not. The caller
    commits. The job of the turn before, if it ever comes, finds another turn in the row.
    """
    was_made_ahead = sa.and_(Delivery.created_at > at + clock.SKEW, Delivery.send_at <= Delivery.created_at)
    was_tried_ahead = Delivery.tried_at > at + clock.SKEW
    stuck = sa.select(Delivery).where(
        Delivery.state == DeliveryState.SCHEDULED,
        sa.or_(Delivery.send_at < at - LONGEST, was_made_ahead, was_tried_ahead),
    )
    found = list(db.session.scalars(stuck.with_for_update(skip_locked=True)))
    for delivery in found:
        delivery.turn += 1
        delivery.send_at = min(delivery.send_at, at)
        delivery.created_at = min(delivery.created_at, at)
        delivery.tried_at = min(delivery.tried_at, at) if delivery.tried_at else None
        delivery.troubled_at = min(delivery.troubled_at, at) if delivery.troubled_at else None
        jobs.enqueue(JOB, delivery.id, key=f"{JOB}:{delivery.id}:{delivery.turn}", turn=delivery.turn)
    return len(found)
