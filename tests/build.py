"""Builders: the things tests are about, with defaults for everything a test does not care about."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any

from giftshop import clock
from giftshop.certificates import encryption, look_up
from giftshop.certificates import status as standing
from giftshop.certificates.issue import issue, new_code
from giftshop.checkout.limits import Visitor
from giftshop.checkout.placing import GiftRequest, Purchase
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.idempotency import new_request_key
from giftshop.ledger.models import Certificate
from giftshop.orders.look_up import give_token
from giftshop.orders.models import Gift, GiftCertificate, Order


def gift_request(**changes: Any) -> GiftRequest:
    """A gift as a buyer asks for it: a 60-minute massage for Ana from Marko, e-mailed now."""
    values: dict[str, Any] = {
        "offer": "60-minutes",
        "amount_cents": None,
        "recipient_name": "Ana",
        "giver_name": "Marko",
        "message": "Your shoulders have carried enough.",
        "design": "shoulders",
        "delivery": "recipient",
        "recipient_email": "ana@example.com",
        "deliver_on": None,
        "quantity": 1,
        "is_price_shown": True,
    }
    return GiftRequest(**{**values, **changes})


def purchase(*gifts: GiftRequest, **changes: Any) -> Purchase:
    """An order to be: one gift unless others are given."""
    values: dict[str, Any] = {
        "gifts": list(gifts) or [gift_request()],
        "buyer_email": "marko@example.com",
        "request_key": request_key(),
        "visitor": visitor(),
    }
    return Purchase(**{**values, **changes})


def visitor(address: str = "192.0.2.1", **changes: Any) -> Visitor:
    """Somebody in a browser of their own who has read the shop's pages for an hour."""
    values = {"browser": request_key(), "reads_since": clock.now() - timedelta(hours=1)}
    return Visitor(address=address, **{**values, **changes})


def request_key() -> str:
    """A fresh request key, as a form makes one when it is shown."""
    return new_request_key()


def certificate(
    *,
    face_value_cents: int = 120_00,
    balance_cents: int | None = None,
    status: str = "active",
    mode: str = "simulated",
    currency: str = "USD",
    expires_on: date | None = None,
    **content: Any,
) -> Certificate:
    """A certificate sold by a paid order and committed; a balance below the face value was redeemed from it."""
    now = clock.now()
    gift = Gift(**_gift_columns(face_value_cents, content))
    order = _paid_order(gift, face_value_cents, now, mode, currency)
    built = Certificate(
        mode=mode,
        currency=currency,
        face_value_cents=face_value_cents,
        offer_slug=gift.offer_slug,
        service_name=gift.service_name,
        recipient_name=gift.recipient_name,
        giver_name=gift.giver_name,
        message=gift.message,
        design=gift.design,
        is_price_shown=gift.is_price_shown,
        expires_on=expires_on,
    )
    issue(built, code=new_code(), cause=cause("order", f"issue:{order.id}:{gift.id}:1", "stripe"))
    db.session.add(GiftCertificate(gift_id=gift.id, number=1, certificate_id=built.id))
    db.session.add_all([_sent(order, "receipt", None), _sent(order, "certificate", gift)])
    if balance_cents is not None and balance_cents < face_value_cents:
        redeem(built, face_value_cents - balance_cents)
    if status == "frozen":
        standing.freeze(built.id, subject=standing.BY_HAND, reason_code="test", actor="staff:3", at=now)
    elif status == "void" and balance_cents != 0:
        standing.void(built.id, reason_code="test", request_key=request_key(), actor="staff:3", at=now)
    else:
        built.status = status
    db.session.commit()
    return built


def redeem(built: Certificate, amount_cents: int, *, actor: str = "staff:1", at: datetime | None = None) -> int:
    """Redeem from a certificate as a staff member would; returns the entry's id. Does not commit."""
    entry = posting.redeem(
        built.id,
        amount_cents,
        on=date(2026, 1, 1),
        mode=built.mode,
        cause=cause(f"redeem:{actor}", request_key(), actor, at),
    )
    return entry.id


def undo(built: Certificate, entry_id: int, *, actor: str = "staff:1") -> None:
    """Undo a redemption as the one who made it. Does not commit."""
    why = cause(f"undo:{actor}", request_key(), actor)
    posting.reverse(entry_id, certificate_id=built.id, is_manager=False, cause=why)


def reissue(built: Certificate) -> None:
    """Give a certificate a new code; commits."""
    standing.reissue(built.id, reason_code="test", actor="staff:3", at=clock.now())
    db.session.commit()


def keep_back(built: Certificate, *, until: datetime, was_sent: bool = False) -> None:
    """Let the message that carries a certificate go out later, instead of the sent one or once more; commits."""
    sent = db.session.query(Delivery).filter_by(kind="certificate").one()
    later = _sent(db.session.get_one(Order, sent.order_id), "gift", db.session.get_one(Gift, sent.gift_id))
    later.state, later.send_at, later.sent_at = "scheduled", until, None
    db.session.add(later)
    db.session.flush()
    carried = [later, sent] if was_sent else [later]
    db.session.add_all(DeliveryCertificate(delivery_id=each.id, certificate_id=built.id) for each in carried)
    db.session.commit()


def cause(scope: str, key: str, actor: str, at: datetime | None = None) -> posting.Cause:
    """Who moves money, by which request."""
    return posting.Cause(actor=actor, scope=scope, key=key, at=at or clock.now())


def code_of(built: Certificate) -> str:
    """The 16 symbols on the certificate."""
    return look_up.code_of(built)


def _gift_columns(amount_cents: int, content: dict[str, Any]) -> dict[str, Any]:
    values = {
        "position": 0,
        "offer_slug": "amount",
        "service_name": "",
        "amount_cents": amount_cents,
        "quantity": 1,
        "recipient_name": "Ana",
        "giver_name": "Marko",
        "message": "Your shoulders have carried enough.",
        "design": "shoulders",
        "is_price_shown": True,
        "delivery": "print",
        "recipient_email": "",
        "deliver_on": None,
    }
    return {**values, **content}


def _paid_order(gift: Gift, total_cents: int, now: datetime, mode: str, currency: str) -> Order:
    order = Order(
        public_id=f"o_{secrets.token_hex(12)}",
        request_key=request_key(),
        request_sha256=bytes(32),
        mode=mode,
        state="fulfilled",
        currency=currency,
        total_cents=total_cents,
        received_cents=total_cents,
        buyer_email="marko@example.com",
        created_at=now,
        paid_at=now,
        gifts=[gift],
    )
    give_token(order)
    db.session.add(order)
    db.session.flush()
    return order


def _sent(order: Order, kind: str, gift: Gift | None) -> Delivery:
    """A message of the order that has gone out."""
    message_id = f"<{order.public_id}.{kind}.{gift.position if gift else 'order'}.1@giftshop>"
    return Delivery(
        kind=kind,
        order_id=order.id,
        gift_id=gift.id if gift else None,
        to_address=order.buyer_email,
        facts_enc=encryption.seal("{}", message_id),
        message_id=message_id,
        state="sent",
        send_at=order.created_at,
        created_at=order.created_at,
        sent_at=order.created_at,
    )
