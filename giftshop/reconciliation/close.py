"""The three-way close: for a period, Stripe = journal = certificates to the cent, or every difference by its name.

Each column is what that one dates in the period. What Stripe and the journal date on different sides of its edge, or
the journal enters once a bank has decided, is carried over; what they hold different sums of is a difference. Rightly
unequal, and said: orders accepted below their price, and payments that went back before anything was issued. Amounts
are gross of Stripe's fees.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.foundation.database import db
from giftshop.ledger.kinds import CLEARING, LIABILITY, EntryKind
from giftshop.ledger.liability import into
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.money import format_amount
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.movements import Item, Movement, find_item, is_awaited, list_items, went_back_whole

OWED = "Owed to holders at the end"


@dataclass(frozen=True, slots=True)
class Line:
    """One sum as each of the three knows it, in minor units; None where one of them does not keep it."""

    what: str
    stripe_cents: int | None
    journal_cents: int
    certificates_cents: int | None


@dataclass(frozen=True, slots=True)
class Close:
    """The close of a period: its sums, what they rightly differ by, and each difference; every one in a sentence."""

    currency: str
    lines: list[Line] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Period:
    """From a moment on and before another, in the days of the practice's calendar."""

    start: datetime
    end: datetime
    time_zone: str

    def name_days(self, moments: Iterable[datetime]) -> str:
        days = {clock.local(moment, self.time_zone).date().isoformat() for moment in moments}
        return ", ".join(sorted(days)) or "none"


@dataclass(frozen=True, slots=True)
class _Books:
    """What the journal enters in a period for each of Stripe's things, and the payments that it never hears of."""

    period: _Period
    entered: dict[str | None, int]
    undone: set[str]


def close_period(
    gateway: StripeGateway, *, first: date, last: date, say: Callable[[int], None] = lambda _so_far: None
) -> Close:
    """Close the days from `first` to `last` of the practice's calendar; `say` hears how much Stripe has told.

    Raises CheckoutUnavailableError.
    """
    practice = get_practice()
    start = clock.local_moment(first, hour=0, time_zone=practice.time_zone)
    end = clock.local_moment(last + timedelta(days=1), hour=0, time_zone=practice.time_zone)
    period, close = _Period(start, end, practice.time_zone), Close(practice.currency)
    items = {}
    for item in list_items(gateway, start, end):
        items[item.ref] = item
        say(len(items))
    booked = _booked_in(period)
    # Booked in the period, moved at Stripe outside of it: read one by one, there are few at an edge.
    for ref in [ref for ref in booked if ref and ref not in items]:
        if found := find_item(gateway, ref):
            items[ref] = found
            say(len(items))
    books = _Books(period, booked, _find_undone(gateway, {item.payment_intent_id for item in items.values()}))
    for what in Movement:
        _compare(close, what, [item for item in items.values() if item.what == what], books)
    _name_unknown(close, {ref: cents for ref, cents in booked.items() if ref not in items})
    _compare_owed(close, end)
    db.session.rollback()
    return close


def _booked_in(period: _Period) -> dict[str | None, int]:
    """Return what the journal dates in the period as moved at Stripe, in less out, by which of Stripe's things."""
    query = (
        sa.select(LedgerEntry.external_ref, sa.func.sum(into(CLEARING)))
        .where(LedgerEntry.created_at >= period.start, LedgerEntry.created_at < period.end)
        .where(sa.or_(LedgerEntry.debit_account == CLEARING, LedgerEntry.credit_account == CLEARING))
        .group_by(LedgerEntry.external_ref)
        .order_by(LedgerEntry.external_ref)
    )
    return {ref: int(cents) for ref, cents in db.session.execute(query)}


def _find_undone(gateway: StripeGateway, payment_intent_ids: set[str]) -> set[str]:
    """Return the payments that went back whole and for which nothing was issued: no entry speaks of either."""
    query = sa.select(LedgerEntry.external_ref).where(LedgerEntry.external_ref.in_(payment_intent_ids))
    unknown = payment_intent_ids - set(db.session.scalars(query))
    db.session.rollback()
    return {each for each in unknown if went_back_whole(gateway, each)}


def _compare(close: Close, what: Movement, items: list[Item], books: _Books) -> None:
    """Add the line of one kind of movement, and name each thing whose sums differ within the period."""
    stripe_cents, journal_cents, period = 0, 0, books.period
    for item in items:
        moved, entered = item.moved_cents(period.start, period.end), _sign(item) * books.entered.get(item.ref, 0)
        stripe_cents, journal_cents = stripe_cents + moved, journal_cents + entered
        if moved != entered:
            _name(close, item, moved, entered, books)
    refs = [item.ref for item in items]
    certificates_cents = _compare_issued(close, refs, journal_cents, period) if what == Movement.PAID else None
    close.lines.append(Line(what, stripe_cents, journal_cents, certificates_cents))


