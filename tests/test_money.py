"""Money: typed text is read exactly or refused, never rounded; what is written reads back, here and in browsers."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import babel.numbers
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from giftshop import money
from giftshop.errors import AmountInTwoWaysError, AmountTooFineError, InvalidAmountError
from giftshop.foundation.settings import ROOT
from giftshop.money import (
    be_at_home_in,
    format_amount,
    format_choice,
    format_plain,
    name_unit,
    parse_amount,
    read_exact,
    reading_rules,
)
from giftshop.money.currencies import as_of, find_currency, get_currency, list_codes
from tests.browsing import chromium

CASES: list[tuple[str, str, int | str]] = json.loads(Path(__file__).with_name("amounts.json").read_text("utf-8"))
"""What is typed, in which currency, and its minor units, or why it is refused: of Python and of browsers alike."""
REFUSALS = {"unreadable": InvalidAmountError, "tooFine": AmountTooFineError, "twoWays": AmountInTwoWaysError}
WHOLE = ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
AT_HOME = [(code, place) for code in list_codes() for place in sorted(get_currency(code).places)[:1]]


@pytest.fixture(autouse=True)
def _at_home_nowhere() -> Iterator[None]:
    """Write amounts as nobody in particular does, and again as the sample practice's neighbours do."""
    be_at_home_in("")
    yield
    be_at_home_in("US-CO")


def read(text: str, currency: str) -> int | str:
    """Return what the table says of a text: minor units, or why there are none."""
    try:
        return parse_amount(text, currency)
    except InvalidAmountError as refusal:
        return next(name for name, kind in REFUSALS.items() if type(refusal) is kind)


@pytest.mark.parametrize(("text", "currency", "expected"), CASES)
def test_a_typed_amount_is_read_exactly_or_refused_for_a_reason(text: str, currency: str, expected: int | str) -> None:
    assert read(text, currency) == expected


def test_the_table_is_long_and_knows_every_kind_of_answer() -> None:
    assert len(CASES) >= 150
    assert {expected for _text, _currency, expected in CASES if isinstance(expected, str)} == set(REFUSALS)
    assert len({(text, currency) for text, currency, _expected in CASES}) == len(CASES)


def in_a_browser(script: str, argument: Any) -> Any:
    """Run a function of the shop's own script in a real browser."""
    with chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(path=ROOT / "static/js/amounts.js")
        return page.evaluate(script, argument)


def test_a_browser_reads_every_case_of_the_table_as_the_server_does() -> None:
    asked = [[text, reading_rules(currency)] for text, currency, _expected in CASES]
    read_all = "cases => cases.map(([text, rules]) => Amounts.read(text, JSON.parse(rules)))"
    told = [answer.get("cents", answer.get("why")) for answer in in_a_browser(read_all, asked)]
    differing = [(case, answer) for case, answer in zip(CASES, told, strict=True) if case[2] != answer]
    assert differing == []


def test_a_browser_writes_and_reads_every_currency_as_the_server_does() -> None:
    sums = (0, 1, 50, 100, 1234, 123_400, 1_234_567, 99_999_900)
    asked = [(reading_rules(code), cents, format_amount(cents, code)) for code in list_codes() for cents in sums]
    for code, place in AT_HOME:
        be_at_home_in(place)
        asked += [(reading_rules(code), cents, format_amount(cents, code)) for cents in sums]
    write_all = """asked => asked.map(([rules, cents, text]) => {
        const written = Amounts.write(cents, JSON.parse(rules));
        return [written, Amounts.read(text, JSON.parse(rules)).cents];
    })"""
    told = in_a_browser(write_all, asked)
    fractions_of_whole = {reading_rules(code) for code in ("ISK", "UGX")}
    for (rules, cents, text), (written, again) in zip(asked, told, strict=True):
        assert written == text
        assert again == cents or (json.loads(rules)["fractions"] == 0 and cents % 100), (rules, cents)
    assert fractions_of_whole  # nobody holds part of a króna


@given(st.integers(0, 10**11 - 1), st.sampled_from(list_codes()), st.booleans())
@examples(deadline=None, max_examples=600)
def test_what_the_shop_writes_reads_back_as_the_same_amount(cents: int, code: str, at_home: bool) -> None:
    kind = get_currency(code)
    be_at_home_in(min(kind.places, default="") if at_home else "XX")
    smallest = 10**kind.decimals if kind.fractions == 0 else 1
    cents = cents % 10 ** (9 + kind.decimals) // smallest * smallest
    for written in (format_plain(cents, code), format_amount(cents, code), format_choice(cents, code)):
        assert parse_amount(written, code) == cents, written


@given(st.text(max_size=40))
@examples(deadline=None, max_examples=300)
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        cents = parse_amount(text, "USD")
    except InvalidAmountError:
        return
    assert 0 <= cents < 10**11


