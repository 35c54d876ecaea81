"""An update without a pause: the database is migrated while the older version sells, then both run side by side."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.upgrade.base import RehearsalError
from tests.upgrade.findings import Finding
from tests.upgrade.jobs import Jobs, Ran, judge_jobs, read_jobs, read_jobs_again
from tests.upgrade.people import Colleague, Person, gift
from tests.upgrade.programs import Version, until
from tests.upgrade.world import World
from tests.workbench.running import start_workbench

MOST_GIFTS = 10
ORDERS_EACH = 4
"""How many orders of ten gifts each version sells while both run jobs: 44 deliveries of each."""
SALES_AFTER = 3
"""How many sales of the older version must go well after the migration."""


@dataclass
class Update:
    """The shop while it is updated: both versions on one database, behind one address."""

    world: World
    old: Version
    new: Version
    began: dict[str, list[int]] = field(default_factory=dict)
    """The orders of each part, which the jobs in question belong to."""

    def sell(self, part: str, shop: Version, *, orders: int, gifts: int = MOST_GIFTS) -> None:
        """Sell gifts through one version; the last gift of each order goes out tomorrow, the others at once."""
        for number in range(orders):
            name = f"{part}.{number}"
            later = {"deliver_on": self.world.day(1)}
            made = [gift(f"{name}.{place}", "25", **(later if place == gifts - 1 else {})) for place in range(gifts)]
            self.world.buy(name, *made, shop=shop)
            self.began.setdefault(part, []).append(self.world.order(name)["id"])

    def until_sent(self, part: str) -> None:
        """Wait until every message of a part's orders that was to go out at once is out."""
        orders = ", ".join(map(str, self.began.get(part, []))) or "NULL"
        waits = (
            f"SELECT count(*) FROM delivery d LEFT JOIN gift g ON g.id = d.gift_id WHERE d.order_id IN ({orders})"
            " AND d.state IN ('scheduled', 'sending') AND g.deliver_on IS NULL"
        )
        until(lambda: not self.world.books.one(waits), f"the messages of the part “{part}” are sent")


@dataclass
class Traffic(threading.Thread):
    """Somebody who buys and redeems at the older version again and again, whatever happens to its database."""

    update: Update
    desk: Colleague
    sold: int = 0
    trouble: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        world, number = self.update.world, 0
        while not self.is_over.is_set():
            number += 1
            try:
                person = world.buy(f"traffic.{number}", gift(f"traffic.{number}", "50", delivery="print"))
                self.desk.redeem(person.codes()[0], "20")
                self.sold += 1
            except Exception as error:
                self.trouble.append(f"purchase {number}: {type(error).__name__} {error}")
                time.sleep(1)


def update_while_it_sells(world: World, new_root: Path) -> Iterator[Finding]:
    """Migrate under the selling older version, change over process by process, and judge what came of every job."""
    old, new = world.shop, world.shop.beside(name="newer", root=new_root, log=world.shop.log.with_name("newer.log"))
    _renew_workbench(world, new_root)
    update = Update(world, old, new)
    try:
        old.start_web()
        old.start_worker()
        yield from _migrate(update)
        _hear_from_the_bank(world)
        yield from _only_the_other_runs(update)
        yield from _side_by_side(update)
        yield from _work_crosswise(update)
        yield from _read_through_both(update)
        jobs = _let_a_day_pass(update)
        workers = {shop.name: shop.worker_ids() for shop in (old, new)}
        yield from judge_jobs(world, [Ran(part, orders, workers) for part, orders in update.began.items()], jobs)
    finally:
        old.stop()
        new.stop()
    yield from _judge_books(update)


def _renew_workbench(world: World, root: Path) -> None:
    """Let the newer version's simulated Stripe take over what the older one's has kept, at the same address."""
    bench = world.shop.workbench
    bench.stop()
    folder, port = bench.log.parent, bench.url.rpartition(":")[2]
    world.shop.workbench = start_workbench(folder, world.shop.url, root=root, WORKBENCH_PORT=port)


def _migrate(update: Update) -> Iterator[Finding]:
    """Run the newer version's migrations while the older one's pages sell and redeem, and its worker sends."""
    traffic = Traffic(update, update.world.desk)
    traffic.start()
    until(lambda: traffic.sold or traffic.trouble, "the older version sells before")
    try:
        update.new.run("db", "upgrade")
    except RehearsalError as error:
        yield Finding("the migration while the older version sells", str(error))
    sold, trouble = traffic.sold, len(traffic.trouble)
    until(lambda: traffic.sold >= sold + SALES_AFTER or len(traffic.trouble) > trouble, "the older version sells after")
    traffic.is_over.set()
    traffic.join()
    for line in traffic.trouble:
        yield Finding("the older version, selling while its database is migrated", line)


