"""The one search: counter and office find the same for the same words, newest first, and never by a code."""

import hashlib

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates import look_up
from giftshop.foundation.database import db
from giftshop.orders.finding import Wanted, find_orders
from giftshop.orders.models import Order
from giftshop.orders.search import MOST_RESULTS, search_certificates
from giftshop.orders.search_index import SearchKey, SearchWord, _keep_words, forget_gifts, forget_words, words_of
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.statements import count_queries, statements_to


@pytest.fixture
def order(app: Flask) -> Order:
    """An order of two certificates for different people; somebody else's stands beside it."""
    build.certificate(recipient_name="Iris", recipient_email="iris@example.com")
    vera = build.gift_request(recipient_name="Vera", recipient_email="vera@example.com")
    return told.sold(build.gift_request(recipient_name="Ana", recipient_email="ana@example.com"), vera)


def names(words: str) -> list[str]:
    return [found.certificate.recipient_name for found in search_certificates(words).found]


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
        at_the_counter = {found.order_number for found in search_certificates(words).found}
        assert {each.number for each in find_orders(Wanted(words=words)).orders} == at_the_counter, words


PEOPLE = [
    ("Ana Kovačević", "ana.k@example.com"),
    ("Đorđe Łukaszewski", "djl@example.org"),
    ("Müller, Jürgen", "jm@example.org"),
    ("Siobhán O’Brien", "siobhan@example.org"),
    ("Nguyễn Thị Hương", "huong@example.org"),
    ("山田太郎", "taro@example.jp"),
    ("Наталья Иванова", "natalya@example.org"),
    ("Jean-Luc de la Cruz", "jl@example.org"),
    ("İpek Işık", "ipek@example.org"),
]
WAYS = {
    "Kovacevic": "Ana Kovačević",
    "KOVAČEVIĆ": "Ana Kovačević",
    "kovacevic  ana": "Ana Kovačević",
    "vacev": "Ana Kovačević",
    "ana.k@example.com": "Ana Kovačević",
    "ANA.K@EXAMPLE.COM": "Ana Kovačević",
    "ana.k@ex": "Ana Kovačević",
    "dorde": "Đorđe Łukaszewski",
    "Djordje": "Đorđe Łukaszewski",
    "lukaszewski": "Đorđe Łukaszewski",
    "mueller": "Müller, Jürgen",
    "muller": "Müller, Jürgen",
    "jurgen muller": "Müller, Jürgen",
    "o'brien": "Siobhán O’Brien",
    "obrien": "Siobhán O’Brien",
    "o brien": "Siobhán O’Brien",
    "Nguyen Huong": "Nguyễn Thị Hương",
    "田太": "山田太郎",
    "иванова": "Наталья Иванова",
    "jean luc cruz": "Jean-Luc de la Cruz",
    "ipek isik": "İpek Işık",
    "ＫＯＶＡＣ": "Ana Kovačević",
}
SLIPS = {
    "Kovacevik": "Ana Kovačević",
    "Kovačecić": "Ana Kovačević",
    "Kovavecic": None,
    "ana kovcevic": "Ana Kovačević",
    "Kovaccevic": "Ana Kovačević",
    "okvacevic": "Ana Kovačević",
    "anakovacevic": "Ana Kovačević",
    "koval": None,
    "nguyne": "Nguyễn Thị Hương",
    "ana.kk@example.com": None,
    "natalia": "Наталья Иванова",  # by the address
    "zz": None,
}


@both_databases
def test_a_name_is_found_however_it_is_typed(app: Flask) -> None:
    for name, address in PEOPLE:
        build.certificate(recipient_name=name, recipient_email=address)
    assert {words: names(words) for words in WAYS} == {words: [name] for words, name in WAYS.items()}
    found = {words: (names(words), search_certificates(words).are_near) for words in SLIPS}
    assert found == {words: ([name] if name else [], True) for words, name in SLIPS.items()}


