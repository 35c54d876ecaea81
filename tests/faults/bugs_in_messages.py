"""Seeded bugs in sending messages and running jobs; for bugs.py."""

import secrets
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa

from giftshop.delivery import deliveries
from giftshop.delivery.composing import build_message
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.foundation import jobs
from giftshop.foundation.database import ShopSession, db


def mark_first(patches: pytest.MonkeyPatch) -> None:
    """A message counts as sent before it is."""

    def deliver(delivery_id: int, turn: int, mailer: Mailer, *, base_url: str) -> None:
        attempt = deliveries._claim(delivery_id, turn)
        if attempt is not None:
            deliveries._record_sent(delivery_id)
        db.session.commit()
        if attempt is not None:
            message = build_message(delivery_id, sender=mailer.sender, base_url=base_url)
            mailer.send(message, to_address=attempt.to_address)

    patches.setattr(deliveries, "deliver", deliver)


def claim_any_turn(patches: pytest.MonkeyPatch) -> None:
    """A job whose turn is over sends all the same."""
    proper = deliveries._claim

    def claim(delivery_id: int, _turn: int) -> Any:
        now = db.session.scalars(sa.select(Delivery.turn).where(Delivery.id == delivery_id)).one()
        return proper(delivery_id, now)

    patches.setattr(deliveries, "_claim", claim)


def rename_each_time(patches: pytest.MonkeyPatch) -> None:
    """Each try has a Message-ID of its own, so nobody can tell that two are one."""
    proper = Mailer.send

    def send(self: Mailer, message: EmailMessage, *, to_address: str) -> None:
        message.replace_header("Message-ID", f"<{secrets.token_hex(8)}@localhost>")
        proper(self, message, to_address=to_address)

    patches.setattr(Mailer, "send", send)


def enqueue_after_commit(patches: pytest.MonkeyPatch) -> None:
    """Jobs are enqueued once the sale is stored, in a second transaction."""
    proper_enqueue, proper_commit = jobs.enqueue, ShopSession.commit

    def enqueue(name: str, row_id: int, *, key: str, at: datetime | None = None, turn: int = 0, tries: int = 0) -> None:
        later = {"key": key, "at": at, "turn": turn, "tries": tries}
        db.session().info.setdefault("later", []).append(((name, row_id), later))

    def commit(session: ShopSession) -> None:
        later = session.info.pop("later", [])
        proper_commit(session)
        for args, kwargs in later:
            proper_enqueue(*args, **kwargs)
        proper_commit(session)

    patches.setattr(jobs, "enqueue", enqueue)
    patches.setattr(ShopSession, "commit", commit)


def take_nothing_over(patches: pytest.MonkeyPatch) -> None:
    """What a dead process was doing stays undone."""
    patches.setattr(jobs, "_take_over", lambda _now: None)
