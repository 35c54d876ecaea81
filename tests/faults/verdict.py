"""The verdict when everything has settled: the shop's books beside what Stripe, the mail server and clients know.

Runs in the shop's app context and only reads.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.foundation.database import db
from giftshop.ledger import integrity
from giftshop.ledger.models import Certificate, CertificateFreeze, LedgerEntry
from giftshop.orders import integrity as orders_audit
from giftshop.orders.look_up import find_order_by_payment
from giftshop.orders.models import Order, Refund
from giftshop.payments import shares
from tests.faults.checker import AskedRefund, Exchange, Finding, find_contradictions
from tests.faults.records import Crash
from tests.ledger.whole_ledger import find_forged_entry

UNDER_WAY_SECONDS = 5
"""How long a message may be on its way to the mail server after its sender died."""
_OF_TILLS = ("issue", "redeem", "reversal")
_STILL_OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")


@dataclass
class Witnesses:
    """What is known outside the shop: Stripe's state, the ids of messages that arrived and when (None: none were
    sent), what crashed, what clients were told."""

    stripe: dict[str, Any]
    arrivals: list[tuple[str, float]] | None = None
    crashes: list[Crash] = field(default_factory=list)
    history: list[Exchange] = field(default_factory=list)
    refunds: list[AskedRefund] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def find_violations(seen: Witnesses) -> list[Finding]:
    """Return everything that does not agree; empty when all is well."""
    checks = (
        _check_books,
        _check_payments,
        _check_refunds,
        _check_asked,
        _check_disputes,
        _check_mails,
        _check_clients,
    )
    found = [finding for check in checks for finding in check(seen)]
    db.session.rollback()
    return found


def _check_books(_seen: Witnesses) -> Iterator[Finding]:
    """The shop's own audits, and every hash."""
    for line in integrity.list_broken_invariants():
        yield Finding("the ledger's audit", line)
    for line in orders_audit.list_broken_invariants():
        yield Finding("the orders' audit", line)
    if (forged := find_forged_entry()) is not None:
        yield Finding("the chain of hashes", f"entry {forged.id}")


def _check_payments(seen: Witnesses) -> Iterator[Finding]:
    """Paid if and only if there are certificates, worth what was paid."""
    orders = {order.public_id: order for order in db.session.scalars(sa.select(Order))}
    paid: dict[str, int] = defaultdict(int)
    for session in seen.stripe["sessions"]:
        if session["status"] == "complete" and session["payment_status"] == "paid":
            paid[session["client_reference_id"]] += session["amount_total"]
    for public_id, order in orders.items():
        yield from _check_payment(order, paid[public_id])
    for public_id in paid.keys() - orders.keys():
        yield Finding("paid without certificate", f"{public_id} is no order")


def _check_payment(order: Order, paid: int) -> Iterator[Finding]:
    worth = sum(certificate.face_value_cents for certificate in shares.list_certificates(order.id))
    detail = f"order {order.number}: certificates of {worth}, paid {paid}"
    if worth and not paid:
        yield Finding("a certificate without payment", detail)
    elif worth > paid:
        yield Finding("certificates worth more than was paid", detail)
    elif paid > worth and (order.state != "in_review" or paid == order.total_cents):
        yield Finding("paid without certificate", detail)


def _check_refunds(seen: Witnesses) -> Iterator[Finding]:
    """What Stripe holds of each payment is what the ledger says; nothing is paid back twice, or spent and paid back."""
    alive = [refund for refund in seen.stripe["refunds"] if refund["status"] not in ("failed", "canceled")]
    asked = Counter(refund["metadata"]["refund_id"] for refund in alive if "refund_id" in refund["metadata"])
    for refund_id, count in asked.items():
        if count > 1:
            yield Finding("a refund doubled", f"{refund_id} was paid back {count} times")
    lost = {each["payment_intent"]: each["amount"] for each in seen.stripe["disputes"] if each["status"] == "lost"}
    for charge in seen.stripe["charges"]:
        order = find_order_by_payment(charge["payment_intent"]) if charge["paid"] else None
        if order is not None and shares.list_certificates(order.id):
            yield from _check_charge(charge, order, lost.get(charge["payment_intent"], 0))


def _check_asked(seen: Witnesses) -> Iterator[Finding]:
    """Each request to pay back that was not refused began one refund of that much, and nothing else began any."""
    begun = {row.public_id: row for row in db.session.scalars(sa.select(Refund).where(Refund.actor != "stripe"))}
    told = Counter(each.refund_id for each in seen.refunds if each.refund_id)
    for each in seen.refunds:
        row = begun.get(each.refund_id)
        is_kept = row is not None and row.amount_cents == each.amount_cents and told[each.refund_id] == 1
        if each.refund_id and not is_kept:
            yield Finding("an acknowledged refund that is lost", f"{each.key}: {each.refund_id}")
    at_stripe = {each["metadata"]["refund_id"] for each in seen.stripe["refunds"] if "refund_id" in each["metadata"]}
    for refund_id in (begun.keys() | at_stripe) - told.keys():
        yield Finding("a refund that nobody was told of", refund_id)
    for row in begun.values():
        if row.state == "held":
            yield Finding("a refund that never ended", row.public_id)