def _name(close: Close, item: Item, moved: int, entered: int, books: _Books) -> None:
    """Say why the sums of a thing rightly differ within the period, or that they differ beyond it too."""
    query = sa.select(LedgerEntry.created_at, into(CLEARING)).where(
        LedgerEntry.external_ref == item.ref, into(CLEARING) != 0
    )
    entries = [(at, _sign(item) * cents) for at, cents in db.session.execute(query)]
    # Beyond the period: what agrees in the end was only dated on different sides of its edge.
    all_entered = sum(cents for _at, cents in entries)
    is_undone = item.payment_intent_id in books.undone and item.what != Movement.TAKEN
    if is_undone or all_entered == item.amount_cents or (not entries and is_awaited(item)):
        reason = "Paid back whole, nothing was issued" if is_undone else "Carried over"
        sums = _two_sums(moved, entered, close.currency)
        at_stripe = books.period.name_days(each.at for each in item.movements)
        in_books = books.period.name_days(at for at, _cents in entries)
        why = f"(Stripe: {at_stripe}; books: {in_books}; {_state(item)})"
        close.explained.append(f"{reason}: {item.what}, {item.ref}: {sums} {why}")
    else:
        sums = _two_sums(item.amount_cents, all_entered, close.currency)
        close.differences.append(f"{item.what}, {item.ref}: {sums}: {_state(item)}")


def _sign(item: Item) -> int:
    """Return the direction in which a thing moves what is at Stripe."""
    return 1 if item.what == Movement.PAID else -1


def _two_sums(at_stripe: int, in_books: int, currency: str) -> str:
    return f"{format_amount(at_stripe, currency)} at Stripe, {format_amount(in_books, currency)} in the books"


def _state(item: Item) -> str:
    """Say what is the matter with a thing, as Stripe or its order tells."""
    if item.what == Movement.BACK:
        return f"it is {item.status} at Stripe"
    if item.what == Movement.TAKEN:
        return f"the dispute is {item.status}"
    order = db.session.scalar(sa.select(Order).where(Order.payment_intent_id == item.ref))
    return f"order {order.number} is {order.state}" if order else "it paid no order, or an order a second time"


def _compare_issued(close: Close, payment_intent_ids: list[str], journal_cents: int, period: _Period) -> int:
    """Return what the certificates of payments are worth, and name each order accepted for less than that."""
    within = (
        LedgerEntry.external_ref.in_(payment_intent_ids),
        LedgerEntry.created_at >= period.start,
        LedgerEntry.created_at < period.end,
    )
    face_values = sa.select(sa.func.coalesce(sa.func.sum(Certificate.face_value_cents), 0)).join(
        LedgerEntry, LedgerEntry.certificate_id == Certificate.id
    )
    worth_cents = int(db.session.scalars(face_values.where(LedgerEntry.kind == EntryKind.ISSUE, *within)).one())
    written_off = (
        sa.select(Order, sa.func.sum(LedgerEntry.amount_cents))
        .join(LedgerEntry, LedgerEntry.external_ref == Order.payment_intent_id)
        .where(LedgerEntry.kind == EntryKind.LOSS, *within)
        .group_by(Order.id)
        .order_by(Order.id)
    )
    for order, cents in db.session.execute(written_off):
        journal_cents += int(cents)
        amount = format_amount(int(cents), close.currency)
        close.explained.append(f"Accepted below its price: order {order.number}: {amount}")
    _compare_certificates(close, Movement.PAID, journal_cents, worth_cents)
    return worth_cents


def _compare_certificates(close: Close, what: str, by_journal: int, by_certificates: int) -> None:
    if by_journal != by_certificates:
        close.differences.append(
            f"{what}: {format_amount(by_journal, close.currency)} in the journal,"
            f" {format_amount(by_certificates, close.currency)} on certificates"
        )


def _name_unknown(close: Close, booked: dict[str | None, int]) -> None:
    """Name what the journal dates in the period as moved at Stripe, and Stripe does not know."""
    close.differences.extend(
        f"{ref or 'no reference'}: {format_amount(cents, close.currency)} in the books only"
        for ref, cents in booked.items()
    )


def _compare_owed(close: Close, end: datetime) -> None:
    """Add the line of what was owed when the period ended: by the journal, and by each certificate's last balance."""
    journal = sa.select(sa.func.coalesce(sa.func.sum(-into(LIABILITY)), 0)).where(LedgerEntry.created_at < end)
    newer = sa.orm.aliased(LedgerEntry)
    # Each certificate counts by its last entry before the end, a second way to the same sum.
    is_last = ~sa.exists().where(
        newer.certificate_id == LedgerEntry.certificate_id,
        newer.sequence > LedgerEntry.sequence,
        newer.created_at < end,
    )
    balances = sa.select(sa.func.coalesce(sa.func.sum(LedgerEntry.balance_after_cents), 0))
    by_journal = int(db.session.scalars(journal).one())
    by_certificates = int(db.session.scalars(balances.where(LedgerEntry.created_at < end, is_last)).one())
    close.lines.append(Line(OWED, None, by_journal, by_certificates))
    _compare_certificates(close, OWED, by_journal, by_certificates)
