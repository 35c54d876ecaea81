"""The kinds of ledger entries as one table: what each moves, where it counts in every report, and what it is called.

The database knows the transfers too (a CHECK in migrations/ledger/); a test holds the two against each other. A new
kind is a row here and a migration: daily report, today's equation, close, histories and audit read this table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto

from giftshop.words import N_


class Account(StrEnum):
    """Where value stands: owed to holders, at Stripe, held while it is decided whose it is, or gone."""

    CERTIFICATE_LIABILITY = auto()
    STRIPE_CLEARING = auto()
    REFUND_DUE = auto()
    DISPUTE_HOLD = auto()
    SERVICE_REVENUE = auto()
    CASH_PAID_OUT = auto()
    PROMOTION_EXPENSE = auto()
    IMPORT_OPENING = auto()
    BREAKAGE = auto()
    WRITE_OFF = auto()


class EntryKind(StrEnum):
    """What one entry is about."""

    ISSUE = auto()
    PROMOTE = auto()
    IMPORT = auto()
    REDEEM = auto()
    REVERSAL = auto()
    CASH_OUT = auto()
    ESCHEAT = auto()
    BREAKAGE = auto()
    VOID = auto()
    REFUND_HOLD = auto()
    REFUND_SETTLED = auto()
    REFUND_RELEASED = auto()
    REFUND_EXTERNAL = auto()
    REFUND_RETURNED = auto()
    DISPUTE_HOLD = auto()
    DISPUTE_LOST = auto()
    DISPUTE_RELEASED = auto()
    DISPUTE_RECOVERED = auto()
    LOSS = auto()
    LOSS_RECOVERED = auto()


class Figure(StrEnum):
    """The word of every report under which an entry changes what is owed, in the order of the reports."""

    SOLD = N_("Sold")
    IMPORTED = N_("Taken over")
    GIVEN = N_("Given free")
    REDEEMED = N_("Redeemed")
    REFUNDED = N_("Refunded")
    DISPUTED = N_("Disputed")
    ENDED = N_("Ended")
    CASHED_OUT = N_("Paid in cash")
    ESCHEATED = N_("Handed to the state")
    BREAKAGE = N_("Taken to income")


class Ends(StrEnum):
    """By what an entry ends a certificate that it leaves empty."""

    USE = auto()
    PAYBACK = auto()
    FOR_GOOD = auto()


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: `transfers` are the pairs of accounts it may move between, from the debited to the credited one.

    `label` says what became of an amount.
    `figure` is None for what leaves the liability alone and for what counts by the entry that it takes back. `is_first`
    says that it is a certificate's first entry, `closes` which kinds of entries it is the mirror of.
    """

    label: str
    transfers: tuple[tuple[Account, Account], ...]
    figure: Figure | None = None
    ends: Ends = Ends.USE
    is_first: bool = False
    closes: tuple[EntryKind, ...] = ()


LIABILITY, CLEARING = Account.CERTIFICATE_LIABILITY, Account.STRIPE_CLEARING
HOLDING = {Account.REFUND_DUE: EntryKind.REFUND_HOLD, Account.DISPUTE_HOLD: EntryKind.DISPUTE_HOLD}
"""The accounts of value that is on no certificate while it is decided whose it is, and what brings it there."""
_USES = (
    Account.SERVICE_REVENUE,
    Account.CASH_PAID_OUT,
    Account.BREAKAGE,
    Account.PROMOTION_EXPENSE,
    Account.IMPORT_OPENING,
)

