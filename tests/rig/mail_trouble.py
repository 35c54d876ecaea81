"""A real mail server refuses the shop, its sender, sign-in, message or a recipient: what the shop makes of each."""

import ssl
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import requests
from playwright.sync_api import expect

from giftshop.delivery.faults import MailFault
from giftshop.delivery.mailer import Mailer, MailError
from tests.rig import people
from tests.rig.network import CHECKOUT, FOREIGN_MAIL, MAIL
from tests.rig.post import FULL, PASSWORD, SENDER, UNKNOWN, USER
from tests.rig.shop import BASE
from tests.rig.waiting import wait_for
from tests.rig.world import World

SIGNED_IN = f"{USER}:{quote(PASSWORD, safe='')}@"
ANA = "ana@friends.example"
CASES = [
    (f"smtp://{SIGNED_IN}{MAIL}:587", SENDER, ANA, 1, None),
    (f"smtps://{SIGNED_IN}{MAIL}:465", SENDER, ANA, 1, None),
    (f"smtp://{MAIL}:587", SENDER, ANA, 1, MailFault.SENDER_REFUSED),  # nobody is signed in to own it
    (f"smtp://{MAIL}:587", "else@practice.example", ANA, 1, MailFault.RELAY_REFUSED),
    (f"smtp://{USER}:wrong@{MAIL}:587", SENDER, ANA, 1, MailFault.SIGN_IN_REFUSED),
    (f"smtp://{SIGNED_IN}{MAIL}:587", SENDER, UNKNOWN, 1, MailFault.NO_SUCH_MAILBOX),
    (f"smtp://{SIGNED_IN}{MAIL}:587", SENDER, FULL, 1, MailFault.MAILBOX_FULL),
    (f"smtp://{SIGNED_IN}{MAIL}:587", SENDER, ANA, 4_000_000, MailFault.TOO_LARGE),
    (f"smtp://{SIGNED_IN}{MAIL}:2525", SENDER, ANA, 1, MailFault.NO_ENCRYPTION),
    (f"smtp://{SIGNED_IN}{FOREIGN_MAIL}:587", SENDER, ANA, 1, MailFault.FOREIGN_CERTIFICATE),
    (f"smtps://{SIGNED_IN}{MAIL}:587", SENDER, ANA, 1, MailFault.ENCRYPTION_FAILED),
    (f"smtp://{SIGNED_IN}{MAIL}:26", SENDER, ANA, 1, MailFault.NOT_LISTENING),
    (f"smtp://{SIGNED_IN}no-such-host.example:587", SENDER, ANA, 1, MailFault.NO_SUCH_HOST),
]


def each_refusal_of_postfix_is_what_it_is(world: World) -> None:
    """The mailer before a real server: the fault of each setting that is wrong."""
    assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 100
    before = len(world.post.sink.arrived)
    for url, sender, to_address, size, expected in CASES:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to_address, "a try"
        message.set_content(("x" * 70 + "\n") * (size // 70 + 1))
        found = None
        try:
            Mailer(sender=sender, smtp_url=url, mailbox_url="", mailbox_key="").send(message, to_address=to_address)
        except MailError as error:
            found = error.fault
        assert found == expected, (url, sender, to_address, found)
    wait_for(lambda: len(world.post.sink.arrived) >= before + 2, "what was taken is passed on")


def a_server_that_refuses_the_shop_is_said_and_everything_goes_at_the_end(world: World) -> None:
    """The sender is somebody else's all at once: buyer, owner and machines are told, one press sends everything."""
    world.post.own("somebody-else")
    try:
        _live_through_it(world)
    finally:
        world.post.own(USER)
    assert "alert mail_stuck about" in world.shop.log.read_text(errors="replace")


def _live_through_it(world: World) -> None:
    with people.chromium(world.folder, world.authority.path) as browser:
        page = people.open_page(browser)
        order = people.buy(page, recipient="late@friends.example", buyer="mia@friends.example", checkout=CHECKOUT)
        mail = wait_for(lambda: (told := _readiness())["mail"]["waiting"] >= 2 and told, "two emails wait")
        assert mail["ready"] is True
        (notice,) = [each for each in mail["notices"] if "emails wait" in each]
        assert "553 5.7.1" in notice, notice
        assert "late@friends.example" not in notice
        page.goto(order)
        text = page.inner_text("main")
        assert "Our emails don’t go out at the moment; it is not because of the address" in text, text
        assert "came back" not in page.inner_text("body")
        context = browser.new_context(locale="en-US")
        context.add_cookies(world.cookies)
        owner = context.new_page()
        owner.goto(f"{BASE}/office/")
        said = "Emails do not go out. The mail server refused our sender address."
        expect(owner.locator(".need > p").get_by_text(said)).to_have_count(1)
        world.post.own(USER)
        owner.wait_for_timeout(21_000)  # what was tried a moment ago is not tried at every press
        owner.get_by_role("button", name="Send all of them now").click()
        wait_for(lambda: _readiness()["mail"]["waiting"] == 0, "everything went")
        wait_for(lambda: _arrived(world, "late@friends.example"), "the gift arrives")
        owner.goto(f"{BASE}/office/")
        expect(owner.get_by_text("Emails do not go out.")).to_have_count(0)


def a_refused_recipient_ends_and_is_no_alert(world: World) -> None:
    """An address that the server does not know ends its message; a full mailbox waits."""
    with people.chromium(world.folder, world.authority.path) as browser:
        page = people.open_page(browser)
        unknown = people.buy(page, recipient=UNKNOWN, buyer="kim@friends.example", checkout=CHECKOUT)
        full = people.buy(page, recipient=FULL, buyer="kim@friends.example", checkout=CHECKOUT)
        for address, said in ((unknown, "email came back"), (full, f"the mailbox of {FULL} is full")):
            wait_for(lambda address=address, said=said: said in _text(page, address), said)  # type: ignore[misc]
    assert world.ask("SELECT count(*) FROM alert WHERE kind = 'mail_stuck' AND resolved_at IS NULL") == [(0,)]


def _text(page: "people.Page", address: str) -> str:
    page.goto(address)
    return page.inner_text("main")


def _readiness() -> dict[str, Any]:
    told: dict[str, Any] = requests.get(f"{BASE}/readyz", timeout=20).json()
    return told


def _arrived(world: World, address: str) -> bool:
    return any(address in mail.recipients for mail in world.post.sink.arrived)


CHECKS = (
    each_refusal_of_postfix_is_what_it_is,
    a_server_that_refuses_the_shop_is_said_and_everything_goes_at_the_end,
    a_refused_recipient_ends_and_is_no_alert,
)
