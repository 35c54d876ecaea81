"""What a buyer may ask back by the practice's own terms: "full refund for so many days while unused".

Asking tells the practice, which pays back in one step; where the owner allows it, it is paid back at once. Either way
the money goes the one way all refunds go (refunds/requests.py).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.errors import ShopError
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, Fact, answer_once, refuse_changed
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.notifications.announcing import Act, Announcement, Concern, announce
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import certificates_of, lock_order
from giftshop.orders.models import Order, RefundWish
from giftshop.orders.states import OrderState
from giftshop.refunds.requests import Refundable, hold_refund, list_refundable, list_wishes
from giftshop.words import N_, _

AT_ONCE = "at_once"
"""What the practice says where a buyer need not ask."""
BUYER, REASON = "buyer", N_("unused, the buyer asked")


class WishOutdatedError(ShopError):
    """Something has happened to this order since the page was opened. Nothing was done. Please look at it once more."""


@dataclass(frozen=True, slots=True)
class Unused:
    """What may be asked back now, and until when."""

    certificates: list[Certificate]
    until: date

    @property
    def version(self) -> tuple[Fact, ...]:
        """What the form's page shows of it, for the request key."""
        return tuple(fact for each in self.certificates for fact in (each.public_id, each.last_sequence))


def find_unused(order: Order, practice: Practice, *, at: datetime) -> Unused | None:
    """Return the certificates that are paid back in full if their buyer asks now; None when there are none.

    The days are counted on the practice's calendar, from the day of payment: the promise is what stood beside
    the button.
    """
    days = practice.refund_days if order.refund_days is None else order.refund_days
    if order.state != OrderState.FULFILLED or order.paid_at is None or not days:
        return None
    until = clock.local(order.paid_at, practice.time_zone).date() + timedelta(days=days)
    if clock.local(at, practice.time_zone).date() > until:
        return None
    wished = {wish.certificate_id for wish in list_wishes(order)}
    found = [each.certificate for each in list_refundable(order) if _is_unused(each)]
    certificates = [certificate for certificate in found if certificate.id not in wished]
    return Unused(certificates, until) if certificates else None


def ask_back(order_id: int, gift_ids: set[int], practice: Practice, *, key: str) -> Answer:
    """Ask for money back, or hold it to be paid back at once; the caller commits, then pursues the `refunds` named.

    Once for the request's key. Refuses what is not any more as the page showed it. Raises RequestKeyMissingError,
    RequestKeyReusedError.
    """

    def act() -> dict[str, object]:
        order, now = lock_order(order_id), clock.now()
        unused = find_unused(order, practice, at=now)
        if unused is None:
            raise WishOutdatedError
        refuse_changed(key, *unused.version)
        mine = {each.id for gift_id, found in certificates_of(order).items() if gift_id in gift_ids for each in found}
        wanted = [each for each in unused.certificates if each.id in mine]
        if not wanted:
            raise WishOutdatedError
        if practice.buyer_refund == AT_ONCE:
            return {"refunds": [_hold(order, each) for each in wanted]}
        _wish(order, wanted, at=now)
        return {"refunds": []}

    body = {"gifts": sorted(gift_ids)}
    return answer_once(scope=f"ask_back:{order_id}", key=key, body=body, act=act)


def _is_unused(found: Refundable) -> bool:
    certificate = found.certificate
    return certificate.status == CertificateStatus.ACTIVE and found.most_cents == certificate.face_value_cents


def _hold(order: Order, certificate: Certificate) -> str:
    amount_cents = certificate.face_value_cents
    held = hold_refund(order.id, certificate.id, amount_cents, reason=REASON, actor=BUYER, limit_cents=None)
    return held.public_id


def _wish(order: Order, certificates: list[Certificate], *, at: datetime) -> None:
    asked_before = len(list_wishes(order))
    db.session.add_all(RefundWish(certificate_id=each.id, order_id=order.id, wished_at=at) for each in certificates)
    amount_cents = sum(each.face_value_cents for each in certificates)
    detail = _(
        "The buyer of order %(number)s asks for %(amount)s back: it is unused, and your terms promise it.",
        number=order.number,
        amount=format_amount(amount_cents, order.currency),
    )
    announce(
        Announcement(
            order=order,
            acts=[Act(kind=Activity.REFUND_WISHED, actor=BUYER, facts={"amount_cents": amount_cents})],
            concerns=[Concern(AlertKind.REFUND_WISHED, f"{order.public_id}.{asked_before}", detail)],
        )
    )
