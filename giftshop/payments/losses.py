"""Losses of an order: value that comes back pays for what Stripe had taken already, before anybody can use it."""

from collections.abc import Iterator

import sqlalchemy as sa

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries, refund_entries
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import LedgerEntry
from giftshop.ledger.open_entries import list_open_of
from giftshop.orders.models import Dispute, Order
from giftshop.payments import shares


def pay_losses(order: Order, certificate_id: int, amount_cents: int) -> int:
    """Let value that came back to a certificate (minor units) make the losses of its order smaller; return how much.

    Stripe took that money when it was not there: for a lost dispute, or for a refund in its dashboard.
    """
    now, left = clock.now(), amount_cents
    for loss, most_cents in _list_payable(order, certificate_id):
        paid = min(left, most_cents)
        # Each step asks anew what is left: paying one loss changes what the next may take.
        if not paid:
            continue
        if dispute := _find_dispute(loss):
            dispute_entries.pay_loss(loss, certificate_id, paid, at=now)
            dispute.loss_cents -= paid
        else:
            refund_entries.pay_loss(loss, certificate_id, paid, at=now)
        left -= paid
    return amount_cents - left


def _list_payable(order: Order, certificate_id: int) -> Iterator[tuple[LedgerEntry, int]]:
    """Yield losses, each with the most of it that value coming back to this certificate pays, in minor units.

    First those of any certificate, as far as more is on it, or promised, than Stripe has for it; then what was used of
    its own, which is nobody else's to pay. What a person accepted to lose, when the payment came, stays lost.
    """
    uncovered = shares.uncovered_by_certificate(order.id)
    for each in sorted(uncovered):
        losses = list_open_of([each], EntryKind.LOSS)
        # An accepted loss is money that never came: nothing that comes back later may be spent on it.
        room = uncovered[each] - sum(loss.amount_cents for loss in losses if _was_accepted(loss, order))
        for loss in losses:
            if room > 0 and not _was_accepted(loss, order):
                yield loss, min(loss.amount_cents, room)
                room -= loss.amount_cents
    # Read again, not remembered: the loop above may have paid some of these.
    for loss in list_open_of([certificate_id], EntryKind.LOSS):
        if not _was_accepted(loss, order):
            yield loss, loss.amount_cents


def _was_accepted(loss: LedgerEntry, order: Order) -> bool:
    return loss.external_ref == order.payment_intent_id


def _find_dispute(loss: LedgerEntry) -> Dispute | None:
    return db.session.scalar(sa.select(Dispute).where(Dispute.stripe_dispute_id == loss.external_ref))
