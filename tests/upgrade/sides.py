"""Two copies of the world: one stays with the older version, one is migrated; each has its own Stripe and mail server.

Their clocks stand still, at one moment for both, so that the same act leaves the same words behind.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tests.delivery.mail_servers import MailServer, running_mail_server
from tests.upgrade.books import Books, Shelf, copy_sqlite
from tests.upgrade.programs import Version
from tests.upgrade.world import UNKNOWN_ADDRESS, World
from tests.workbench.running import start_workbench


@dataclass
class Side:
    """One version with its copy of everything."""

    shop: Version
    books: Books
    mail: MailServer

    def open(self, moment: datetime) -> None:
        """Let the pages answer, at a moment that does not pass."""
        self.shop.stop()
        self.shop = self.shop.beside(REHEARSAL_MOMENT=str(moment.timestamp()))
        self.shop.start_web()


@dataclass
class Sides:
    """Both copies."""

    old: Side
    new: Side

    def open(self, moment: datetime) -> None:
        """Let both versions answer at the same moment."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda side: side.open(moment), (self.old, self.new)))


@contextmanager
def copied(world: World, shelf: Shelf, folder: Path, new_root: Path) -> Iterator[Sides]:
    """Copy the world, which rests, for both versions; nothing is migrated yet."""
    with ExitStack() as stack:
        sides = [
            _side(stack, world, name, root, folder, shelf.copy("live", f"copy_{name}"))
            for name, root in (("older", world.shop.root), ("newer", new_root))
        ]
        yield Sides(*sides)


def _side(stack: ExitStack, world: World, name: str, root: Path, folder: Path, database_url: str) -> Side:
    home = folder / f"copy_{name}"
    home.mkdir()
    copy_sqlite(folder / "workbench.sqlite", home / "workbench.sqlite")
    mail = stack.enter_context(running_mail_server())
    mail.refused = UNKNOWN_ADDRESS
    bench = stack.enter_context(start_workbench(home, root=root))
    shop = replace(world.shop, workbench=bench).beside(
        name=name,
        root=root,
        log=home / "shop.log",
        DATABASE_URL=database_url,
        SMTP_URL=mail.url,
        STRIPE_API_BASE=bench.url,
    )
    side = Side(shop, Books(database_url), mail)
    stack.callback(_stop, side)
    return side


def _stop(side: Side) -> None:
    """Stop whatever runs of a side by then."""
    side.shop.stop()
