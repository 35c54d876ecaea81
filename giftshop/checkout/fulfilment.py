"""Fulfilment: turn what Stripe says about a session into the state of its order, and a paid order into certificates.

Called by the webhook, the order page and reconciliation; safe twice and at the same time, because the session is
read anew, the order is held, and its state decides. Nothing here commits: the caller does, once.
"""

from datetime import datetime

from giftshop import clock
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.certificates.issue import issue, new_code
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.models import Certificate
from giftshop.notifications import letters
from giftshop.notifications.announcing import Announcement, Concern, announce
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import find_attempt, find_awaiting_attempt, find_order_by_payment, lock_order
from giftshop.orders.models import CheckoutAttempt, Gift, GiftCertificate, Order
from giftshop.orders.states import AttemptState, OrderState, may_move, move
from giftshop.payments.facts import SessionFacts
from giftshop.payments.gateway import Patience, StripeGateway
from giftshop.words import N_, _

_FAILED_INTENTS = ("requires_payment_method", "canceled")


def fulfil_order(session_id: str, gateway: StripeGateway, *, patience: Patience = "page") -> Order | None:
    """Settle the order of a Checkout Session by what Stripe says about it now; None when it is not ours.

    Ends the open transaction first, so that none waits for Stripe; leaves its own for the caller to commit.
    Raises CheckoutUnavailableError.
    """
    db.session.rollback()
    session = gateway.retrieve_session(session_id, patience=patience)
    return settle(session) if session is not None else None


def settle(session: SessionFacts) -> Order | None:
    """Move the session's order to what the session says, issuing certificates when it is paid; None if not ours."""
    installation = get_installation()
    if session.metadata.get("shop") != installation.instance_id:
        return None
    attempt = find_attempt(session.id) or _adopt(session)
    if attempt is None:
        return None
    order = lock_order(attempt.order_id)
    # Read again under the lock: the copy of this news that came first may have settled it.
    db.session.refresh(attempt)
    was_left = attempt.state == AttemptState.EXPIRED  # its buyer came back and had it closed: it did not run out
    _settle_attempt(attempt, session)
    if session.status == AttemptState.COMPLETE:
        _settle_complete(order, attempt, session, installation)
    elif (
        session.status == AttemptState.EXPIRED
        and not was_left
        and attempt is order.attempts[-1]
        and order.state == OrderState.AWAITING_PAYMENT
    ):
        move(order, OrderState.EXPIRED)
    db.session.flush()
    return order


def accept(order: Order, session: SessionFacts, *, actor: str) -> None:
    """Issue what an order in review asked for, because a person says so; the caller has looked at the payment."""
    _pay(order, session, actor=actor)


def find_mismatch(order: Order, session: SessionFacts, installation: Installation) -> str:
    """Say why a completed session must not be fulfilled without a person, in English; empty when all fits."""
    checks = {
        N_("no payment was required"): session.payment_status == "no_payment_required",
        N_("the mode differs"): session.livemode != (order.mode == "live") or order.mode != installation.mode,
        N_("the currency differs"): session.currency != order.currency,
        N_("the amount differs"): session.amount_total != order.total_cents,
        N_("nobody had paid it for weeks, and its names were deleted"): order.purged_at is not None,
        N_("the order differs"): session.client_reference_id != order.public_id,
    }
    return next((reason for reason, is_wrong in checks.items() if is_wrong), "")


def _adopt(session: SessionFacts) -> CheckoutAttempt | None:
    """Find the attempt whose session was made but never stored, because the answer or the process was lost."""
    number = session.metadata.get("attempt", "")
    if not (number.isascii() and number.isdigit() and len(number) < 4):
        return None
    attempt = find_awaiting_attempt(session.metadata.get("order_id", ""), int(number))
    if attempt is not None:
        attempt.session_id, attempt.session_url, attempt.state = session.id, session.url, AttemptState.OPEN
    return attempt


def _settle_attempt(attempt: CheckoutAttempt, session: SessionFacts) -> None:
    if session.status in (AttemptState.COMPLETE, AttemptState.EXPIRED):
        attempt.state = session.status


