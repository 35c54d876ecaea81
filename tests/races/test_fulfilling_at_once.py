"""Copies of one webhook, and webhook and order page, at one instant: one certificate a gift, one mail a message."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
import stripe

from tests import buyer
from tests.conftest import both_databases
from tests.running import RunningShop

RECIPIENT, BUYER = "copied@example.com", "copying@example.com"


def signed(shop: RunningShop, event: dict[str, Any]) -> requests.Response:
    """Post an event as Stripe does, freshly signed."""
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body, shop.workbench.webhook_secret)
    return requests.post(
        f"{shop.url}/webhooks/stripe", data=body.encode(), headers={"Stripe-Signature": header}, timeout=60
    )


def paid_but_untold(shop: RunningShop) -> tuple[dict[str, Any], str]:
    """Pay an order whose webhooks are all lost; return the event that was lost and the order page's address."""
    shop.workbench.post("/hook", {"drop": -1})
    address = buyer.pay(buyer.place(shop, **{"gifts-0-recipient_email": RECIPIENT, "buyer_email": BUYER}))
    state = shop.workbench.get("/state")
    (event,) = (
        event
        for event in state["events"]
        if event["type"] == "checkout.session.completed" and event["data"]["object"]["id"] == state["sessions"][0]["id"]
    )
    return event, address


def wait_for_mails(shop: RunningShop) -> Counter[str]:
    """Return how often each message arrived, once the receipt and the gift have."""

    def arrived() -> list[str]:
        return [mail["message_id"] for address in (BUYER, RECIPIENT) for mail in shop.workbench.mails(address)]

    for _ in range(100):
        if len(arrived()) >= 2:
            break
        time.sleep(0.2)
    time.sleep(2)
    return Counter(arrived())


@both_databases
def test_copies_of_the_webhook_and_the_order_page_issue_once(shop: RunningShop) -> None:
    event, page = paid_but_untold(shop)
    calls = [lambda: signed(shop, event)] * 10 + [lambda: requests.get(page, timeout=60)] * 5
    with ThreadPoolExecutor(len(calls)) as at_once:
        answers = [answer.status_code for answer in at_once.map(lambda call: call(), calls)]
    assert set(answers) == {200}
    assert sorted(wait_for_mails(shop).values()) == [1, 1]
    (gift,) = shop.workbench.mails(RECIPIENT)
    assert len(set(buyer.codes_in(gift))) == 1
