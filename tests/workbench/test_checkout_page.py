"""The payment page, as a buyer's browser meets it."""

import re
import threading
from typing import Any

import pytest
import requests
import stripe

from tests.workbench.receiver import Receiver
from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession, line


def press(session: Any, outcome: str) -> requests.Response:
    return requests.post(session.url, data={"outcome": outcome}, allow_redirects=False, timeout=30)


def test_the_page_says_plainly_that_no_money_moves_and_what_is_paid_for(make_session: MakeSession) -> None:
    session = make_session(line_items=[line(5000, quantity=2), line(1950)])
    page = requests.get(session.url, timeout=10)
    assert page.status_code == 200
    assert "SIMULATED PAYMENT — no money moves" in page.text
    assert "$119.50" in page.text
    assert "Gift certificate × 2" in page.text
    assert "ana@example.com" in page.text


def test_the_page_loads_nothing_and_lets_its_form_lead_back_to_the_shop(make_session: MakeSession) -> None:
    page = requests.get(make_session().url, timeout=10)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:8000;" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<link|<img|\ssrc=|\sstyle=", page.text)


def test_paying_leads_to_the_success_address_with_the_sessions_id(make_session: MakeSession) -> None:
    session = make_session()
    answer = press(session, "pay")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://127.0.0.1:8000/orders/abc?session_id={session.id}"


@pytest.mark.parametrize("outcome", ["pay_later_ok", "pay_later_fail", "pay_then_dispute"])
def test_other_ways_of_paying_lead_back_too(bench: RunningWorkbench, make_session: MakeSession, outcome: str) -> None:
    session = make_session()
    answer = press(session, outcome)
    assert answer.headers["Location"].startswith("http://127.0.0.1:8000/orders/abc?session_id=cs_test_")
    assert bench.get(f"/objects/{session.id}")["status"] == "complete"


def test_a_declined_card_stays_on_the_page_and_can_be_tried_again(
    make_session: MakeSession, client: stripe.StripeClient
) -> None:
    session = make_session()
    answer = press(session, "decline")
    assert answer.status_code == 422
    assert re.search(r'role="alert">Your card was declined', answer.text)
    assert "<title>Error: " in answer.text
    assert press(session, "pay").status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize(
    ("changes", "address"),
    [({}, "http://127.0.0.1:8000/orders/abc"), ({"cancel_url": "https://example.com/x"}, "https://example.com/x")],
)
def test_cancelling_leads_back_and_leaves_the_session_open(
    make_session: MakeSession, client: stripe.StripeClient, changes: dict[str, str], address: str
) -> None:
    session = make_session(**changes)
    assert press(session, "cancel").headers["Location"] == address
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_buyer_may_pay_and_never_come_back(make_session: MakeSession, client: stripe.StripeClient) -> None:
    session = make_session()
    answer = press(session, "pay_no_return")
    assert answer.status_code == 200
    assert "<h1>Paid</h1>" in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_complete_session_is_shown_as_such_and_not_paid_twice(
    bench: RunningWorkbench, make_session: MakeSession
) -> None:
    session = make_session()
    press(session, "pay")
    again = press(session, "pay")
    assert "<h1>Paid</h1>" in again.text
    assert "<button" not in again.text
    assert len(bench.get("/state")["charges"]) == 1


def test_money_on_its_way_is_shown_as_such(make_session: MakeSession) -> None:
    session = make_session()
    press(session, "pay_later_ok")
    assert "Your payment is on its way" in requests.get(session.url, timeout=10).text


def test_an_expired_session_is_shown_as_such(make_session: MakeSession, client: stripe.StripeClient) -> None:
    session = make_session()
    client.v1.checkout.sessions.expire(session.id)
    page = press(session, "pay")
    assert "This payment page has expired" in page.text
    assert 'href="http://127.0.0.1:8000/orders/abc"' in page.text
    assert "<button" not in page.text


@pytest.mark.parametrize("outcome", ["", "steal"])
def test_an_unknown_button_is_an_error_in_place(make_session: MakeSession, outcome: str) -> None:
    answer = press(make_session(), outcome)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_an_unknown_session_has_no_page(bench: RunningWorkbench) -> None:
    assert requests.get(f"{bench.url}/c/pay/cs_test_none", timeout=10).status_code == 404


def test_what_the_shop_names_its_goods_is_escaped(make_session: MakeSession) -> None:
    hostile = line(5000)
    hostile["price_data"]["product_data"]["name"] = "<img src=x onerror=alert(1)>"
    page = requests.get(make_session(line_items=[hostile]).url, timeout=10)
    assert "<img" not in page.text


def test_the_buyer_goes_back_after_the_shop_has_answered_the_event(shop: Receiver, make_session: MakeSession) -> None:
    shop.open.clear()
    session = make_session()
    back: list[requests.Response] = []
    buyer = threading.Thread(target=lambda: back.append(press(session, "pay")))
    buyer.start()
    shop.wait_for(5)
    buyer.join(0.5)
    assert buyer.is_alive()
    shop.open.set()
    buyer.join()
    assert back[0].status_code == 303


def test_the_buyer_can_be_back_before_the_event(
    bench: RunningWorkbench, shop: Receiver, make_session: MakeSession
) -> None:
    bench.post("/hook", {"redirect_first": True, "delay": 60})
    assert press(make_session(), "pay").status_code == 303
    assert shop.received == []


def test_a_receipt_shows_the_charge(bench: RunningWorkbench, paid: dict[str, Any]) -> None:
    assert paid["status"] == "complete"
    page = requests.get(bench.get("/state")["charges"][0]["receipt_url"], timeout=10)
    assert "$50.00" in page.text
    assert requests.get(f"{bench.url}/c/receipt/ch_none", timeout=10).status_code == 404
