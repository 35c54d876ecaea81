"""A year of a shop in two minutes: everything that can happen to orders, lived through with the older version."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.delivery.mail_servers import MailServer
from tests.faults.mailroom import Mailroom
from tests.upgrade.base import RehearsalError
from tests.upgrade.books import Books, Row
from tests.upgrade.people import DESK, MANAGER, OWNER, Colleague, Purchase
from tests.upgrade.programs import PATIENCE_SECONDS, Version, until

UNKNOWN_ADDRESS = "nobody@example.com"
ZONE = ZoneInfo("America/Denver")
"""Where the sample practice is."""


@dataclass
class World:
    """A running shop of the older version, who works there, and every purchase by its name."""

    shop: Version
    books: Books
    mail: MailServer
    owner: Colleague
    manager: Colleague
    desk: Colleague
    began_on: date = field(default_factory=lambda: datetime.now(ZONE).date())
    started: float = field(default_factory=time.monotonic)
    purchases: dict[str, Purchase] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mailroom = Mailroom(self.mail)

    @property
    def morning_after(self) -> datetime:
        """The moment, a day later, at which the daily mail is due and what was to go out on that day."""
        day = self.began_on + timedelta(days=1)
        return datetime(day.year, day.month, day.day, 10, tzinfo=ZONE).astimezone(UTC)

    def day(self, later: int) -> str:
        """Return the day so many days after the first, as a form takes it."""
        return (self.began_on + timedelta(days=later)).isoformat()

    def place(self, name: str, *gifts: dict[str, str], shop: Version | None = None) -> Purchase:
        """Place an order of somebody called `name`, and arrive at Stripe."""
        person = Purchase(shop or self.shop, email=f"{name}.buys@example.com")
        self.purchases[name] = person
        return person.place(*gifts)

    def buy(self, name: str, *gifts: dict[str, str], shop: Version | None = None) -> Purchase:
        """Buy, and wait until the shop knows that it was paid."""
        person = self.place(name, *gifts, shop=shop).pay()
        until(lambda: self.order(name)["state"] in ("fulfilled", "in_review"), f"the order of {name} is paid")
        return person

    def order(self, name: str) -> Row:
        """Return the row of somebody's order."""
        return self.books.order_of(f"{name}.buys@example.com")

    def code(self, recipient: str) -> str:
        """Return the code that was mailed to somebody."""
        if recipient not in self.codes:
            self.codes[recipient] = self.mailroom.wait_for_code(f"{recipient}@example.com", PATIENCE_SECONDS)
        return self.codes[recipient]

    def certificate(self, name: str, number: int = 0) -> str:
        """Return the public id of a certificate of somebody's order."""
        return str(self.books.certificates_of(self.order(name)["id"])[number]["public_id"])

    def stripe(self, path: str, **body: object) -> Row:
        """Have the simulated Stripe do something."""
        return self.shop.workbench.post(path, dict(body))

    def of_payment(self, name: str) -> dict[str, str]:
        """Name the payment of an order as Stripe is told which one is meant."""
        return {"session": self.purchases[name].session_id}

    def until_alert(self, kind: str, *, least: int = 1) -> None:
        """Wait until the shop has raised so many alerts of a kind."""
        count = "SELECT count(*) FROM alert WHERE kind = :kind"
        until(lambda: self.books.one(count, kind=kind) >= least, f"an alert {kind}")

    def reconcile(self) -> str:
        """Have the shop compare itself with Stripe; problems are named, and may be."""
        told = ""
        with suppress(RehearsalError):
            told = self.shop.run("orders", "reconcile")
        return told


def open_world(shop: Version, books: Books, mail: MailServer) -> World:
    """Make the database, open the shop and let its staff sign in."""
    shop.run("db", "upgrade")
    shop.run("seed")
    shop.start_web()
    shop.start_worker()
    owner, manager, desk = let_all_in(shop)
    mail.refused = UNKNOWN_ADDRESS
    return World(shop, books, mail, owner, manager, desk)


def let_all_in(shop: Version) -> list[Colleague]:
    """Sign in the owner, the manager and the front desk, at once: a command for each code takes its time."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda email: Colleague(shop).sign_in(email), (OWNER, MANAGER, DESK)))
