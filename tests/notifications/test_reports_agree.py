"""Reports agree: over random histories, equation, daily report and close say the same of every period, to the cent.

The rule: an undo counts against the figure of what it undid, in the period in which it was undone, and is named beside
it; what was taken over or given free is never sold.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.certificates.encryption import lookup, seal
from giftshop.certificates.issue import new_code
from giftshop.certificates.look_up import new_public_id
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries, refund_entries
from giftshop.ledger.kinds import EntryKind, Figure
from giftshop.ledger.liability import read_equation
from giftshop.ledger.models import Certificate, LedgerEntry, LedgerSeal
from giftshop.ledger.posting import Transfer, post
from giftshop.money import format_amount
from giftshop.notifications.daily_report import build_facts
from giftshop.reconciliation.close import OWED, Close, _compare_owed
from tests import build
from tests.conftest import both_databases

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
STEPS, DAYS = 50, 8
WORDS = {
    "issue": "Sold",
    "promote": "Given free",
    "import": "Taken over",
    "redeem": "Redeemed",
    "cash_out": "Paid in cash",
    "void": "Ended",
    "refund_hold": "Refunded",
    "refund_released": "Refunded",
    "refund_external": "Refunded",
    "refund_returned": "Refunded",
    "dispute_hold": "Disputed",
    "dispute_released": "Disputed",
    "dispute_recovered": "Disputed",
}
"""Under which word an entry of each kind counts, written down a second time on purpose."""


@dataclass
class History:
    """A shop to which random things happen; every act goes through the ledger's own functions."""

    chance: random.Random
    certificates: list[int] = field(default_factory=list)
    bought: list[int] = field(default_factory=list)
    """Those that were paid through Stripe: the database lets no other one be refunded or disputed."""

    def step(self) -> None:
        """Do one thing that is possible now."""
        acts = (self.sell, self.sell, self.give, self.take_over, self.use, self.use, self.use, self.undo, self.undo)
        more = (self.cash_out, self.refund, self.end_refund, self.refund_outside, self.dispute, self.decide, self.void)
        self.chance.choice((*acts, *more))()

    def sell(self) -> None:
        sold = build.certificate(face_value_cents=self.chance.randrange(20_00, 200_00))
        self.certificates.append(sold.id)
        self.bought.append(sold.id)

    def give(self) -> None:
        self._begin(EntryKind.PROMOTE)

    def take_over(self) -> None:
        self._begin(EntryKind.IMPORT)

    def use(self) -> None:
        if found := self._with_value():
            build.redeem(found, self.chance.randrange(1, found.balance_cents + 1))

    def undo(self) -> None:
        entry = self._open(EntryKind.REDEEM)
        if entry and entry.certificate_id in self._usable(self.certificates):
            post(entry.certificate_id, Transfer.closing(EntryKind.REVERSAL, entry), self._cause())

    def cash_out(self) -> None:
        if found := self._with_value():
            post(found.id, Transfer.of(EntryKind.CASH_OUT, found.balance_cents), self._cause())

    def refund(self) -> None:
        if found := self._with_value(self.bought):
            number = self.chance.randrange(1, 10**9)
            amount = self.chance.randrange(1, found.balance_cents + 1)
            why = {"actor": "staff:1", "reason_code": "refund", "at": clock.now()}
            refund_entries.hold_refund(found.id, amount, refund_id=number, **why)

    def end_refund(self) -> None:
        if hold := self._open(EntryKind.REFUND_HOLD):
            number, now = int(hold.request_key.split(":")[1]), clock.now()
            if self.chance.random() < 0.5:
                refund_entries.settle_refund(hold, refund_id=number, stripe_refund_id=f"re_{number}", at=now)
            else:
                refund_entries.release_refund(hold, refund_id=number, actor="stripe", at=now)

    def refund_outside(self) -> None:
        if found := self._with_value(self.bought):
            refund_id, amount = f"re_{self.chance.randrange(10**9)}", self.chance.randrange(1, 2 * found.balance_cents)
            refund_entries.take_foreign_refund(found.id, amount, stripe_refund_id=refund_id, at=clock.now())
            if self.chance.random() < 0.5:
                refund_entries.return_refund(refund_id, at=clock.now())
                status.hold_what_returned(found.id, subject=refund_id, reason_code="refund_failed", at=clock.now())

    def dispute(self) -> None:
        if found := self._with_value(self.bought):
            dispute_id, now = f"dp_{self.chance.randrange(10**9)}", clock.now()
            dispute_entries.hold_disputed(found.id, found.balance_cents, dispute_id=dispute_id, at=now)
            status.freeze(found.id, subject=dispute_id, reason_code="disputed", actor="stripe", at=now)

    def decide(self) -> None:
        if hold := self._open(EntryKind.DISPUTE_HOLD):
            dispute_id, now = hold.external_ref or "", clock.now()
            if self.chance.random() < 0.5:
                dispute_entries.release_disputed(hold.certificate_id, dispute_id=dispute_id, at=now)
                status.lift(hold.certificate_id, subject=dispute_id, actor="stripe", at=now)
            else:
                dispute_entries.lose_disputed(hold.certificate_id, hold.amount_cents, dispute_id=dispute_id, at=now)

    def void(self) -> None:
        if found := self._with_value():
            why = {"reason_code": "paid out", "request_key": build.request_key(), "actor": "staff:1"}
            status.void(found.id, **why, at=clock.now())

    def _begin(self, kind: EntryKind) -> None:
        """Put a certificate into the books that nobody has bought."""
        sold = build.certificate(face_value_cents=self.chance.randrange(20_00, 200_00))
        columns = {name: getattr(sold, name) for name in ("mode", "currency", "face_value_cents", "design", "message")}
        names = {name: getattr(sold, name) for name in ("recipient_name", "giver_name", "offer_slug", "service_name")}
        code, public_id = new_code(), new_public_id()
        secrets = {"code_lookup": lookup(code), "code_enc": seal(code, public_id), "issued_at": clock.now()}
        certificate = Certificate(public_id=public_id, **columns, **names, **secrets)
        db.session.add(certificate)
        db.session.flush()
        post(certificate.id, Transfer.of(kind, certificate.face_value_cents), self._cause())
        self.certificates.append(certificate.id)

    def _usable(self, among: list[int]) -> list[int]:
        usable = sa.select(Certificate.id).where(Certificate.status == "active", Certificate.id.in_(among))
        return list(db.session.scalars(usable.order_by(Certificate.id)))

    def _with_value(self, among: list[int] | None = None) -> Certificate | None:
        ids = self._usable(self.certificates if among is None else among)
        usable = sa.select(Certificate).where(Certificate.id.in_(ids), Certificate.balance_cents > 0)
        found = list(db.session.scalars(usable.order_by(Certificate.id).execution_options(populate_existing=True)))
        return self.chance.choice(found) if found else None

    def _open(self, kind: EntryKind) -> LedgerEntry | None:
        closing = sa.orm.aliased(LedgerEntry)
        query = sa.select(LedgerEntry).where(
            LedgerEntry.kind == kind, ~sa.exists().where(closing.reverses_id == LedgerEntry.id)
        )
        found = list(db.session.scalars(query.order_by(LedgerEntry.id)))
        return self.chance.choice(found) if found else None

    def _cause(self) -> object:
        return build.cause("test", build.request_key(), "staff:1")


