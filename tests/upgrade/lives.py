"""What happens in the world, one function for each sort of thing; each goes through pages and the simulated Stripe."""

from collections.abc import Callable

from tests.upgrade.base import RehearsalError
from tests.upgrade.people import gift
from tests.upgrade.programs import until
from tests.upgrade.world import UNKNOWN_ADDRESS, World
from tests.workbench.running import stripe_client

PRINT, TO_BUYER = {"delivery": "print"}, {"delivery": "buyer"}


def sell_several(world: World) -> None:
    """Sell several gifts at once: mailed now, tomorrow and later, to print, to the buyer; use, undo, note, search."""
    gifts = (
        gift("ana", message="Your shoulders have carried enough."),
        gift("bor", "", offer="60-minutes", **PRINT),
        gift("cvita", deliver_on=world.day(1)),
        gift("dino", deliver_on=world.day(5)),
        gift("ema", "40", **TO_BUYER, quantity="2"),
    )
    person = world.buy("family", *gifts)
    world.desk.redeem(world.code("ana"), "30", note="left shoulder first")
    entry = world.desk.redeem(world.code("ana"), "20")
    world.desk.undo(world.code("ana"), entry)
    world.manager.undo(world.code("ana"), world.desk.redeem(world.code("ana"), "5"), reason="wrong guest")
    world.codes |= {f"of family {number}": code for number, code in enumerate(person.codes())}
    world.desk.redeem(world.codes["of family 0"], "95")
    page = f"/office/orders/{world.order('family')['id']}"
    world.manager.done(world.manager.send(page, f"{page}/note", text="Called: likes it quiet"))
    world.manager.send("/redeem", code="Ana")


def change_gifts(world: World) -> None:
    """Let buyers change where gifts go: another address, another day, not at all."""
    person = world.buy("changer", gift("fran", deliver_on=world.day(3)), gift("gita", deliver_on=world.day(4)))
    page = f"/orders/{person.token}/gifts"
    person.done(person.send(f"{page}/1", f"{page}/1/day", day=world.day(6)))
    person.done(person.send(f"{page}/2", f"{page}/2/cancel"))
    person = world.buy("corrector", gift("hana", recipient_email="hannah@example.com"))
    state = "SELECT state FROM delivery WHERE to_address = 'hannah@example.com'"
    until(lambda: world.books.one(state) == "sent", "the gift went to the wrong address")
    page = f"/orders/{person.token}/gifts/1"
    person.done(person.send(page, f"{page}/address", address="hana@example.com"))
    world.code("hana")


def refund(world: World) -> None:
    """Pay back: in part, all of it, failed later, in the dashboard, refused, and one that still waits."""
    for name in ("settled", "failing", "dashboard", "refused", "pending", "wholly"):
        world.buy(name, gift(f"{name}.guest"))
        world.code(f"{name}.guest")
    world.owner.act(world.certificate("settled"), "refund", amount="30")
    world.owner.act(world.certificate("wholly"), "refund", amount="100")
    world.owner.act(world.certificate("failing"), "refund", amount="25")
    at_stripe = world.books.one(
        "SELECT stripe_refund_id FROM refund WHERE order_id = :id", id=world.order("failing")["id"]
    )
    world.stripe(f"/refunds/{at_stripe}/fail")
    world.stripe("/refunds", **world.of_payment("dashboard"), amount=4000)
    world.stripe("/disputes", **world.of_payment("refused"), hook={"drop": -1})
    world.owner.act(world.certificate("refused"), "refund", amount="10")
    world.stripe("/refund-status", status="pending")
    world.owner.act(world.certificate("pending"), "refund", amount="15")
    world.stripe("/refund-status", status="succeeded")
    world.until_alert("refund_failed")


