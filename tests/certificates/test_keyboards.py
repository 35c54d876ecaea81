"""Keyboards: what a scanner set to a US one types on every other layout is read back, or the layout named."""

import json

import pytest

from giftshop.certificates.keyboards import KEYS, TABLES, find_unreadable, name_keyboards, read_back
from giftshop.words import in_language
from tests.certificates.keyboards_from_xkb import read_tables

CODE = "K7M2YZ9ATW4QH0VQ"
ADDRESS = f"HTTPS://GIFT.EXAMPLE.COM/C/{CODE}"

ARRIVED = [
    ("HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QH0VQ", "German"),
    ("httpsö--gift.example.com-c-k7m2zy9atw4qh0vq", "German"),
    ("HTTPSé--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QH0VQ", "German (Switzerland)"),
    ("HTTPSČ--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QH0VQ", "Croatian"),
    ("HTTPSÉ--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QHöVQ", "Hungarian"),
    ("HTTPSM!!GIFT:EXQ?PLE:CO?!C!Kè?éYWçQTZ'AHàVA", "French"),
    ("httpsm!!gift:exq?ple:co?!c!kÈ?Éywçqtz'ahÀva", "French"),
    ("httpsm§§gift/exq,ple/co,§c§k7,2yw9qtz4ah0va", "French"),
    ("HTTPSM==GIFT:EXQ?PLE:CO?=C=Kè?éYWçQTZ'AHàVA", "Dutch (Belgium)"),
    ("HTTPS:ééGIFT.EXAMPLE.COMéCéK7M2YZ9ATW4QH0VQ", "French (Canada)"),
    ("HTTPSÑ--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Spanish"),
    ("HTTPSç--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Italian"),
    ("HTTPSÇ--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Portuguese"),
    ("HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Swedish"),
    ("HTTPSØ--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Norwegian"),
    ("HTTPSÆ--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Danish"),
    ("HTTPSÇ;;GIFT.EXAMPLE.COM;C;K7M2YZ9ATW4QH0VQ", "Portuguese (Brazil)"),
    ("HTTPSŞ..GIFTçEXAMPLEçCOM.C.K7M2YZ9ATW4QH0VQ", "Turkish"),
    ("HTTPS:..GIFTץEXAMPLEץCOM.C.K7M2YZ9ATW4QH0VQ", "Hebrew"),
    ('HTTPS"--GIFT.EXAMPLE.COM-C-KýMěZYíATWčQHéVQ', "Czech"),
    ('HTTPS"--GIFT.EXAMPLE.COM-C-KýMľZYíATWčQHéVQ', "Slovak"),
    ("HTTPSŁ--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QH0VQ", "Polish"),
    ("HTTPSȘ--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QH0VQ", "Romanian"),
    ("HTTPS://GIFT.EXAMPLE.COM/C/KųMčYZ„ATWėQH“VQ", "Lithuanian"),
    ("HTTPS±--GIFT.EXAMPLE.COM-C-K7M2YZ9ATW4QH0VQ", "Dutch"),
    ("ÄQ1HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2ZY9ATW4QH0VQ\r\n", "German"),
]
"""What was seen to arrive, each with one of the layouts it arrives on (CODE with its Y and Z)."""
NAMED = [
    ("ΗΤΤΠΣ¨//ΓΙΦΤ.ΕΧΑΜΠΛΕ.ΨΟΜ/Ψ/Κ7Μ2ΥΖ9ΑΤΣ4:Η0Ω:", "Greek"),
    ("ΗΤΤΠΣ//ΓΙΦΤ.ΕΧΑΜΠΛΕ.ΨΟΜ/Ψ/Κ7Μ2ΥΖ9ΑΤΣ4:Η0Ω:", "Greek"),
    ("РЕЕЗЫЖ..ПШАЕюУЧФЬЗДУюСЩЬ.С.Л7Ь2НЯ9ФЕЦ4ЙР0МЙ", "Russian"),
    ("реезыж..пшаеючфьздую", "Russian"),
    ("أﻹﻹ؛ٍ:ظظﻷ÷[ﻹزُِْ", "Arabic"),
    ("็ธธญฆซฝฝฌณโธใฎ)ฤ?ญศฎใฉฯ?ฝฉฝษ", "Thai"),
    ("HTTPS://GIFT.EXAMPLE.COM/C/K̃MâYẒATWôQHđVQ", "Vietnamese"),
    ('DYYLOSzzICUYv>QAMLN>vJRMzJzT7M2F:9AY<4"D0K"', "Dvorak"),
]


