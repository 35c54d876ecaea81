"""Shares of a payment: how a sum of it falls on its certificates, and what Stripe still holds for each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries
from giftshop.ledger.kinds import CLEARING, HOLDING, LIABILITY, Account
from giftshop.ledger.liability import into
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.orders.models import Gift, GiftCertificate


@dataclass(frozen=True, slots=True)
class Share:
    """What of a sum falls on one certificate, in minor units."""

    certificate_id: int
    amount_cents: int


def list_certificates(order_id: int) -> list[Certificate]:
    """Return the certificates of an order, lowest id first, as they are now."""
    query = (
        sa.select(Certificate)
        .join(GiftCertificate, GiftCertificate.certificate_id == Certificate.id)
        .join(Gift, Gift.id == GiftCertificate.gift_id)
        .where(Gift.order_id == order_id)
        .order_by(Certificate.id)
    )
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def share_out(
    order_id: int, amount_cents: int, *, first: str = "", kept: Mapping[int, int] = MappingProxyType({})
) -> list[Share]:
    """Share a sum of a payment out over its certificates, each up to what Stripe still holds for it.

    What is `kept` of a certificate for this sum already (minor units, by id) comes first, then the certificate with
    the public id `first`, then the lowest id: nobody's gift pays for another's. What a refund under way is about to
    pay back, or another dispute holds, is left to it while there is other money.
    """
    certificates, cleared = list_certificates(order_id), cleared_by_certificate(order_id)
    held = _held_by_certificate(order_id)
    # What this very sum holds already is its own: only what others hold is to be left to them.
    held = {each: cents - kept.get(each, 0) for each, cents in held.items()}
    named = [each.id for each in certificates if each.public_id == first]
    others = [each.id for each in certificates if each.public_id != first]
    # What Stripe still has for each beyond what is kept; below zero after a bank took more than there was.
    rest = {each.id: max(0, cleared[each.id] - kept.get(each.id, 0)) for each in certificates}
    free = {each: max(0, rest[each] - held[each]) for each in others}
    # Rooms are filled in turn: kept, the named one, free money, and last what others hold, when nothing else is left.
    rooms = [*kept.items(), *((each, rest[each]) for each in named)]
    rooms += [(each, free[each]) for each in others] + [(each, rest[each] - free[each]) for each in others]
    left, shares = amount_cents, Counter[int]()
    for certificate_id, room in rooms:
        shares[certificate_id] += min(left, room)
        left -= min(left, room)
    return [Share(certificate_id, amount) for certificate_id, amount in shares.items() if amount > 0]


def lose_beyond(order_id: int, amount_cents: int, shares: list[Share], *, external_ref: str) -> int:
    """Write off what Stripe took of a payment beyond its shares, in minor units; return how much that was.

    A bank may take all of a payment of which a part was paid back before, or a refund is heard of after that.
    Source: Stripe's support page on disputes of the full amount after a partial refund.
    """
    certificates = list_certificates(order_id)
    beyond_cents = amount_cents - sum(share.amount_cents for share in shares)
    if beyond_cents <= 0 or not certificates:
        return 0
    # Somebody's ledger must say it, and any is as good: the lowest id, so that a second run finds the same entry.
    refund_entries.lose_beyond(certificates[0].id, beyond_cents, external_ref=external_ref, at=clock.now())
    return beyond_cents


def cleared_by_certificate(order_id: int) -> dict[int, int]:
    """Return, for each certificate of an order, what Stripe took for it and has not paid back, in minor units."""
    return _sum_by_certificate(order_id, CLEARING)


def uncovered_by_certificate(order_id: int) -> dict[int, int]:
    """Return, for each certificate of an order, by how much more is on it or held of it than Stripe has for it."""
    # Each entry moves between two accounts: inside all of these it sums to nothing, so what is left over is uncovered.
    short = _sum_by_certificate(order_id, LIABILITY, *HOLDING, CLEARING)
    return {each: max(0, -total) for each, total in short.items()}


def _held_by_certificate(order_id: int) -> dict[int, int]:
    """Return, for each certificate of an order, what refunds under way and disputes hold, in minor units."""
    return {each: -total for each, total in _sum_by_certificate(order_id, *HOLDING).items()}


def _sum_by_certificate(order_id: int, *accounts: Account) -> dict[int, int]:
    """Return, for each certificate of an order, what has gone into these accounts less what went out of them."""
    query = (
        sa.select(LedgerEntry.certificate_id, sa.func.sum(into(*accounts)))
        .join(GiftCertificate, GiftCertificate.certificate_id == LedgerEntry.certificate_id)
        .join(Gift, Gift.id == GiftCertificate.gift_id)
        .where(Gift.order_id == order_id)
        .group_by(LedgerEntry.certificate_id)
    )
    return {certificate_id: int(total) for certificate_id, total in db.session.execute(query)}