def _check_charge(charge: dict[str, Any], order: Order, lost_cents: int) -> Iterator[Finding]:
    left = charge["amount"] - charge["amount_refunded"] - lost_cents
    cleared = sum(shares.cleared_by_certificate(order.id).values())
    if left != cleared:
        yield Finding("Stripe and the ledger differ", f"order {order.number}: {left} at Stripe, {cleared} here")
    spent = _net_spent(order)
    if not lost_cents and spent + charge["amount_refunded"] > charge["amount"]:
        yield Finding("refunded and redeemed exceed the face value", f"order {order.number}: {spent} was spent")


def _net_spent(order: Order) -> int:
    ids = [certificate.id for certificate in shares.list_certificates(order.id)]
    amount = sa.case((LedgerEntry.kind == "reversal", -LedgerEntry.amount_cents), else_=LedgerEntry.amount_cents)
    spent = sa.select(sa.func.coalesce(sa.func.sum(amount), 0))
    return int(
        db.session.scalars(
            spent.where(LedgerEntry.certificate_id.in_(ids), LedgerEntry.kind.in_(("redeem", "reversal")))
        ).one()
    )


def _check_disputes(seen: Witnesses) -> Iterator[Finding]:
    """Nothing of a disputed payment can be spent while the bank decides."""
    for dispute in seen.stripe["disputes"]:
        order = find_order_by_payment(dispute["payment_intent"]) if dispute["status"] in _STILL_OPEN else None
        for certificate in shares.list_certificates(order.id) if order else []:
            if certificate.status == "active":
                yield Finding("disputed and not on hold", f"order {order.number if order else ''}")
    ended_well = [each["id"] for each in seen.stripe["disputes"] if each["status"] in ("won", "warning_closed")]
    still = sa.select(CertificateFreeze.subject).where(CertificateFreeze.lifted_at.is_(None))
    for dispute_id in db.session.scalars(still.where(CertificateFreeze.subject.in_(ended_well))):
        yield Finding("on hold for a dispute that ended well", dispute_id)


def _check_mails(seen: Witnesses) -> Iterator[Finding]:
    """Every message arrived, under its one Message-ID; a second time only where something crashed."""
    if seen.arrivals is None:
        return
    arrived: dict[str, list[float]] = defaultdict(list)
    for message_id, at in seen.arrivals:
        arrived[message_id].append(at)
    rows = list(db.session.scalars(sa.select(Delivery)))
    for row in rows:
        yield from _check_mail(row, sorted(arrived[row.message_id]), seen.crashes)
    for message_id in arrived.keys() - {row.message_id for row in rows}:
        yield Finding("a message under another Message-ID", message_id)


def _check_mail(row: Delivery, times: list[float], crashes: list[Crash]) -> Iterator[Finding]:
    for before, after in pairwise(times):
        if not any(each.began_at <= after and each.ended_at >= before - UNDER_WAY_SECONDS for each in crashes):
            yield Finding("a message twice without a crash", f"{row.message_id} after {after - before:.1f} s")
    if not times and not (row.state == "cancelled" and _is_over(row)):
        yield Finding("a message that never came", f"{row.kind} {row.message_id} is {row.state}")
    elif len(times) > row.attempts:
        yield Finding("a message twice without a crash", f"{row.message_id}: {len(times)} in {row.attempts} tries")
    elif times and row.state not in ("sent", "cancelled"):
        yield Finding("a message that nobody knows was sent", f"{row.kind} {row.message_id} is {row.state}")


def _is_over(row: Delivery) -> bool:
    """Tell whether everything that a message brings has ended, so that it need not come."""
    carried = sa.select(Certificate.status).join(DeliveryCertificate).where(DeliveryCertificate.delivery_id == row.id)
    return set(db.session.scalars(carried)) == {"void"}


def _check_clients(seen: Witnesses) -> Iterator[Finding]:
    """What clients were told is in the ledger, nothing else is, and their histories are lines."""
    for line in seen.unclear:
        yield Finding("an unclear answer", line)
    certificates = {each.id: each for each in db.session.scalars(sa.select(Certificate))}
    entries = {entry.id: entry for entry in db.session.scalars(sa.select(LedgerEntry))}
    yield from _check_acknowledged(seen.history, entries)
    yield from _check_untold(seen.history, entries.values())
    of_others = (certificates[each.certificate_id] for each in entries.values() if each.kind not in _OF_TILLS)
    others = Counter(each.public_id for each in of_others)
    faces = {each.public_id: each.face_value_cents for each in certificates.values()}
    yield from find_contradictions(seen.history, face_cents=faces, entries_of_others=others)


def _check_acknowledged(history: list[Exchange], entries: dict[int, LedgerEntry]) -> Iterator[Finding]:
    for each in history:
        entry = entries.get(each.entry)
        told = (each.version, each.balance_after, each.amount_cents)
        kept = (entry.sequence, entry.balance_after_cents, entry.amount_cents) if entry else None
        if each.outcome == "accepted" and told != kept:
            yield Finding("an acknowledged act that is lost", f"{each.act} {each.key}: {told}")


def _check_untold(history: list[Exchange], entries: Iterable[LedgerEntry]) -> Iterator[Finding]:
    refused = {each.key for each in history if each.outcome == "refused"}
    may_be = {each.key for each in history} - refused
    for entry in entries:
        if entry.kind in ("redeem", "reversal") and entry.request_key not in may_be:
            yield Finding("an act that nobody was told of", f"entry {entry.id} of {entry.request_key}")