def _hear_from_the_bank(world: World) -> None:
    """Let the bank confirm a payment that was begun before the migration; the older version hears of it."""
    world.stripe(f"/sessions/{world.purchases['waiter'].session_id}/arrive", outcome="ok")
    until(lambda: world.order("waiter")["state"] == "fulfilled", "the delayed payment has arrived")


def _only_the_other_runs(update: Update) -> Iterator[Finding]:
    """Let each version enqueue jobs that only the other one is there to run."""
    update.old.stop_workers()
    yield from _sell_at_once(update, {"older-for-newer": update.old}, orders=1)
    update.new.start_worker()
    yield from _expect_sent(update, "older-for-newer")
    update.new.start_web()
    update.new.stop_workers()
    yield from _sell_at_once(update, {"newer-for-older": update.new}, orders=1)
    update.old.start_worker()
    yield from _expect_sent(update, "newer-for-older")


def _expect_sent(update: Update, part: str) -> Iterator[Finding]:
    try:
        update.until_sent(part)
    except RehearsalError as error:
        yield Finding(f"jobs {part}", str(error))


def _side_by_side(update: Update) -> Iterator[Finding]:
    """Let both sell at once while both run jobs, until all that is due is sent."""
    update.new.start_worker()
    yield from _sell_at_once(update, {"of-older": update.old, "of-newer": update.new}, orders=ORDERS_EACH)
    for part in update.began:
        yield from _expect_sent(update, part)


def _sell_at_once(update: Update, sellers: dict[str, Version], *, orders: int) -> Iterator[Finding]:
    """Sell through each version at the same time; name what went wrong."""
    with ThreadPoolExecutor(len(sellers)) as pool:
        selling = {part: pool.submit(update.sell, part, shop, orders=orders) for part, shop in sellers.items()}
    for part, done in selling.items():
        try:
            done.result()
        except RehearsalError as error:
            yield Finding(f"selling {part}", str(error))


def _work_crosswise(update: Update) -> Iterator[Finding]:
    """Sell through one version and redeem, undo, pay back and note through the other, both ways round."""
    for seller, other in ((update.old, update.new), (update.new, update.old)):
        name = f"crosswise-{seller.name}"
        try:
            code = update.world.buy(name, gift(name, "60", delivery="print"), shop=seller).codes()[0]
            here, there = (Colleague(shop, update.world.owner.browser) for shop in (seller, other))
            entry = there.redeem(code, "20")
            here.undo(code, entry)
            here.redeem(code, "10")
            there.act(update.world.certificate(name), "refund", amount="15")
            page = f"/office/orders/{update.world.order(name)['id']}"
            there.done(there.send(page, f"{page}/note", text="seen by both"))
            here.act(update.world.certificate(name), "freeze")
        except RehearsalError as error:
            yield Finding(f"sold by the {seller.name} version, worked on by the {other.name} one", str(error))


def _read_through_both(update: Update) -> Iterator[Finding]:
    """Open the office's pages, and those of all orders, with each version: both must show what either has written."""
    orders = [row["id"] for row in update.world.books.ask('SELECT id FROM "order" ORDER BY id')]
    paths = ["/office/", "/office/orders", *(f"/office/orders/{each}" for each in orders)]
    for shop in (update.old, update.new):
        reader = Person(shop, update.world.owner.browser, insists=False)
        for path in paths:
            if (status := reader.get(path).status_code) != 200:
                yield Finding(f"the {shop.name} version, side by side", f"{path} was answered {status}")


def _let_a_day_pass(update: Update) -> Jobs:
    """Start the workers of both again as if it were tomorrow; return every job as it stood last."""
    before = read_jobs(update.world)
    moment = str(update.world.morning_after.timestamp())
    for shop in (update.old, update.new):
        shop.stop_workers()
        shop.environment["REHEARSAL_MOMENT"] = moment
        shop.start_worker()
    due = "SELECT count(*) FROM delivery d JOIN gift g ON g.id = d.gift_id WHERE d.state IN ('scheduled', 'sending')"
    tomorrow = f"{due} AND g.deliver_on = '{update.world.day(1)}'"
    until(lambda: not update.world.books.one(tomorrow), "what was to go out tomorrow is out")
    until(update.world.books.is_quiet, "no job waits")
    return read_jobs_again(update.world, before)


def _judge_books(update: Update) -> Iterator[Finding]:
    """Have the newer version verify the books that both have written, and compare them with Stripe twice."""
    new = update.new
    new.environment.pop("REHEARSAL_MOMENT", None)
    for words in (("ledger", "verify"), ("orders", "reconcile"), ("orders", "reconcile")):
        try:
            told = new.run(*words)
        except RehearsalError as error:
            told = str(error)
        is_good = "The ledger verifies" in told if words[0] == "ledger" else "changed" in told
        if not is_good:
            yield Finding(f"flask {' '.join(words)} after the update", told)
    if "changed 0" not in told:
        yield Finding("flask orders reconcile after the update", f"the second run still changes something: {told}")