@pytest.mark.parametrize(
    ("write", "cents", "currency", "text"),
    [
        (format_amount, 25_00, "USD", "$25.00"),
        (format_amount, 1_234_567_89, "USD", "$1,234,567.89"),
        (format_amount, 1, "USD", "$0.01"),
        (format_amount, -5_00, "USD", "-$5.00"),
        (format_amount, 5000, "JPY", "¥5,000"),
        (format_amount, 25_00, "CHF", "CHF\u00a025.00"),
        (format_amount, -25_00, "SEK", "-SEK\u00a025.00"),
        (format_amount, 99_999_999_999_999_99, "USD", "$99,999,999,999,999.99"),  # a float would lose the last cent
        (format_amount, 95_00, "cad", "CA$95.00"),
        (format_amount, 18_000_00, "HUF", "HUF\u00a018,000"),
        (format_amount, 18_000_50, "HUF", "HUF\u00a018,000.50"),  # never hidden where there is one
        (format_amount, 5_000_00, "ISK", "ISK\u00a05,000"),
        (format_amount, 5_120, "KWD", "KWD\u00a05.120"),
        (format_amount, 95_00, "DEM", "DEM\u00a095.00"),
        (format_choice, 95_00, "USD", "$95"),
        (format_choice, 19_99, "USD", "$19.99"),
        (format_choice, 100_000_00, "USD", "$100,000"),
        (format_choice, 5000, "JPY", "¥5,000"),
        (format_plain, 95_00, "USD", "95.00"),
        (format_plain, 5, "USD", "0.05"),
        (format_plain, 5000, "JPY", "5000"),
        (format_plain, 1234, "KWD", "1.234"),
        (format_plain, 18_000_00, "HUF", "18000"),
    ],
)
def test_an_amount_is_written_as_people_read_it(write: Any, cents: int, currency: str, text: str) -> None:
    assert write(cents, currency) == text


@pytest.mark.parametrize(
    ("place", "currency", "text"),
    [
        ("US-CO", "USD", "$95.00"),
        ("CA", "CAD", "$95.00"),
        ("CA-ON", "CAD", "$95.00"),
        ("US", "CAD", "CA$95.00"),
        ("CA", "USD", "US$95.00"),  # a "$" alone would be read as another money there
        ("DE", "USD", "$95.00"),
        ("MX", "MXN", "$95.00"),
        ("AU", "AUD", "$95.00"),
        ("NZ", "NZD", "$95.00"),
        ("SG", "SGD", "$95.00"),
        ("NZ", "AUD", "A$95.00"),
        ("SE", "SEK", "95.00\u00a0kr"),
        ("NO", "SEK", "SEK\u00a095.00"),
        ("PL", "PLN", "95.00\u00a0zł"),
        ("CZ", "CZK", "95.00\u00a0Kč"),
        ("ZA", "ZAR", "R95.00"),
        ("BR", "BRL", "R$95.00"),
        ("CH", "CHF", "CHF\u00a095.00"),
        ("DE", "EUR", "€95.00"),
        ("GB", "GBP", "£95.00"),
    ],
)
def test_the_home_sign_is_written_where_place_and_currency_agree(place: str, currency: str, text: str) -> None:
    be_at_home_in(place)
    assert format_amount(95_00, currency) == text


@pytest.mark.parametrize(("value", "cents"), [(95, 95_00), (Decimal("95.5"), 95_50), (Decimal("1.250"), 1_25), (0, 0)])
def test_a_number_of_a_program_is_read_as_it_stands(value: int | Decimal, cents: int) -> None:
    assert read_exact(value, "USD") == cents


@pytest.mark.parametrize("value", [Decimal("1.001"), -1, Decimal("NaN"), Decimal("Infinity"), 10**9])
def test_a_number_that_is_no_amount_is_refused(value: int | Decimal) -> None:
    with pytest.raises(InvalidAmountError):
        read_exact(value, "USD")


def test_part_of_a_whole_unit_is_refused_of_programs_too() -> None:
    assert read_exact(Decimal("5000"), "ISK") == 5_000_00
    with pytest.raises(AmountTooFineError):
        read_exact(Decimal("5000.5"), "ISK")


def test_the_table_of_currencies_says_what_stripe_says() -> None:
    whole = {code for code in list_codes() if get_currency(code).decimals == 0}
    assert whole == {*WHOLE}
    assert {code for code in list_codes() if get_currency(code).decimals == 3} == {"BHD", "JOD", "KWD", "OMR", "TND"}
    steps = {code: step for code in list_codes() if (step := get_currency(code).step_cents) > 1}
    assert steps == {"ISK": 100, "UGX": 100, "BHD": 10, "JOD": 10, "KWD": 10, "OMR": 10, "TND": 10}
    assert len(list_codes()) > 135
    assert as_of() >= "2026-07"


@pytest.mark.parametrize("code", list_codes())
def test_every_currency_has_bounds_that_can_be_charged_and_a_name(code: str) -> None:
    kind = get_currency(code)
    assert 0 < kind.least_cents < kind.most_cents
    assert kind.least_cents % kind.step_cents == kind.most_cents % kind.step_cents == 0
    assert name_unit(code).isalpha() or name_unit(code).replace("ʻ", "").isalpha()


@pytest.mark.parametrize("code", ["DEM", "FRF", "ITL", "HRK", "BGN", "usd", "XXX", "", "BTC"])
def test_what_stripe_does_not_take_is_in_no_table(code: str) -> None:
    assert find_currency(code) is None


def test_no_sum_changes_when_a_locale_library_counts_other_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(_currency: str) -> int:
        raise AssertionError("nobody asks a locale library")

    monkeypatch.setattr(babel.numbers, "get_currency_precision", other)
    for code in list_codes():
        assert format_plain(get_currency(code).least_cents, code)
    sources = [path.read_text("utf-8") for path in (ROOT / "giftshop").rglob("*.py")]
    assert not [text for text in sources if "get_currency_precision" in text or "format_currency" in text]
    assert money.LOCALE == "en_US"
