"""Composing: a stored message, read with what it says and the certificates it brings, made ready to be sent."""

import json
from email.message import EmailMessage

import sqlalchemy as sa

from giftshop.catalog.practice import get_practice
from giftshop.certificates import encryption
from giftshop.delivery.messages import attach, compose
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.documents.printing import face_of
from giftshop.errors import ShopError
from giftshop.foundation.database import db, may_write, only_reads
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus


class NothingToBringError(ShopError):
    """Every certificate in this message has ended."""


def build_message(delivery_id: int, *, sender: str, base_url: str) -> EmailMessage:
    """Return a stored message with its certificates; leaves no transaction open, and prints with none open.

    Raises NothingToBringError, PrintingError.
    """
    only_reads()
    try:
        delivery = db.session.get_one(Delivery, delivery_id, populate_existing=True)
        facts = json.loads(encryption.open_sealed(delivery.facts_enc, delivery.message_id))
        certificates = _certificates(delivery.id)
        message = compose(delivery, facts, certificates, base_url=base_url, sender=sender)
        faces = [face_of(certificate, base_url=base_url) for certificate in certificates]
        paper = get_practice().paper
    finally:
        may_write()
    attach(message, faces, paper=paper)
    return message


def _certificates(delivery_id: int) -> list[Certificate]:
    """Return the certificates a message brings that have not ended. Raises NothingToBringError when all have."""
    query = (
        sa.select(Certificate)
        .join(DeliveryCertificate, DeliveryCertificate.certificate_id == Certificate.id)
        .where(DeliveryCertificate.delivery_id == delivery_id)
        .order_by(Certificate.id)
    )
    carried = list(db.session.scalars(query))
    alive = [certificate for certificate in carried if certificate.status != CertificateStatus.VOID]
    if carried and not alive:
        raise NothingToBringError
    return alive
