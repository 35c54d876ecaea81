"""An order's affairs: all that its buyer's pages tell of it, read once, and what its money came to in sentences."""

from dataclasses import dataclass

import sqlalchemy as sa

from giftshop import dates
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.delivery.deliveries import list_for_order
from giftshop.delivery.kinds import BRINGING
from giftshop.delivery.models import Delivery
from giftshop.disputes.holds import list_disputes
from giftshop.foundation.database import db
from giftshop.ledger.kinds import LEFT_STRIPE
from giftshop.ledger.models import Certificate, LedgerEntry, ReplacedCode
from giftshop.ledger.open_entries import list_open_of
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Dispute, Gift, Order, Refund
from giftshop.orders.states import ENDED, DisputeState, RefundState
from giftshop.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Affairs:
    """What is known of an order: certificates and the newest message that brings each gift, by the gift's id."""

    order: Order
    practice: Practice
    certificates: dict[int, list[Certificate]]
    messages: dict[int, Delivery]
    refunds: list[Refund]
    disputes: list[Dispute]
    went_back: list[LedgerEntry]
    replaced: list[ReplacedCode]

    @property
    def is_questioned(self) -> bool:
        """Whether a bank is still deciding about the payment."""
        return any(dispute.status not in ENDED for dispute in self.disputes)

    def of_gift(self, gift: Gift) -> list[Certificate]:
        """Return the certificates of a gift."""
        return self.certificates.get(gift.id, [])


def read_affairs(order: Order) -> Affairs:
    """Read an order's affairs; of one that was never paid there is little to read."""
    certificates = certificates_of(order)
    ids = [certificate.id for each in certificates.values() for certificate in each]
    refunds = sa.select(Refund).where(Refund.order_id == order.id).order_by(Refund.id)
    replaced = sa.select(ReplacedCode).where(ReplacedCode.certificate_id.in_(ids)).order_by(ReplacedCode.replaced_at)
    return Affairs(
        order=order,
        practice=get_practice(),
        certificates=certificates,
        messages={each.gift_id: each for each in list_for_order(order.id) if each.gift_id and each.kind in BRINGING},
        refunds=list(db.session.scalars(refunds)),
        disputes=list_disputes(order.id),
        went_back=list_open_of(ids, *LEFT_STRIPE) if ids else [],
        replaced=list(db.session.scalars(replaced)) if ids else [],
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
    certificates = [each for mine in affairs.certificates.values() for each in mine]
    has_lost = any(dispute.status == DisputeState.LOST for dispute in affairs.disputes)
    is_partly_back = any(refund.state == RefundState.SETTLED for refund in affairs.refunds) or has_lost
    are_held, have_ended = (_are_all(certificates, each) for each in (CertificateStatus.FROZEN, CertificateStatus.VOID))
    headings = {
        _("This order is on hold for the moment"): affairs.is_questioned or are_held,
        _("The bank gave this payment back"): has_lost and have_ended,
        _("What was left of this order was paid back"): is_partly_back and have_ended,
        _("This order has ended"): have_ended,
        _("Part of this order was paid back"): is_partly_back,
    }
    return next((words for words, is_so in headings.items() if is_so), "")


def _are_all(certificates: list[Certificate], status: CertificateStatus) -> bool:
    return bool(certificates) and all(certificate.status == status for certificate in certificates)


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
    if dispute.status != DisputeState.LOST:
        return ""
    day = dates.write_local_day(dispute.closed_at or dispute.opened_at, affairs.practice.time_zone)
    return _("The bank gave %(amount)s back on %(day)s.", amount=amount, day=day)
