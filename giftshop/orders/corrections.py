"""Corrections: what managers and the owner do to a sold certificate, each answered once, for pages and commands.

Nothing here commits, but for `pursue`, which talks to Stripe. What is refused has left nothing behind.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.certificates import status
from giftshop.certificates.reasons import read_words, tells_code
from giftshop.errors import CheckoutUnavailableError, ReasonMissingError, ShopError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, answer_once
from giftshop.ledger.models import Certificate
from giftshop.orders import notices
from giftshop.orders.models import Refund
from giftshop.orders.refunds import hold_refund, pursue_refund
from giftshop.orders.register import find_gift
from giftshop.orders.stripe_gateway import StripeGateway
from giftshop.staff.finds import forget_found

MOST_REASON = 40


class ReasonTooLongError(ShopError):
    """Say why in at most 40 characters. A note on the order can hold more."""


class ReasonTellsTooMuchError(ShopError):
    """Leave codes and e-mail addresses out of the reason: it is kept for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for a correction, why, and by which request; `actor` is like "staff:7"."""

    actor: str
    reason: str
    key: str


def read_reason(typed: str) -> str:
    """Read a typed reason: one line of at most 40 characters, free of secrets, because ledger and trail keep it.

    Raises ReasonMissingError, ReasonTooLongError, ReasonTellsTooMuchError.
    """
    reason = read_words(typed)
    if not reason:
        raise ReasonMissingError
    if len(reason) > MOST_REASON:
        raise ReasonTooLongError
    if "@" in reason or tells_code(reason):
        raise ReasonTellsTooMuchError
    return reason


def freeze(certificate: Certificate, asked: Asked) -> Answer:
    """Put a certificate on hold until somebody releases it."""

    def act() -> dict[str, object]:
        now = clock.now()
        status.freeze_by_hand(certificate.id, reason_code=asked.reason, actor=asked.actor, at=now)
        return {}

    return _once("freeze", certificate, asked, act)


def unfreeze(certificate: Certificate, asked: Asked) -> Answer:
    """End every hold of a certificate that a person may end."""

    def act() -> dict[str, object]:
        now = clock.now()
        return {"lifted": status.lift_all(certificate.id, reason_code=asked.reason, actor=asked.actor, at=now)}

    return _once("unfreeze", certificate, asked, act)


def void(certificate: Certificate, asked: Asked) -> Answer:
    """End a certificate; its balance goes to zero."""

    def act() -> dict[str, object]:
        entry = status.void(
            certificate.id, reason_code=asked.reason, request_key=asked.key, actor=asked.actor, at=clock.now()
        )
        return {"entry": entry.id, "taken": entry.amount_cents}

    return _once("void", certificate, asked, act)


def reissue(certificate: Certificate, asked: Asked) -> Answer:
    """Give a certificate a new code and send it to whoever had the old one; `told` says whether a message goes out."""

    def act() -> dict[str, object]:
        now = clock.now()
        status.reissue(certificate.id, reason_code=asked.reason, actor=asked.actor, at=now)
        forget_found(certificate.id)
        gift = find_gift(certificate.id)
        return {"told": gift is not None and notices.tell_reissued(gift, certificate, at=now)}

    return _once("reissue", certificate, asked, act)


def ask_refund(
    order_id: int, certificate: Certificate, amount_cents: int, asked: Asked, *, limit_cents: int | None
) -> Answer:
    """Hold money to be paid back; the caller commits and then pursues the refund that `refund` names."""

    def act() -> dict[str, object]:
        held = hold_refund(
            order_id,
            certificate.id,
            amount_cents,
            reason=asked.reason,
            actor=asked.actor,
            limit_cents=limit_cents,
        )
        return {"refund": held.public_id}

    return _once("refund", certificate, asked, act, amount=amount_cents)


def pursue(refund_public_id: str, gateway: StripeGateway) -> Refund:
    """Ask Stripe to pay a held refund back, and return it; while the outcome is unknown its money stays held.

    Commits around the call.
    """
    refund_id = db.session.scalars(sa.select(Refund.id).where(Refund.public_id == refund_public_id)).one()
    try:
        return pursue_refund(refund_id, gateway)
    except CheckoutUnavailableError:
        db.session.rollback()
        return db.session.get_one(Refund, refund_id)


def refund_limit(practice: Practice, *, is_owner: bool) -> int | None:
    """Return the most that a person may pay back at once, in minor units; None for the owner, who may all of it."""
    return None if is_owner else practice.manager_refund_limit_cents


def _once(
    name: str, certificate: Certificate, asked: Asked, act: Callable[[], dict[str, object]], **more: object
) -> Answer:
    body = {"act": name, "certificate": certificate.public_id, "reason": asked.reason, **more}
    return answer_once(scope=f"{name}:{asked.actor}", key=asked.key, body=body, act=act)
