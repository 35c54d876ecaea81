"""The whole ledger checked at once: what the command and the seals check part by part."""

from giftshop.certificates import audit, ledger_rows


def find_forged_entry() -> audit.BadRow | None:
    """Return the first row of the ledger that does not fit the others, or None; entries come before certificates."""
    for low, high in ledger_rows.list_ranges():
        if found := audit.find_bad_row(low, high):
            return found
    return audit.find_moved_row()
