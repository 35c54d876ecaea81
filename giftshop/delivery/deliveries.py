"""Deliveries: one row for each message, sent at its time, tried again for days (stuck.py), then failed and visible."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import encryption
from giftshop.delivery import stuck
from giftshop.delivery.composing import NothingToBringError, build_message
from giftshop.delivery.faults import SERVERS, MailFault
from giftshop.delivery.kinds import BRINGING, MessageKind
from giftshop.delivery.mailer import Mailer, MailError
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.delivery.states import OUT, WAITING, DeliveryState
from giftshop.delivery.timing import JOB, enqueue, put_off
from giftshop.documents.worker import PrintingError, UnprintableError
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.foundation.retry import describe, insist
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.words import N_, _

MOST_CRASHES = 18
"""More than a few crashes explain: then it is the message itself that ends its processes."""
NOT_MADE = N_("The message could not be made. Please tell whoever looks after the shop.")
NOTHING_TO_BRING = N_("The certificates in it had ended.")
BROKE_OFF = N_("Sending broke off again and again. Please tell whoever looks after the shop.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt to send, begun by this process: the `number` grows with each, so that nobody writes for another.

    `tries` counts those before that came back; the last of them with `trouble`, for the first time at `troubled_at`.
    """

    delivery_id: int
    turn: int
    number: int
    to_address: str
    tries: int
    trouble: str
    troubled_at: datetime | None


@dataclass
class _Sender:
    """Whose host stands in the messages' ids; set when the app is built."""

    host: str = "localhost"


_sender = _Sender()


def schedule(
    kind: MessageKind,
    *,
    order_id: int | None,
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
    delivery = Delivery(kind=kind, order_id=order_id, gift_id=gift_id, to_address=to_address, send_at=send_at)
    delivery.message_id = message_id(message_key)
    delivery.facts_enc = encryption.seal(json.dumps(facts), delivery.message_id)
    delivery.state, delivery.created_at = DeliveryState.SCHEDULED, clock.now()
    db.session.add(delivery)
    db.session.flush()
    db.session.add_all(DeliveryCertificate(delivery_id=delivery.id, certificate_id=each) for each in certificate_ids)
    enqueue(delivery.id, 0, at=send_at)
    return delivery


def message_id(message_key: str) -> str:
    """Return the Message-ID that a message with this key has."""
    return f"<{message_key}@{_sender.host}>"


def list_for_order(order_id: int) -> list[Delivery]:
    """Return the order's messages, oldest first."""
    return list(db.session.scalars(sa.select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.id)))


def was_sent(gift_id: int) -> bool:
    """Tell whether the message that brings a gift has gone out, or is going out with what it was made of before.

    One that is still to be sent waits until this transaction ends: nobody may begin to send it in between.
    """
    bringing = (Delivery.gift_id == gift_id, Delivery.kind.in_(BRINGING))
    query = sa.select(Delivery.state).where(*bringing).with_for_update()
    return any(state in OUT for state in db.session.scalars(query).all())


def was_cancelled(gift_id: int) -> bool:
    """Tell whether the newest message that brings a gift was cancelled, so that none is to come."""
    newest = sa.select(Delivery.state).where(Delivery.gift_id == gift_id, Delivery.kind.in_(BRINGING))
    return db.session.scalar(newest.order_by(Delivery.id.desc()).limit(1)) == DeliveryState.CANCELLED


def was_told(gift_id: int, kind: MessageKind) -> bool:
    """Tell whether there is a message of this kind about a gift."""
    found = sa.select(Delivery.id).where(Delivery.gift_id == gift_id, Delivery.kind == kind)
    return db.session.scalar(found.limit(1)) is not None


def cancel_ended(order_id: int) -> int:
    """Cancel the messages of an order still to come whose certificates have all ended; return how many."""
    carried = sa.select(DeliveryCertificate.delivery_id).where(DeliveryCertificate.delivery_id == Delivery.id)
    alive = carried.join(Certificate, Certificate.id == DeliveryCertificate.certificate_id).where(
        Certificate.status != CertificateStatus.VOID
    )
    ended = sa.update(Delivery).where(
        Delivery.order_id == order_id, Delivery.state == DeliveryState.SCHEDULED, carried.exists(), ~alive.exists()
    )
    gone = ended.values(state=DeliveryState.CANCELLED, ended_at=clock.now())
    cancelled = db.session.execute(gone.returning(Delivery.id))
    return len(cancelled.all())


def list_failed() -> list[Delivery]:
    """Return the messages that were given up and not sent again, oldest first; `last_error` says why."""
    given_up = sa.select(Delivery).where(*stuck.failed_unreplaced())
    return list(db.session.scalars(given_up.order_by(Delivery.id)))


def register_job(mailer: Mailer, *, base_url: str) -> None:
    """Make the job known that sends a message by its row's id, from the address of `mailer`."""
    _sender.host = mailer.sender.rpartition("@")[2]
    jobs.register(JOB, lambda delivery_id, turn: deliver(delivery_id, turn, mailer, base_url=base_url))


