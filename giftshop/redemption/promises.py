"""What the counter tells of a certificate beside its verdict: the session promised, and that it still has to go out."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.offers import find_offer
from giftshop.catalog.practice import get_practice
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import due_at
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate


@dataclass(frozen=True, slots=True)
class Promise:
    """A session that was sold by name: the price paid for it, and today's, None when it is no longer sold."""

    name: str
    paid_cents: int
    today_cents: int | None


def find_promise(certificate: Certificate) -> Promise | None:
    """Return the session a certificate was sold as, or None where it was sold as an amount."""
    if not certificate.service_name:
        return None
    offer = find_offer(certificate.offer_slug)
    is_sold = offer is not None and offer.visibility != "retired"
    return Promise(
        certificate.service_name, certificate.face_value_cents, offer.price_cents if offer and is_sold else None
    )


def find_bounced_at(certificate: Certificate) -> datetime | None:
    """Return when the message was given up that should have brought a certificate, if none brought it or waits to."""
    carried = sa.select(Delivery.id).join(DeliveryCertificate, DeliveryCertificate.delivery_id == Delivery.id)
    of_this = carried.where(DeliveryCertificate.certificate_id == certificate.id)
    others = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.SCHEDULED)
    query = sa.select(sa.func.max(Delivery.ended_at).label("ended_at")).where(
        Delivery.id.in_(of_this.where(Delivery.state == DeliveryState.FAILED)),
        ~of_this.where(Delivery.state.in_(others)).exists(),
    )
    return db.session.scalar(query)


def find_send_at(certificate: Certificate) -> datetime | None:
    """Return when a certificate goes out that no message has brought to anybody yet, or None."""
    carried = sa.select(Delivery.id).join(DeliveryCertificate, DeliveryCertificate.delivery_id == Delivery.id)
    of_this = carried.where(DeliveryCertificate.certificate_id == certificate.id)
    waiting = sa.select(Delivery).where(
        Delivery.id.in_(of_this.where(Delivery.state == DeliveryState.SCHEDULED)),
        ~of_this.where(Delivery.state == DeliveryState.SENT).exists(),
    )
    now, due = clock.now(), [due_at(message, get_practice()) for message in db.session.scalars(waiting)]
    return min((moment for moment in due if moment > now), default=None)
