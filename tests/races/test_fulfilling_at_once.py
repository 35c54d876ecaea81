"""Copies of one webhook, and webhook and order page, at one instant: one certificate a gift, one mail a message."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
import stripe

from tests import buyer
from tests.conftest import both_databases
from tests.running import RunningShop, running_shop


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
    address = buyer.pay(buyer.place(shop))
    event = next(
        event for event in shop.workbench.get("/state")["events"] if event["type"] == "checkout.session.completed"
    )
    return event, address


def wait_for_mails(shop: RunningShop) -> Counter[str]:
    """Return how often each message arrived, once the receipt and the gift have."""
    for _ in range(100):
        if len(shop.workbench.mails_about_orders()) >= 2:
            break
        time.sleep(0.2)
    time.sleep(2)
    return Counter(mail["message_id"] for mail in shop.workbench.mails_about_orders())


@both_databases
def test_copies_of_the_webhook_and_the_order_page_issue_once(database_url: str, tmp_path: Path) -> None:
    with running_shop(tmp_path, database_url, web_processes=2, workers=1) as shop:
        event, page = paid_but_untold(shop)
        calls = [lambda: signed(shop, event)] * 10 + [lambda: requests.get(page, timeout=60)] * 5
        with ThreadPoolExecutor(len(calls)) as at_once:
            answers = [answer.status_code for answer in at_once.map(lambda call: call(), calls)]
        assert set(answers) == {200}
        mails = wait_for_mails(shop)
        assert sorted(mails.values()) == [1, 1]
        assert "verifies" in shop.run("ledger", "verify")