KINDS: dict[EntryKind, Kind] = {
    EntryKind.ISSUE: Kind(N_("Issued %(amount)s"), ((CLEARING, LIABILITY),), Figure.SOLD, is_first=True),
    EntryKind.PROMOTE: Kind(
        N_("Given free %(amount)s"), ((Account.PROMOTION_EXPENSE, LIABILITY),), Figure.GIVEN, is_first=True
    ),
    EntryKind.IMPORT: Kind(
        N_("Taken over %(amount)s"), ((Account.IMPORT_OPENING, LIABILITY),), Figure.IMPORTED, is_first=True
    ),
    EntryKind.REDEEM: Kind(N_("Redeemed %(amount)s"), ((LIABILITY, Account.SERVICE_REVENUE),), Figure.REDEEMED),
    EntryKind.REVERSAL: Kind(
        N_("Undone, put back %(amount)s"),
        tuple((use, LIABILITY) for use in _USES),
        closes=(EntryKind.REDEEM, EntryKind.CASH_OUT, EntryKind.ESCHEAT, EntryKind.BREAKAGE, EntryKind.VOID),
    ),
    EntryKind.CASH_OUT: Kind(
        N_("Paid out in cash %(amount)s"), ((LIABILITY, Account.CASH_PAID_OUT),), Figure.CASHED_OUT
    ),
    EntryKind.ESCHEAT: Kind(
        N_("Handed to the state %(amount)s"), ((LIABILITY, Account.CASH_PAID_OUT),), Figure.ESCHEATED
    ),
    EntryKind.BREAKAGE: Kind(N_("Taken to income %(amount)s"), ((LIABILITY, Account.BREAKAGE),), Figure.BREAKAGE),
    EntryKind.VOID: Kind(
        N_("Ended, taken off %(amount)s"),
        tuple((LIABILITY, to) for to in (Account.CASH_PAID_OUT, Account.PROMOTION_EXPENSE, Account.IMPORT_OPENING)),
        Figure.ENDED,
        ends=Ends.FOR_GOOD,
    ),
    EntryKind.REFUND_HOLD: Kind(
        N_("Held to be paid back %(amount)s"), ((LIABILITY, Account.REFUND_DUE),), Figure.REFUNDED
    ),
    EntryKind.REFUND_SETTLED: Kind(
        N_("Paid back to the buyer %(amount)s"),
        ((Account.REFUND_DUE, CLEARING),),
        ends=Ends.PAYBACK,
        closes=(EntryKind.REFUND_HOLD,),
    ),
    EntryKind.REFUND_RELEASED: Kind(
        N_("Not paid back, so put back %(amount)s"),
        ((Account.REFUND_DUE, LIABILITY),),
        Figure.REFUNDED,
        closes=(EntryKind.REFUND_HOLD,),
    ),
    EntryKind.REFUND_EXTERNAL: Kind(
        N_("Paid back in Stripe’s dashboard %(amount)s"), ((LIABILITY, CLEARING),), Figure.REFUNDED, ends=Ends.PAYBACK
    ),
    EntryKind.REFUND_RETURNED: Kind(
        N_("The refund failed, put back %(amount)s"),
        ((CLEARING, LIABILITY),),
        Figure.REFUNDED,
        closes=(EntryKind.REFUND_SETTLED, EntryKind.REFUND_EXTERNAL),
    ),
    EntryKind.DISPUTE_HOLD: Kind(
        N_("Held for the dispute %(amount)s"), ((LIABILITY, Account.DISPUTE_HOLD),), Figure.DISPUTED
    ),
    EntryKind.DISPUTE_LOST: Kind(
        N_("Lost to the dispute %(amount)s"),
        ((Account.DISPUTE_HOLD, CLEARING),),
        ends=Ends.FOR_GOOD,
        closes=(EntryKind.DISPUTE_HOLD,),
    ),
    EntryKind.DISPUTE_RELEASED: Kind(
        N_("Given back by the dispute %(amount)s"),
        ((Account.DISPUTE_HOLD, LIABILITY),),
        Figure.DISPUTED,
        closes=(EntryKind.DISPUTE_HOLD,),
    ),
    EntryKind.DISPUTE_RECOVERED: Kind(
        N_("Won back %(amount)s"), ((CLEARING, LIABILITY),), Figure.DISPUTED, closes=(EntryKind.DISPUTE_LOST,)
    ),
    EntryKind.LOSS: Kind(
        N_("Lost, because it was used or paid back already %(amount)s"),
        ((Account.WRITE_OFF, CLEARING),),
        ends=Ends.FOR_GOOD,
    ),
    EntryKind.LOSS_RECOVERED: Kind(
        N_("A loss came back %(amount)s"), ((CLEARING, Account.WRITE_OFF),), closes=(EntryKind.LOSS,)
    ),
}

FIRST_KINDS = tuple(kind for kind, row in KINDS.items() if row.is_first)
LEFT_STRIPE = (EntryKind.REFUND_SETTLED, EntryKind.REFUND_EXTERNAL, EntryKind.DISPUTE_LOST)
"""By which a certificate's money left for good, unless a later entry takes them back."""


def kinds_that_end(*ways: Ends) -> tuple[EntryKind, ...]:
    """Return the kinds of entries that end a certificate in one of these ways when they leave it empty."""
    return tuple(kind for kind, row in KINDS.items() if row.ends in ways)


def credited_for(kind: EntryKind, debited: Account) -> Account:
    """Return the account that a kind credits when it debits another. Raises KeyError for what it never moves."""
    return dict(KINDS[kind].transfers)[debited]


def in_sql(values: Iterable[str]) -> str:
    """Return values of these tables as a list for a query written by hand: 'issue', 'promote'."""
    return ", ".join(f"'{value}'" for value in values)
