"""An order's affairs: all that its buyer's pages tell of it, read once, and what its money came to in sentences."""

from dataclasses import dataclass

import sqlalchemy as sa

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.delivery.deliveries import list_for_order
from giftshop.delivery.kinds import BRINGING, MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import WAITING
from giftshop.disputes.holds import list_disputes
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.money import format_amount
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Dispute, Gift, Order, Refund
from giftshop.orders.standings import HELD, OVER, Situation, Standing, read_situations
from giftshop.orders.states import ENDED, DisputeState, RefundState
from giftshop.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Affairs:
    """What is known of an order: certificates and the newest message that brings each gift, by the gift's id; how each
    certificate stands, by its own; the newest message with its receipt.
    """

    order: Order
    practice: Practice
    certificates: dict[int, list[Certificate]]
    messages: dict[int, Delivery]
    receipt: Delivery | None
    refunds: list[Refund]
    disputes: list[Dispute]
    situations: dict[int, Situation]

    @property
    def is_questioned(self) -> bool:
        """Whether a bank is still deciding about the payment."""
        return any(dispute.status not in ENDED for dispute in self.disputes)

    @property
    def standings(self) -> set[Standing]:
        """How the order's certificates stand, all of them together."""
        return {each.standing for each in self.situations.values()}

    def of_gift(self, gift: Gift) -> list[Certificate]:
        """Return the certificates of a gift."""
        return self.certificates.get(gift.id, [])

    def list_situations(self, gift: Gift) -> list[Situation]:
        """Return how the certificates of a gift stand."""
        return [self.situations[each.id] for each in self.of_gift(gift)]


def tell_receipt(affairs: Affairs) -> str:
    """Say where the receipt is when it is not simply in the buyer's mail."""
    receipt = affairs.receipt
    if receipt is None or not receipt.trouble:
        return ""
    if receipt.state in WAITING:
        return _("The receipt comes to %(email)s later: it could not be emailed yet.", email=receipt.to_address)
    return _("The receipt could not be emailed to %(email)s; you find it below.", email=receipt.to_address)


def read_affairs(order: Order) -> Affairs:
    """Read an order's affairs; of one that was never paid there is little to read."""
    certificates = certificates_of(order)
    issued = [certificate for each in certificates.values() for certificate in each]
    refunds = sa.select(Refund).where(Refund.order_id == order.id).order_by(Refund.id)
    practice, messages = get_practice(), list_for_order(order.id)
    return Affairs(
        order=order,
        practice=practice,
        certificates=certificates,
        messages={each.gift_id: each for each in messages if each.gift_id and each.kind in BRINGING},
        receipt=next((each for each in reversed(messages) if each.kind == MessageKind.RECEIPT), None),
        refunds=list(db.session.scalars(refunds)),
        disputes=list_disputes(order.id),
        situations=read_situations(issued, on=clock.today(practice.time_zone)) if issued else {},
    )


def tell_money(affairs: Affairs) -> list[str]:
    """Say what of the payment went back, is on its way, or waits for a bank; nothing when all of it stayed."""
    refunds = [sentence for refund in affairs.refunds if (sentence := _tell_refund(refund, affairs))]
    return [*refunds, *(sentence for each in affairs.disputes if (sentence := _tell_dispute(each, affairs)))]


def tell_fallen(affairs: Affairs) -> list[str]:
    """Say which prices fell between the buyer's choice and the order, so that less was asked than had been shown."""
    order = affairs.order
    sentences = [
        _(
            "The price of “%(name)s” fell from %(old)s to %(new)s while you ordered. Yours is the lower one.",
            name=gift.service_name or _("Gift certificate"),
            old=format_amount(gift.shown_cents, order.currency),
            new=format_amount(gift.amount_cents, order.currency),
        )
        for gift in order.gifts
        if gift.shown_cents is not None
    ]
    return list(dict.fromkeys(sentences))


def head_of(affairs: Affairs) -> str:
    """Return the heading of a fulfilled order whose money or certificates did not stay as sold; else nothing."""
    found = affairs.standings
    has_lost = any(dispute.status == DisputeState.LOST for dispute in affairs.disputes)
    is_partly_back = any(refund.state == RefundState.SETTLED for refund in affairs.refunds) or has_lost
    are_held, are_over = (bool(found) and found <= set(several) for several in (HELD, OVER))
    headings = {
        _("This order is on hold for the moment"): affairs.is_questioned or are_held,
        _("The bank gave this payment back"): found == {Standing.LOST},
        _("What was left of this order is on its way back"): found == {Standing.BEING_REFUNDED},
        _("What was left of this order was paid back"): is_partly_back and are_over,
        _("This order has ended"): are_over,
        _("Part of this order was paid back"): is_partly_back,
        _("This order is used up"): found == {Standing.USED_UP},
        _("The last day to use this order is over"): found == {Standing.EXPIRED},
    }
    return next((words for words, is_so in headings.items() if is_so), "")


def _tell_refund(refund: Refund, affairs: Affairs) -> str:
    amount = format_amount(refund.amount_cents, affairs.order.payment_currency)
    day = dates.write_local_day(refund.ended_at or refund.created_at, affairs.practice.time_zone)
    sentences = {
        RefundState.SETTLED: _(
            "%(amount)s went back to the card it came from on %(day)s. Banks take some days to show it.",
            amount=amount,
            day=day,
        ),
        RefundState.HELD: _("%(amount)s is on its way back to the card it came from.", amount=amount),
        RefundState.RETURNED: _(
            "The bank could not take the %(amount)s we paid back. Please call us: we’ll look at it with you.",
            amount=amount,
        ),
    }
    return sentences.get(RefundState(refund.state), "")


def _tell_dispute(dispute: Dispute, affairs: Affairs) -> str:
    """Say what a bank's question means to the buyer; never whose doing it is, which we don't know."""
    amount = format_amount(dispute.amount_cents, affairs.order.payment_currency)
    if dispute.status not in ENDED:
        return _(
            "A bank is looking into %(amount)s of this payment. Until it has decided, what was bought is on hold.",
            amount=amount,
        )
    day = dates.write_local_day(dispute.closed_at or dispute.opened_at, affairs.practice.time_zone)
    if dispute.status == DisputeState.LOST:
        return _("The bank gave %(amount)s back on %(day)s.", amount=amount, day=day)
    return _(
        "A bank looked into %(amount)s of this payment until %(day)s, and left it with us.", amount=amount, day=day
    )
