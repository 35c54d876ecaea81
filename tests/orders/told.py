"""What Stripe says, as facts in which all fits unless a test says otherwise; and orders sold without asking it."""

import dataclasses
from datetime import timedelta
from typing import Any

from giftshop import clock
from giftshop.catalog.practice import get_installation
from giftshop.certificates import encryption
from giftshop.checkout.fulfilment import settle
from giftshop.checkout.placing import GiftRequest, place_order
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import CheckoutAttempt, Order, Refund
from giftshop.payments.facts import LineFacts, RefundFacts, SessionFacts
from giftshop.payments.shares import list_certificates
from giftshop.refunds.requests import hold_refund
from tests import build


def session(**changes: Any) -> SessionFacts:
    """A session that was paid, of an order this shop may never have heard of."""
    paid = SessionFacts(
        id="cs_1",
        url=None,
        status="complete",
        payment_status="paid",
        livemode=False,
        currency="USD",
        amount_total=100_00,
        client_reference_id="o_" + "a" * 24,
        metadata={"shop": get_installation().instance_id, "order_id": "o_" + "a" * 24, "attempt": "1"},
        payment_intent_id="pi_1",
        payment_intent_status="succeeded",
        buyer_email="marko@example.com",
        success_url="http://127.0.0.1:8000/orders/abcdefghijklmnopqrstuvwx?session_id={CHECKOUT_SESSION_ID}",
        lines=(LineFacts("Gift certificate", 2, 50_00),),
    )
    return dataclasses.replace(paid, **changes)


def session_of(order: Order, number: int = 1, **changes: Any) -> SessionFacts:
    """The session of one attempt to pay an order, paid."""
    shop = get_installation().instance_id
    fitting = {
        "id": f"cs_{number}",
        "amount_total": order.total_cents,
        "client_reference_id": order.public_id,
        "metadata": {"shop": shop, "order_id": order.public_id, "attempt": str(number)},
        "payment_intent_id": f"pi_{number}",
    }
    return session(**{**fitting, **changes})


def placed(*gifts: GiftRequest, attempts: int = 1) -> Order:
    """An order that awaits payment, of the given gifts or of one of $50.00, with its payment pages opened."""
    wanted = gifts or (build.gift_request(offer="amount", amount_cents=50_00),)
    order = place_order(build.purchase(*wanted), mode="simulated", at=clock.now())
    for number in range(1, attempts + 1):
        attempt(order, number)
    db.session.commit()
    return order


def attempt(order: Order, number: int, **changes: Any) -> CheckoutAttempt:
    """An attempt to pay an order, whose session is open."""
    now, key = clock.now(), f"{order.public_id}:{number}"
    opened = {
        "parameters_enc": encryption.seal("{}", key),
        "idempotency_key": key,
        "session_id": f"cs_{number}",
        "session_url": f"https://pay.example/cs_{number}",
        "state": "open",
        "first_tried_at": now,
        "expires_at": now + timedelta(minutes=40),
    }
    made = CheckoutAttempt(order=order, number=number, **{**opened, **changes})
    db.session.add(made)
    db.session.flush()
    return made


def sold(*gifts: GiftRequest) -> Order:
    """An order that was paid and fulfilled, of the given gifts or of one of $50.00."""
    order = placed(*gifts)
    settle(session_of(order))
    db.session.commit()
    assert order.state == "fulfilled"
    return order


def sold_one() -> tuple[Order, Certificate]:
    """An order of one certificate of $50.00, and it."""
    order = sold()
    (certificate,) = list_certificates(order.id)
    return order, certificate


def held(order: Order, certificate: Certificate, amount_cents: int) -> Refund:
    """Money held to be paid back; Stripe is not asked."""
    refund = hold_refund(
        order.id, certificate.id, amount_cents, reason="changed their mind", actor="staff:1", limit_cents=None
    )
    db.session.commit()
    return refund


def refund_of(order: Order, amount_cents: int, **changes: Any) -> RefundFacts:
    """A refund of an order's payment that somebody made in Stripe's dashboard."""
    made = RefundFacts("re_1", "succeeded", amount_cents, order.payment_intent_id or "", {}, clock.now())
    return dataclasses.replace(made, **changes)


def answer_to(refund: Refund, status: str = "succeeded", **changes: Any) -> RefundFacts:
    """What Stripe answers when it is asked for a refund of ours."""
    certificate = db.session.get_one(Certificate, refund.certificate_id)
    metadata = {
        "shop": get_installation().instance_id,
        "refund_id": refund.public_id,
        "certificate_id": certificate.public_id,
    }
    return refund_of(refund.order, refund.amount_cents, **{"status": status, "metadata": metadata, **changes})