def deliver(delivery_id: int, turn: int, mailer: Mailer, *, base_url: str) -> None:
    """Send one message if it is to be sent in this turn and its day's hour has come; record what came of it.
    Commits before and after.

    A job runs again after its process died, also between the server's "accepted" and our record: then the message
    goes out a second time, with the same Message-ID.
    """
    attempt = None if put_off(delivery_id, turn, at=clock.now()) else _claim(delivery_id, turn)
    db.session.commit()
    if attempt is None:
        return
    try:
        message = build_message(delivery_id, sender=mailer.sender, base_url=base_url)
        mailer.send(message, to_address=attempt.to_address)
    except NothingToBringError:
        insist(lambda: _record_cancelled(attempt))
    except Exception as error:  # nothing may keep a message in "sending": whatever it is, plan the next try
        fault, reason = _reason(error, delivery_id)
        insist(lambda: _record_trouble(attempt, fault, reason))
    else:
        insist(lambda: _record_sent(delivery_id))


def _claim(delivery_id: int, turn: int) -> _Attempt | None:
    """Take a message that is to be sent, or was being sent when its process died; None when it is not our turn.

    The engine runs a job in one process at a time, and only the job of this turn may send: so "sending" here means
    that the process which ran this very job is gone. The job of a turn that is over, run again because its process
    died before the engine knew of its end, finds another turn in the row.
    """
    claimed = db.session.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.turn == turn, Delivery.state.in_(WAITING))
        .values(state=DeliveryState.SENDING, attempts=Delivery.attempts + 1)
        .returning(
            Delivery.attempts,
            Delivery.to_address,
            Delivery.turn - Delivery.first_turn,
            Delivery.trouble,
            Delivery.troubled_at,
        )
        .execution_options(synchronize_session=False)
    )
    row = claimed.one_or_none()
    if row is None:
        return None
    attempt = _Attempt(delivery_id, turn, *row)
    if attempt.number - attempt.tries <= MOST_CRASHES:
        return attempt
    told = {"trouble": MailFault.NOT_MADE, "last_error": _(BROKE_OFF)}
    _record(attempt, state=DeliveryState.FAILED, ended_at=clock.now(), **told)
    return None


def _reason(error: Exception, delivery_id: int) -> tuple[MailFault, str]:
    """Say why a try failed, in plain words, also to the log; of what nobody foresaw only the log is told."""
    if isinstance(error, MailError):
        log.warning("message %s did not go out: %s", delivery_id, error.message)
        return error.fault, error.message
    if isinstance(error, PrintingError):
        return MailFault.NOT_MADE, error.reason if isinstance(error, UnprintableError) else error.message
    log.error("message %s could not be made: %s", delivery_id, describe(error))
    return MailFault.NOT_MADE, _(NOT_MADE)


def _record_trouble(attempt: _Attempt, fault: MailFault, reason: str) -> None:
    """Plan the next try, or give up when there is none; when it is the shop's own trouble, let the practice know."""
    at = clock.now()
    since = stuck.first_troubled(fault, before=attempt.trouble, since=attempt.troubled_at, at=at)
    values = {"trouble": fault, "last_error": reason, "tried_at": at, "troubled_at": since}
    if stuck.is_given_up(fault, tries=attempt.tries, since=since, at=at):
        _record(attempt, state=DeliveryState.FAILED, ended_at=at, **values)
    elif _record(attempt, state=DeliveryState.SCHEDULED, turn=attempt.turn + 1, **values):
        enqueue(attempt.delivery_id, attempt.turn + 1, at=at + stuck.pause_after(fault, attempt.tries))
    if fault in SERVERS or (fault == MailFault.PUT_OFF and at - since >= stuck.PUT_OFF_LONG):
        stuck.mail_stuck.send(detail=reason)


def _record_cancelled(attempt: _Attempt) -> None:
    _record(attempt, state=DeliveryState.CANCELLED, last_error=_(NOTHING_TO_BRING), ended_at=clock.now())


def _record(attempt: _Attempt, **values: Any) -> bool:
    """Write what came of an attempt, unless another one was begun since or the message was cancelled meanwhile."""
    mine = (
        Delivery.id == attempt.delivery_id,
        Delivery.state == DeliveryState.SENDING,
        Delivery.attempts == attempt.number,
    )
    change = sa.update(Delivery).where(*mine).values(**values).returning(Delivery.id)
    return db.session.execute(change.execution_options(synchronize_session=False)).scalar_one_or_none() is not None


def _record_sent(delivery_id: int) -> None:
    """Write that the message is out: no other process's trouble with it counts any more; what waits goes now too."""
    at, still_open = clock.now(), sa.update(Delivery).where(Delivery.id == delivery_id, Delivery.state.in_(WAITING))
    sent = still_open.values(state=DeliveryState.SENT, trouble="", last_error="", sent_at=at)
    db.session.execute(sent.execution_options(synchronize_session=False))
    stuck.wake(at, tried_before=at - stuck.BLIP)
    stuck.mail_flows.send()
