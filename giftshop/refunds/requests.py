"""Refunds: money back to the buyer and off the certificate as one act, whatever gets lost on the way.

First the ledger holds the money, so that it can no longer be spent; then Stripe is asked, with a key made of the
stored refund; then the hold is settled or released by what Stripe answered (refunds/outcomes.py).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_installation
from giftshop.catalog.prices import step_sentence
from giftshop.certificates.requests import Asked, do_once
from giftshop.errors import (
    AmountTooFineError,
    CheckoutUnavailableError,
    NothingToRefundError,
    RefundNotAllowedError,
    RefundTooLargeError,
)
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries
from giftshop.ledger.idempotency import Answer
from giftshop.ledger.models import Certificate
from giftshop.ledger.posting import lock_certificate
from giftshop.money.currencies import get_currency
from giftshop.notifications.alerts import resolve_alerts_about
from giftshop.notifications.announcing import Announcement, announce
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import lock_order
from giftshop.orders.models import Order, Refund, RefundWish, new_refund_id
from giftshop.orders.states import RefundState
from giftshop.payments import shares
from giftshop.payments.errors import ParametersChangedError, RefusedByStripeError
from giftshop.payments.facts import RefundFacts, Refusal, RefusalKind
from giftshop.payments.gateway import Patience, StripeGateway
from giftshop.refunds.announcement import act_of
from giftshop.refunds.outcomes import leave_held, record_refund, release_refund
from giftshop.words import N_

NOT_KNOWN = Refusal(N_("Stripe does not know of it."), RefusalKind.UNKNOWN)
KEY_LIFE = timedelta(hours=23)
"""Stripe forgets an idempotency key after 24 hours: an older refund is looked up, never asked for again."""


@dataclass(frozen=True, slots=True)
class Refundable:
    """What of a certificate can be paid back now, in minor units."""

    certificate: Certificate
    most_cents: int


def list_refundable(order: Order) -> list[Refundable]:
    """Return the order's certificates with the most that can be paid back: what is left, never what was used.

    In the steps in which Stripe moves the currency: of KWD 59.875 it is KWD 59.870.
    """
    cleared, step_cents = shares.cleared_by_certificate(order.id), get_currency(order.payment_currency).step_cents
    most = {each: max(0, min(each.balance_cents, cleared[each.id])) for each in shares.list_certificates(order.id)}
    return [Refundable(each, cents - cents % step_cents) for each, cents in most.items()]


def list_wishes(order: Order) -> list[RefundWish]:
    """Return what the buyer has asked back so far, answered or not (refunds/wishes.py)."""
    query = sa.select(RefundWish).where(RefundWish.order_id == order.id)
    return list(db.session.scalars(query.order_by(RefundWish.wished_at, RefundWish.certificate_id)))


def list_unanswered(order: Order) -> list[Refundable]:
    """Return the certificates asked back of which something can still be paid back."""
    wished = {wish.certificate_id for wish in list_wishes(order)}
    return [each for each in list_refundable(order) if each.certificate.id in wished and each.most_cents]


def hold_refund(
    order_id: int, certificate_id: int, amount_cents: int, *, reason: str, actor: str, limit_cents: int | None
) -> Refund:
    """Take `amount_cents` (positive minor units) off a certificate, to be paid back; the caller commits, then pursues.

    `limit_cents` is the most this person may pay back, None without limit. Raises NothingToRefundError,
    RefundTooLargeError, AmountTooFineError, RefundNotAllowedError; then nothing was written.
    """
    order = lock_order(order_id)
    lock_certificate(certificate_id)  # a redemption in between would have the ledger refuse what is half written below
    refuse_too_much(order, certificate_id, amount_cents, limit_cents)
    now = clock.now()
    refund = Refund(
        public_id=new_refund_id(),
        order_id=order.id,
        certificate_id=certificate_id,
        amount_cents=amount_cents,
        state=RefundState.HELD,
        reason=reason,
        actor=actor,
        created_at=now,
    )
    db.session.add(refund)
    db.session.flush()
    refund_entries.hold_refund(
        certificate_id, amount_cents, refund_id=refund.id, actor=actor, reason_code="refund", at=now
    )
    announce(Announcement(order=order, acts=[act_of(refund, Activity.REFUND_ASKED, actor=actor)]))
    _tick_off_answered(order)
    return refund


def _tick_off_answered(order: Order) -> None:
    """Let what a buyer asked back need nobody any more once it is held, whoever held it."""
    if not list_unanswered(order):
        resolve_alerts_about(order, AlertKind.REFUND_WISHED)


def pursue_refund(refund_id: int, gateway: StripeGateway, *, patience: Patience = "page") -> Refund:
    """Bring a held refund to its end, as far as Stripe says now; commits around the call, and may be called again.

    Stripe's refusal gives the money back only where Stripe has made no refund yet and it is not about the shop's key.
    Raises CheckoutUnavailableError: the outcome is unknown, the money stays held, reconciliation goes on.
    """
    refund = db.session.get_one(Refund, refund_id, populate_existing=True)
    if refund.state != RefundState.HELD:
        return refund
    # Read what is sent, then let go: Stripe may take seconds, and nobody at a till may wait for it.
    request = _Request.of(refund)
    db.session.rollback()
    try:
        facts, refusal = request.send(gateway, patience), None
    except RefusedByStripeError as refused:
        facts, refusal = None, refused.refusal
    if facts is not None:
        record_refund(facts, request.order_id)
    elif request.stripe_refund_id or (refusal and refusal.kind == RefusalKind.KEY):
        leave_held(refund_id, refusal or NOT_KNOWN)
    elif refusal or request.is_old:
        release_refund(refund_id, refusal or NOT_KNOWN)
    db.session.commit()
    return db.session.get_one(Refund, refund_id)


def list_held() -> list[int]:
    """Return the ids of the refunds whose end is not known yet, oldest first."""
    return list(db.session.scalars(sa.select(Refund.id).where(Refund.state == RefundState.HELD).order_by(Refund.id)))


def refuse_too_much(order: Order, certificate_id: int, amount_cents: int, limit_cents: int | None) -> None:
    """Raise NothingToRefundError, RefundTooLargeError or RefundNotAllowedError where so much may not be paid back."""
    most = next((each.most_cents for each in list_refundable(order) if each.certificate.id == certificate_id), 0)
    if most == 0:
        raise NothingToRefundError
    if amount_cents > most:
        raise RefundTooLargeError
    if amount_cents % get_currency(order.payment_currency).step_cents:
        raise AmountTooFineError(step_sentence(order.payment_currency))
    if limit_cents is not None and amount_cents > limit_cents:
        raise RefundNotAllowedError


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent to Stripe for a refund, read before the call, so that no transaction is open during it."""

    order_id: int
    stripe_refund_id: str | None
    key: str
    is_old: bool
    parameters: dict[str, Any]

    @classmethod
    def of(cls, refund: Refund) -> "_Request":
        instance_id = get_installation().instance_id
        certificate = db.session.get_one(Certificate, refund.certificate_id)
        metadata = {
            "shop": instance_id,
            "refund_id": refund.public_id,
            "certificate_id": certificate.public_id,
        }
        parameters = {
            "payment_intent": refund.order.payment_intent_id,
            "amount": refund.amount_cents,
            "reason": "requested_by_customer",
            "metadata": metadata,
        }
        is_old = abs(clock.now() - refund.created_at) > KEY_LIFE  # dated by another clock: nobody knows how old
        key = f"{instance_id}:refund:{refund.public_id}"
        return cls(refund.order_id, refund.stripe_refund_id, key, is_old, parameters)

    def send(self, gateway: StripeGateway, patience: Patience) -> RefundFacts | None:
        """Ask for the refund, or what became of it; None when Stripe does not know it."""
        if self.stripe_refund_id:
            return gateway.retrieve_refund(self.stripe_refund_id, patience=patience)
        # Past the life of its key the same call would pay a second time.
        if self.is_old:
            return self._look_up(gateway, patience)
        try:
            return gateway.create_refund(self.parameters, self.key, patience=patience)
        except ParametersChangedError:
            return self._look_up(gateway, patience)

    def _look_up(self, gateway: StripeGateway, patience: Patience) -> RefundFacts | None:
        mine = self.parameters["metadata"]
        found = gateway.list_refunds(payment_intent_id=self.parameters["payment_intent"], patience=patience)
        return next((each for each in found if mine.items() <= each.metadata.items()), None)


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

    return do_once("refund", certificate, asked, act, first=lambda: lock_order(order_id), amount=amount_cents)


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
