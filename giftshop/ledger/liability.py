"""The liability: what is owed to holders, now or at any instant, and by what it changed; for every report.

All of them read this equation, so they cannot disagree. The rule for undos: an undo counts against the figure of what
it undid, in the period in which it was undone, and is named beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftshop.foundation.database import db
from giftshop.ledger.kinds import KINDS, LIABILITY, Account, EntryKind, Figure
from giftshop.ledger.models import Certificate, LedgerEntry

ALWAYS = (Figure.SOLD, Figure.REDEEMED, Figure.REFUNDED)
"""The figures that are told also when they come to nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """By how much one figure changed what is owed, in minor units; `undone_cents` is what undos gave back of it."""

    figure: Figure
    change_cents: int
    undone_cents: int


@dataclass(frozen=True, slots=True)
class Equation:
    """What was owed, plus every term, is what is owed after them; in minor units."""

    before_cents: int
    terms: list[Term]
    after_cents: int
    certificates: int
    """How many certificates were ever issued."""
    with_balance: int
    """How many of them have something left now."""

    def of(self, figure: Figure) -> int:
        """Return by how much a figure changed what is owed, in minor units."""
        return sum(term.change_cents for term in self.terms if term.figure == figure)


def into(*accounts: Account) -> sa.ColumnElement[int]:
    """Return the expression for what an entry moves into these accounts, less what it moves out of them."""
    debited, credited = (
        sa.case((account.in_(accounts), LedgerEntry.amount_cents), else_=0)
        for account in (LedgerEntry.debit_account, LedgerEntry.credit_account)
    )
    return debited - credited


def read_equation(start: datetime, end: datetime | None = None) -> Equation:
    """Read what moved from `start` on and before `end` (until now without it), and what was owed before and after.

    It is one statement, so that a sale in between cannot make it wrong.
    """
    rows = db.session.execute(sa.union_all(_now(), _changes(start, end))).all()
    now = next(row for row in rows if row.kind == "now")
    within = [row for row in rows if row.kind != "now" and not row.is_later]
    # What is owed now is known exactly; earlier instants are counted back from it, so that they cannot drift apart.
    later_cents = sum(int(row.cents) for row in rows if row.kind != "now" and row.is_later)
    terms = [term for term in _add_up(within) if term.change_cents or term.undone_cents or term.figure in ALWAYS]
    after_cents = int(now.cents) - later_cents
    before_cents = after_cents - sum(term.change_cents for term in terms)
    return Equation(before_cents, terms, after_cents, int(now.certificates), int(now.with_balance))


def _add_up(rows: Iterable[sa.Row[tuple[str, int, int, int, int, int]]]) -> list[Term]:
    found = dict.fromkeys(Figure, (0, 0))
    for row in rows:
        figure = KINDS[EntryKind(row.kind)].figure
        assert figure is not None, row.kind  # whatever moves the liability counts somewhere, or the sum would be wrong
        change, undone = found[figure]
        found[figure] = change + int(row.cents), undone + int(row.undone_cents)
    return [Term(figure, change, undone) for figure, (change, undone) in found.items()]


def _now() -> sa.Select[tuple[str, int, int, int, int, int]]:
    has_balance = sa.case((Certificate.balance_cents > 0, 1), else_=0)
    return sa.select(
        sa.literal("now").label("kind"),
        sa.func.coalesce(sa.func.sum(Certificate.balance_cents), 0).label("cents"),
        sa.literal(0).label("undone_cents"),
        sa.literal(0).label("is_later"),
        sa.func.count().label("certificates"),
        sa.func.coalesce(sa.func.sum(has_balance), 0).label("with_balance"),
    ).select_from(Certificate)


def _changes(start: datetime, end: datetime | None) -> sa.Select[tuple[str, int, int, int, int, int]]:
    """Sum what moved the liability since `start`, before `end` and later: by kind, an undo by the kind it undid."""
    undone = aliased(LedgerEntry)
    is_undo = LedgerEntry.kind == EntryKind.REVERSAL
    # An undo is told under the figure of what it undid: "redeemed" then says what was used and stayed used.
    kind = sa.case((is_undo, undone.kind), else_=LedgerEntry.kind)
    change = -into(LIABILITY)
    is_later = sa.literal(0) if end is None else sa.case((LedgerEntry.created_at >= end, 1), else_=0)
    return (
        sa.select(
            kind,
            sa.func.sum(change),
            sa.func.sum(sa.case((is_undo, change), else_=0)),
            is_later,
            sa.literal(0),
            sa.literal(0),
        )
        .select_from(LedgerEntry)
        .outerjoin(undone, undone.id == LedgerEntry.reverses_id)
        .where(LedgerEntry.created_at >= start)
        .where(sa.or_(LedgerEntry.credit_account == LIABILITY, LedgerEntry.debit_account == LIABILITY))
        .group_by(kind, is_later)
    )
