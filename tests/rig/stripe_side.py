"""The workbench as Stripe: the same simulated API, with a key that looks real, behind https://api.stripe.com.

Its own start refuses such a key; here it runs with a configuration of the rig's making, in a network without Stripe.
"""

import multiprocessing
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from giftshop.workbench.__main__ import Server, _listen
from giftshop.workbench.app import create_app
from giftshop.workbench.configuration import Configuration
from tests.rig.network import CHECKOUT, SHOP
from tests.rig.waiting import wait_for_port

PORT = 8001
KEY = f"sk_test_51Rig{secrets.token_hex(16)}"
SIGNING_SECRET = f"whsec_{secrets.token_hex(20)}"
TOKEN = "rig"


@dataclass(frozen=True)
class RigConfiguration(Configuration):
    """Where the payment page is said to be stands in a file, so that an account may move to a domain of its own."""

    @property
    def checkout_url(self) -> str:
        return f"https://{(self.state.parent / 'checkout_host').read_text()}"


def start_stripe(folder: Path) -> None:
    """Start it; it ends with the rig."""
    send_buyers_to(folder, CHECKOUT)
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(folder, KEY, SIGNING_SECRET), daemon=True
    )
    process.start()
    wait_for_port("127.0.0.1", PORT)


def send_buyers_to(folder: Path, host: str) -> None:
    """Let sessions made from now on have their payment page at this host."""
    (folder / "checkout_host").write_text(host)


def _serve(folder: Path, key: str, signing_secret: str) -> None:
    config = RigConfiguration(
        port=PORT,
        state=folder / "workbench.sqlite",
        shop_url=f"https://{SHOP}",
        stripe_key=key,
        webhook_secrets=(signing_secret,),
        token=TOKEN,
        seed=secrets.token_hex(16),
        bank_seconds=15,
        hook={},
        faults=[],
        checkout_host=CHECKOUT,
    )
    sys.argv = ["workbench"]  # gunicorn would read the rig's own
    with (folder / "workbench.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    Server(_listen(PORT), lambda: create_app(config)).run()
