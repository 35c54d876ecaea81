"""Searching certificates by what people remember: an order's number, an e-mail address, the recipient's name."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Gift, GiftCertificate, Order

MOST_RESULTS = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate that fits the words, and the number of its order; never its code."""

    certificate: Certificate
    order_number: str


def search_certificates(words: str) -> list[Found]:
    """Return the newest certificates that fit: "G-1042", an e-mail address, or a name as it was typed."""
    query = (
        sa.select(Certificate, Order)
        .join(GiftCertificate, GiftCertificate.certificate_id == Certificate.id)
        .join(Gift, Gift.id == GiftCertificate.gift_id)
        .join(Order, Order.id == Gift.order_id)
        .where(_condition(words.strip()))
        .order_by(Certificate.id.desc())
        .limit(MOST_RESULTS)
    )
    return [Found(certificate, order.number) for certificate, order in db.session.execute(query)]


def _condition(words: str) -> sa.ColumnElement[bool]:
    if number := re.fullmatch(r"[Gg]-([0-9]{4,12})", words, re.ASCII):
        return Order.id == int(number[1]) - 1000
    if "@" in words:
        return sa.or_(Order.buyer_email == words, Gift.recipient_email == words)
    return Certificate.recipient_name == words
