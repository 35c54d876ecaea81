"""The register of orders: the one door to them, by the buyer's token or by Stripe's session."""

import re
import secrets
from itertools import product

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from giftshop.certificates import encryption
from giftshop.errors import OrderNotFoundError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import CheckoutAttempt, Gift, GiftCertificate, Order

_TOKEN_BYTES, _TOKEN_SIGNS, _MOST_LOST = 24, 32, 2
_TOKEN = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)


def find_order(token: str) -> Order | None:
    """Return the order whose private page has this token, with its gifts and attempts, or None.

    A token may carry what a mail program took for a part of its address, or miss a last sign that one took for none.
    """
    keys = [key for each in _spellings(token) for key in encryption.lookups(_named(each))]
    query = sa.select(Order).where(Order.token_lookup.in_(keys))
    return db.session.scalar(query.options(selectinload(Order.gifts), selectinload(Order.attempts)))


def get_order(order_id: int) -> Order:
    """Return the order with this id. Raises OrderNotFoundError."""
    order = db.session.get(Order, order_id)
    if order is None:
        raise OrderNotFoundError
    return order


def lock_order(order_id: int) -> Order:
    """Return the order, fresh, and held until this transaction ends, so that two of a kind come one by one."""
    query = sa.select(Order).where(Order.id == order_id).with_for_update(key_share=True)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def find_attempt(session_id: str) -> CheckoutAttempt | None:
    """Return the attempt whose stored Checkout Session this is, or None."""
    query = sa.select(CheckoutAttempt).where(CheckoutAttempt.session_id == session_id)
    return db.session.scalar(query.options(joinedload(CheckoutAttempt.order)))


def find_awaiting_attempt(public_id: str, number: int) -> CheckoutAttempt | None:
    """Return attempt `number` of the order with this public id while no session is stored for it, or None."""
    query = (
        sa.select(CheckoutAttempt)
        .join(Order)
        .where(Order.public_id == public_id, CheckoutAttempt.number == number, CheckoutAttempt.session_id.is_(None))
    )
    return db.session.scalar(query)


def certificates_of(order: Order) -> dict[int, list[Certificate]]:
    """Return the certificates issued for each gift of the order, by the gift's id, in their numbers' order."""
    query = (
        sa.select(GiftCertificate.gift_id, Certificate)
        .join(Certificate, Certificate.id == GiftCertificate.certificate_id)
        .join(Gift, Gift.id == GiftCertificate.gift_id)
        .where(Gift.order_id == order.id)
        .order_by(GiftCertificate.gift_id, GiftCertificate.number)
    )
    found: dict[int, list[Certificate]] = {}
    for gift_id, certificate in db.session.execute(query):
        found.setdefault(gift_id, []).append(certificate)
    return found


def find_gift(certificate_id: int) -> Gift | None:
    """Return the gift that a certificate was issued for, or None when it was not bought here."""
    query = sa.select(Gift).join(GiftCertificate, GiftCertificate.gift_id == Gift.id)
    return db.session.scalar(query.where(GiftCertificate.certificate_id == certificate_id))


def token_of(order: Order) -> str:
    """Return the token of the order's private page."""
    return encryption.open_sealed(order.token_enc, order.public_id)


def give_token(order: Order, *, known: str = "") -> None:
    """Give an order its private token (192 random bits), stored so that the database alone does not tell it.

    An order that comes back takes the one its buyer has.
    """
    token = known or new_token()
    order.token_lookup = encryption.lookup(_named(token))
    order.token_enc = encryption.seal(token, order.public_id)


def new_token() -> str:
    """Return a fresh token, whose last sign is a letter or a figure: "-" and "_" at the end of a link get lost."""
    while not (token := secrets.token_urlsafe(_TOKEN_BYTES))[-1].isalnum():
        pass
    return token


def order_address(order: Order, base_url: str) -> str:
    """Return the address of the order's private page."""
    return f"{base_url}/orders/{token_of(order)}"


def find_paid_order(payment_intent_id: str) -> int | None:
    """Return the id of the order that a payment paid, as far as the shop knows."""
    order = find_order_by_payment(payment_intent_id) if payment_intent_id else None
    return order.id if order else None


def find_order_by_payment(payment_intent_id: str) -> Order | None:
    """Return the order that a payment at Stripe paid, as far as the shop knows, or None."""
    return db.session.scalar(sa.select(Order).where(Order.payment_intent_id == payment_intent_id))


def _spellings(written: str) -> list[str]:
    """Return the tokens that an address may mean: as it is written, without what stands around it, and, of one that
    is a sign or two too short, with each of the signs that get lost. It stays one of 2¹⁹² whatever is tried.
    """
    found = _TOKEN.search(written)
    token = found[0] if found else ""
    lost = [""] if len(token) == _TOKEN_SIGNS else map("".join, product("-_", repeat=_TOKEN_SIGNS - len(token)))
    whole = [token + signs for signs in lost] if len(token) >= _TOKEN_SIGNS - _MOST_LOST else []
    return list(dict.fromkeys([written, *whole]))


def _named(token: str) -> str:
    return f"order:{token}"
