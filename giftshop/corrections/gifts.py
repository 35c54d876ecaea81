"""What a buyer may still change of a gift: its address, its day, whether it is sent at all; for the buyer's pages.

Each act is answered once and noted in the activity log as the buyer's. Nothing here commits; what is refused has left
nothing behind (ledger/idempotency.py). A message is sent again by the one rule in delivery/resending.py.
"""

from collections.abc import Callable
from datetime import date

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.delivery import resending
from giftshop.delivery.kinds import BRINGING, MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.often import refuse_flood
from giftshop.delivery.states import DeliveryState
from giftshop.errors import ShopError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, Fact, answer_once, refuse_changed
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.notifications import letters
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Gift
from giftshop.words import N_

BUYER = "buyer"
_WAYS = {
    DeliveryState.SCHEDULED: ("address", "day", "cancel"),
    DeliveryState.SENT: ("address",),
    DeliveryState.FAILED: ("address",),
    DeliveryState.CANCELLED: ("address", "day"),
}
"""What may be changed of a gift for its recipient, by the state of the message that brings it."""
_SEEN = (Activity.OPENED, Activity.VIEWED)
"""What may have been a person's look; of what was once kept as one nobody knows whether it was a program's."""


class NotChangeableError(ShopError):
    """This can’t be changed any more. Look at the order’s page to see where it is, or call us."""


class GiftOpenedError(ShopError):
    """This certificate was opened or used already, so it can’t go to another address. Please call us."""


def list_ways(message: Delivery | None, certificates: list[Certificate]) -> tuple[str, ...]:
    """Return what may be changed now: "address", "day", "cancel" of a gift to others, "copy" of one to the buyer."""
    alive = [each for each in certificates if each.status != CertificateStatus.VOID]
    if (
        message is None
        or not any(each.balance_cents for each in alive)
        or any(each.status == CertificateStatus.FROZEN for each in alive)
    ):
        return ()
    if message.kind == MessageKind.CERTIFICATE:
        return ("copy",) if message.state in (DeliveryState.SENT, DeliveryState.FAILED) else ()
    return _WAYS.get(DeliveryState(message.state), ())


def send_to(gift: Gift, address: str, *, key: str) -> Answer:
    """Send a gift to this address: at its own time if it waits, else now.

    One that may have reached another address already brings a new code, and the old one is dead; so is what still
    waited to bring one to the old address. Refused when somebody has opened or used it: then it is theirs.
    """

    def act(message: Delivery, certificates: list[Certificate]) -> dict[str, object]:
        now = clock.now()
        if address != message.to_address and _may_have_arrived(message):
            _refuse_opened(certificates)
            resending.cancel_all(gift.id, kind=MessageKind.REISSUED, at=now)
            for certificate in certificates:
                status.reissue(certificate.id, reason_code=N_("address corrected"), actor=BUYER, at=now)
        gift.delivery = "recipient"
        again = letters.send_again(message.id, to_address=address, actor=BUYER, at=now)
        refuse_flood(again, at=now)
        return {"message": again.id}

    return _once(gift, "address", key, act, to=address)


def send_on(gift: Gift, day: date | None, *, key: str) -> Answer:
    """Send a gift that has not left yet on another day, None for now, at the practice's hour."""

    def act(message: Delivery, _certificates: list[Certificate]) -> dict[str, object]:
        now = clock.now()
        gift.delivery, gift.deliver_on = "recipient", day
        send_at = letters.send_at(gift, get_practice(), at=now)
        again = resending.send_again(message.id, to_address=message.to_address, at=now, send_at=send_at, send_on=day)
        refuse_flood(again, at=now)
        activity_log.note(
            Activity.DAY_CHANGED, actor=BUYER, order_id=gift.order_id, day=day.isoformat() if day else "now"
        )
        return {"message": again.id}

    return _once(gift, "day", key, act, day=day.isoformat() if day else "")


def keep_back(gift: Gift, *, key: str) -> Answer:
    """Let a gift that has not left yet not be sent: the buyer prints it, or sends it later."""

    def act(message: Delivery, _certificates: list[Certificate]) -> dict[str, object]:
        resending.cancel(message.id, at=clock.now())
        gift.delivery, gift.deliver_on = "print", None
        activity_log.note(Activity.SENDING_CANCELLED, actor=BUYER, order_id=gift.order_id)
        return {"message": message.id}

    return _once(gift, "cancel", key, act)


def send_copy(gift: Gift, *, key: str) -> Answer:
    """Send the buyer the certificate once more that came to them."""

    def act(message: Delivery, _certificates: list[Certificate]) -> dict[str, object]:
        to_address, now = gift.order.buyer_email, clock.now()
        again = letters.send_again(message.id, to_address=to_address, actor=BUYER, at=now)
        refuse_flood(again, at=now)
        return {"message": again.id}

    return _once(gift, "copy", key, act)


def version_of(gift: Gift, message: Delivery | None, certificates: list[Certificate]) -> tuple[Fact, ...]:
    """Return what the buyer's page shows of a gift that a change depends on, for the request key of its forms."""
    codes = [fact for each in certificates for fact in (each.status, each.code_lookup)]
    return (gift.delivery, str(gift.deliver_on), *(resending.version_of(message) if message else ()), *codes)


def find_message(gift: Gift) -> Delivery | None:
    """Return the newest message that brings a gift, or None before it is paid."""
    query = sa.select(Delivery).where(Delivery.gift_id == gift.id, Delivery.kind.in_(BRINGING))
    return db.session.scalar(query.order_by(Delivery.id.desc()).limit(1))


def _take(gift: Gift) -> tuple[Delivery, list[Certificate]]:
    """Hold a gift's message against its job and other presses; return it with the gift's certificates.

    Raises MessageUnderWayError, NotChangeableError.
    """
    newest = find_message(gift)
    if newest is None:
        raise NotChangeableError
    message = resending.lock_message(newest.id)
    if message.state == DeliveryState.SENDING:
        raise resending.MessageUnderWayError
    return message, certificates_of(gift.order).get(gift.id, [])


def _may_have_arrived(message: Delivery) -> bool:
    """Tell whether some mailbox may have the message: a try that was thought to fail may have been taken too."""
    return message.attempts > 0 or message.state in (DeliveryState.SENT, DeliveryState.FAILED)


def _refuse_opened(certificates: list[Certificate]) -> None:
    ids = [certificate.id for certificate in certificates]
    is_seen = any(
        event.kind in _SEEN and event.actor == activity_log.HOLDER
        for event in activity_log.list_events(certificate_ids=ids)
    )
    used = sa.select(LedgerEntry.id).where(LedgerEntry.certificate_id.in_(ids), LedgerEntry.kind == EntryKind.REDEEM)
    if is_seen or db.session.scalar(used.limit(1)) is not None:
        raise GiftOpenedError


def _once(
    gift: Gift, way: str, key: str, act: Callable[[Delivery, list[Certificate]], dict[str, object]], **more: object
) -> Answer:
    """Change a gift once, by the message and the certificates that have not ended, if it is as the page showed it."""

    def act_on_what_was_seen() -> dict[str, object]:
        message, certificates = _take(gift)
        refuse_changed(key, *version_of(gift, message, certificates))
        if way not in list_ways(message, certificates):
            raise NotChangeableError
        return act(message, [each for each in certificates if each.status != CertificateStatus.VOID])

    body = {"act": way, "gift": gift.id, **more}
    return answer_once(scope=f"gift:{gift.order.public_id}", key=key, body=body, act=act_on_what_was_seen)
