"""64 tills at once, over HTTP, against two server processes: exactly what the balance affords, and no 5xx."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests import buyer
from tests.conftest import both_databases
from tests.running import RunningShop, running_shop

TILLS = 64


def bought_code(shop: RunningShop, recipient: str = "ana@example.com") -> str:
    buyer.buy(shop, **{"gifts-0-recipient_email": recipient})
    for _ in range(100):
        if mails := shop.workbench.mails(recipient):
            return buyer.codes_in(mails[0])[0]
        time.sleep(0.2)
    raise AssertionError("the gift's message did not arrive")


def redeem_from_all_tills(shop: RunningShop, code: str) -> Counter[int]:
    """Take $10 from 64 tills at once; return how often each status was answered."""
    till = buyer.Till(shop)
    public_id = till.find(code)
    token = till.token(public_id)

    def press(number: int) -> int:
        return till.redeem(public_id, "10.00", key=f"till-{number:04}-of-the-race", token=token).status_code

    with ThreadPoolExecutor(TILLS) as tills:
        return Counter(tills.map(press, range(TILLS)))


@both_databases
def test_64_redemptions_of_10_on_100_succeed_exactly_ten_times(shop: RunningShop) -> None:
    answers = redeem_from_all_tills(shop, bought_code(shop, "raced@example.com"))
    assert answers == {200: 10, 409: 54}


@both_databases
def test_without_the_guard_the_same_race_is_lost(database_url: str, tmp_path: Path) -> None:
    with running_shop(tmp_path, database_url, web_processes=2, workers=1, wsgi_app="tests.races.unguarded:app") as shop:
        answers = redeem_from_all_tills(shop, bought_code(shop))
        assert answers[200], "tills were served"
        assert answers[200] > 10 or set(answers) - {200, 409}, "too much taken, or stopped by nothing but a constraint"


@both_databases
def test_one_form_sent_eight_times_at_once_is_taken_once_and_answered_alike(shop: RunningShop) -> None:
    till = buyer.Till(shop, "manager@example.com")  # the desk's second factor has been used in the race before
    public_id = till.find(bought_code(shop, "often@example.com"))
    token = till.token(public_id)

    def send(_number: int, amount: str = "10.00") -> requests.Response:
        return till.redeem(public_id, amount, key="one-form-sent-often", token=token)

    with ThreadPoolExecutor(8) as copies:
        answers = list(copies.map(send, range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert send(9, "20.00").status_code == 409
