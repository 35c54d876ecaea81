"""Every state of a page that buyers and recipients may see, each reached as people reach it, with its HTTP status.

Nothing here knows the words of a page, so that they may change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import Flask
from playwright.sync_api import Page

from giftshop import clock
from giftshop.catalog.models import Offer, Practice
from giftshop.certificates import encryption, status
from giftshop.checkout.placing import place_order
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.orders.look_up import token_of
from giftshop.orders.models import CheckoutAttempt, Order
from giftshop.payments.gateway import StripeGateway
from giftshop.storefront.order.proof import _serializer
from tests import build

LONG = "Żaneta Đorđević-Łukaszewska von der Wolkenstein"
NAMES = {"Polish": LONG, "Vietnamese": "Nguyễn Thị Ánh", "Greek": "Ἀθηνᾶ Ελευθερίου", "Serbian": "Љубица Ђорђевић"}


@dataclass
class Guest:
    """A stranger with a browser, at the shop that answers at `url`."""

    app: Flask
    page: Page
    url: str

    def open(self, path: str) -> None:
        """Open a page; what the test has written is there by then."""
        db.session.commit()
        self.page.goto(self.url + path)

    def press(self, button: str) -> None:
        """Press a button and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.click(button)


def opened(path: str, guest: Guest) -> None:
    guest.open(path)


def paused(path: str, guest: Guest) -> None:
    db.session.get_one(Practice, 1).is_selling = False
    guest.open(path)


def without_offers(path: str, guest: Guest) -> None:
    db.session.query(Offer).update({"visibility": "retired"})
    guest.open(path)


def filled_in(guest: Guest, **changes: str) -> None:
    """Fill in the builder as people do, some fields otherwise."""
    guest.open("/gift")
    values = {"recipient_name": "Ana", "giver_name": "Marko", "recipient_email": "ana@example.com", **changes}
    for field, value in values.items():
        guest.page.fill(f"[name=gifts-0-{field}]", value)
    guest.page.fill("[name=buyer_email]", "marko@example.com")


def sent(guest: Guest, **changes: str) -> None:
    """Fill in the builder and go on to payment."""
    filled_in(guest, **changes)
    guest.press(".total button")


def sent_empty(guest: Guest) -> None:
    guest.open("/gift")
    guest.press("[name=add_gift]")
    guest.press(".total button")


def while_paused(reach: Callable[[Guest], None], guest: Guest) -> None:
    db.session.get_one(Practice, 1).is_selling = False
    reach(guest)


def unpaid_while_paused(guest: Guest) -> None:
    path = f"/orders/{token_of(placed())}"
    paused(path, guest)


def folded(guest: Guest) -> None:
    """Fill in ten gifts, nine of which are finished."""
    for number in range(9):
        guest.page.fill(f"[name=gifts-{number}-recipient_name]", "Ana") if number else filled_in(guest)
        if number:
            guest.page.fill(f"[name=gifts-{number}-recipient_email]", "ana@example.com")
        guest.press("[name=add_gift]")


def sent_without_cookies(guest: Guest) -> None:
    filled_in(guest)
    guest.page.context.clear_cookies()
    guest.press(".total button")


def sent_broken(guest: Guest) -> None:
    filled_in(guest)
    guest.page.evaluate("document.querySelector('[name=request_key]').value = 'short'")
    guest.press(".total button")


def over_the_limit(guest: Guest) -> None:
    db.session.get_one(Practice, 1).buyer_day_limit_cents = 1_00
    sent(guest)


def sent_while_stripe_is_away(guest: Guest) -> None:
    lose_stripe(guest)
    sent(guest)


def brought_back(guest: Guest) -> None:
    guest.open(f"/gift?order={token_of(placed())}")


def dearer() -> None:
    """Let the session that is chosen at first cost more, and be another one."""
    db.session.query(Offer).filter_by(slug="60-minutes").update({"price_cents": 115_00, "name": "Deep rest"})
    db.session.commit()


def sent_after_a_rise(guest: Guest) -> None:
    filled_in(guest)
    dearer()
    guest.press(".total button")


def brought_back_after_a_rise(guest: Guest) -> None:
    token = token_of(placed())
    dearer()
    guest.open(f"/gift?order={token}")


def order_to_ask_back(guest: Guest) -> None:
    """Open the page of a paid order as its buyer."""
    build.certificate()
    order = db.session.query(Order).one()
    proof = _serializer(order).dumps(order.public_id)
    guest.open(f"/orders/{token_of(order)}/yours/{proof}")


def order_came_back(guest: Guest, *, is_buyer: bool) -> None:
    """Open the page of an order whose gift did not reach its recipient."""
    build.certificate(delivery="recipient", recipient_email="ana@example.com")
    message = db.session.query(Delivery).filter_by(kind="certificate").one()
    message.kind, message.state, message.sent_at, message.to_address = "gift", "failed", None, "ana@example.com"
    order = db.session.query(Order).one()
    proof = _serializer(order).dumps(order.public_id)
    guest.open(f"/orders/{token_of(order)}{f'/yours/{proof}' if is_buyer else ''}")


