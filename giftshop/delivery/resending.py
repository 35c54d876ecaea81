"""Sending again: a message that failed, was lost or has a wrong address goes out as its next revision.

Each message has at most one successor, and the database says so (`replaces_id` is unique): two presses at once
send one. What it says is composed anew, so a certificate that was given a new code goes out with the new one.
"""

import json
import re
from datetime import date, datetime

import sqlalchemy as sa

from giftshop.certificates import encryption
from giftshop.delivery.deliveries import schedule
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.delivery.states import WAITING, DeliveryState
from giftshop.errors import CertificateVoidError, ShopError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Fact
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.words import _


class MessageNotFoundError(ShopError):
    """There is no such message."""


class MessageUnderWayError(ShopError):
    """This message is being sent at this moment. Look again in a minute."""


class NotWaitingError(ShopError):
    """This message has left already."""


class SentAgainError(ShopError):
    """This message was sent again already. Look at the newer one."""


def get_message(delivery_id: int) -> Delivery:
    """Return a message. Raises MessageNotFoundError."""
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None:
        raise MessageNotFoundError
    return delivery


def version_of(message: Delivery) -> tuple[Fact, ...]:
    """Return what a page shows of a message that sending it again depends on, for the request key of its form."""
    return message.id, message.state, message.to_address, message.send_at


def cancel_all(gift_id: int, *, kind: MessageKind, at: datetime) -> None:
    """Let none of a gift's waiting messages of a kind go out. Raises MessageUnderWayError."""
    on_the_way = Delivery.state.in_(WAITING)
    found = sa.select(Delivery.id).where(Delivery.gift_id == gift_id, Delivery.kind == kind, on_the_way)
    for delivery_id in list(db.session.scalars(found)):
        cancel(delivery_id, at=at)


def lock_message(delivery_id: int) -> Delivery:
    """Return a message, fresh, that no job and no other press can change until this transaction ends.

    Raises MessageNotFoundError.
    """
    row = sa.select(Delivery).where(Delivery.id == delivery_id).with_for_update(key_share=True)
    found = db.session.scalar(row.execution_options(populate_existing=True))
    if found is None:
        raise MessageNotFoundError
    return found


def send_again(
    delivery_id: int, *, to_address: str, at: datetime, send_at: datetime | None = None, send_on: date | None = None
) -> Delivery:
    """Schedule a message once more, to `to_address`: for `send_at`, which is the hour of the day `send_on` if that is
    promised, else for its own time if it waits, else for `at`.

    The one before is cancelled if it waited; one that was cancelled by itself may go out after all. Raises
    MessageNotFoundError, MessageUnderWayError, SentAgainError, CertificateVoidError.
    """
    before = lock_message(delivery_id)
    certificate_ids = _certificate_ids(before)
    _refuse(before, certificate_ids)
    if before.state == DeliveryState.SCHEDULED:
        before.state, before.ended_at = DeliveryState.CANCELLED, at
        send_at, send_on = (send_at, send_on) if send_at else (before.send_at, before.send_on)
    when = max(at, send_at or at)
    again = schedule(
        MessageKind(before.kind),
        order_id=before.order_id,
        gift_id=before.gift_id,
        to_address=to_address,
        facts=json.loads(encryption.open_sealed(before.facts_enc, before.message_id)),
        certificate_ids=certificate_ids,
        send_at=when,
        message_key=f"{_first_key(before)}.r{before.revision + 1}",
    )
    again.revision, again.replaces_id = before.revision + 1, before.id
    again.send_on = send_on if when > at else None
    db.session.flush()
    return again


def cancel(delivery_id: int, *, at: datetime) -> Delivery:
    """Let a message that waits not go out. Raises MessageNotFoundError, MessageUnderWayError, NotWaitingError."""
    message = lock_message(delivery_id)
    if message.state == DeliveryState.SENDING:
        raise MessageUnderWayError
    if message.state != DeliveryState.SCHEDULED:
        raise NotWaitingError
    message.state, message.ended_at = DeliveryState.CANCELLED, at
    return message


def _refuse(before: Delivery, certificate_ids: list[int]) -> None:
    if db.session.scalar(sa.select(Delivery.id).where(Delivery.replaces_id == before.id)) is not None:
        raise SentAgainError
    if before.state == DeliveryState.SENDING:
        raise MessageUnderWayError
    alive = sa.select(Certificate.id).where(
        Certificate.id.in_(certificate_ids), Certificate.status != CertificateStatus.VOID
    )
    if certificate_ids and db.session.scalar(alive.limit(1)) is None:
        raise CertificateVoidError(_("The certificate in this message has ended, so it cannot be sent again."))


def _certificate_ids(delivery: Delivery) -> list[int]:
    query = sa.select(DeliveryCertificate.certificate_id).where(DeliveryCertificate.delivery_id == delivery.id)
    return list(db.session.scalars(query.order_by(DeliveryCertificate.certificate_id)))


def _first_key(delivery: Delivery) -> str:
    """Return the key of a message's first revision, which its id holds before the host."""
    key = delivery.message_id.removeprefix("<").rpartition("@")[0]
    return re.sub(r"\.r[0-9]+$", "", key)
