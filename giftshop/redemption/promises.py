"""What the counter tells of a certificate beside its verdict: the session promised, and that it still has to go out."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import PromiseRule
from giftshop.catalog.offers import find_offer
from giftshop.catalog.practice import get_practice
from giftshop.delivery.faults import OF_THE_ADDRESS
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import due_at
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, HonouredSession, LedgerEntry


@dataclass(frozen=True, slots=True)
class Promise:
    """A session that was sold by name: the price paid for it, and today's, None when it is no longer sold.

    `left_cents` is what the certificate still holds of it, `rule` the owner's (docs/decisions/0037).
    """

    name: str
    paid_cents: int
    today_cents: int | None
    left_cents: int
    rule: PromiseRule

    @property
    def is_dearer(self) -> bool:
        """Whether the price that was paid no longer buys the session."""
        return self.today_cents is None or self.today_cents > self.paid_cents

    @property
    def may_be_honoured(self) -> bool:
        """Whether the session may be given for all that the certificate holds."""
        return self.is_dearer and self.rule != PromiseRule.VALUE

    @property
    def missing_cents(self) -> int:
        """What was used of its price before, and is to be made up for: the session stays at what it was sold for."""
        return max(0, self.paid_cents - self.left_cents)

    @property
    def difference_cents(self) -> int:
        """By how much it costs more today than was paid."""
        return max(0, (self.today_cents or 0) - self.paid_cents)


def find_promise(certificate: Certificate) -> Promise | None:
    """Return the session a certificate was sold as, or None where it was sold as an amount."""
    if not certificate.service_name:
        return None
    offer = find_offer(certificate.offer_slug)
    is_sold = offer is not None and offer.visibility != "retired"
    return Promise(
        certificate.service_name,
        certificate.face_value_cents,
        offer.price_cents if offer and is_sold else None,
        certificate.balance_cents,
        PromiseRule(get_practice().session_promise),
    )


def find_bounced_at(certificate: Certificate) -> datetime | None:
    """Return when the message was given up that should have brought a certificate, if none brought it or waits to."""
    carried = sa.select(Delivery.id).join(DeliveryCertificate, DeliveryCertificate.delivery_id == Delivery.id)
    of_this = carried.where(DeliveryCertificate.certificate_id == certificate.id)
    others = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.SCHEDULED)
    query = sa.select(sa.func.max(Delivery.ended_at).label("ended_at")).where(
        Delivery.id.in_(of_this.where(Delivery.state == DeliveryState.FAILED)),
        Delivery.trouble.in_(("", *OF_THE_ADDRESS)),  # else it did not come back: it never left
        ~of_this.where(Delivery.state.in_(others)).exists(),
    )
    return db.session.scalar(query)


def find_honoured(entry: LedgerEntry) -> HonouredSession | None:
    """Return which session was given by a redemption for less than it cost, if any was."""
    return db.session.get(HonouredSession, entry.id)


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
