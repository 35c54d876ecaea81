"""Checkout: take a placed order to Stripe's payment page, and there again, without ever opening two sessions.

These use cases talk to Stripe, so they commit before each call and record after it: no transaction is open
while the network is slow, and what was frozen before the call survives a crash in the middle of it.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from giftshop import clock
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.certificates import encryption
from giftshop.checkout.fulfilment import fulfil_order
from giftshop.checkout.limits import Visitor, admit
from giftshop.errors import CheckoutRefusedError, CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.money import format_amount
from giftshop.notifications.announcing import Announcement, Concern, announce
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import lock_order, order_address, token_of
from giftshop.orders.models import CheckoutAttempt, Gift, Order
from giftshop.orders.states import PAYABLE, AttemptState, OrderState, move
from giftshop.payments.errors import ParametersChangedError
from giftshop.payments.facts import SessionFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.words import N_, _

SESSION_LIFE = timedelta(minutes=40)
RESEND_WINDOW = timedelta(minutes=9)
"""Stripe wants `expires_at` 30 minutes ahead when it reads it, so frozen parameters may be sent again for 9 minutes."""
_MOST_ATTEMPTS_IN_A_ROW = 3


def open_checkout(order_id: int, gateway: StripeGateway, *, base_url: str, visitor: Visitor) -> str | None:
    """Return the address of Stripe's page for an unpaid order, or None when the order turned out to be paid.

    Pressed twice it leads to the same session. An attempt whose session ended, or whose parameters Stripe
    knows otherwise, is followed by the next one, after the earlier session is closed. Commits around each
    call. Raises CheckoutUnavailableError (nothing was charged, try again), CheckoutRefusedError, and what
    `limits.admit` raises before a next attempt is made.
    """
    for _attempt in range(_MOST_ATTEMPTS_IN_A_ROW):
        if not _close_stale(order_id, gateway):
            return None
        attempt = _prepare(order_id, base_url=base_url, visitor=visitor, at=clock.now())
        db.session.commit()
        if attempt is None:
            return None
        address = attempt.session_url or _create_session(attempt, gateway)
        if address is not None:
            return address
    raise CheckoutUnavailableError


def withdraw_order(order_id: int, gateway: StripeGateway) -> bool:
    """Close an unpaid order for one that replaces it; False when it was paid after all (and is now fulfilled)."""
    if not _close_stale(order_id, gateway, close_open=True):
        return False
    order = lock_order(order_id)
    if order.state == OrderState.AWAITING_PAYMENT:
        move(order, OrderState.EXPIRED, actor="buyer")
    db.session.commit()
    return True


def leave_checkout(order_id: int, gateway: StripeGateway) -> None:
    """Close the page for paying that a buyer has come back from: nothing can be charged there any more.

    An order that turns out to be paid is fulfilled. Raises CheckoutUnavailableError, CheckoutRefusedError.
    """
    _close_stale(order_id, gateway, close_open=True)


def _close_stale(order_id: int, gateway: StripeGateway, *, close_open: bool = False) -> bool:
    """Close the sessions of this order that must not be paid any more; False when one of them was paid already."""
    now = clock.now()
    order = db.session.get_one(Order, order_id, populate_existing=True)
    stale = [a for a in order.attempts if a.state == AttemptState.OPEN and (close_open or a.expires_at <= now)]
    session_ids = [(attempt.id, attempt.session_id) for attempt in stale if attempt.session_id]
    is_payable = order.state in PAYABLE
    db.session.rollback()
    for attempt_id, session_id in session_ids:
        if gateway.expire_session(session_id):
            db.session.get_one(CheckoutAttempt, attempt_id).state = AttemptState.EXPIRED
        else:
            fulfil_order(session_id, gateway)
        db.session.commit()
    return is_payable and (not session_ids or _is_payable(order_id))


def _is_payable(order_id: int) -> bool:
    state = db.session.get_one(Order, order_id).state
    db.session.rollback()
    return state in PAYABLE


def _prepare(order_id: int, *, base_url: str, visitor: Visitor, at: datetime) -> CheckoutAttempt | None:
    """Return the attempt to pay this order: the one under way while it may be sent again, else the next, if admitted.

    None when the order was paid in between.
    """
    order = lock_order(order_id)
    if order.state not in PAYABLE:
        return None
    last = order.attempts[-1] if order.attempts else None
    if last is not None and _is_usable(last, at):
        return last
    if last is not None and last.state == AttemptState.CREATED:
        last.state = AttemptState.EXPIRED
    admit(order, visitor, at=at)
    if order.state != OrderState.AWAITING_PAYMENT:
        move(order, OrderState.AWAITING_PAYMENT, actor="buyer")
    number = last.number + 1 if last else 1
    attempt = _build_attempt(order, number, base_url=base_url, visitor=visitor, at=at)
    db.session.add(attempt)
    db.session.flush()
    return attempt


def _build_attempt(order: Order, number: int, *, base_url: str, visitor: Visitor, at: datetime) -> CheckoutAttempt:
    """Return an attempt with its parameters frozen: whatever happens to the call, it is repeated as it was."""
    key = f"{get_installation().instance_id}:order:{order.public_id}:cs:{number}"
    expires_at = at + SESSION_LIFE
    parameters = build_parameters(order, number, base_url=base_url, expires_at=int(expires_at.timestamp()))
    return CheckoutAttempt(
        order=order,
        number=number,
        parameters_enc=encryption.seal(json.dumps(parameters), key),
        idempotency_key=key,
        state=AttemptState.CREATED,
        first_tried_at=at,
        expires_at=expires_at,
        client_address=visitor.address,
        browser=visitor.browser,
    )


def build_parameters(order: Order, attempt: int, *, base_url: str, expires_at: int) -> dict[str, Any]:
    """Return the parameters of the order's Checkout Session; amounts in minor units, `expires_at` epoch seconds.

    Metadata stands on the session and on the payment, because Stripe does not copy it; it names instance,
    order and attempt, and on each line what was sold, never a code or a message. The braces of the success address
    reach Stripe as they are.
    """
    metadata = _metadata(order, attempt)
    return {
        "mode": "payment",
        "success_url": order_address(order, base_url) + "?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": f"{base_url}/gift?order={token_of(order)}",
        "client_reference_id": order.public_id,
        "customer_email": order.buyer_email,
        "expires_at": expires_at,
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "metadata": metadata,
        "payment_intent_data": {
            "metadata": metadata,
            "description": _("Order %(number)s, %(practice)s", number=order.number, practice=get_practice().name),
            "statement_descriptor_suffix": "GIFT",
            "receipt_email": order.buyer_email,
        },
        "line_items": [_line_item(gift, order.currency) for gift in order.gifts],
    }


def _metadata(order: Order, attempt: int) -> dict[str, str]:
    """Return what our things at Stripe are recognised by, also after a restore that has lost them here."""
    return {
        "shop": get_installation().instance_id,
        "order_id": order.public_id,
        "order_number": order.number,
        "attempt": str(attempt),
    }


def _line_item(gift: Gift, currency: str) -> dict[str, Any]:
    product = {"name": name_product(gift.service_name), "description": _describe(gift, currency)}
    price = {"currency": currency.lower(), "unit_amount": gift.amount_cents, "product_data": product}
    metadata = {"offer": gift.offer_slug} | ({"service": gift.service_name} if gift.service_name else {})
    return {"quantity": gift.quantity, "price_data": price, "metadata": metadata}


def _describe(gift: Gift, currency: str) -> str:
    """Say for whom it is, and that its price fell since the buyer saw it: there is no other page before paying."""
    for_whom = _("For %(name)s", name=gift.recipient_name)
    if gift.shown_cents is None:
        return for_whom
    now, before = (format_amount(cents, currency) for cents in (gift.amount_cents, gift.shown_cents))
    return _("%(for_whom)s. The price fell: %(now)s instead of %(before)s", for_whom=for_whom, now=now, before=before)


def name_product(service_name: str) -> str:
    """Return what Stripe's page calls a certificate for a session, or for an amount when there is no name."""
    return _("Gift certificate: %(session)s", session=service_name) if service_name else _("Gift certificate")


