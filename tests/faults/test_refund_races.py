"""Paying back and redeeming at the same moment: no cent is both, and Stripe and the ledger agree."""

import itertools
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import both_databases
from tests.faults.life import World, bought_certificate
from tests.faults.people import Desk, Office
from tests.faults.settling import settle_and_judge

ROUNDS, CLIENTS = int(os.environ.get("ROUNDS", "2")), 64
_keys = itertools.count()


@both_databases
def test_64_clients_pay_back_and_redeem_the_same_100_at_once(world: World) -> None:
    accepted = refunded = 0
    for number in range(ROUNDS):
        public_id = bought_certificate(world, f"race{number}@example.com", amount_cents=100_00)
        done = race(world, public_id)
        accepted, refunded = accepted + done["accepted"], refunded + done["refunded"]
        assert done["accepted"] + done["refunded"] == 10, done
        assert done.total() == CLIENTS, done
    assert accepted, "tills were fast enough to take part"
    assert refunded, "the office was fast enough to take part"
    assert settle_and_judge(world) == []


def race(world: World, public_id: str) -> Counter[str]:
    """Let all clients, with their forms open before them, send at one moment; return what they heard."""
    start = threading.Barrier(CLIENTS)
    desks = [world.desk() for _ in range(CLIENTS // 2)]
    offices = [world.office() for _ in desks]

    def redeem(desk: Desk) -> str:
        desk.open_page()
        start.wait()
        return desk.redeem(public_id, 10_00).outcome

    def pay_back(office: Office) -> str:
        office.open_page(public_id)
        start.wait()
        asked = office.pay_back(public_id, 10_00, key=f"refund-race-{next(_keys):08}")
        return "refunded" if asked.refund_id else "refused"

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = [
            *(clients.submit(redeem, each) for each in desks),
            *(clients.submit(pay_back, each) for each in offices),
        ]
        return Counter(each.result() for each in answers)
