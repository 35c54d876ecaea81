"""The office in a real browser, in every state a page can show: no barrier, light and dark, on phone and desk."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page

from giftshop import clock
from giftshop.certificates import status
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger.models import Certificate
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import AlertKind
from giftshop.orders import notes
from giftshop.orders.models import Order
from giftshop.payments.facts import SessionFacts
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.recovery import describe_lost
from giftshop.refunds.requests import hold_refund
from giftshop.words import _
from tests import build
from tests.browsing import assert_no_barrier, check_markup, listen_for_failures, settings_on_a_port
from tests.office.test_asked_back import ask_for
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in
from tests.workbench.running import RunningWorkbench

LONG = "Żaneta Đorđević-Łukaszewska von der Wolkenstein"
PAID_BY_NOBODY = SessionFacts(
    id="cs_test_a1B2c3d4e5",
    url=None,
    status="complete",
    payment_status="paid",
    livemode=False,
    currency="USD",
    amount_total=95_00,
    client_reference_id="o_0123456789abcdef01234567",
    metadata={},
    payment_intent_id="pi_3Qabc12345XYZ",
    payment_intent_status="succeeded",
    buyer_email="marko@example.com",
    success_url="",
    lines=(),
)
State = Callable[[StripeSide], str]


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """Settings of a shop that is served for real, with a simulated Stripe that answers."""
    return settings_on_a_port(database_url, **workbench.shop_settings)


@pytest.fixture
def owner(app: Flask, page: Page, shop: str) -> Page:
    """A browser in which the owner has signed in."""
    client = signed_in(app, hire("owner"))
    cookie = client.get_cookie("giftshop", domain="127.0.0.1")
    assert cookie is not None
    page.context.add_cookies([{"name": "giftshop", "value": cookie.value, "url": shop}])
    return page


def order_of(side: StripeSide) -> tuple[Order, Certificate]:
    """An order with a history: used, held, noted, its message failed."""
    order, certificate = side.sell_one(120_00)
    build.redeem(certificate, 45_00)
    notes.write_note(order.id, "Called, wants it by Friday", actor="staff:1", key=build.request_key(), at=clock.now())
    db.session.commit()
    return order, certificate


def page_of(order: Order) -> str:
    return f"/office/orders/{order.id}"


def day_of_ids(_side: StripeSide) -> str:
    """A day on which alerts and the books name ids and commands."""
    now = clock.now()
    lost = describe_lost(PAID_BY_NOBODY)
    alert_owner(AlertKind.IN_REVIEW, "pi_3Qabc12345XYZ", lost)
    db.session.add(Reconciliation(started_at=now, finished_at=now, problems=[lost], changed=[]))
    db.session.commit()
    return "/office/"


def busy_day(side: StripeSide) -> str:
    order, _certificate = order_of(side)
    side.sell(build.gift_request(recipient_name=LONG, giver_name=LONG))
    side.tell("charge.dispute.created", side.dispute(order))
    other, refunded = side.sell_one(60_00)
    hold_refund(other.id, refunded.id, 20_00, reason="too much", actor="staff:1", limit_cents=None)
    refused = _("The refund for order %(number)s was refused.", number=other.number)
    alert_owner(AlertKind.REFUND_REFUSED, "re_1", refused, order=other)
    fail_messages()
    now = clock.now()
    db.session.add(
        Reconciliation(started_at=now, finished_at=now, problems=[f"cs_test_1: {_('Stripe knows of no payment')}"])
    )
    db.session.commit()
    return "/office/"


def quiet_day(side: StripeSide) -> str:
    order_of(side)
    now = clock.now()
    db.session.add(Reconciliation(started_at=now, finished_at=now))
    db.session.commit()
    return "/office/"


def fail_messages() -> None:
    for message in db.session.query(Delivery).filter(Delivery.kind == "gift"):
        message.state = "failed"
        message.last_error = _("The mail server refused the address. Check it for a typing error.")
        message.ended_at = clock.now()
    db.session.commit()


def many_orders(side: StripeSide) -> str:
    states = ("fulfilled", "in_review", "expired", "failed", "processing", "refunded")
    for number in range(53):
        gift = build.gift_request(recipient_name=LONG if number % 7 == 0 else f"Ana {number}")
        order = side.place(gift)
        order.created_at -= timedelta(hours=9 * number)
        order.state = states[number % len(states)] if number % 3 else "awaiting_payment"
    db.session.commit()
    return "/office/orders"


def nothing_fits(side: StripeSide) -> str:
    side.place()
    return "/office/orders?q=nobody&state=fulfilled"


def whole_order(side: StripeSide) -> str:
    order, _certificate = order_of(side)
    fail_messages()
    return page_of(order)


def company_order(side: StripeSide) -> str:
    order = side.sell(
        build.gift_request(offer="amount", amount_cents=30_00, quantity=3, recipient_name=LONG),
        build.gift_request(delivery="print", recipient_email=""),
    )
    return page_of(order)


def disputed_order(side: StripeSide) -> str:
    order, _certificate = order_of(side)
    side.tell("charge.dispute.created", side.dispute(order))
    return page_of(order)


def lost_order(side: StripeSide) -> str:
    order, _certificate = order_of(side)
    dispute_id = side.dispute(order)
    side.tell("charge.dispute.created", dispute_id)
    side.decide(dispute_id, "lost")
    side.tell("charge.dispute.closed", dispute_id)
    return page_of(order)


def refund_back_after_a_loss(side: StripeSide) -> str:
    """An order whose payment the bank took, and then a refund of it came back."""
    order, _certificate = side.sell_one(120_00)
    refund_id = side.refund(order, 50_00)
    side.tell("refund.created", refund_id)
    dispute_id = side.dispute(order)
    side.tell("charge.dispute.created", dispute_id)
    side.decide(dispute_id, "lost")
    side.tell("charge.dispute.closed", dispute_id)
    side.workbench.post(f"/refunds/{refund_id}/fail")
    side.tell("refund.failed", refund_id)
    return page_of(order)


def order_in_review(side: StripeSide) -> str:
    order = side.place()
    order.state, order.review_reason = "in_review", "the amount differs"
    db.session.commit()
    return page_of(order)


def on_certificate(name: str) -> State:
    def state(side: StripeSide) -> str:
        return f"/office/certificates/{order_of(side)[1].public_id}/{name}"

    return state


def used_up(side: StripeSide) -> str:
    _order, certificate = side.sell_one(50_00)
    build.redeem(certificate, 50_00)
    db.session.commit()
    return f"/office/certificates/{certificate.public_id}/refund"


def resending(side: StripeSide) -> str:
    order_of(side)
    fail_messages()
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    return f"/office/messages/{message.id}/resend"


def cancelled_order(side: StripeSide) -> str:
    """An order whose gift's message was cancelled, and whose certificate is on hold."""
    order, certificate = side.sell_one(50_00)
    status.freeze_by_hand(certificate.id, reason_code="looked odd", actor="staff:1", at=clock.now())
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    message.state, message.ended_at = "cancelled", clock.now()
    db.session.commit()
    return f"/office/orders/{order.id}"