def order_asked_back(guest: Guest) -> None:
    order_to_ask_back(guest)
    guest.press("form[action$='/refund'] button")


def order_in(state: str, guest: Guest) -> None:
    """Open the page of an order that is not fulfilled."""
    order = placed()
    order.state = state
    guest.open(f"/orders/{token_of(order)}")


def order_of_several(guest: Guest) -> None:
    gifts = [build.gift_request(quantity=3), build.gift_request(delivery="print"), build.gift_request(delivery="buyer")]
    guest.open(f"/orders/{token_of(placed(*gifts))}")


def order_of_ten(guest: Guest) -> None:
    gifts = [build.gift_request(recipient_name=LONG, giver_name="Vũ Šárka") for _ in range(10)]
    guest.open(f"/orders/{token_of(placed(*gifts))}")


def order_being_checked(guest: Guest) -> None:
    """Open the page of an order whose payment cannot be looked up just now."""
    lose_stripe(guest)
    order, now = placed(), clock.now()
    order.attempts = [
        CheckoutAttempt(
            number=1,
            parameters_enc=encryption.seal("{}", "any"),
            idempotency_key="any",
            session_id="cs_test_away",
            state="open",
            first_tried_at=now,
            expires_at=now + timedelta(minutes=40),
        )
    ]
    guest.open(f"/orders/{token_of(order)}")


def order_sent_stale(guest: Guest) -> None:
    order_in("failed", guest)
    guest.page.context.clear_cookies()
    guest.press("form[action$='/pay'] button")


def delivered(state: str, guest: Guest, *, way: str = "recipient", days: int = 0) -> None:
    """Open the page of a paid order whose gift is on its way to somebody, so many days from now."""
    today = clock.today("America/Denver")
    address = "ana@example.com" if way == "recipient" else ""
    build.certificate(delivery=way, recipient_email=address, deliver_on=today + timedelta(days=days) if days else None)
    message = db.session.query(Delivery).filter_by(kind="certificate").one()
    message.state, message.send_at = state, message.send_at + timedelta(days=days)
    message.sent_at = message.sent_at if state == "sent" else None
    message.to_address = address or message.to_address
    guest.open(f"/orders/{token_of(db.session.query(Order).one())}")


def certificate(guest: Guest, **made: Any) -> None:
    """Open a recipient's page."""
    guest.open(f"/c/{code_of(**made)}")


def put_back(guest: Guest) -> None:
    built = build.certificate()
    entry = build.redeem(built, 40_00)
    posting.reverse(
        entry, certificate_id=built.id, is_manager=False, cause=build.cause("undo", build.request_key(), "staff:1")
    )
    guest.open(f"/c/{build.code_of(built)}")


def replaced(guest: Guest) -> None:
    """Open the address of a code that a newer one has replaced."""
    certificate = build.certificate()
    code = build.code_of(certificate)
    build.reissue(certificate)
    guest.open(f"/c/{code}")


def ended(guest: Guest) -> None:
    """Open the page of a certificate that has ended."""
    certificate = build.certificate(balance_cents=50_00)
    code = build.code_of(certificate)
    status.void(certificate.id, reason_code="x", request_key=build.request_key(), actor="staff:3", at=clock.now())
    guest.open(f"/c/{code}")


def balance(guest: Guest, **made: Any) -> None:
    """Ask what is left on a certificate."""
    asked(guest, code_of(**made))


def asked(guest: Guest, code: str) -> None:
    guest.open("/balance")
    guest.page.fill("#code", code)
    guest.press("form[action='/balance'] button")


def asked_without_cookies(guest: Guest) -> None:
    guest.open("/balance")
    guest.page.context.clear_cookies()
    guest.press("form[action='/balance'] button")


def too_many_tries(path: str, guest: Guest) -> None:
    for _ in range(10):
        guest.page.request.get(f"{guest.url}/c/123")
    opened(path, guest)


def placed(*gifts: Any) -> Order:
    return place_order(build.purchase(*gifts), mode="simulated", at=clock.now())


def code_of(**made: Any) -> str:
    return build.code_of(build.certificate(**made))


def lose_stripe(guest: Guest) -> None:
    guest.app.extensions["stripe_gateway"] = StripeGateway(
        secret_key="sk_test_sim_0123456789", api_base="http://127.0.0.1:9", webhook_secrets=["x"]
    )