@both_databases
def test_the_end_of_a_code_finds_its_certificate_and_not_the_old_one(order: Order) -> None:
    certificate, other = list_certificates(order.id)
    old = build.code_of(certificate)[-4:]
    assert names(old) == names(f"…{old.lower()}") == names(f"****-{old}") == [certificate.recipient_name]
    build.reissue(certificate)
    new = build.code_of(certificate)[-4:]
    assert (names(old), names(new)) == ([], [certificate.recipient_name])
    assert names(build.code_of(other)[:4]) == []


@both_databases
def test_certificates_of_an_older_version_are_found_by_the_end_of_their_codes_soon(order: Order) -> None:
    certificate, _ = list_certificates(order.id)
    end = build.code_of(certificate)[-4:]
    db.session.execute(sa.text("UPDATE certificate SET code_end_lookup = NULL"))
    db.session.commit()
    assert names(end) == []
    assert [look_up.fill_code_ends(most=2), look_up.fill_code_ends(most=2), look_up.fill_code_ends(most=2)] == [2, 1, 0]
    assert names(end) == [certificate.recipient_name]


def test_the_end_of_a_code_does_not_stand_in_the_database(order: Order) -> None:
    (certificate, _) = list_certificates(order.id)
    end = build.code_of(certificate)[-4:]
    assert certificate.code_end_lookup is not None
    assert end.encode() not in certificate.code_end_lookup
    assert certificate.code_end_lookup != hashlib.sha256(end.encode()).digest()
    assert db.session.scalar(sa.select(SearchKey).where(SearchKey.key == end.lower())) is None


@both_databases
def test_a_corrected_address_is_found_and_the_old_one_is_not(order: Order) -> None:
    order.buyer_email = "milan@example.net"
    gift = order.gifts[0]
    gift.recipient_email, gift.recipient_name = "new@example.net", "Annabel"
    db.session.commit()
    assert len(names("milan@example.net")) == 2
    assert names("new@example.net") == names("annabel") == ["Ana"]  # as it was printed
    assert names("ana@example.com") == []


def test_whole_words_come_before_parts_of_words(app: Flask) -> None:
    for name in ("Ana", "Anastasia", "Hana", "Ana Novak", "Susana"):
        build.certificate(recipient_name=name)
    assert names("ana") == ["Ana Novak", "Ana", "Susana", "Hana", "Anastasia"]


@both_databases
def test_a_search_takes_few_questions_and_reads_no_table_through(order: Order) -> None:
    for words in ("ana", "ana vera", "anna", "vera@example.com", "G-1002", "…7KQ2", "nobody at all"):
        with count_queries() as queries:
            search_certificates(words)
        assert len(queries) <= 3, words


def test_two_purchases_at_once_do_not_wait_for_each_others_names_for_ever(app: Flask) -> None:
    """Words are made in one order: no two transactions ever wait for each other's."""
    words = sorted(words_of(["Žaneta Kovačević", "Ana"], ["ana@example.com"]))
    with statements_to(db.engine) as _:
        made = list(_keep_words(db.session.connection(), words))
    assert made == words


def test_a_word_that_stands_nowhere_any_more_is_forgotten(order: Order) -> None:
    gift = order.gifts[0]
    forget_gifts(db.session.connection(), [gift.id])
    forget_words(db.session.connection(), most=100)
    kept = set(db.session.scalars(sa.select(SearchWord.word)))
    assert kept == words_of(["Iris", "Marko", "Vera"], ["iris@example.com", "vera@example.com", "marko@example.com"])
    ids = sa.select(SearchWord.id)
    assert db.session.scalar(sa.select(SearchKey.key).where(SearchKey.word_id.not_in(ids)).limit(1)) is None
    assert names("Ana") == []


def test_each_is_found_with_its_orders_number(order: Order) -> None:
    (found,) = search_certificates("Ana").found
    assert (found.order_number, found.certificate.id) == (order.number, list_certificates(order.id)[0].id)


def test_no_code_finds_anything(order: Order) -> None:
    (certificate, _) = list_certificates(order.id)
    assert names(build.code_of(certificate)) == []


def test_the_newest_twenty_are_shown(app: Flask) -> None:
    told.sold(*(build.gift_request(recipient_name="Ana", quantity=10) for _ in range(3)))
    found = [each.certificate.id for each in search_certificates("Ana").found]
    assert (len(found), found) == (MOST_RESULTS, sorted(found, reverse=True))