def dispute(world: World) -> None:
    """Let banks dispute: one is open, one lost after some was used, one won, one only asked about, one warned of."""
    for name in ("open", "lost", "won", "asked", "warned"):
        world.buy(name, gift(f"{name}.guest"))
        world.code(f"{name}.guest")
    world.desk.redeem(world.code("lost.guest"), "60")
    opened = {name: world.stripe("/disputes", **world.of_payment(name))["id"] for name in ("open", "lost", "won")}
    world.stripe("/disputes", **world.of_payment("asked"), status="warning_needs_response")
    world.stripe("/warnings", **world.of_payment("warned"))
    count = "SELECT count(*) FROM dispute"
    until(lambda: world.books.one(count) >= 4, "the shop has heard of four disputes")
    for name in ("lost", "won"):
        world.stripe(f"/disputes/{opened[name]}/close", status=name)
    world.until_alert("dispute_lost")
    world.until_alert("fraud_warning")


def review(world: World) -> None:
    """Put orders in review: as it is, one whose payback Stripe refuses, one warned of, one accepted, one paid back."""
    for name in ("short", "stuck", "suspect", "accepted", "returned"):
        person = world.place(name, gift(f"{name}.guest", "50"))
        world.stripe(f"/objects/{person.session_id}", amount_total=4000)
        person.pay()
        until(lambda name=name: world.order(name)["state"] == "in_review", f"the order of {name} is in review")
    world.stripe("/warnings", **world.of_payment("suspect"))
    noted = "SELECT count(*) FROM trail_event WHERE kind = 'fraud_warning'"
    until(lambda: world.books.one(noted) > 0, "the warning is noted")
    world.stripe("/disputes", **world.of_payment("stuck"), hook={"drop": -1})
    page = f"/office/orders/{world.order('stuck')['id']}"
    world.owner.send(page, f"{page}/pay-back", reason="not ours")
    for name, decision in (("accepted", "accept"), ("returned", "pay-back")):
        page = f"/office/orders/{world.order(name)['id']}"
        world.owner.done(world.owner.send(page, f"{page}/{decision}", reason="a discount we gave"))


def leave_unpaid(world: World) -> None:
    """Leave orders unpaid in every way: left, declined, waiting for the bank, refused by it, out of time."""
    world.place("leaver", gift("iva")).pay("cancel")
    world.place("declined", gift("jan"))
    world.stripe(f"/sessions/{world.purchases['declined'].session_id}/settle", outcome="decline")
    world.purchases["declined"].pay("cancel")
    for name, outcome in (("waiter", "pay_later_ok"), ("bounced", "pay_later_fail")):
        person = world.place(name, gift(f"{name}.guest"))
        person.pay("cancel")
        world.stripe(f"/sessions/{person.session_id}/settle", outcome=outcome)
        until(lambda name=name: world.order(name)["state"] == "processing", f"the order of {name} is at the bank")
    world.stripe(f"/sessions/{world.purchases['bounced'].session_id}/arrive", outcome="fail")
    until(lambda: world.order("bounced")["state"] == "failed", "the bank's no is known")
    world.place("late", gift("kata")).pay("cancel")
    world.stripe(f"/sessions/{world.purchases['late'].session_id}/expire")
    until(lambda: world.order("late")["state"] == "expired", "the page is out of time")


def be_refused_by_stripe(world: World) -> None:
    """Send a buyer to a shop whose key Stripe does not know, so that no payment page opens."""
    stranger = world.shop.beside(STRIPE_SECRET_KEY="sk_test_sim_revoked0123456789")
    stranger.start_web()
    try:
        world.place("stranded", gift("lea"), shop=stranger)
    finally:
        stranger.stop()
    world.purchases["stranded"].shop = world.shop
    world.until_alert("checkout_refused")


def act_by_hand(world: World) -> None:
    """Put on hold, release, give a new code, end for good; a message that nobody takes; wrong codes at the counter."""
    for name in ("held", "released", "renewed", "ended"):
        world.buy(name, gift(f"{name}.guest", "80"))
        world.code(f"{name}.guest")
    world.manager.act(world.certificate("held"), "freeze")
    world.manager.act(world.certificate("released"), "freeze")
    world.manager.act(world.certificate("released"), "unfreeze")
    world.manager.act(world.certificate("renewed"), "reissue")
    world.owner.act(world.certificate("ended"), "void")
    world.buy("unlucky", gift("mia", recipient_email=UNKNOWN_ADDRESS))
    for number in range(20):
        world.desk.send("/redeem", code=f"{number:016}")
    world.until_alert("many_failed_scans")


