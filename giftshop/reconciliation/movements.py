"""What moved the shop's money at Stripe, for the close: payments, refunds and disputes, each sum by when it moved.

When a refund failed Stripe does not say: one that failed has moved nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from giftshop.catalog.practice import get_installation
from giftshop.foundation.database import db
from giftshop.orders.models import Dispute, Order, Refund
from giftshop.orders.states import DISPUTED, RefundState
from giftshop.payments.facts import ChargeFacts, DisputeFacts, MovementFacts, RefundFacts
from giftshop.payments.gateway import StripeGateway

LONGEST_DISPUTE = timedelta(days=365)
"""How long after a bank has opened a dispute, or has first asked about a payment, money may still move."""


class Movement(StrEnum):
    """How a thing at Stripe moves the shop's money, as a line of the close calls it."""

    PAID = "Paid by buyers"
    BACK = "Paid back to buyers"
    TAKEN = "Taken back by banks"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing at Stripe that moves money: its kind, its id, its payment's, its status, and what it moved so far."""

    what: Movement
    ref: str
    payment_intent_id: str
    status: str
    amount_cents: int
    movements: tuple[MovementFacts, ...]

    def moved_cents(self, start: datetime, end: datetime) -> int:
        """Return what it moved from `start` on and before `end`, in minor units."""
        return sum(each.amount_cents for each in self.movements if start <= each.at < end)


def list_items(gateway: StripeGateway, start: datetime, end: datetime) -> Iterator[Item]:
    """Yield what moved money of this shop from `start` on and before `end`; no transaction is open meanwhile.

    Raises CheckoutUnavailableError.
    """
    instance_id = get_installation().instance_id
    paid = sa.select(Order.payment_intent_id).where(Order.payment_intent_id.is_not(None))
    ours = set(db.session.scalars(paid))
    db.session.rollback()
    for charge in gateway.list_charges(start, end):
        if charge.amount_cents and charge.metadata.get("shop") == instance_id:
            ours.add(charge.payment_intent_id)
            yield _of_charge(charge)
    yield from (item for item in _list_outgoing(gateway, start, end) if item.payment_intent_id in ours)


def _list_outgoing(gateway: StripeGateway, start: datetime, end: datetime) -> Iterator[Item]:
    """Yield the refunds made and the disputes that may have moved money between two moments, of the whole account."""
    yield from (_of_refund(refund) for refund in gateway.list_refunds(since=start, until=end))
    yield from (_of_dispute(dispute) for dispute in gateway.list_disputes(start - LONGEST_DISPUTE, end))


def find_item(gateway: StripeGateway, ref: str) -> Item | None:
    """Read the thing that entries of the journal name, whenever it moved; None when Stripe does not know it.

    Ends the open transaction first. Raises CheckoutUnavailableError.
    """
    is_refund = db.session.scalar(sa.select(sa.exists().where(Refund.stripe_refund_id == ref)))
    is_dispute = db.session.scalar(sa.select(sa.exists().where(Dispute.stripe_dispute_id == ref)))
    db.session.rollback()
    if is_refund:
        refund = gateway.retrieve_refund(ref, patience="job")
        return _of_refund(refund) if refund else None
    if is_dispute:
        dispute = gateway.retrieve_dispute(ref, patience="job")
        return _of_dispute(dispute) if dispute else None
    charges = gateway.list_charges(payment_intent_id=ref)
    return next((_of_charge(charge) for charge in charges if charge.amount_cents), None)


def went_back_whole(gateway: StripeGateway, payment_intent_id: str) -> bool:
    """Tell whether Stripe has paid back all of a payment. Raises CheckoutUnavailableError."""
    paid = sum(charge.amount_cents for charge in gateway.list_charges(payment_intent_id=payment_intent_id))
    refunds = gateway.list_refunds(payment_intent_id=payment_intent_id)
    return paid == sum(refund.amount_cents for refund in refunds if not refund.has_failed)


def is_awaited(item: Item) -> bool:
    """Tell whether the shop knows of a refund or a dispute, and will book its whole sum or none of it by its end."""
    if item.what == Movement.BACK and item.status in ("pending", "requires_action"):
        known = sa.select(Refund.amount_cents).where(
            Refund.stripe_refund_id == item.ref, Refund.state == RefundState.HELD
        )
    elif item.what == Movement.TAKEN and item.status in DISPUTED:
        known = sa.select(Dispute.amount_cents).where(
            Dispute.stripe_dispute_id == item.ref, Dispute.status.in_(DISPUTED)
        )
    else:
        return False
    return db.session.scalar(known) == item.amount_cents


def _of_charge(charge: ChargeFacts) -> Item:
    moved = (MovementFacts(charge.amount_cents, charge.created_at),)
    return Item(Movement.PAID, charge.payment_intent_id, charge.payment_intent_id, "", charge.amount_cents, moved)


def _of_refund(refund: RefundFacts) -> Item:
    amount_cents = 0 if refund.has_failed else refund.amount_cents
    moved = () if refund.has_failed else (MovementFacts(amount_cents, refund.created_at),)
    return Item(Movement.BACK, refund.id, refund.payment_intent_id, refund.status, amount_cents, moved)


def _of_dispute(dispute: DisputeFacts) -> Item:
    payment_id, moved = dispute.payment_intent_id, dispute.withdrawals
    return Item(Movement.TAKEN, dispute.id, payment_id, dispute.status, dispute.withdrawn_cents, moved)
