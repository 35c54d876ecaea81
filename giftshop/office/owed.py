"""What is owed, as an equation that adds up: what was owed when the month began, what moved since, what is owed now."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.posting import LIABILITY

KINDS = {
    "issue": "Sold",
    "import": "Taken over",
    "promote": "Given free",
    "redeem": "Redeemed",
    "refund_hold": "Refunded",
    "refund_released": "Refunded",
    "refund_external": "Refunded",
    "refund_returned": "Refunded",
    "dispute_hold": "Disputed",
    "dispute_released": "Disputed",
    "dispute_recovered": "Disputed",
    "void": "Ended",
    "cash_out": "Paid in cash",
    "escheat": "Handed to the state",
    "breakage": "Taken to income",
}
"""Under which word of the equation a kind of entry stands; an undone entry counts against the word it had."""
ALWAYS, OTHER = ("Sold", "Redeemed", "Refunded"), "Corrected"


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the equation and by how much it changed what is owed, in minor units with its sign."""

    word: str
    change_cents: int


@dataclass(frozen=True, slots=True)
class Owed:
    """The equation since `since`: before + every term = now; amounts in minor units."""

    since: datetime
    before_cents: int
    terms: list[Term]
    now_cents: int
    certificates: int
    """How many certificates were ever issued."""
    with_balance: int
    """How many of them have something left."""


def read_owed(since: datetime) -> Owed:
    """Read the equation since a moment, in one statement, so that a sale in between cannot make it wrong."""
    rows = db.session.execute(sa.union_all(_now(), _changes(since))).all()
    totals = {row.kind: int(row.cents or 0) for row in rows}
    now = next(row for row in rows if row.kind == "now")
    changes = dict.fromkeys([*KINDS.values(), OTHER], 0)
    for kind, cents in totals.items():
        if kind != "now":
            changes[KINDS.get(kind, OTHER)] += cents
    terms = [Term(word, cents) for word, cents in changes.items() if cents or word in ALWAYS]
    now_cents = totals["now"]
    before = now_cents - sum(term.change_cents for term in terms)
    return Owed(since, before, terms, now_cents, int(now.certificates), int(now.with_balance))


def _now() -> sa.Select[tuple[str, int, int, int]]:
    has_balance = sa.case((Certificate.balance_cents > 0, 1), else_=0)
    return sa.select(
        sa.literal("now").label("kind"),
        sa.func.coalesce(sa.func.sum(Certificate.balance_cents), 0).label("cents"),
        sa.func.count().label("certificates"),
        sa.func.coalesce(sa.func.sum(has_balance), 0).label("with_balance"),
    ).select_from(Certificate)


def _changes(since: datetime) -> sa.Select[tuple[str, int, int, int]]:
    """Sum what moved the liability since a moment by kind; an undo by the kind of what it undid."""
    undone = aliased(LedgerEntry)
    kind = sa.case((LedgerEntry.kind == "reversal", undone.kind), else_=LedgerEntry.kind)
    change = sa.case(
        (LedgerEntry.credit_account == LIABILITY, LedgerEntry.amount_cents),
        (LedgerEntry.debit_account == LIABILITY, -LedgerEntry.amount_cents),
        else_=0,
    )
    return (
        sa.select(kind, sa.func.sum(change), sa.literal(0), sa.literal(0))
        .select_from(LedgerEntry)
        .outerjoin(undone, undone.id == LedgerEntry.reverses_id)
        .where(LedgerEntry.created_at >= since, sa.or_(*_touches_liability()))
        .group_by(kind)
    )


def _touches_liability() -> list[sa.ColumnElement[bool]]:
    return [LedgerEntry.credit_account == LIABILITY, LedgerEntry.debit_account == LIABILITY]