EXPIRED, EXPIRING = {"expires_on": date(2026, 2, 1)}, {"expires_on": date(2126, 2, 1)}
State = tuple[int, Callable[[Guest], None]]
STATES: dict[str, State] = {
    "home": (200, partial(opened, "/")),
    "home, paused": (200, partial(paused, "/")),
    "home, no offers": (200, partial(without_offers, "/")),
    "terms, paused": (200, partial(paused, "/terms")),
    "visit article, paused": (200, partial(paused, "/articles/before-your-visit")),
    "articles": (200, partial(opened, "/articles")),
    "back article": (200, partial(opened, "/articles/when-your-back-locks-up")),
    "visit article": (200, partial(opened, "/articles/before-your-visit")),
    "terms": (200, partial(opened, "/terms")),
    "not found": (404, partial(opened, "/nothing")),
    "builder": (200, partial(opened, "/gift")),
    "builder, paused": (200, partial(paused, "/gift")),
    "builder, no offers": (200, partial(without_offers, "/gift")),
    "builder, filled in": (200, partial(filled_in, recipient_name=LONG, message="محمد 李小龙 👋 " * 20)),
    "builder, back from Stripe": (200, brought_back),
    "builder, dearer by now": (422, sent_after_a_rise),
    "builder, back and dearer": (200, brought_back_after_a_rise),
    "builder, one error": (422, partial(sent, recipient_email="ana@")),
    "builder, ten gifts": (200, folded),
    "builder, what is not sold": (200, partial(opened, "/gift?offer=sold-out")),
    "builder, a question": (422, partial(sent, recipient_email="ana@gmial.con")),
    "builder, many errors": (422, sent_empty),
    "builder, amount under": (422, partial(sent, amount="24")),
    "builder, message too long": (422, partial(sent, message="x" * 401)),
    "builder, over the day's limit": (422, over_the_limit),
    "builder, open too long": (403, sent_without_cookies),
    "builder, arrived broken": (400, sent_broken),
    "Stripe unreachable": (503, sent_while_stripe_is_away),
    **{
        f"order {state}": (200, partial(order_in, state))
        for state in ("awaiting_payment", "processing", "paid", "expired", "failed", "in_review", "refunded")
    },
    "order of several": (200, order_of_several),
    "order of ten": (200, order_of_ten),
    "order unpaid, paused": (200, unpaid_while_paused),
    "used up, paused": (200, partial(while_paused, partial(certificate, balance_cents=0))),
    "order being checked": (200, order_being_checked),
    "order to ask back": (200, order_to_ask_back),
    "order asked back": (200, order_asked_back),
    "order sent": (200, partial(delivered, "sent")),
    "order being sent": (200, partial(delivered, "sending")),
    "order scheduled": (200, partial(delivered, "scheduled", days=9)),
    "order failed to arrive": (200, partial(delivered, "failed")),
    "order came back": (200, partial(order_came_back, is_buyer=True)),
    "order came back to a stranger": (200, partial(order_came_back, is_buyer=False)),
    "order cancelled": (200, partial(delivered, "cancelled")),
    "order to print": (200, partial(delivered, "sent", way="print")),
    "order to the buyer": (200, partial(delivered, "sent", way="buyer")),
    "order to the buyer failed": (200, partial(delivered, "failed", way="buyer")),
    "order unknown": (404, partial(opened, "/orders/unknown")),
    "order open too long": (403, order_sent_stale),
    "full": (200, certificate),
    "part used": (200, partial(certificate, balance_cents=25_00)),
    **{
        f"part used, {script} name": (200, partial(certificate, balance_cents=25_00, recipient_name=name))
        for script, name in NAMES.items()
    },
    "price left out": (200, partial(certificate, is_price_shown=False)),
    "price left out, part used": (200, partial(certificate, is_price_shown=False, balance_cents=25_00)),
    "used up": (200, partial(certificate, balance_cents=0)),
    "put back": (200, put_back),
    "frozen": (200, partial(certificate, status="frozen")),
    "expired": (200, partial(certificate, **EXPIRED)),
    "expiring": (200, partial(certificate, **EXPIRING)),
    "ended": (200, ended),
    "replaced": (404, replaced),
    "unknown code": (404, partial(opened, "/c/123")),
    "too many tries": (429, partial(too_many_tries, "/c/123")),
    "balance": (200, partial(opened, "/balance")),
    "balance, full": (200, balance),
    "balance, price left out": (200, partial(balance, is_price_shown=False)),
    "balance, part used": (200, partial(balance, balance_cents=25_00)),
    "balance, used up": (200, partial(balance, balance_cents=0)),
    "balance, frozen": (200, partial(balance, status="frozen")),
    "balance, expired": (200, partial(balance, **EXPIRED)),
    "balance, expiring": (200, partial(balance, **EXPIRING)),
    "balance, bad code": (422, partial(asked, code="K7M2")),
    "balance, open too long": (403, asked_without_cookies),
}
LIGHT = (
    *("home", "back article", "articles", "terms", "builder", "balance", "unknown code"),
    *("full", "part used", "used up", "frozen", "expired", "put back"),
    *(f"part used, {script} name" for script in NAMES),
    *("order awaiting_payment", "order of several", "order of ten"),
    *("order sent", "order scheduled", "order to print", "order refunded"),
)
"""What people open first, from a link or a letter: each has to come over a poor line too."""
