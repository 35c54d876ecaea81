"""Losses of an order: value that comes back pays for what Stripe had taken already, before anybody can use it."""

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import dispute_entries, refund_entries
from giftshop.database import db
from giftshop.orders import payments
from giftshop.orders.models import Dispute


def pay_losses(order_id: int, certificate_id: int, amount_cents: int) -> int:
    """Let value that came back to a certificate (minor units) make the losses of its order smaller; return how much.

    Stripe took that money when it was not there: for a lost dispute, or for a refund in its dashboard. Its own losses
    come first, then another's, as far as more is on that one, or promised, than Stripe has for it: what was used of a
    gift is nobody else's to pay.
    """
    now, left = clock.now(), amount_cents
    uncovered = payments.uncovered_by_certificate(order_id)
    for each in sorted(uncovered, key=lambda each: (each != certificate_id, each)):
        room = amount_cents if each == certificate_id else uncovered[each]
        for loss in refund_entries.list_open_losses(each):
            paid = min(left, room, loss.amount_cents)
            if not paid:
                continue
            if dispute := _find_dispute(loss.external_ref):
                dispute_entries.pay_loss(loss, certificate_id, paid, at=now)
                dispute.loss_cents -= paid
            else:
                refund_entries.pay_loss(loss, certificate_id, paid, at=now)
            left, room = left - paid, room - paid
    return amount_cents - left


def _find_dispute(stripe_id: str | None) -> Dispute | None:
    return db.session.scalar(sa.select(Dispute).where(Dispute.stripe_dispute_id == stripe_id))
