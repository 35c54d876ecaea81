"""Every state a certificate can be in, each reached as it is in real life, for whoever reads of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from giftshop import clock
from giftshop.catalog.models import Offer
from giftshop.certificates import encryption, status
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from giftshop.refunds.requests import hold_refund, pursue_refund
from tests import build
from tests.orders.stripe_side import StripeSide

LAST_DAY = date(2026, 2, 1)
WHY: dict[str, Any] = {"actor": "staff:1", "reason_code": "screenshot went round"}


@dataclass(frozen=True)
class Case:
    """One sold certificate in a state, and the code in its holder's hand."""

    order: Order
    certificate: Certificate
    code: str


def sell(side: StripeSide, **gift: Any) -> Case:
    """Sell a 60-minute massage, $95.00, e-mailed to Ana and sent unless it is said otherwise."""
    order = side.sell(build.gift_request(**gift))
    (certificate,) = list_certificates(order.id)
    mark("sent", attempts=1, sent_at=clock.now())
    return Case(order, certificate, code_of(certificate))


def code_of(certificate: Certificate) -> str:
    """Return the code that is, or was, on a certificate."""
    return encryption.open_sealed(certificate.code_enc, certificate.public_id)


def mark(state: str, **values: Any) -> None:
    """Set how far the messages that wait have come."""
    for message in db.session.query(Delivery).filter(Delivery.state == "scheduled", Delivery.kind == "gift"):
        message.state = state
        for name, value in values.items():
            setattr(message, name, value)
    db.session.commit()


def paid(side: StripeSide) -> Case:
    return sell(side, delivery="print", recipient_email="")


def waiting(side: StripeSide) -> Case:
    order = side.sell(build.gift_request(deliver_on=clock.today("America/Denver") + timedelta(days=9)))
    (certificate,) = list_certificates(order.id)
    return Case(order, certificate, code_of(certificate))


def bounced(side: StripeSide) -> Case:
    order = side.sell(build.gift_request())
    (certificate,) = list_certificates(order.id)
    mark("failed", attempts=3, ended_at=clock.now(), last_error="The mail server refused the address (550).")
    return Case(order, certificate, code_of(certificate))


def used(cents: int) -> Callable[[StripeSide], Case]:
    def state(side: StripeSide) -> Case:
        case = sell(side)
        build.redeem(case.certificate, cents, at=clock.now() - timedelta(minutes=20))
        db.session.commit()
        return case

    return state


def expired(side: StripeSide) -> Case:
    case = sell(side)
    case.certificate.expires_on = LAST_DAY
    db.session.commit()
    return case


def held(side: StripeSide) -> Case:
    case = sell(side)
    status.freeze_by_hand(case.certificate.id, at=clock.now(), **WHY)
    db.session.commit()
    return case


def warned(side: StripeSide) -> Case:
    case = sell(side)
    warning = side.workbench.post("/warnings", {"payment_intent": case.order.payment_intent_id})
    side.tell("radar.early_fraud_warning.created", warning["id"])
    return case


def disputed(side: StripeSide) -> Case:
    case = sell(side)
    side.tell("charge.dispute.created", side.dispute(case.order))
    return case


def decided(decision: str) -> Callable[[StripeSide], Case]:
    def state(side: StripeSide) -> Case:
        case = sell(side)
        decide(side, case, decision)
        return case

    return state


def decide(side: StripeSide, case: Case, decision: str) -> None:
    """Let the buyer's bank question the payment, and decide."""
    dispute_id = side.dispute(case.order)
    side.tell("charge.dispute.created", dispute_id)
    side.decide(dispute_id, decision)
    side.tell("charge.dispute.closed", dispute_id)


def won_while_held(side: StripeSide) -> Case:
    """On hold by a manager too, which no bank's decision ends."""
    case = held(side)
    decide(side, case, "won")
    return case


def lost_after_use(side: StripeSide) -> Case:
    case = used(95_00)(side)
    decide(side, case, "lost")
    return case


def ask_back(case: Case, cents: int) -> int:
    """Hold a refund; Stripe is not asked yet."""
    refund = hold_refund(
        case.order.id, case.certificate.id, cents, reason="they asked", actor="staff:1", limit_cents=None
    )
    db.session.commit()
    return refund.id


def refund_under_way(side: StripeSide) -> Case:
    case = sell(side)
    ask_back(case, 95_00)
    return case


def refunded(cents: int) -> Callable[[StripeSide], Case]:
    def state(side: StripeSide) -> Case:
        case = sell(side)
        pursue_refund(ask_back(case, cents), side.gateway)
        return case

    return state


def refund_came_back(side: StripeSide) -> Case:
    case = sell(side)
    refund = pursue_refund(ask_back(case, 95_00), side.gateway)
    at_stripe = refund.stripe_refund_id or ""
    side.workbench.post(f"/refunds/{at_stripe}/fail")
    side.tell("refund.failed", at_stripe)
    return case


def paid_back_too_much(side: StripeSide) -> Case:
    """Used for $60.00, and then $45.00 of the $95.00 paid back in Stripe's dashboard."""
    case = used(60_00)(side)
    side.tell("refund.created", side.refund(case.order, 45_00))
    return case


def ended(side: StripeSide) -> Case:
    case = sell(side)
    key = build.request_key()
    status.void(case.certificate.id, reason_code="paid back in cash", request_key=key, actor="staff:1", at=clock.now())
    db.session.commit()
    return case


def replaced(side: StripeSide) -> Case:
    """In the hand of whoever has the old code."""
    case = sell(side)
    build.reissue(case.certificate)
    return case


def renewed(side: StripeSide) -> Case:
    """In the hand of whoever has the new code."""
    case = replaced(side)
    return Case(case.order, case.certificate, code_of(case.certificate))


def no_longer_sold(side: StripeSide) -> Case:
    case = sell(side)
    db.session.query(Offer).filter_by(slug="60-minutes").one().visibility = "retired"
    db.session.commit()
    return case


CASES: dict[str, Callable[[StripeSide], Case]] = {
    "paid": paid,
    "waiting": waiting,
    "sent": sell,
    "bounced": bounced,
    "part used": used(40_00),
    "used up": used(95_00),
    "expired": expired,
    "on hold": held,
    "fraud warning": warned,
    "disputed": disputed,
    "lost": decided("lost"),
    "lost after use": lost_after_use,
    "won": decided("won"),
    "won while on hold": won_while_held,
    "refund under way": refund_under_way,
    "refunded in part": refunded(40_00),
    "refunded": refunded(95_00),
    "refund came back": refund_came_back,
    "paid back too much": paid_back_too_much,
    "ended": ended,
    "replaced": replaced,
    "reissued": renewed,
    "no longer sold": no_longer_sold,
}
