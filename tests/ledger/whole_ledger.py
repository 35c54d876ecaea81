"""The whole ledger checked at once: what the command and the seals check part by part."""

from giftshop.ledger import integrity, raw_rows


def find_forged_entry() -> integrity.BadRow | None:
    """Return the first row of the ledger that does not fit the others, or None; entries come before certificates."""
    for low, high in raw_rows.list_ranges():
        if found := integrity.find_bad_row(low, high):
            return found
    return integrity.find_moved_row()
