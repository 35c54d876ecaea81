"""The one search: counter and office find the same for the same words, newest first, and never by a code."""

import pytest
from flask import Flask

from giftshop.orders.finding import Wanted, find_orders
from giftshop.orders.models import Order
from giftshop.orders.search import MOST_RESULTS, search_certificates
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.orders import told


@pytest.fixture
def order(app: Flask) -> Order:
    """An order of two certificates for different people; somebody else's stands beside it."""
    build.certificate(recipient_name="Iris", recipient_email="iris@example.com")
    vera = build.gift_request(recipient_name="Vera", recipient_email="vera@example.com")
    return told.sold(build.gift_request(recipient_name="Ana", recipient_email="ana@example.com"), vera)


def names(words: str) -> list[str]:
    return [found.certificate.recipient_name for found in search_certificates(words)]


FOUND = {
    "G-1002": ["Vera", "Ana"],
    " g-1002 ": ["Vera", "Ana"],
    "G-1001": ["Iris"],
    "G-1003": [],
    "G-999": [],
    "1002": ["Vera", "Ana"],
    "ana@example.com": ["Ana"],
    "vera@example.com": ["Vera"],
    "marko@example.com": ["Vera", "Ana", "Iris"],
    "nobody@example.com": [],
    "Ana": ["Ana"],
    "ana": ["Ana"],
    "er": ["Vera"],
    "Marko": ["Vera", "Ana", "Iris"],
    "pi_1": ["Vera", "Ana"],
    "cs_1": ["Vera", "Ana"],
    "pi_2": [],
    "%": [],
    "": [],
}


@both_databases
def test_words_find_what_they_say(order: Order) -> None:
    assert {words: names(words) for words in FOUND} == FOUND


@both_databases
def test_the_office_finds_the_orders_of_what_the_counter_finds(order: Order) -> None:
    for words in [each for each in FOUND if each.strip()]:
        at_the_counter = {found.order_number for found in search_certificates(words)}
        assert {each.number for each in find_orders(Wanted(words=words)).orders} == at_the_counter, words


def test_each_is_found_with_its_orders_number(order: Order) -> None:
    (found,) = search_certificates("Ana")
    assert (found.order_number, found.certificate.id) == (order.number, list_certificates(order.id)[0].id)


def test_no_code_finds_anything(order: Order) -> None:
    (certificate, _) = list_certificates(order.id)
    assert names(build.code_of(certificate)) == []


def test_the_newest_twenty_are_shown(app: Flask) -> None:
    told.sold(*(build.gift_request(recipient_name="Ana", quantity=10) for _ in range(3)))
    found = [each.certificate.id for each in search_certificates("Ana")]
    assert (len(found), found) == (MOST_RESULTS, sorted(found, reverse=True))
