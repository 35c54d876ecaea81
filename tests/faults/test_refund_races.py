"""Paying back and redeeming at the same moment: no cent is both, and Stripe and the ledger agree."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import both_databases
from tests.faults.life import World, bought_certificate
from tests.faults.people import Person
from tests.faults.settling import settle_and_judge

ROUNDS, CLIENTS = int(os.environ.get("ROUNDS", "2")), 64
_keys = itertools.count()


def refund(world: World, public_id: str, amount_cents: int) -> int:
    """Ask for money back until it is clear what became of it; return the status."""
    key = f"refund-race-{next(_keys):08}"
    fields = {"certificate": public_id, "amount_cents": str(amount_cents), "request_key": key}
    return Person(world.shop, world.records).ask("POST", "/rig/refund", data=fields).status_code


@both_databases
def test_64_clients_pay_back_and_redeem_the_same_100_at_once(world: World) -> None:
    for number in range(ROUNDS):
        public_id = bought_certificate(world, f"race{number}@example.com", amount_cents=100_00)
        desks = [world.desk() for _ in range(CLIENTS // 2)]
        with ThreadPoolExecutor(CLIENTS) as clients:
            taken = [clients.submit(desk.redeem, public_id, 10_00) for desk in desks]
            paid_back = [clients.submit(refund, world, public_id, 10_00) for _ in desks]
        accepted = sum(each.result().outcome == "accepted" for each in taken)
        refunded = sum(each.result() == 200 for each in paid_back)
        assert accepted + refunded == 10
    assert settle_and_judge(world) == []
