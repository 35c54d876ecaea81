"""What was scanned or typed at the counter: found on whatever keyboard it arrives, and never guessed between two."""

import random

import pytest
from flask import Flask

from giftshop.certificates import codes, look_up
from giftshop.certificates.codes import ALPHABET, check_value
from giftshop.certificates.keyboards import WrongKeyboardError
from giftshop.documents.qr import certificate_address
from giftshop.errors import (
    CertificateNotFoundError,
    CodeReplacedError,
    InvalidCodeError,
    SeveralCodesError,
    WrongCheckSymbolError,
)
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from tests import build
from tests.certificates.test_keyboards import tables, typed_on
from tests.conftest import both_databases
from tests.statements import count_queries

SWAPPED = str.maketrans("YZyz", "ZYzy")


def certificate_with(code: str) -> Certificate:
    """A certificate that has this code, as one in many may have it."""
    certificate = build.certificate()
    look_up.keep_code(certificate, code)
    db.session.commit()
    return certificate


def fitting(start: str) -> str:
    """Return a code that starts so."""
    symbols = start.ljust(15, "0")
    return symbols + ALPHABET[check_value([ALPHABET.index(symbol) for symbol in symbols])]


def two_that_swap() -> tuple[str, str]:
    """Return two codes that fit, each the other one with Y and Z swapped."""
    chance = random.Random(1)
    while True:
        code = fitting("".join(chance.choice("79KMYZ") for _ in range(15)))
        if codes.find_codes(code.translate(SWAPPED)) and code.translate(SWAPPED) != code:
            return code, code.translate(SWAPPED)


FIRST, SECOND = two_that_swap()


@both_databases
@pytest.mark.parametrize("is_caps", [False, True])
def test_a_scan_is_read_on_every_layout_that_can_be_read(app: Flask, is_caps: bool) -> None:
    certificate = build.certificate()
    address = certificate_address("https://gift.example.com", build.code_of(certificate))
    for table in tables(is_read=True):
        found = look_up.get_by_scan(typed_on(table, address, is_caps=is_caps))
        assert found is certificate, table["layouts"]


@pytest.mark.parametrize("before", ["", "]Q1", "  "])
@pytest.mark.parametrize("after", ["", "\r", "\r\n", "\t", "\n\n"])
def test_what_a_scanner_adds_does_not_matter(app: Flask, before: str, after: str) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    for text in (code, certificate_address("https://gift.example.com", code), codes.format_code(code)):
        assert look_up.get_by_scan(before + text + after) is certificate
        german = (before + text + after).translate(str.maketrans("YZ:/-]", "ZYÖ-ß+"))
        assert look_up.get_by_scan(german) is certificate


@both_databases
def test_a_code_is_never_guessed_between_two_that_exist(app: Flask) -> None:
    first = certificate_with(FIRST)
    arrived = f"HTTPSÖ--GIFT.EXAMPLE.COM-C-{FIRST}"
    assert look_up.get_by_scan(arrived) is first  # on a Swedish keyboard
    assert look_up.get_by_scan(f"HTTPSÖ--GIFT.EXAMPLE.COM-C-{SECOND}") is first  # on a German one
    second = certificate_with(SECOND)
    for text in (arrived, FIRST, f"HTTPSÖ--GIFT.EXAMPLE.COM-C-{SECOND}", f"{FIRST} {SECOND}"):
        with pytest.raises(SeveralCodesError):
            look_up.get_by_scan(text)
    assert look_up.get_by_scan(f"HTTPS://GIFT.EXAMPLE.COM/C/{SECOND}") is second
    assert look_up.get_by_scan(f"HTTPSÇ--GIFT.EXAMPLE.COM-C-{SECOND}") is second  # nothing else arrives so
    assert look_up.get_by_scan(f"HTTPSČ--GIFT.EXAMPLE.COM-C-{SECOND}") is first