def _settle_complete(order: Order, attempt: CheckoutAttempt, session: SessionFacts, installation: Installation) -> None:
    """Decide about a session that was completed: waiting for the bank, failed, in review, or paid."""
    is_latest = attempt is order.attempts[-1]
    if session.payment_status == "unpaid":
        if is_latest:
            _settle_unpaid(order, session)
    elif mismatch := find_mismatch(order, session, installation):
        _review(order, session, mismatch)
    elif may_move(order, OrderState.PAID) and order.state != OrderState.IN_REVIEW:
        _pay(order, session)
    elif order.payment_intent_id != session.payment_intent_id:
        told = N_("Order %(number)s was paid a second time. Refund the second payment at Stripe.")
        detail = _(told, number=order.number)
        announce(Announcement(order=order, concerns=[Concern(AlertKind.PAID_TWICE, session.id, detail)]))


def _settle_unpaid(order: Order, session: SessionFacts) -> None:
    has_failed = session.payment_intent_status in _FAILED_INTENTS
    if not has_failed and may_move(order, OrderState.PROCESSING):
        move(order, OrderState.PROCESSING)
    elif has_failed and may_move(order, OrderState.FAILED):
        move(order, OrderState.FAILED)
        announce(Announcement(order=order, letters=[letters.letter_of_failure(order)]))


def _review(order: Order, session: SessionFacts, reason: str) -> None:
    if order.received_cents is None:  # the first payment heard of decides; any other is only told
        move(order, OrderState.IN_REVIEW)
        order.review_reason = reason
        _note_payment(order, session)
    detail = _("Order %(number)s: %(why)s. No certificate was issued.", number=order.number, why=_(reason))
    announce(Announcement(order=order, concerns=[Concern(AlertKind.IN_REVIEW, session.id, detail)]))


def _pay(order: Order, session: SessionFacts, *, actor: str = "stripe") -> None:
    """Issue every certificate of a paid order and schedule every message, in this one transaction."""
    now = clock.now()
    practice = get_practice()
    move(order, OrderState.PAID, actor=actor)
    order.paid_at = now
    _note_payment(order, session)
    issued = {gift.id: _issue_gift(order, gift, at=now) for gift in order.gifts}
    move(order, OrderState.FULFILLED, actor=actor)
    announce(Announcement(order=order, letters=letters.letters_of_sale(order, issued, practice, at=now)))


def _note_payment(order: Order, session: SessionFacts) -> None:
    order.payment_intent_id = session.payment_intent_id
    order.received_cents, order.received_currency = session.amount_total, session.currency


def _issue_gift(order: Order, gift: Gift, *, at: datetime) -> list[Certificate]:
    return [_issue_one(order, gift, number, at=at) for number in range(1, gift.quantity + 1)]


def _issue_one(order: Order, gift: Gift, number: int, *, at: datetime) -> Certificate:
    certificate = Certificate(
        mode=order.mode,
        currency=order.currency,
        face_value_cents=gift.amount_cents,
        offer_slug=gift.offer_slug,
        service_name=gift.service_name,
        recipient_name=gift.recipient_name,
        giver_name=gift.giver_name,
        message=gift.message,
        design=gift.design,
        is_price_shown=gift.is_price_shown,
        expires_on=None,
    )
    cause = posting.Cause(
        actor="stripe",
        scope="order",
        key=f"issue:{order.id}:{gift.id}:{number}",
        at=at,
        external_ref=order.payment_intent_id,
    )
    issue(certificate, code=new_code(), cause=cause)
    db.session.add(GiftCertificate(gift_id=gift.id, number=number, certificate_id=certificate.id))
    return certificate


def find_order_of_payment(payment_intent_id: str, gateway: StripeGateway, *, patience: Patience) -> Order | None:
    """Return the order that a payment paid; None when it is not ours, or an order's second payment.

    A refund or dispute may be heard of before the payment itself: then its session is settled first. Ends the
    open transaction before Stripe is asked. Raises CheckoutUnavailableError.
    """
    if not payment_intent_id:
        return None
    order = find_order_by_payment(payment_intent_id)
    if order is None:
        db.session.rollback()
        session = gateway.find_session_of_payment(payment_intent_id, patience=patience)
        if session is not None:
            settle(session)
        order = find_order_by_payment(payment_intent_id)
    return order
