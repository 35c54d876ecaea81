"""How a certificate stands: one state made of all its facts, and the figures and moments that go with it.

Every page tells it in the words of its reader, from one table for each: holders in storefront/holder/words.py, buyers
in storefront/order/standing_words.py, the counter in redemption/verdict.py, the office in office/standings.py. None
decides by itself what became of a certificate.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, auto

import sqlalchemy as sa

from giftshop.certificates.reasons import HoldReason
from giftshop.foundation.database import db
from giftshop.ledger.kinds import LEFT_STRIPE, EntryKind
from giftshop.ledger.models import Certificate, CertificateFreeze, LedgerEntry, ReplacedCode
from giftshop.ledger.open_entries import list_open_of
from giftshop.ledger.states import CertificateStatus
from giftshop.orders.models import Dispute
from giftshop.orders.states import ENDED as DECIDED
from giftshop.orders.states import ENDED_WELL


class Standing(StrEnum):
    """What a reader has to know first of a certificate."""

    FULL = auto()
    PART_USED = auto()
    USED_UP = auto()
    EXPIRED = auto()
    """Its last day is over."""
    ON_HOLD = auto()
    """A person put it on hold."""
    WARNED = auto()
    """The card's bank warns of fraud."""
    DISPUTED = auto()
    """A bank is deciding about the payment."""
    RETURNED = auto()
    """A refund did not go through or a bank gave something back: on hold until a person has looked."""
    OVERDRAWN = auto()
    """More was paid back than was left: on hold until a person has looked."""
    BEING_REFUNDED = auto()
    """All that was left is on its way back to the buyer."""
    REFUNDED = auto()
    """All that was left was paid back to the buyer."""
    LOST = auto()
    """A bank gave the payment back."""
    ENDED = auto()
    """A person ended it."""


