"""What was never paid does not stay: after some days an order forgets who placed it and for whom, and is found no more.

What is left is its number, its sums and when it moved: the activity log, which nothing is ever taken out of, tells of
them. Nothing is forgotten of an order that was paid, may still be, or is a question to anybody: its refund, dispute,
alert or note keeps it.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from giftshop.catalog.practice import get_practice
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import Base, db
from giftshop.notifications.models import Alert
from giftshop.orders import search_index
from giftshop.orders.models import CheckoutAttempt, Dispute, FraudWarning, Gift, Order, Payback, Refund
from giftshop.orders.notes import OrderNote
from giftshop.orders.states import PAYABLE

MOST_AT_ONCE = 500
_CONCERNS = (Refund.order_id, Dispute.order_id, Payback.order_id, FraudWarning.order_id, Alert.order_id)
_KEPT_BY = (*_CONCERNS, OrderNote.order_id)
_FORGOTTEN: dict[type[Base], dict[str, Any]] = {
    Gift: {"recipient_name": "", "giver_name": "", "message": "", "recipient_email": ""},
    CheckoutAttempt: {"client_address": "", "parameters_enc": b"", "session_url": None},
    Delivery: {"to_address": "", "facts_enc": b"", "last_error": ""},
}
"""What of an order's rows says who and for whom."""


def purge_unpaid(*, at: datetime) -> int:
    """Forget who placed some of the orders that nobody has paid for the practice's days; return how many.

    The activity log keeps the count. The caller commits.
    """
    before = at - timedelta(days=get_practice().unpaid_kept_days)
    order_ids = list(db.session.scalars(_unpaid(before=before, at=at)))
    if order_ids:
        gift_ids = list(db.session.scalars(sa.select(Gift.id).where(Gift.order_id.in_(order_ids))))
        search_index.forget_gifts(db.session.connection(), gift_ids)
        for table, values in _FORGOTTEN.items():
            of_these: sa.ColumnElement[bool] = table.order_id.in_(order_ids)  # type: ignore[attr-defined]
            db.session.execute(sa.update(table).where(of_these).values(values))
        db.session.execute(sa.update(Order).where(Order.id.in_(order_ids)).values(buyer_email="", purged_at=at))
        activity_log.note(Activity.PURGED, actor="system", at=at, orders=len(order_ids))
    search_index.forget_words(db.session.connection(), most=MOST_AT_ONCE)
    return len(order_ids)


def _unpaid(*, before: datetime, at: datetime) -> sa.Select[int]:
    """Return the query for orders to forget, held until the transaction ends; what somebody works on is left."""
    is_payable = sa.exists().where(CheckoutAttempt.order_id == Order.id, CheckoutAttempt.expires_at >= at)
    is_waiting = sa.exists().where(
        Delivery.order_id == Order.id, Delivery.state.in_((DeliveryState.SCHEDULED, DeliveryState.SENDING))
    )
    return (
        sa.select(Order.id)
        .where(Order.state.in_(PAYABLE), Order.created_at < before, Order.purged_at.is_(None))
        .where(Order.received_cents.is_(None), ~is_payable, ~is_waiting)
        .where(*(~sa.exists().where(order_id == Order.id) for order_id in _KEPT_BY))
        .order_by(Order.created_at)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True, of=Order)
    )