def confuse(world: World) -> None:
    """Have Stripe tell of what is not in the books: a payment without an order, an event of real money."""
    shop = world.books.one("SELECT instance_id FROM installation")
    line = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": "Gift certificate"}}
    sold: dict[str, object] = {
        "mode": "payment",
        "success_url": f"{world.shop.url}/",
        "metadata": {"shop": shop, "order_id": "o_nobody_knows", "attempt": "1"},
        "line_items": [{"quantity": 1, "price_data": line}],
    }
    session = stripe_client(world.shop.workbench).v1.checkout.sessions.create(params=sold)  # type: ignore[arg-type]
    world.stripe(f"/sessions/{session.id}/settle", outcome="pay", hook={"drop": -1})
    known = world.purchases["settled"].session_id
    world.stripe("/events", type="checkout.session.completed", object=known, event={"livemode": True})
    world.until_alert("wrong_mode_event")
    world.reconcile()
    world.until_alert("session_without_order")
    alert = world.books.one("SELECT id FROM alert WHERE kind = 'wrong_mode_event'")
    world.owner.done(world.owner.send("/office/", f"/office/alerts/{alert}/done"))


def leave_messages_waiting(world: World) -> None:
    """Go on selling while nobody sends mail, so that messages and their jobs wait in the database."""
    world.buy("waiting", gift("nina"), gift("oto", deliver_on=world.day(1)), gift("pia", **TO_BUYER))
    world.buy("printer", gift("rea", **PRINT))
    world.codes["of print"] = world.purchases["printer"].codes()[0]
    world.desk.redeem(world.codes["of print"], "10")
    world.desk.redeem(world.code("released.guest"), "12")
    world.owner.act(world.certificate("settled"), "refund", amount="20")
    world.manager.act(world.certificate("won"), "reissue")


_WANTED = {
    "an order that is %s": (
        'SELECT state FROM "order"',
        "awaiting_payment processing fulfilled expired failed in_review refunded",
    ),
    "a refund that is %s": ("SELECT state FROM refund", "held settled released returned"),
    "a dispute that is %s": ("SELECT status FROM dispute", "needs_response lost won warning_needs_response"),
    "a message that is %s": ("SELECT state FROM delivery", "scheduled sent failed cancelled"),
    "a certificate that is %s": ("SELECT status FROM certificate", "active frozen void"),
    "an event of kind %s": (
        "SELECT kind FROM trail_event",
        "payback_refused fraud_warning found_by_search scan_failed",
    ),
    "an alert of kind %s": (
        "SELECT kind FROM alert",
        "checkout_refused refund_failed dispute_lost fraud_warning in_review many_failed_scans session_without_order",
    ),
}
"""What the world must hold in the end, so that nothing is missing from it without anybody noticing."""

LIVES: tuple[Callable[[World], None], ...] = (
    sell_several,
    change_gifts,
    refund,
    dispute,
    review,
    leave_unpaid,
    be_refused_by_stripe,
    act_by_hand,
    confuse,
)


def live(world: World) -> None:
    """Live through all of it; at the end some messages have gone out, and some wait."""
    for each in LIVES:
        each(world)
    told = "SELECT count(*) FROM delivery WHERE kind = 'unreached'"
    until(lambda: world.books.one(told) > 0, "the buyer is told that a gift did not arrive")
    until(world.books.is_quiet, "no job waits")
    world.shop.stop_workers()
    leave_messages_waiting(world)
    _refuse_gaps(world)


def _refuse_gaps(world: World) -> None:
    """Make sure that all of it has happened. Raises RehearsalError."""
    for what, (question, names) in _WANTED.items():
        found = {value for row in world.books.ask(question) for value in row.values()}
        if missing := [name for name in names.split() if name not in found]:
            raise RehearsalError(f"The world lacks {what % missing[0]}.")
