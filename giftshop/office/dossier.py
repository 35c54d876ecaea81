"""Everything the office knows of one order, read in a fixed number of questions, for its page and its evidence."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.certificates.codes import last_four
from giftshop.certificates.look_up import code_of
from giftshop.delivery.deliveries import list_for_order
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.orders.actors import name_actors
from giftshop.orders.history import Happening, Sources, list_happenings
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import CheckoutAttempt, Dispute, Gift, Order, Refund
from giftshop.orders.notes import OrderNote, list_notes
from giftshop.orders.standings import Situation, read_situations
from giftshop.refunds.requests import list_refundable

Row = TypeVar("Row", Refund, Dispute)


@dataclass(frozen=True, slots=True)
class Sold:
    """One certificate of an order as the office sees it: the end of its code, how it stands, what can be paid back."""

    certificate: Certificate
    gift: Gift
    code_end: str
    situation: Situation
    most_cents: int


@dataclass(frozen=True)
class Dossier:
    """One order with all that belongs to it."""

    order: Order
    practice: Practice
    gifts: list[Gift]
    sold: list[Sold]
    attempts: list[CheckoutAttempt]
    refunds: list[Refund]
    disputes: list[Dispute]
    deliveries: list[Delivery]
    notes: list[OrderNote]

    @cached_property
    def happenings(self) -> list[Happening]:
        """The whole history, newest first."""
        return list_happenings(
            Sources(
                order=self.order,
                certificates=[each.certificate for each in self.sold],
                deliveries=self.deliveries,
                refunds=self.refunds,
                notes=self.notes,
                practice=self.practice,
            )
        )

    @cached_property
    def names(self) -> dict[str, str]:
        """What to call everybody who did something here."""
        holders = [hold.actor for each in self.sold for hold in each.situation.holds]
        refunders, writers = [each.actor for each in self.refunds], [each.actor for each in self.notes]
        return name_actors([*holders, *refunders, *writers, *(each.actor for each in self.happenings)])


def open_dossier(order: Order, practice: Practice) -> Dossier:
    """Read all that belongs to an order."""
    return Dossier(
        order=order,
        practice=practice,
        gifts=list(order.gifts),
        sold=_list_sold(order, practice),
        attempts=list(order.attempts),
        refunds=_of_order(Refund, order),
        disputes=_of_order(Dispute, order),
        deliveries=list_for_order(order.id),
        notes=list_notes(order.id),
    )


def _list_sold(order: Order, practice: Practice) -> list[Sold]:
    refundable, gifts = list_refundable(order), {gift.id: gift for gift in order.gifts}
    most = {each.certificate.id: each.most_cents for each in refundable}
    issued, today = certificates_of(order), clock.today(practice.time_zone)
    situations = read_situations([each.certificate for each in refundable], on=today)
    return [
        Sold(each, gifts[gift_id], _code_end(each), situations[each.id], most[each.id])
        for gift_id, certificates in issued.items()
        for each in certificates
    ]


def _code_end(certificate: Certificate) -> str:
    """Return the last four symbols of a code, all that staff ever see of it; none once it has ended."""
    return "" if certificate.status == CertificateStatus.VOID else last_four(code_of(certificate))


def _of_order(table: type[Row], order: Order) -> list[Row]:
    return list(db.session.scalars(sa.select(table).where(table.order_id == order.id).order_by(table.id)))
