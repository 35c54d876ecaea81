"""One purchase lived through: bought, paid, waited for, redeemed, undone, paid back or disputed, as the plan says."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.delivery.mail_servers import MailServer
from tests.faults.checker import Exchange
from tests.faults.mailroom import Mailroom
from tests.faults.people import PATIENCE_SECONDS, PAUSE_SECONDS, Desk, GaveUpError, Office, Person
from tests.faults.plan import Act, Life
from tests.faults.records import Records
from tests.faults.shop import RiggedShop

MAIL_SECONDS = 180


@dataclass
class World:
    """Where lives are lived: the shop, the mailroom, the sign-in of staff, and what everybody hears."""

    shop: RiggedShop
    mail: MailServer
    mailroom: Mailroom
    staff_cookies: dict[str, str]
    records: Records = field(default_factory=Records)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def pay(self, recipient: str, *, amount_cents: int = 100_00) -> str:
        """Buy a certificate and close the browser; return the session's id."""
        person = Person(self.shop, self.records)
        fields = {"gifts-0-amount": f"{amount_cents // 100}", "gifts-0-recipient_email": recipient}
        address = person.place(buyer_email=f"buyer.of.{recipient}", **fields)
        person.pay(address, "pay_no_return")
        return _session_id(address)

    def buy(self, recipient: str, *, amount_cents: int = 100_00) -> str:
        """Buy a certificate and come back; return the address of the order's page."""
        person = Person(self.shop, self.records)
        fields = {"gifts-0-amount": f"{amount_cents // 100}", "gifts-0-recipient_email": recipient}
        page = person.pay(person.place(buyer_email=f"buyer.of.{recipient}", **fields))
        person.ask("GET", page)
        return page

    def office(self) -> Office:
        """Return a desk in the office, where the owner has signed in."""
        return Office(self.shop, self.records, self.staff_cookies)

    def desk(self) -> Desk:
        """Return a till of its own, where the owner has signed in."""
        return Desk(self.shop, self.records, self.staff_cookies)


def bought_certificate(world: World, recipient: str, *, amount_cents: int) -> str:
    """Buy a certificate, wait for it and find it at a till; return its public id."""
    world.buy(recipient, amount_cents=amount_cents)
    return world.desk().find(world.mailroom.wait_for_code(recipient, MAIL_SECONDS))


def live(life: Life, world: World) -> None:
    """Live through one purchase; whatever is not heard of in time is a violation, not an error."""
    world.begun.release()
    try:
        _live(life, world)
    except GaveUpError as gave_up:
        with world.records.lock:
            world.records.unclear.append(f"life {life.number}: nothing definite was heard: {gave_up}")


def _live(life: Life, world: World) -> None:
    person = Person(world.shop, world.records)
    recipient = f"recipient{life.number}@example.com"
    amount = f"{life.amount_cents // 100}"
    fields = {"gifts-0-amount": amount, "gifts-0-recipient_email": recipient}
    address = person.place(buyer_email=f"buyer{life.number}@example.com", **fields)
    session_id = _session_id(address)
    if not _pay(life, world, person, address, session_id):
        return
    world.records.count("purchases")
    code = world.mailroom.wait_for_code(recipient, MAIL_SECONDS)
    if not code:
        raise GaveUpError(f"the gift for {recipient} did not come")
    if life.acts:
        _act_all(life, world, code, session_id)


def _pay(life: Life, world: World, person: Person, address: str, session_id: str) -> bool:
    """Pay as this buyer does; False when nothing was paid."""
    if life.payment in ("forge", "abandon"):
        if life.payment == "forge":
            _forge(world, session_id)
        return False
    if life.payment == "decline":
        person.pay(address, "decline")
    page = person.pay(address, "pay_no_return" if life.payment == "pay_no_return" else "pay")
    if page:
        person.ask("GET", page)
    return True


def _forge(world: World, session_id: str) -> None:
    """Tell the shop that an unpaid session is complete: once signed by a stranger, once rightly signed but untrue."""
    told = {"type": "checkout.session.completed", "object": session_id}
    by_a_stranger = {**told, "sign": {"secret": "whsec_of_a_stranger"}}
    for event, expected in ((by_a_stranger, 400), (told, 200)):
        code = _tell_until_answered(world, event)
        if code != expected:
            world.records.complain(f"a forged event was answered {code}, not {expected}")
        world.records.count("forged events")


def _tell_until_answered(world: World, event: dict[str, object]) -> int:
    """Have an event posted until the shop is there to answer it; return how it answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        (answer,) = world.shop.workbench.post("/events", event)["answers"]
        if answer["code"] is not None and answer["code"] < 500:
            return int(answer["code"])
        time.sleep(PAUSE_SECONDS)
    raise GaveUpError("a forged event")


def _act_all(life: Life, world: World, code: str, session_id: str) -> None:
    desk = world.desk()
    public_id = desk.find(code)
    done: list[Exchange] = []
    for act in life.acts:
        if act.kind in ("redeem", "at once"):
            done = _redeem(act, world, desk, public_id)
        elif act.kind == "undo":
            _undo_last(desk, done)
        elif act.kind == "refund":
            _refund(act, world, public_id, life, done)
        else:
            _dispute(act, world, session_id)


def _redeem(act: Act, world: World, desk: Desk, public_id: str) -> list[Exchange]:
    """Take the amounts off one after the other, or all at once from as many tills."""
    if act.kind == "redeem":
        return [desk.redeem(public_id, cents) for cents in act.amounts]
    desks = [world.desk() for _ in act.amounts]
    with ThreadPoolExecutor(len(desks)) as pool:
        return list(pool.map(lambda desk, cents: desk.redeem(public_id, cents), desks, act.amounts))


def _undo_last(desk: Desk, done: list[Exchange]) -> None:
    taken = [each for each in done if each.outcome == "accepted"]
    if taken:
        desk.undo(taken[-1])


def _refund(act: Act, world: World, public_id: str, life: Life, done: list[Exchange]) -> None:
    """Pay back a part, or what should be left; the shop may refuse, and then nothing may have moved."""
    spent = sum(each.amount_cents for each in done if each.outcome == "accepted")
    amount_cents = act.amounts[0] or max(1, life.amount_cents - spent)
    world.office().pay_back(public_id, amount_cents, key=f"fault-refund-{life.number:08}")


def _dispute(act: Act, world: World, session_id: str) -> None:
    dispute_id = world.shop.workbench.post("/disputes", {"session": session_id})["id"]
    world.records.count("disputes")
    if act.ending:
        time.sleep(0.5)
        world.shop.workbench.post(f"/disputes/{dispute_id}/close", {"status": act.ending})


def _session_id(address: str) -> str:
    parts = urlsplit(address)
    return parse_qs(parts.query).get("session_id", [parts.path.rsplit("/", 1)[1]])[0]
