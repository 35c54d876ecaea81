"""Money: typed text is read exactly or refused, never rounded; what is written reads back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from giftshop.errors import InvalidAmountError
from giftshop.money import format_amount, format_choice, format_plain, parse_amount

READ = [
    ("95", "USD", 95_00),
    ("0", "USD", 0),
    ("0.01", "USD", 1),
    ("007", "USD", 7_00),
    ("19.99", "USD", 19_99),
    ("0.30", "USD", 30),
    ("1.5", "USD", 1_50),
    ("$95", "USD", 95_00),
    ("$ 95.00", "USD", 95_00),
    (" \t95.00\u00a0", "USD", 95_00),
    ("1,250.50", "USD", 1_250_50),
    ("$1,234,567.89", "USD", 1_234_567_89),
    ("999999999.99", "USD", 999_999_999_99),
    ("5000", "JPY", 5000),
    ("¥5,000", "JPY", 5000),
    ("1.234", "KWD", 1234),
    ("1.5", "KWD", 1500),
    ("€12.50", "EUR", 12_50),
]

REFUSED = [
    *["", " ", "$", "$$5", "5$", ".", ".5", "5.", "-5", "+5", "(5)", "5-", "--5"],
    *["19.995", "0.001", "1.2345", "1e2", "1E2", "1e400", "0x10", "1_000", "1 000", "5 USD", "5,00", "1,00,000"],
    *["1,2345", ",5", "5,", "1.000,00", "12,345,678,901", "1234567890"],
    *["NaN", "sNaN", "Infinity", "inf", "١٢", "٣", "１２", "１２.５０", "²", "Ⅷ", "½", "𝟓"],
    *["5\0", "\0", "5\n5", "5\r\n", "\ud800", "\u202e5", "5\u200b", "9" * 5000, "{{7*7}}", "€5", "five"],
]


@pytest.mark.parametrize(("text", "currency", "cents"), READ)
def test_a_typed_amount_is_read_exactly(text: str, currency: str, cents: int) -> None:
    assert parse_amount(text, currency) == cents


@pytest.mark.parametrize("text", REFUSED)
def test_anything_but_a_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmountError):
        parse_amount(text, "USD")


@pytest.mark.parametrize(("text", "currency"), [("0.5", "JPY"), ("5.00", "JPY"), ("1.2345", "KWD")])
def test_a_fraction_finer_than_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(InvalidAmountError):
        parse_amount(text, currency)


@given(st.integers(0, 10**11 - 1), st.sampled_from(["USD", "EUR", "JPY", "KWD"]))
@examples(deadline=None, max_examples=200)
def test_what_a_field_holds_reads_back_as_the_same_amount(cents: int, currency: str) -> None:
    if currency == "JPY":
        cents %= 10**9
    assert parse_amount(format_plain(cents, currency), currency) == cents
    assert parse_amount(format_amount(cents % 10**9, currency), currency) == cents % 10**9


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
        (format_choice, 95_00, "USD", "$95"),
        (format_choice, 19_99, "USD", "$19.99"),
        (format_choice, 100_000_00, "USD", "$100,000"),
        (format_choice, 5000, "JPY", "¥5,000"),
        (format_plain, 95_00, "USD", "95.00"),
        (format_plain, 5, "USD", "0.05"),
        (format_plain, 5000, "JPY", "5000"),
        (format_plain, 1234, "KWD", "1.234"),
    ],
)
def test_an_amount_is_written_as_people_read_it(write: Any, cents: int, currency: str, text: str) -> None:
    assert write(cents, currency) == text
