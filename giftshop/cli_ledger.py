"""The commands that keep the books safe: verify them, back them up, restore them."""

import click
from flask import Flask
from flask.cli import AppGroup

from giftshop.certificates import audit, ledger_rows, seals
from giftshop.database import db, may_write, only_reads
from giftshop.errors import ShopError
from giftshop.orders import audit as orders_audit
from giftshop.terminal import one_sentence, show_progress

ledger = AppGroup("ledger", help="The ledger.")


def add_commands(app: Flask) -> None:
    """Add these commands to the app."""
    app.cli.add_command(ledger)


@ledger.command("verify")
@click.option("--seal", default="", help="A seal from a daily mail: what it covers must still be there, unchanged.")
@one_sentence
def verify(seal: str) -> None:
    """Re-add every ledger, check every hash and every seal; name the first row that is wrong."""
    verify_books(seal)


def verify_books(mailed: str = "") -> None:
    """Verify hashes, chains, seals and the invariants of both audits, and say so.

    Every step has a transaction of its own, so that nobody at a till waits for it. Raises ShopError, which names
    what is wrong.
    """
    only_reads()
    total = ledger_rows.count_entries()
    for _ in show_progress(seals.verify(mailed=mailed), total=total, what="Checking entries"):
        db.session.rollback()
    broken = []
    for wrong in audit.check_invariants({**audit.INVARIANTS, **orders_audit.INVARIANTS}):
        db.session.rollback()
        broken += [wrong] if wrong else []
    if broken:
        raise ShopError("The ledger does not verify: " + "; ".join(broken))
    last = seals.find_last_seal()
    sealed = f"the last seal is {last.digest.hex()}" if last else "it has no seal yet"
    click.echo(f"The ledger verifies: {total} entries; {sealed}.")
    may_write()