def typed_on(table: dict[str, str], address: str = ADDRESS, *, is_caps: bool = False) -> str:
    """Return what a US scanner's keys for an address become on a layout, also while Caps Lock turns its letters."""
    typed = ""
    for sign in address:
        is_shifted, place = sign.isalpha() or sign == ":", KEYS.index(sign.replace(":", ";"))
        made = table["shifted" if is_shifted else "plain"][place]
        typed += made.swapcase() if is_caps and len(made.swapcase()) == 1 else made
    return typed


def codes_read(text: str) -> list[str]:
    return [code for meaning in read_back(text) if meaning.is_address for code in [meaning.text.rpartition("/")[2]]]


def tables(*, is_read: bool) -> list[dict[str, str]]:
    return [table for table in json.loads(TABLES.read_text())["tables"] if table["is_read"] == is_read]


@pytest.mark.parametrize(("text", "keyboard"), ARRIVED)
def test_an_address_is_read_back_from_what_was_seen_to_arrive(text: str, keyboard: str) -> None:
    assert CODE in codes_read(text)
    assert keyboard in name_keyboards([each.keyboard for each in read_back(text)])


@pytest.mark.parametrize("is_caps", [False, True])
@pytest.mark.parametrize("table", tables(is_read=True), ids=lambda table: "+".join(table["layouts"]))
def test_an_address_is_read_back_from_every_layout(table: dict[str, str], is_caps: bool) -> None:
    assert CODE in codes_read(typed_on(table, is_caps=is_caps))


@pytest.mark.parametrize("table", tables(is_read=False), ids=lambda table: "+".join(table["layouts"]))
def test_a_layout_that_is_not_read_back_is_named(table: dict[str, str]) -> None:
    text = typed_on(table)
    assert codes_read(text) == []
    assert name_keyboards(find_unreadable(text))


@pytest.mark.parametrize(("text", "keyboard"), NAMED)
def test_what_cannot_be_read_is_named_as_people_call_it(text: str, keyboard: str) -> None:
    assert codes_read(text) == []
    assert keyboard in name_keyboards(find_unreadable(text))


def test_a_code_alone_is_read_back_too_but_is_never_certain() -> None:
    meanings = [each for each in read_back("Kè?éYWçQTZ'AHàVA") if each.text == CODE]
    assert [each.is_address for each in meanings] == [False] * len(meanings)
    assert "French" in name_keyboards([each.keyboard for each in meanings])
    assert CODE in [each.text for each in read_back("+Q1K7M2ZY9ATW4QH0VQ")]


@pytest.mark.parametrize(
    "text",
    [
        ADDRESS,
        ADDRESS.lower(),
        "",
        " ",
        "Žaneta Đorđević",
        "Иван Петров",
        "ana@example.com",
        "HTTPS",
        "x" * 5000,
        "\0",
        "\ud800",
    ],
)
def test_what_a_person_types_is_no_scan_of_another_keyboard(text: str) -> None:
    assert [each for each in read_back(text) if each.is_address] == []
    assert find_unreadable(text) == []


def test_an_address_cut_short_or_with_a_foreign_sign_in_its_code_is_not_read_back() -> None:
    assert codes_read("HTTPSÖ--GIFT.EXAMPLE.COM-C-") == []
    assert codes_read("HTTPSÖ--GIFT.EXAMPLE.COM-C-K7M2ж") == []


def test_keyboards_are_named_in_the_language_of_the_moment() -> None:
    with in_language("en"):
        assert name_keyboards([each.keyboard for each in read_back(ARRIVED[11][0])]) == ["Italian", "Portuguese"]


def test_the_tables_are_those_of_xkb_data() -> None:
    stored = json.loads(TABLES.read_text())
    here = read_tables()
    assert stored["source"].startswith("xkb-data 2.35.1")
    assert stored["tables"] == here["tables"]


def test_no_sign_means_two_keys_of_an_address_on_one_layout() -> None:
    for table in tables(is_read=True):
        usual = typed_on(table)
        assert len({*zip(ADDRESS, usual, strict=True)}) == len(set(ADDRESS)) == len(set(usual)), table["layouts"]