def test_a_dead_code_is_no_certificate_to_choose(app: Flask) -> None:
    first, second = certificate_with(FIRST), certificate_with(SECOND)
    build.reissue(second)
    with pytest.raises(SeveralCodesError):
        look_up.get_by_scan(f"HTTPSÖ--GIFT.EXAMPLE.COM-C-{FIRST}")
    with pytest.raises(CodeReplacedError):
        look_up.get_by_scan(f"HTTPSÇ--GIFT.EXAMPLE.COM-C-{SECOND}")
    replaced = look_up.find_replacement(f"HTTPSÇ--GIFT.EXAMPLE.COM-C-{SECOND}")
    assert replaced is not None
    assert replaced.certificate_id == second.id
    assert look_up.find_replacement("no code") is None
    both = f"old {SECOND}, new {build.code_of(second)}"
    assert look_up.get_by_scan(both) is second  # a letter that names both is about one certificate
    assert look_up.get_by_code(FIRST) is first


def test_only_keyboards_that_make_these_signs_are_named(app: Flask) -> None:
    for text in ("HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2QX9RTB4DHVWR", "httpsö--gift.example.com-c-k7m2qx9rtb4dhvwr"):
        with pytest.raises(WrongKeyboardError) as refused:
            look_up.get_by_scan(text)
        assert "has another one: German, Swedish, Finnish, or Estonian. Set" in refused.value.message
    with pytest.raises(WrongKeyboardError) as refused:
        look_up.get_by_scan("РЕЕЗЫЖ..ПШАЕюУЧФЬЗДУюСЩЬ.С.Л7Ь2НЯ9ФЕЦ4ЙР0МЙ")
    assert "has another one: Russian. Set" in refused.value.message


@pytest.mark.parametrize(
    ("text", "keyboards"),
    [
        ("HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2QX9RTB4DHVWR", "German"),
        ("HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2QX9RTB4DHVW", "Swedish"),
        ("HTTPSM!!GIFT:EXQ?PLE:CO?!C!Kè?éYWçQTZ'AHàVA", "French"),
        ("Kè?éAXç", ""),
        ("РЕЕЗЫЖ..ПШАЕюУЧФЬЗДУюСЩЬ.С.Л7Ь2НЯ9ФЕЦ4ЙР0МЙ", "Russian"),
        ("DYYLOSzzICUYv>QAMLN>vJRMzJzT7M2F:9AY<4", "Dvorak"),
    ],
)
def test_a_scan_that_opens_nothing_names_the_keyboard_to_set(app: Flask, text: str, keyboards: str) -> None:
    with pytest.raises(InvalidCodeError) as refused:
        look_up.get_by_scan(text)
    assert refused.type is (WrongKeyboardError if keyboards else InvalidCodeError)
    assert keyboards in refused.value.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("K7M2-QX9R-TB4D-HVWR", CertificateNotFoundError),
        ("Code: K7M2-QX9R-TB4D-HVWR.", CertificateNotFoundError),
        ("K7M2-QX9R-TB4D-HVWS", WrongCheckSymbolError),
        ("On 7 May 2026, Ana and Jon", InvalidCodeError),
        ("Anna Bell from Reno", InvalidCodeError),
        ("", InvalidCodeError),
    ],
)
def test_what_was_typed_and_opens_nothing_is_refused_for_what_it_is(
    app: Flask, text: str, reason: type[Exception]
) -> None:
    with pytest.raises(reason) as refused:
        look_up.get_by_scan(text)
    assert refused.type is reason


def test_a_page_of_codes_is_looked_for_nowhere(app: Flask) -> None:
    made = [codes.new_code() for _ in range(look_up.MOST_MEANINGS + 1)]
    with count_queries() as queries, pytest.raises(SeveralCodesError):
        look_up.get_by_scan(" ".join(made))
    assert queries == []


@both_databases
def test_the_register_is_asked_equally_often_whatever_a_text_may_mean(app: Flask) -> None:
    code = build.code_of(certificate_with(FIRST))
    asked = []
    for text in ("K7M2-QX9R-TB4D-HVWR", "HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2ZX9RTB4DHVWY", f"{new(3)} {new(4)} {new(5)}"):
        with count_queries() as queries, pytest.raises((InvalidCodeError, CertificateNotFoundError)):
            look_up.get_by_scan(text)
        asked.append(len(queries))
    assert max(asked) == 2
    with count_queries() as queries:
        look_up.get_by_scan(f"HTTPS://GIFT.EXAMPLE.COM/C/{code}")
    assert len(queries) == 1


def new(number: int) -> str:
    return fitting(f"7KQ2M4XD{number}")