USABLE = (Standing.FULL, Standing.PART_USED)
HELD = (Standing.DISPUTED, Standing.WARNED, Standing.OVERDRAWN, Standing.RETURNED, Standing.ON_HOLD)
"""On hold, most telling first: of several reasons the first is told."""
OVER = (Standing.BEING_REFUNDED, Standing.REFUNDED, Standing.LOST, Standing.ENDED)
CLOSED = (*OVER, Standing.USED_UP, Standing.EXPIRED)
"""Where nothing can be taken off any more, so that another way on is offered."""
_OF_REASON = {
    HoldReason.DISPUTED: Standing.DISPUTED,
    HoldReason.FRAUD_WARNING: Standing.WARNED,
    HoldReason.REFUND_OVER_BALANCE: Standing.OVERDRAWN,
    HoldReason.REFUND_FAILED: Standing.RETURNED,
    HoldReason.REFUND_REFUSED: Standing.RETURNED,
}
_ENDINGS = {
    EntryKind.VOID: Standing.ENDED,
    EntryKind.DISPUTE_LOST: Standing.LOST,
    EntryKind.LOSS: Standing.LOST,
    **dict.fromkeys((EntryKind.REFUND_SETTLED, EntryKind.REFUND_EXTERNAL), Standing.REFUNDED),
}
_USES = (EntryKind.REDEEM, EntryKind.CASH_OUT, EntryKind.ESCHEAT, EntryKind.BREAKAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What some entries come to, in minor units, how many they are, and when the last was made; None without any."""

    cents: int = 0
    at: datetime | None = None
    count: int = 0

    @classmethod
    def of_all(cls, sums: Iterable["Sum"]) -> "Sum":
        """Return what several come to."""
        found = list(sums)
        last = max((each.at for each in found if each.at), default=None)
        return cls(cents=sum(each.cents for each in found), at=last, count=sum(each.count for each in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How one certificate stands: `about` is what its state is about, an amount and since when."""

    certificate: Certificate
    standing: Standing
    about: Sum
    used: Sum
    back: Sum
    """What went back to the buyer, by a refund or a bank."""
    coming: Sum
    """What is on its way back to the buyer."""
    holds: list[CertificateFreeze]
    ended: LedgerEntry | None
    renewed_at: datetime | None
    cleared_at: datetime | None
    """When a bank decided for us about the payment, after which everything can be used again."""


def read_situations(certificates: Sequence[Certificate], *, on: date) -> dict[int, Situation]:
    """Return how these certificates stand on a day of the practice, by their id, in a fixed number of questions."""
    ids = [each.id for each in certificates]
    entries, freezes, replaced = _by_certificate(list_open_of(ids, *EntryKind)), _freezes(ids), _replaced(ids)
    disputes = _disputes([each for mine in freezes.values() for each in mine])
    return {
        each.id: _Facts(each, entries[each.id], freezes[each.id], disputes, replaced.get(each.id)).tell(on)
        for each in certificates
    }


def read_situation(certificate: Certificate, *, on: date) -> Situation:
    """Return how one certificate stands on a day of the practice."""
    return read_situations([certificate], on=on)[certificate.id]


@dataclass(frozen=True, slots=True)
class _Facts:
    certificate: Certificate
    entries: list[LedgerEntry]
    """Those that nothing has taken back, oldest first."""
    freezes: list[CertificateFreeze]
    disputes: dict[str, Dispute]
    renewed_at: datetime | None

    def tell(self, on: date) -> Situation:
        held = [each for each in self.freezes if each.lifted_at is None]
        standing = self._standing(held, on)
        return Situation(
            certificate=self.certificate,
            standing=standing,
            about=self._about(standing, held),
            used=self._sum(*_USES),
            back=self._sum(*LEFT_STRIPE),
            coming=self._sum(EntryKind.REFUND_HOLD),
            holds=held,
            ended=self._ending(),
            renewed_at=self.renewed_at,
            cleared_at=self._cleared_at() if not held else None,
        )

    def _standing(self, held: list[CertificateFreeze], on: date) -> Standing:
        certificate = self.certificate
        if certificate.status == CertificateStatus.VOID:
            ending = self._ending()
            return _ENDINGS[EntryKind(ending.kind)] if ending else Standing.ENDED
        if certificate.status == CertificateStatus.FROZEN:
            return min((self._held_as(each) for each in held), key=HELD.index, default=Standing.ON_HOLD)
        if certificate.balance_cents == 0:
            return Standing.BEING_REFUNDED if self._sum(EntryKind.REFUND_HOLD).cents else Standing.USED_UP
        if certificate.expires_on is not None and certificate.expires_on < on:
            return Standing.EXPIRED
        return Standing.PART_USED if self._sum(*_USES).cents else Standing.FULL

    def _held_as(self, freeze: CertificateFreeze) -> Standing:
        """Say what a hold is: a bank that has decided asks nothing any more, only a person still has to look."""
        if freeze.reason_code not in list(HoldReason):
            return Standing.ON_HOLD
        found = self.disputes.get(freeze.subject)
        is_decided = found is not None and found.status in DECIDED
        return Standing.RETURNED if is_decided else _OF_REASON[HoldReason(freeze.reason_code)]

    def _about(self, standing: Standing, held: list[CertificateFreeze]) -> Sum:
        certificate = self.certificate
        if standing in HELD:
            waits = certificate.balance_cents + self._sum(EntryKind.DISPUTE_HOLD).cents
            since = [each.frozen_at for each in held if self._held_as(each) == standing]
            return Sum(cents=waits, at=min(since, default=certificate.issued_at))
        if standing in OVER:
            gone, ending = self._sum(*(kind for kind, each in _OVER_BY.items() if each == standing)), self._ending()
            return gone if gone.at or ending is None else Sum(at=ending.created_at)
        if standing == Standing.USED_UP:
            return self._sum(*_USES)
        return Sum(cents=certificate.balance_cents, at=certificate.issued_at)

    def _ending(self) -> LedgerEntry | None:
        """Return the last entry by which a certificate could end; a loss only where nothing else did."""
        endings = [each for each in self.entries if each.kind in _ENDINGS]
        return max(endings, key=lambda each: (each.kind != EntryKind.LOSS, each.id), default=None)

    def _cleared_at(self) -> datetime | None:
        found = [self.disputes.get(each.subject) for each in self.freezes]
        moments = [each.closed_at for each in found if each is not None and each.status in ENDED_WELL]
        return max((each for each in moments if each is not None), default=None)

    def _sum(self, *kinds: EntryKind) -> Sum:
        return Sum.of_all(
            Sum(cents=each.amount_cents, at=each.created_at, count=1) for each in self.entries if each.kind in kinds
        )


_OVER_BY = {
    EntryKind.REFUND_HOLD: Standing.BEING_REFUNDED,
    EntryKind.REFUND_SETTLED: Standing.REFUNDED,
    EntryKind.REFUND_EXTERNAL: Standing.REFUNDED,
    EntryKind.DISPUTE_LOST: Standing.LOST,
    EntryKind.VOID: Standing.ENDED,
}
"""Whose sum and moment a state that is over tells."""


def _by_certificate(entries: list[LedgerEntry]) -> dict[int, list[LedgerEntry]]:
    found: dict[int, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.certificate_id].append(entry)
    return found


def _freezes(ids: list[int]) -> dict[int, list[CertificateFreeze]]:
    query = sa.select(CertificateFreeze).where(CertificateFreeze.certificate_id.in_(ids))
    found: dict[int, list[CertificateFreeze]] = defaultdict(list)
    for each in db.session.scalars(query.order_by(CertificateFreeze.id)):
        found[each.certificate_id].append(each)
    return found


def _replaced(ids: list[int]) -> dict[int, datetime]:
    newest = sa.select(ReplacedCode.certificate_id, sa.func.max(ReplacedCode.replaced_at).label("replaced_at"))
    query = newest.where(ReplacedCode.certificate_id.in_(ids)).group_by(ReplacedCode.certificate_id)
    return {found.certificate_id: found.replaced_at for found in db.session.execute(query)}


def _disputes(freezes: list[CertificateFreeze]) -> dict[str, Dispute]:
    """Return the disputes for which certificates are or were on hold, by Stripe's id; none is asked for in vain."""
    subjects = {each.subject for each in freezes if each.reason_code == HoldReason.DISPUTED}
    if not subjects:
        return {}
    found = db.session.scalars(sa.select(Dispute).where(Dispute.stripe_dispute_id.in_(subjects)))
    return {each.stripe_dispute_id: each for each in found}
