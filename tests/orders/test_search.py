"""Searching certificates by what people remember: exactly that, newest first, and never by their code."""

import pytest
from flask import Flask

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
    "1002": [],
    "ana@example.com": ["Ana"],
    "vera@example.com": ["Vera"],
    "marko@example.com": ["Vera", "Ana", "Iris"],
    "nobody@example.com": [],
    "Ana": ["Ana"],
    "ana": [],
    "": [],
}


@both_databases
def test_words_find_what_they_say(order: Order) -> None:
    assert {words: names(words) for words in FOUND} == FOUND


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
