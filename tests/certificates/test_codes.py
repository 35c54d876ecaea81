"""Codes: every slip of a single hand is caught, and everything people type is read or refused."""

import itertools
import random

import pytest

from giftshop.certificates.codes import ALPHABET, check_value, format_code, new_code, normalise_code
from giftshop.errors import InvalidCodeError, WrongCheckSymbolError

GOOD = "K7M2QX9RTB4DHVWR"

VECTORS = [
    ("0123456789ABCDE", "4"),
    ("K7M2QX9RTB4DHVW", "R"),
    ("ZZZZZZZZZZZZZZZ", "N"),
    ("7Z0000000000001", "2"),
    ("0" * 15, "0"),
]


@pytest.mark.parametrize(("symbols", "check"), VECTORS)
def test_the_check_symbol_fits_the_published_vectors(symbols: str, check: str) -> None:
    assert ALPHABET[check_value([ALPHABET.index(symbol) for symbol in symbols])] == check


def test_every_single_wrong_symbol_is_caught() -> None:
    for place, wrong in itertools.product(range(16), ALPHABET):
        if GOOD[place] != wrong:
            with pytest.raises(WrongCheckSymbolError):
                normalise_code(GOOD[:place] + wrong + GOOD[place + 1 :])


def test_every_swap_of_two_symbols_is_caught() -> None:
    for first, second in itertools.combinations(range(16), 2):
        swapped = list(GOOD)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        if swapped != list(GOOD):
            with pytest.raises(WrongCheckSymbolError):
                normalise_code("".join(swapped))


@pytest.mark.parametrize(
    "typed",
    [
        GOOD.lower(),
        "K7M2-QX9R-TB4D-HVWR",
        " k7m2 qx9r tb4d hvwr ",
        "K7M2‐QX9R–TB4D—HVWR",
        "Ｋ７Ｍ２QX9RTB4DHVWR",
        "HTTPS://GIFTS.EXAMPLE/C/K7M2QX9RTB4DHVWR",
        "http://127.0.0.1:8000/c/k7m2-qx9r-tb4d-hvwr?paper=a4",
        "https://gifts.example/c/K7M2QX9RTB4DHVWR/",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert normalise_code(typed) == GOOD


def test_look_alike_letters_are_forgiven() -> None:
    code = "0123456789ABCDE4"
    assert normalise_code("OI23456789ABCDE4") == code
    assert normalise_code("oL23456789abcde4") == code


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "K7M2",
        GOOD + "0",
        "U" * 16,
        "ß" * 16,
        "ı" * 16,
        "\0" * 16,
        "K" * 10_000,
        "\ud800" * 16,
        "٣" * 16,
        "../../etc",
    ],
)
def test_anything_else_is_refused_in_one_way(typed: str) -> None:
    with pytest.raises(InvalidCodeError):
        normalise_code(typed)


def test_a_variant_of_a_good_code_is_never_read_as_another() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        place = chance.randrange(16)
        variant = GOOD[:place] + chance.choice("OoIiLl01UußÉ-_ x") + GOOD[place + 1 :]
        try:
            assert normalise_code(variant) == GOOD
        except InvalidCodeError:
            continue


def test_new_codes_differ_and_read_back_in_groups() -> None:
    made = {new_code() for _ in range(5000)}
    assert len(made) == 5000
    assert all(normalise_code(format_code(code)) == code for code in made)


def test_every_symbol_comes_up_at_every_place() -> None:
    columns = zip(*(new_code() for _ in range(3000)), strict=True)
    assert all(set(column) == set(ALPHABET) for column in columns)