def added_up(start: datetime, end: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """Add every entry of a period up by hand: by how much each word changed what is owed, and what undos gave back."""
    entries = {each.id: each for each in db.session.scalars(sa.select(LedgerEntry))}
    changes, undone = Counter[str](), Counter[str]()
    for entry in entries.values():
        change = entry.amount_cents * (
            (entry.credit_account == "certificate_liability") - (entry.debit_account == "certificate_liability")
        )
        if change and start <= entry.created_at < end:
            is_undo = entry.kind == "reversal"
            word = WORDS[entries[entry.reverses_id or 0].kind if is_undo else entry.kind]
            changes[word] += change
            undone[word] += change if is_undo else 0
    return changes, {word: cents for word, cents in undone.items() if cents}


def owed(at: datetime) -> int:
    """Add up what each certificate had left at a moment."""
    last: dict[int, int] = {}
    for entry in db.session.scalars(sa.select(LedgerEntry).where(LedgerEntry.created_at < at).order_by(LedgerEntry.id)):
        last[entry.certificate_id] = entry.balance_after_cents
    return sum(last.values())


def moment(day: int) -> datetime:
    """Return when a day of the history begins at the practice."""
    return clock.local_moment(date(2026, 11, 2) + timedelta(days=day), hour=0, time_zone=get_practice().time_zone)


@pytest.mark.parametrize("seed", range(3))
@both_databases
def test_every_report_says_the_same_of_every_period(app: Flask, seed: int) -> None:
    history = History(random.Random(seed))
    for number in range(STEPS):
        with time_machine.travel(START + timedelta(days=DAYS * number / STEPS), tick=False):
            history.step()
            db.session.commit()
    practice = get_practice()
    for first, last in [(0, DAYS), *((day, day + 1) for day in range(DAYS)), (2, 5)]:
        start, end = moment(first), moment(last)
        changes, undone = added_up(start, end)
        equation = read_equation(start, end)
        assert {str(term.figure): term.change_cents for term in equation.terms if term.change_cents} == {
            word: cents for word, cents in changes.items() if cents
        }
        assert {str(term.figure): term.undone_cents for term in equation.terms if term.undone_cents} == undone
        assert (equation.before_cents, equation.after_cents) == (owed(start), owed(end))
        facts = build_facts(
            LedgerSeal(created_at=end, certificates=0, entries=0, digest=bytes(32)),
            practice,
            date(2026, 11, 2) + timedelta(days=first),
            date(2026, 11, 2) + timedelta(days=last),
        )
        assert facts["sold"] == format_amount(changes.get("Sold", 0), practice.currency)
        assert facts["redeemed"] == format_amount(-changes.get("Redeemed", 0), practice.currency)
        assert facts["owed"] == format_amount(owed(end), practice.currency)
        told = {name.partition(" (")[0]: amount for name, amount in facts["movements"]}
        for word, cents in changes.items():
            sign = "−" if cents < 0 else "+"
            assert not cents or told[word] == f"{sign} {format_amount(abs(cents), practice.currency)}"
        close = Close(practice.currency)
        _compare_owed(close, end)
        assert [(line.what, line.journal_cents, line.certificates_cents) for line in close.lines] == [
            (OWED, owed(end), owed(end))
        ]


@both_databases
def test_a_redemption_that_was_undone_is_not_told_as_used(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    build.undo(certificate, build.redeem(certificate, 50_00))
    db.session.commit()
    equation = read_equation(clock.now() - timedelta(hours=1))
    assert (equation.of(Figure.SOLD), equation.of(Figure.REDEEMED), equation.after_cents) == (120_00, 0, 120_00)
    assert [term.undone_cents for term in equation.terms if term.figure == Figure.REDEEMED] == [50_00]
