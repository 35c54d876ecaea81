"""Losses of an order: value that comes back pays for what Stripe had taken already, before anybody can use it."""

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import dispute_entries, refund_entries
from giftshop.database import db
from giftshop.orders.dispute_stages import APPEAL, LOST
from giftshop.orders.disputes import list_disputes
from giftshop.orders.models import Refund


def pay_losses(order_id: int, certificate_id: int, amount_cents: int) -> int:
    """Let value that came back to a certificate (minor units) make the losses of its order smaller; return how much.

    Those are of lost disputes, then of refunds in Stripe's dashboard that were larger than what was left: that money
    has gone already, and nobody may spend it a second time.
    """
    now, left = clock.now(), amount_cents
    for dispute in list_disputes(order_id):
        if dispute.status in (LOST, *APPEAL):
            paid = dispute_entries.pay_losses(certificate_id, left, dispute_id=dispute.stripe_dispute_id, at=now)
            dispute.loss_cents -= paid
            left -= paid
    made = sa.select(Refund.stripe_refund_id).where(Refund.order_id == order_id, Refund.state == "settled")
    for refund_id in db.session.scalars(made.order_by(Refund.id)):
        left -= refund_entries.pay_losses(certificate_id, left, stripe_refund_id=refund_id or "", at=now)
    return amount_cents - left
