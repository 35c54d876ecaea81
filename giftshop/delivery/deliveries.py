"""Deliveries: one row for each message, sent at its time, tried again for three days, then failed and visible."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from giftshop import clock, jobs
from giftshop.certificates import vault
from giftshop.certificates.models import Certificate
from giftshop.database import db
from giftshop.delivery.mailer import Mailer, PermanentMailError, TemporaryMailError
from giftshop.delivery.messages import attach, compose
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.delivery.printing import face_of

JOB = "deliver"
BACK_OFF_MINUTES = (1, 5, 15, 60, 120, 240, 480, 720)
"""The pauses after the first tries; from then on the last one, until the message is given up."""
GIVE_UP_AFTER = timedelta(hours=72)

log = logging.getLogger(__name__)


def schedule(
    kind: str,
    *,
    order_id: int,
    gift_id: int | None,
    to_address: str,
    facts: dict[str, Any],
    certificate_ids: list[int],
    send_at: datetime,
    message_key: str,
) -> Delivery:
    """Store a message to send at `send_at` and enqueue its job, in the open transaction.

    `message_key` names the message for ever; a second one with the same key is refused by the database.
    """
    message_id = f"<{message_key}@giftshop>"
    delivery = Delivery(
        kind=kind,
        order_id=order_id,
        gift_id=gift_id,
        to_address=to_address,
        facts_enc=vault.seal(json.dumps(facts), message_id),
        message_id=message_id,
        state="scheduled",
        send_at=send_at,
        created_at=clock.now(),
    )
    db.session.add(delivery)
    db.session.flush()
    db.session.add_all(DeliveryCertificate(delivery_id=delivery.id, certificate_id=each) for each in certificate_ids)
    _enqueue(delivery, at=send_at)
    return delivery


def list_for_order(order_id: int) -> list[Delivery]:
    """Return the order's messages, oldest first."""
    return list(db.session.scalars(sa.select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.id)))


def register_job(mailer: Mailer, *, base_url: str) -> None:
    """Make the job known that sends a message by its row's id."""
    jobs.register(JOB, lambda delivery_id: deliver(delivery_id, mailer, base_url=base_url))


def deliver(delivery_id: int, mailer: Mailer, *, base_url: str) -> None:
    """Send one message if it is still to be sent; record what came of it. Commits before and after the sending.

    A job runs again after its process died, also between the server's "accepted" and our record: then the message
    goes out a second time, with the same Message-ID.
    """
    delivery = _claim(delivery_id)
    if delivery is None:
        return
    certificates = _certificates(delivery_id)
    message = compose(delivery, _facts(delivery), certificates, base_url=base_url, sender=mailer.sender)
    faces = [face_of(certificate, base_url=base_url) for certificate in certificates]
    to_address = delivery.to_address
    db.session.commit()
    attach(message, faces)
    try:
        mailer.send(message, to_address=to_address)
    except TemporaryMailError as error:
        _record_trouble(delivery_id, error.message)
    except PermanentMailError as error:
        _record(delivery_id, state="failed", last_error=error.message)
    else:
        _record(delivery_id, state="sent", last_error="", sent_at=clock.now())
    db.session.commit()


def _claim(delivery_id: int) -> Delivery | None:
    """Take a message that is to be sent, or was being sent by a process that died; None when it is done.

    The engine runs a job in one process at a time, so "sending" here means that its process is gone.
    """
    db.session.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state.in_(("scheduled", "sending")))
        .values(state="sending", attempts=Delivery.attempts + 1)
    )
    delivery = db.session.get_one(Delivery, delivery_id, populate_existing=True)
    return delivery if delivery.state == "sending" else None


def _facts(delivery: Delivery) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(vault.open_sealed(delivery.facts_enc, delivery.message_id))
    return facts


def _certificates(delivery_id: int) -> list[Certificate]:
    query = (
        sa.select(Certificate)
        .join(DeliveryCertificate, DeliveryCertificate.certificate_id == Certificate.id)
        .where(DeliveryCertificate.delivery_id == delivery_id)
        .order_by(Certificate.id)
    )
    return list(db.session.scalars(query))


def _record_trouble(delivery_id: int, error: str) -> None:
    """Plan the next try, or give up after three days."""
    delivery = db.session.get_one(Delivery, delivery_id, populate_existing=True)
    pause = BACK_OFF_MINUTES[min(delivery.attempts, len(BACK_OFF_MINUTES)) - 1]
    next_at = clock.now() + timedelta(minutes=pause)
    if next_at > delivery.send_at + GIVE_UP_AFTER:
        _record(delivery_id, state="failed", last_error=error)
        return
    _record(delivery_id, state="scheduled", last_error=error)
    _enqueue(delivery, at=next_at)


def _record(delivery_id: int, **values: Any) -> None:
    """Write what came of a try; a message that was cancelled meanwhile stays so."""
    db.session.execute(
        sa.update(Delivery).where(Delivery.id == delivery_id, Delivery.state == "sending").values(**values)
    )


def _enqueue(delivery: Delivery, *, at: datetime) -> None:
    jobs.enqueue(JOB, delivery.id, key=f"{JOB}:{delivery.id}:{delivery.attempts}", at=at)