def sending_after_all(side: StripeSide) -> str:
    cancelled_order(side)
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    return f"/office/messages/{message.id}/resend"


def asked_back(side: StripeSide) -> str:
    """An order whose buyer asks for the money back, of which some was used since."""
    order, certificate = side.sell_one(120_00)
    address = ask_for(order)
    build.redeem(certificate, 45_00)
    db.session.commit()
    return address


STATES: dict[str, State] = {
    "today, first day": lambda _side: "/office/",
    "today, quiet": quiet_day,
    "today, busy": busy_day,
    "today, ids and commands": day_of_ids,
    "orders, none": lambda _side: "/office/orders",
    "orders, many": many_orders,
    "orders, nothing fits": nothing_fits,
    "order": whole_order,
    "order, several": company_order,
    "order, disputed": disputed_order,
    "order, lost": lost_order,
    "order, lost, refund back": refund_back_after_a_loss,
    "order, in review": order_in_review,
    **{name: on_certificate(name) for name in ("refund", "freeze", "unfreeze", "reissue", "void")},
    "refund, used up": used_up,
    "asked back": asked_back,
    "resend": resending,
    "order, message cancelled": cancelled_order,
    "send after all": sending_after_all,
}


@pytest.mark.parametrize("state", STATES)
def test_a_page_of_the_office_has_no_barrier(shop: str, owner: Page, stripe_side: StripeSide, state: str) -> None:
    failures = listen_for_failures(owner)
    path = STATES[state](stripe_side)
    db.session.rollback()
    owner.goto(shop + path)
    check_markup(owner.request.get(shop + path).text())
    assert_no_barrier(owner, schemes=("light", "dark"))
    assert failures == []


def test_a_refund_is_paid_in_two_steps_and_its_end_is_told(shop: str, owner: Page, stripe_side: StripeSide) -> None:
    path = whole_order(stripe_side)
    db.session.rollback()
    owner.goto(shop + path)
    owner.click("text=Refund")
    owner.fill("[name=amount]", "20")
    owner.click("text=Pay it back")
    owner.wait_for_selector("#summary:focus")  # it comes a moment after the page
    assert owner.title().startswith("Error: ")
    assert_no_barrier(owner, schemes=("light", "dark"))
    owner.fill("[name=reason]", "changed their mind")
    owner.click("text=Pay it back")
    assert owner.inner_text("[role=status] b") == "$20.00 is paid back"
    assert_no_barrier(owner, schemes=("light", "dark"))


def test_the_shops_own_pages_do_not_load_the_offices_style_sheet(shop: str, page: Page) -> None:
    for path in ("/", "/gift", "/staff/login"):
        page.goto(shop + path)
        assert page.locator("link[href*=office]").count() == 0
