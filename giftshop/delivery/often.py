"""How often one gift and one order may be sent again: letters are counted that went out or are going, never presses.

What is refused, what replaces a letter that still waits for its day, and what is cancelled sends nothing and costs
nothing; nor does it matter from which network somebody asks.
"""

from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa

from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.errors import ShopError
from giftshop.foundation.database import db
from giftshop.words import ngettext

AN_HOUR = timedelta(hours=1)
MOST_OF_A_GIFT, MOST_OF_AN_ORDER, MOST_LINKS = 3, 20, 3
"""Letters in an hour: one gift sent again, all gifts of an order sent again, links that prove whose an order is."""


class TooManyLettersError(ShopError):
    """We sent several emails for this within an hour. Wait a little, or call us."""


def refuse_flood(message: Delivery, *, at: datetime) -> None:
    """Refuse a message that was just made to be sent again, when it goes out now and too many have.

    Raises TooManyLettersError, which says for how long.
    """
    wait = time_to_wait(message.gift_id, message.order_id, at=at, apart_from=message.id)
    if message.send_at <= at and wait > timedelta(0):
        raise TooManyLettersError(
            ngettext(
                "We sent several emails for this within an hour. Wait %(num)s minute, or call us.",
                "We sent several emails for this within an hour. Wait %(num)s minutes, or call us.",
                ceil(wait.total_seconds() / 60),
            )
        )


def time_to_wait(gift_id: int | None, order_id: int | None, *, at: datetime, apart_from: int = 0) -> timedelta:
    """Return how long until a gift of an order may be sent again; nothing if it may now. One message is not counted."""
    return max(
        _wait(Delivery.gift_id == gift_id, most=MOST_OF_A_GIFT, apart_from=apart_from, at=at),
        _wait(Delivery.order_id == order_id, most=MOST_OF_AN_ORDER, apart_from=apart_from, at=at),
    )


def may_send_link(order_id: int, *, at: datetime) -> bool:
    """Tell whether another link that proves whose an order is may be sent to its buyer."""
    sent = sa.select(sa.func.count()).where(
        Delivery.order_id == order_id, Delivery.kind == MessageKind.WAY_IN, Delivery.created_at > at - AN_HOUR
    )
    return (db.session.scalar(sent) or 0) < MOST_LINKS


def _wait(of_what: sa.ColumnElement[bool], *, most: int, apart_from: int, at: datetime) -> timedelta:
    """Return how long until fewer than `most` letters went out again in the hour before."""
    is_going = sa.or_(
        Delivery.state.in_((DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.FAILED)),
        sa.and_(Delivery.state == DeliveryState.SCHEDULED, Delivery.send_at <= at),
    )
    query = sa.select(Delivery.created_at).where(
        of_what,
        is_going,
        Delivery.replaces_id.is_not(None),
        Delivery.created_at > at - AN_HOUR,
        Delivery.id != apart_from,
    )
    sent = list(db.session.scalars(query.order_by(Delivery.created_at)))
    return sent[len(sent) - most] + AN_HOUR - at if len(sent) >= most else timedelta(0)
