"""What the tests of delivery share: a running mail server, and messages about a certificate that exists."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.delivery import deliveries
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Gift, GiftCertificate
from tests import build
from tests.delivery.mail_servers import MailServer, running_mail_server

GIFT_FACTS = {
    "giver_name": "Marko",
    "recipient_name": "Ana",
    "message": "Your shoulders have carried enough.",
    "amount_text": "$120.00",
    "service_text": "",
}


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that takes everything until a test tells it otherwise."""
    with running_mail_server() as server:
        yield server


def schedule_gift(certificate: Certificate | None = None, **facts: Any) -> int:
    """Schedule the message that brings a certificate, for now, and commit; return its row's id."""
    certificate = certificate or build.certificate()
    of_gift = sa.select(Gift).join(GiftCertificate).where(GiftCertificate.certificate_id == certificate.id)
    gift = db.session.scalars(of_gift).one()
    delivery = deliveries.schedule(
        "gift",
        order_id=gift.order_id,
        gift_id=gift.id,
        to_address="ana@example.com",
        facts={**GIFT_FACTS, **facts},
        certificate_ids=[certificate.id],
        send_at=clock.now(),
        message_key=f"{certificate.public_id}.gift.0.1",
    )
    db.session.commit()
    return delivery.id
