"""The commands that keep the books safe: verify them, back them up, restore them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_migrate import upgrade

from giftshop.backups import backup, restore
from giftshop.backups.backup_file import Manifest
from giftshop.errors import ShopError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db, may_write, only_reads
from giftshop.foundation.terminal import one_sentence, show_progress
from giftshop.ledger import integrity, raw_rows, seals
from giftshop.orders import integrity as orders_audit

ledger = AppGroup("ledger", help="The ledger.")


def add_commands(app: Flask) -> None:
    """Add these commands to the app."""
    app.cli.add_command(ledger)
    app.cli.add_command(back_up)
    app.cli.add_command(restore_backup)


@ledger.command("verify")
@click.option("--seal", default="", help="A seal from a daily mail: what it covers must still be there, unchanged.")
@one_sentence
def verify(seal: str) -> None:
    """Re-add every ledger, check every hash and every seal; name the first row that is wrong."""
    verify_books(seal)


@click.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@one_sentence
def back_up(path: Path) -> None:
    """Write everything the shop knows into the new file PATH, while it sells. Keep the keys elsewhere."""
    manifest = backup.back_up(db.engine, path)
    activity_log.note(Activity.BACKED_UP, actor="system", seal=manifest.seal)  # the doctor asks how old it is
    db.session.commit()
    click.echo(f"Wrote {path}, {path.stat().st_size:,} bytes: {_contents(manifest)}.")


@click.command("restore")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace what the database holds now.")
@click.option("--verify", "verifies", is_flag=True, help="Verify the whole ledger afterwards.")
@one_sentence
def restore_backup(path: Path, *, replace: bool, verifies: bool) -> None:
    """Put the backup at PATH into the database. Stop the shop first."""
    folder = current_app.extensions["migrate"].directory
    manifest = restore.restore(
        path,
        db.engine,
        mode=current_app.config["SHOP_SETTINGS"].stripe_mode,
        revisions={script.revision for script in ScriptDirectory(folder).walk_revisions()},
        migrate=upgrade,
        may_replace=replace,
    )
    click.echo(f"Restored what was backed up at {manifest.made_at}: {_contents(manifest)}.")
    if verifies:
        verify_books(manifest.seal)
    day = manifest.made_at.partition("T")[0]
    click.echo(f"Start the shop, then run `flask orders reconcile --since {day}` for what was paid since.")


def _contents(manifest: Manifest) -> str:
    return ", ".join(f"{count} {table.replace('_', ' ')} rows" for table, count in manifest.counts.items())


def verify_books(mailed: str = "") -> None:
    """Verify hashes, chains, seals and the invariants of both audits, and say so.

    The database adds up the invariants on a connection of its own while this process hashes entries. Every step has
    a transaction of its own, so that nobody at a till waits for it. Raises ShopError, which names what is wrong.
    """
    only_reads()
    total = raw_rows.count_entries()
    with ThreadPoolExecutor(1) as beside:
        broken = beside.submit(_list_broken_invariants, current_app._get_current_object())  # type: ignore[attr-defined]
        for _ in show_progress(seals.verify(mailed=mailed), total=total, what="Checking entries"):
            db.session.rollback()
    if broken.result():
        raise ShopError("The ledger does not verify: " + "; ".join(broken.result()))
    last = seals.find_last_seal()
    sealed = f"the last seal is {last.digest.hex()}" if last else "it has no seal yet"
    click.echo(f"The ledger verifies: {total} entries; {sealed}.")
    may_write()


def _list_broken_invariants(app: Flask) -> list[str]:
    """Return what the invariants of both audits have to say, each asked in a transaction of its own."""
    broken = []
    with app.app_context():
        only_reads()
        for wrong in integrity.check_invariants({**integrity.INVARIANTS, **orders_audit.INVARIANTS}):
            db.session.rollback()
            broken += [wrong] if wrong else []
    return broken
