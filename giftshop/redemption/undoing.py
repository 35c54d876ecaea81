"""What a page says about undoing a redemption: the rule itself is asked, so that the form has what the rule wants."""

from dataclasses import dataclass

from giftshop import clock
from giftshop.errors import ReasonMissingError, ShopError, TooManyUndosError
from giftshop.ledger import undo
from giftshop.ledger.models import LedgerEntry


@dataclass(frozen=True, slots=True)
class Undo:
    """A redemption that can be undone from here: with a word why, or for how many minutes without; or why it cannot."""

    entry: LedgerEntry
    needs_reason: bool = False
    minutes: int = 0
    refusal: str = ""


def ask_undo(entry: LedgerEntry | None, *, staff_id: int, is_manager: bool) -> Undo | None:
    """Return what this person is offered for `entry`; None where an undo is over, done, or not theirs."""
    if entry is None:
        return None
    now = clock.now()
    try:
        undo.refuse_undo(entry, actor=f"staff:{staff_id}", is_manager=is_manager, reason="", at=now)
    except ReasonMissingError:
        return Undo(entry, needs_reason=True)
    except TooManyUndosError as refusal:
        return Undo(entry, refusal=refusal.message)
    except ShopError:
        return None
    return Undo(entry, minutes=-(-int((undo.undo_ends_at(entry) - now).total_seconds()) // 60))