def _create_session(attempt: CheckoutAttempt, gateway: StripeGateway) -> str | None:
    """Return the address of the attempt's new page at Stripe; None when Stripe knows its key with other parameters.

    Commits around the call. A definite no is the practice's to mend: it is told at once.
    """
    parameters, key = _frozen(attempt)
    try:
        session = gateway.create_session(parameters, key)
    except ParametersChangedError:
        _give_up(attempt)
        return None
    except CheckoutRefusedError as refusal:
        _alert_refused(attempt, refusal.message)
        raise CheckoutRefusedError from None
    return _record(attempt, session)


def _alert_refused(attempt: CheckoutAttempt, answer: str) -> None:
    """Alert the practice that a buyer was turned away, for each attempt anew."""
    order = attempt.order
    told = N_("The payment page of order %(number)s could not be opened. Stripe says: %(answer)s.")
    detail = _(told, number=order.number, answer=answer.strip())
    concern = Concern(AlertKind.CHECKOUT_REFUSED, f"{order.public_id}.{attempt.number}", detail)
    announce(Announcement(order=order, concerns=[concern]))
    db.session.commit()


def _is_usable(attempt: CheckoutAttempt, at: datetime) -> bool:
    if attempt.state == AttemptState.OPEN:
        return attempt.expires_at > at
    return attempt.state == AttemptState.CREATED and attempt.first_tried_at + RESEND_WINDOW > at


def _frozen(attempt: CheckoutAttempt) -> tuple[dict[str, Any], str]:
    """Return the attempt's parameters and key as they were first sent, and leave no transaction open behind."""
    key = attempt.idempotency_key
    parameters: dict[str, Any] = json.loads(encryption.open_sealed(attempt.parameters_enc, key))
    db.session.rollback()
    return parameters, key


def _give_up(attempt: CheckoutAttempt) -> None:
    attempt.state = AttemptState.EXPIRED
    db.session.commit()


def _record(attempt: CheckoutAttempt, session: SessionFacts) -> str:
    """Keep the session that Stripe made; two presses at once got the same one, so both write the same."""
    attempt.session_id, attempt.session_url, attempt.state = session.id, session.url, AttemptState.OPEN
    db.session.commit()
    return session.url or ""
