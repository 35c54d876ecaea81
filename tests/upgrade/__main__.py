"""The command `python -m tests.upgrade BASE`: rehearse the update of a shop from an older version to this one."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from tests.delivery.mail_servers import running_mail_server
from tests.running import ROOT, free_port
from tests.upgrade import comparing, rolling
from tests.upgrade.base import RehearsalError, check_out, copy_of_tree, find_base, name_of
from tests.upgrade.books import Books, Shelf
from tests.upgrade.findings import Finding, tell
from tests.upgrade.lives import live
from tests.upgrade.plants import PLANTS, plant_in_books, plant_in_program
from tests.upgrade.programs import Version, new_version
from tests.upgrade.sides import copied
from tests.upgrade.world import World, open_world
from tests.workbench.running import start_workbench

DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """Rehearse; the exit status is 1 when something was found, 2 when the rehearsal could not go on."""
    asked = _parse()
    started = time.monotonic()
    try:
        base = find_base(asked.base)
        click.echo(f"from {name_of(base)}\nto   this working tree, on {name_of('HEAD')}")
        with tempfile.TemporaryDirectory(prefix="upgrade-") as folder:
            found = _rehearse_all(asked, base, Path(folder))
    except RehearsalError as refusal:
        click.echo(str(refusal), err=True)
        return 2
    click.echo(f"\n{found} findings in {(time.monotonic() - started) / 60:.1f} min")
    return 1 if found else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument(
        "base", nargs="?", default="", help="the older version: a commit; the newest of main before this"
    )
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument(
        "--plant", choices=[*PLANTS], nargs="+", default=[], help="break this on purpose: it must be found"
    )
    return parser.parse_args()


def _rehearse_all(asked: argparse.Namespace, base: str, folder: Path) -> int:
    """Rehearse on every database that was asked for; return how much was found."""
    old_root = check_out(base, folder / "older")
    new_root = ROOT
    if asked.plant:
        click.echo("\n".join(f"planted: {PLANTS[plant]}" for plant in asked.plant))
        new_root = copy_of_tree(folder / "newer")
        plant_in_program(asked.plant, new_root)
    found = 0
    for database in DATABASES if asked.database == "both" else [asked.database]:
        click.echo(f"\n{database}")
        home = folder / database
        home.mkdir()
        found += tell(_rehearse(database, home, old_root, new_root, asked.plant))
    return found


def _rehearse(database: str, folder: Path, old_root: Path, new_root: Path, plants: list[str]) -> Iterator[Finding]:
    """Live in the older version, compare what both make of it, then update without a pause."""
    with ExitStack() as stack:
        shelf = Shelf(database, folder)
        stack.callback(shelf.close)
        world = _open(stack, shelf, folder, old_root)
        live(world)
        world.shop.stop()
        _tell(world, "the older version has lived through everything")
        yield from _compare(world, shelf, folder, new_root, plants)
        if not plants:  # found by then
            yield from rolling.update_while_it_sells(world, new_root)
            _tell(world, "both versions have worked side by side")


def _open(stack: ExitStack, shelf: Shelf, folder: Path, root: Path) -> World:
    mail = stack.enter_context(running_mail_server())
    url, database_url = f"http://127.0.0.1:{free_port()}", shelf.new("live")
    bench = start_workbench(folder, url, root=root)
    shop = new_version("older", root, folder, database_url, bench, url=url, smtp_url=mail.url)
    stack.callback(_stop_workbench, shop)
    stack.callback(shop.stop)
    return open_world(shop, Books(database_url), mail)


def _stop_workbench(shop: Version) -> None:
    """Stop the simulated Stripe that the shop has by then."""
    shop.workbench.stop()


def _compare(world: World, shelf: Shelf, folder: Path, new_root: Path, plants: list[str]) -> Iterator[Finding]:
    """Migrate a copy, verify it, and compare all words with those of a copy that stayed as it was."""
    with copied(world, shelf, folder, new_root) as sides:
        before = sides.new.books.revision()
        sides.new.shop.run("db", "upgrade")
        plant_in_books(plants, sides.new.books)
        click.echo(f"  migrated from {before} to {sides.new.books.revision()}")
        click.echo(f"  {sides.new.shop.run('ledger', 'verify').strip()}")
        pages = yield from comparing.compare_pages(world, sides)
        _tell(world, f"{pages} pages of the day are compared")
        yield from comparing.compare_the_morning_after(world, sides)
        _tell(world, f"{len(sides.old.mail.arrived)} messages and the pages of the next morning are compared")
        yield from comparing.verify(sides.new)


def _tell(world: World, what: str) -> None:
    click.echo(f"  {time.monotonic() - world.started:4.0f} s: {what}")


if __name__ == "__main__":
    sys.exit(main())
