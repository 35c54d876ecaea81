"""The three-way close: for a period, Stripe = journal = certificates to the cent, or every difference by its name.

Each thing that Stripe dates in the period is compared with what the journal holds for it, whenever that was written;
then whatever the journal dates in the period and Stripe does not know. Amounts are gross of Stripe's fees.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.certificates.ledger import LIABILITY
from giftshop.certificates.models import Certificate, LedgerEntry
from giftshop.database import db
from giftshop.money import format_amount
from giftshop.orders.models import Order
from giftshop.orders.stripe_gateway import StripeGateway

PAID, BACK, TAKEN = "Paid by buyers", "Paid back to buyers", "Taken back by banks"
OWED = "Owed to holders at the end"
EDGE = timedelta(days=1)
"""How far from the period's edge Stripe may have dated what the journal wrote just within it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sum as each of the three knows it, in minor units; None where one of them does not keep it."""

    what: str
    stripe_cents: int | None
    journal_cents: int
    certificates_cents: int | None


@dataclass(frozen=True, slots=True)
class Close:
    """The close of a period: its sums, and each difference in a sentence."""

    currency: str
    lines: list[Line] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing at Stripe that moved money: its id, the sum in minor units, when, and what explains a difference."""

    what: str
    ref: str
    amount_cents: int
    at: datetime
    note: str = ""


def close_period(
    gateway: StripeGateway, *, first: date, last: date, say: Callable[[int], None] = lambda _so_far: None
) -> Close:
    """Close the days from `first` to `last` of the practice's calendar; `say` hears how much Stripe has listed.

    Raises CheckoutUnavailableError.
    """
    practice = get_practice()
    start = clock.local_moment(first, hour=0, time_zone=practice.time_zone)
    end = clock.local_moment(last + timedelta(days=1), hour=0, time_zone=practice.time_zone)
    close = Close(practice.currency)
    items = []
    for item in _items_at_stripe(gateway, start - EDGE, end + EDGE):
        items.append(item)
        say(len(items))
    for what in (PAID, BACK, TAKEN):
        _compare(close, what, [item for item in items if item.what == what and start <= item.at < end])
    _name_unknown(close, {item.ref for item in items}, start, end)
    _compare_owed(close, end)
    db.session.rollback()
    return close


def _items_at_stripe(gateway: StripeGateway, start: datetime, end: datetime) -> Iterator[_Item]:
    """Yield what moved money of this shop at Stripe; no transaction is open meanwhile."""
    instance_id = get_installation().instance_id
    paid = sa.select(Order.payment_intent_id).where(Order.payment_intent_id.is_not(None))
    known = set(db.session.scalars(paid))
    db.session.rollback()
    captured = (each for each in gateway.list_charges(start, end) if each.amount_cents)
    charges = [each for each in captured if each.metadata.get("shop") == instance_id]
    for charge in charges:
        yield _Item(PAID, charge.payment_intent_id, charge.amount_cents, charge.created_at)
    ours = known | {charge.payment_intent_id for charge in charges}
    for refund in gateway.list_refunds(since=start, until=end):
        if refund.payment_intent_id in ours:
            amount_cents = 0 if refund.has_failed else refund.amount_cents
            yield _Item(BACK, refund.id, amount_cents, refund.created_at, f"it is {refund.status} at Stripe")
    for dispute in gateway.list_disputes(start, end):
        if dispute.payment_intent_id in ours:
            yield _Item(
                TAKEN, dispute.id, dispute.withdrawn_cents, dispute.created_at, f"the dispute is {dispute.status}"
            )


def _compare(close: Close, what: str, items: list[_Item]) -> None:
    """Add the line of one kind of movement, and name each one of which the journal holds another sum."""
    posted = _posted([item.ref for item in items])
    sign = 1 if what == PAID else -1
    for item in items:
        journal_cents = sign * posted.get(item.ref, 0)
        if journal_cents != item.amount_cents:
            close.differences.append(_difference(item, journal_cents, close.currency))
    refs = [item.ref for item in items]
    close.lines.append(
        Line(
            what,
            sum(item.amount_cents for item in items),
            sign * sum(posted.values()),
            _face_values(refs) if what == PAID else None,
        )
    )


def _difference(item: _Item, journal_cents: int, currency: str) -> str:
    at_stripe, in_books = format_amount(item.amount_cents, currency), format_amount(journal_cents, currency)
    return ": ".join(
        [f"{item.what}, {item.ref}", f"{at_stripe} at Stripe, {in_books} in the books", item.note or _why(item.ref)]
    )


def _why(payment_intent_id: str) -> str:
    """Say what became of a payment for which no certificate stands."""
    order = db.session.scalar(sa.select(Order).where(Order.payment_intent_id == payment_intent_id))
    return f"order {order.number} is {order.state}" if order else "it paid no order, or an order a second time"


def _posted(refs: list[str]) -> dict[str, int]:
    """Return what the journal holds at Stripe because of each of its objects: paid in less paid out."""
    query = sa.select(LedgerEntry.external_ref, sa.func.sum(_CLEARED)).where(LedgerEntry.external_ref.in_(refs))
    return {ref: int(cents) for ref, cents in db.session.execute(query.group_by(LedgerEntry.external_ref))}


def _face_values(payment_intent_ids: list[str]) -> int:
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(Certificate.face_value_cents), 0))
        .join(LedgerEntry, LedgerEntry.certificate_id == Certificate.id)
        .where(LedgerEntry.kind == "issue", LedgerEntry.external_ref.in_(payment_intent_ids))
    )
    return int(db.session.scalars(query).one())


def _name_unknown(close: Close, known: set[str], start: datetime, end: datetime) -> None:
    """Name what the journal dates in the period as moved at Stripe, and Stripe does not list."""
    query = (
        sa.select(LedgerEntry.external_ref, sa.func.sum(_CLEARED))
        .where(LedgerEntry.created_at >= start, LedgerEntry.created_at < end)
        .where(sa.or_(LedgerEntry.debit_account == _CLEARING, LedgerEntry.credit_account == _CLEARING))
        .group_by(LedgerEntry.external_ref)
    )
    for ref, cents in db.session.execute(query):
        if ref not in known:
            close.differences.append(
                f"{ref or 'no reference'}: {format_amount(int(cents), close.currency)} in the books only"
            )


def _compare_owed(close: Close, end: datetime) -> None:
    """Add the line of what was owed when the period ended: by the journal, and by each certificate's last balance."""
    effect = sa.case(
        (LedgerEntry.credit_account == LIABILITY, LedgerEntry.amount_cents),
        (LedgerEntry.debit_account == LIABILITY, -LedgerEntry.amount_cents),
        else_=0,
    )
    journal = sa.select(sa.func.coalesce(sa.func.sum(effect), 0)).where(LedgerEntry.created_at < end)
    newer = sa.orm.aliased(LedgerEntry)
    is_last = ~sa.exists().where(
        newer.certificate_id == LedgerEntry.certificate_id,
        newer.sequence > LedgerEntry.sequence,
        newer.created_at < end,
    )
    balances = sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.balance_after_cents), 0))
    by_journal = int(db.session.scalars(journal).one())
    by_certificates = int(db.session.scalars(balances.where(LedgerEntry.created_at < end, is_last)).one())
    close.lines.append(Line(OWED, None, by_journal, by_certificates))
    if by_journal != by_certificates:
        close.differences.append(
            f"{OWED}: {format_amount(by_journal, close.currency)} in the journal,"
            f" {format_amount(by_certificates, close.currency)} on certificates"
        )


_CLEARING = "stripe_clearing"
_CLEARED = sa.case(
    (LedgerEntry.debit_account == _CLEARING, LedgerEntry.amount_cents),
    (LedgerEntry.credit_account == _CLEARING, -LedgerEntry.amount_cents),
    else_=0,
)
