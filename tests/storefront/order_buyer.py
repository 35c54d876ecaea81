"""A buyer who changes a gift, and what tests ask about it: its messages, its code, the buyer's lines in the log."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from werkzeug.test import TestResponse

from giftshop import clock
from giftshop.delivery.models import Delivery
from giftshop.foundation import activity_log
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from tests import build
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor

TODAY = clock.today("America/Denver")
NEXT_WEEK, LATER = TODAY + timedelta(days=7), TODAY + timedelta(days=30)


@dataclass
class Buyer:
    """The person who ordered one gift, in the browser they ordered it with."""

    visitor: Visitor
    path: str

    def open(self) -> TestResponse:
        """Open the page on which the gift is changed."""
        return self.visitor.open(f"{self.path}/gifts/1")

    def change(self, way: str, **fields: str) -> TestResponse:
        """Fill in one of its forms and send it."""
        self.open()
        return self.visitor.send(f"{self.path}/gifts/1/{way}", fields)


def buy(visitor: Visitor, side: StripeSide, **gift: str) -> Buyer:
    """Order a gift in the builder, pay it, and let the shop know."""
    visitor.open("/gift")
    assert visitor.send("/gift", visitor.fill_gift(**gift)).status_code == 303
    order = db.session.query(Order).one()
    side.tell("checkout.session.completed", side.pay(order))
    path = f"/orders/{token_of(order)}"
    db.session.rollback()
    return Buyer(visitor, path)


def put(**values: object) -> None:
    """Set how far the gift's message has come."""
    change = sa.update(Delivery).where(Delivery.kind.in_(("gift", "certificate"))).values(**values)
    db.session.execute(change)
    db.session.commit()


def messages() -> list[Delivery]:
    """The gift's messages, oldest first, as they are now; no transaction is left open."""
    db.session.rollback()
    found = list(db.session.scalars(sa.select(Delivery).where(Delivery.kind == "gift").order_by(Delivery.id)))
    for message in found:
        db.session.expunge(message)
    db.session.rollback()
    return found


def only_code() -> str:
    """The code on the only certificate now."""
    code = build.code_of(db.session.query(Certificate).one())
    db.session.rollback()
    return code


def nine_o_clock(day: date) -> datetime:
    """The moment at which a gift goes out on a day."""
    return clock.local_moment(day, hour=9, time_zone="America/Denver")


def trail_of_buyer() -> list[str]:
    """What kinds of things the buyer has done, as the activity log keeps them."""
    order = db.session.query(Order).one()
    ids = [certificate.id for certificate in list_certificates(order.id)]
    events = activity_log.list_events(order_id=order.id, certificate_ids=ids)
    kinds = [event.kind for event in events if event.actor == "buyer"]
    db.session.rollback()
    return kinds
