"""Compares what both versions make of the same books: the words of every page, every paper and every message."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tests.upgrade.base import RehearsalError
from tests.upgrade.findings import Finding
from tests.upgrade.people import OWNER, Colleague, Person
from tests.upgrade.programs import until
from tests.upgrade.reading import Reader, reader
from tests.upgrade.sides import Side, Sides
from tests.upgrade.words import differences, words_of_message
from tests.upgrade.world import World

OFFICE, COUNTER = r"/office(/|$|\?)", r"/redeem($|/|\?)"
ORDERS_ONLY = r"/office/(orders(/[0-9]+)?($|\?)|$)"
STRANGERS = r"/(orders/|c/|articles|terms|balance|gift)"
SEARCHES = ("q=Ana", "q=G-1001", "q=family.buys@example.com", "state=in_review", "state=refunded", "q=nothing+fits")
OF_A_KIND = 4
"""How many messages of each kind are sent once more by both versions."""


def compare_pages(world: World, sides: Sides) -> Generator[Finding, None, int]:
    """Read everything with both versions at this moment, as everybody who may read it; return how many pages it was."""
    sides.open(datetime.now(UTC))
    pages = yield from _read_as_stranger(world, sides)
    for name, person in world.purchases.items():
        buyer = _reader(f"the buyer {name}", sides, rf"/(orders/{person.token}|c/)", person)
        yield from buyer.read_all([f"/orders/{person.token}"])
        pages += buyer.answers
    for who, person, follows in (
        ("the owner", world.owner, rf"{OFFICE}|{COUNTER}"),
        ("the manager", world.manager, rf"{ORDERS_ONLY}|{COUNTER}"),
        ("the desk", world.desk, rf"{ORDERS_ONLY}|{COUNTER}"),
    ):
        colleague = _reader(who, sides, follows, person)
        yield from _read_at_work(colleague, world)
        yield from _name_unread(colleague, sides.old) if who == "the owner" else ()
        pages += colleague.answers
    return pages


def compare_the_morning_after(world: World, sides: Sides) -> Iterator[Finding]:
    """Let both versions send what waits, what was sent before, and the daily mail, a day later; then read again."""
    sides.open(world.morning_after)
    owners = _owners(sides)
    yield from _compare_reconciling(sides)
    for message in _some_of_each_kind(sides.old):
        yield from owners.send(f"/office/messages/{message['id']}/resend", address=message["to_address"])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_send_everything, (sides.old, sides.new)))
    yield from compare_messages(sides)
    yield from owners.read_all(["/office/", "/office/orders"])
    for name, person in world.purchases.items():
        yield from _reader(f"the buyer {name}, next day", sides, "/nowhere").read_all([f"/orders/{person.token}"])


def compare_messages(sides: Sides) -> Iterator[Finding]:
    """Compare what arrived at both mail servers, message by message; each must have come to both, and once."""
    old, new = (_arrived(side) for side in (sides.old, sides.new))
    for name in sorted(old.keys() | new.keys()):
        of_old, of_new = old.get(name, []), new.get(name, [])
        if (len(of_old), len(of_new)) != (1, 1):
            yield Finding(f"message {name}", f"came {len(of_old)} times from the older, {len(of_new)} from the newer")
            continue
        yield from (Finding(f"message {name}", *line) for line in differences(of_old[0], of_new[0]))


def _read_as_stranger(world: World, sides: Sides) -> Generator[Finding, None, int]:
    """Read what anybody may, and what whoever holds a code may; return how many pages it was."""
    stranger = _reader("a stranger", sides, STRANGERS)
    yield from stranger.read_all(["/", "/terms", "/articles", "/gift", "/balance", "/c/0000-0000-0000-0000"])
    yield from stranger.read_all([f"/c/{code}" for code in world.codes.values()])
    yield from stranger.send("/balance", code=next(iter(world.codes.values())))
    return stranger.answers


def _reader(name: str, sides: Sides, follows: str, known: Person | None = None) -> Reader:
    return reader(name, sides.old.shop, sides.new.shop, follows, cookies=known.browser if known else None)


def _read_at_work(colleague: Reader, world: World) -> Iterator[Finding]:
    """Find every certificate at the counter, search, and read whatever opens from there."""
    for typed in (*world.codes.values(), "0000 0000 0000 0000", "no code", "Ana", "G-1001", "ema@example.com"):
        yield from colleague.send("/redeem", code=typed)
    found = [row["public_id"] for row in world.books.ask("SELECT public_id FROM certificate ORDER BY id")]
    yield from colleague.read_all(
        [*(f"/redeem/{each}" for each in found), *(f"/redeem/{each}?again=1" for each in found)]
    )
    yield from colleague.read_all(["/office/", "/office/orders", *(f"/office/orders?{each}" for each in SEARCHES)])


def _name_unread(colleague: Reader, side: Side) -> Iterator[Finding]:
    """Name what is in the books and was on no page that was read, or whose page the older version did not show."""
    for question, address in (
        ('SELECT id FROM "order"', "/office/orders/{}"),
        ("SELECT id FROM dispute", "/office/disputes/{}/evidence.pdf"),
        ("SELECT public_id FROM certificate WHERE status = 'active'", "/office/certificates/{}/reissue"),
        ("SELECT id FROM delivery WHERE state = 'failed'", "/office/messages/{}/resend"),
    ):
        for row in side.books.ask(question):
            path = address.format(*row.values())
            if colleague.read.get(path) != 200:
                yield Finding("the rehearsal itself", f"{path} was not read: {colleague.read.get(path)}")


def _owners(sides: Sides) -> Reader:
    """Return the owner, newly signed in at both versions."""
    owners = _reader("the owner, next day", sides, r"/office/(orders|disputes)")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: Colleague(each.shop, each.browser).sign_in(OWNER), (owners.old, owners.new)))
    return owners


def _compare_reconciling(sides: Sides) -> Iterator[Finding]:
    """Let both compare the books with their Stripe: both must say the same."""
    with ThreadPoolExecutor(2) as pool:
        old, new = pool.map(_reconcile, (sides.old, sides.new))
    yield from (Finding("flask orders reconcile", *line) for line in differences(old.split(), new.split()))


def _reconcile(side: Side) -> str:
    try:
        return side.shop.run("orders", "reconcile")
    except RehearsalError as problems:
        return str(problems).partition(": ")[2]


def _some_of_each_kind(side: Side) -> list[dict[str, object]]:
    """Return a few of the messages of each kind that have gone out, and were not sent again."""
    sent = side.books.ask(
        "SELECT id, kind, to_address FROM delivery d WHERE state = 'sent' AND order_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM delivery again WHERE again.replaces_id = d.id) ORDER BY id"
    )
    kinds = dict.fromkeys(row["kind"] for row in sent)
    return [row for kind in kinds for row in [each for each in sent if each["kind"] == kind][:OF_A_KIND]]


def verify(side: Side) -> Iterator[Finding]:
    """Have a version verify its copy, with both audits, after all that it has done to it."""
    try:
        side.shop.run("ledger", "verify")
    except RehearsalError as error:
        yield Finding("flask ledger verify", str(error))


def _send_everything(side: Side) -> None:
    """Run a worker until the daily mail is out, news are told, and nothing is left to send at this moment."""
    daily, used = (
        "SELECT count(*) FROM delivery WHERE kind = 'daily'",
        "SELECT count(*) FROM delivery WHERE kind = 'used'",
    )
    before = [side.books.one(each) for each in (daily, used)]
    side.shop.start_worker()
    until(
        lambda: all(side.books.one(each) > count for each, count in zip((daily, used), before, strict=True)),
        f"the {side.shop.name} worker makes the daily mail and tells news",
    )
    waits = "SELECT count(*) FROM delivery WHERE state = 'scheduled' AND to_address = 'oto@example.com'"
    until(lambda: not side.books.one(waits) and side.books.is_quiet(), f"the {side.shop.name} worker sends all")
    side.shop.stop_workers()


def _arrived(side: Side) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for each in side.mail.arrived:
        found.setdefault(str(each.message["Message-ID"]).strip(), []).append(words_of_message(each.raw))
    return found
