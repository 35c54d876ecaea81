"""What was mailed in a test: gifts whose messages have gone out, and what a message says in both of its parts."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.checkout.placing import GiftRequest
from giftshop.delivery.messages import compose
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from tests import build
from tests.orders import told
from tests.orders.kept import facts_of, messages

CHRISTMAS = date(2027, 12, 24)


def gift(name: str = "ana", **changes: Any) -> GiftRequest:
    """A gift of $50.00 by e-mail."""
    asked = {"offer": "amount", "amount_cents": 50_00, "recipient_email": f"{name}@example.com"}
    return build.gift_request(**{**asked, "recipient_name": name.capitalize(), **changes})


def sold(*gifts: GiftRequest) -> tuple[Order, list[Certificate]]:
    """An order whose messages that are due have gone out."""
    order = told.sold(*(gifts or (gift(),)))
    due = sa.update(Delivery).where(Delivery.order_id == order.id, Delivery.send_at <= clock.now())
    db.session.execute(due.values(state="sent", sent_at=clock.now()))
    db.session.commit()
    return order, list_certificates(order.id)


def told_of(order: Order, kind: str) -> list[str]:
    """Whom messages of a kind went to."""
    return [each.to_address for each in messages(order, kind)]


def said_in(message: Delivery) -> list[str]:
    """Return what a message says: its subject, its text and its HTML."""
    composed = compose(message, facts_of(message), [], base_url="https://gifts.example", sender="gifts@example.com")
    bodies = [composed.get_body((kind,)) for kind in ("plain", "html")]
    texts = [" ".join(each.get_content().split()).replace("’", "'") for each in bodies if each is not None]
    return [str(composed["Subject"]), *texts]


def assert_says(message: Delivery, *sentences: str) -> None:
    """Check that both parts of a message say something."""
    _subject, *parts = said_in(message)
    assert len(parts) == 2
    for part in parts:
        for sentence in sentences:
            assert sentence in part, part
