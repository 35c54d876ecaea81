"""kill -9 of the real shop's processes, unrigged, at random moments: no certificate is lost or free."""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import requests

from giftshop import clock
from tests import buyer
from tests.conftest import both_databases
from tests.faults import THOROUGH
from tests.running import RunningShop, running_shop
from tests.seeds import SEED

PURCHASES = int(os.environ.get("FAULT_PURCHASES", "50" if THOROUGH else "12"))
LEAST_KILLS = 3


def purchase(shop: RunningShop, number: int) -> None:
    """Buy one certificate whatever breaks: the buyer tries again, and presses Pay once there is a page to pay on."""
    for _ in range(60):
        try:
            address = buyer.place(shop, buyer_email=f"buyer{number}@example.com")
            requests.get(buyer.pay(address), timeout=30)
            return
        except (requests.RequestException, AssertionError, KeyError):
            time.sleep(0.5)


def kill_now_and_then(shop: RunningShop, over: threading.Event, chance: random.Random) -> None:
    """Kill the web processes or the worker at random moments and start them again at once."""
    kills = 0
    while not over.wait(chance.uniform(0.3, 3.0)) or kills < LEAST_KILLS:
        kills += 1
        if chance.random() < 0.5:
            shop.kill_web()
            shop.start_web()
        else:
            shop.kill_workers()
            shop.start_worker()


@both_databases
def test_every_paid_order_has_its_certificates_and_mails_after_kill_9(database_url: str, tmp_path: Path) -> None:
    with running_shop(tmp_path, database_url, workers=1) as shop:
        over = threading.Event()
        with ThreadPoolExecutor(5) as people:
            killer = people.submit(kill_now_and_then, shop, over, random.Random(SEED))
            for done in [people.submit(purchase, shop, number) for number in range(PURCHASES)]:
                done.result()
            over.set()
            killer.result()
        shop.run("orders", "reconcile")
        paid = [session for session in shop.workbench.sessions() if session["payment_status"] == "paid"]
        assert len(paid) >= PURCHASES
        mails = wait_for_mails(shop, 2 * len(paid))
        assert len(mails) == 2 * len(paid), f"a receipt and a gift for every paid order; seed {SEED}"
        assert "verifies" in shop.run("ledger", "verify")
        days = [str(clock.today("UTC") + timedelta(days=days)) for days in (-1, 1)]
        assert "agree to the cent" in shop.run("orders", "close", *days), "no certificate without its payment"


def wait_for_mails(shop: RunningShop, wanted: int) -> set[str]:
    """Return the different messages of orders that arrived; a crash may send one twice, under the same Message-ID."""
    for _ in range(180):
        found = {mail["message_id"] for mail in shop.workbench.mails_about_orders()}
        if len(found) >= wanted:
            break
        time.sleep(0.5)
    return found
