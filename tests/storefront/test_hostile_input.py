"""Whatever is typed, pasted or forged: never a broken page, always a clear error with the input kept."""

import random
from urllib.parse import quote_from_bytes

import pytest
from werkzeug.test import TestResponse

from giftshop.storefront.forms import GIFT_FIELDS
from tests.storefront.conftest import Visitor, errors_of

SEEDS = [
    "",
    "\0",
    "a\0b",
    "x" * 10_000,
    "é" * 10_000,
    "Z" + "\u0301" * 10_000,
    "\u202eevil",
    "\u2066x",
    "Ana\r\nBcc: all@example.com",
    "a\u2028b",
    "\ufeff\u200b\u200d",
    "1e400",
    "-5",
    "+5",
    "٣",
    "１２.５０",
    "1_000",
    "NaN",
    "Infinity",
    "sNaN",
    "0x10",
    "9" * 5_000,
    str(2**63),
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}",
    "${7*7}#{7*7}",
    "file:///etc/passwd",
    "http://127.0.0.1:9/",
    "//evil.example",
    "' OR 1=1 --",
    "a@b@c",
    "a@x.com\nb@x.com",
    "2026-02-30",
    "0000-00-00",
    "９９９９-１２-３１",
    "²",
    "👩‍👩‍👧‍👦" * 30,
    "한글محمدעברית" * 20,
]
_NASTY = [
    "\0",
    "\r\n",
    "\u202e",
    "\ud800",
    "<",
    "&",
    "\u0300",
    "٣",
    "💣",
    "{{",
    "%s",
    "\\",
    "\x7f",
    "\x85",
    "\U000e0001",
]


def hostile_inputs(count: int = 500) -> list[str]:
    """Return that many different inputs: the known bad ones, and mixtures that are the same in every run."""
    chance = random.Random(20261124)
    made = [
        "".join(chance.choice(_NASTY + SEEDS[:30]) for _ in range(chance.randint(1, 6)))[:12_000]
        for _ in range(count - len(SEEDS))
    ]
    return SEEDS + made


@pytest.mark.parametrize("field", [*GIFT_FIELDS, "buyer_email"])
def test_no_input_in_any_field_breaks_the_builder(visitor: Visitor, field: str) -> None:
    visitor.open("/gift")
    name = field if field == "buyer_email" else f"gifts-0-{field}"
    for hostile in hostile_inputs():
        fields = {**visitor.fields, **visitor.fill_gift(recipient_name="", giver_name=""), name: hostile}
        answer = send_raw(visitor, "/gift", fields)
        assert answer.status_code in (403, 413, 422), hostile[:60]
        assert errors_of(answer)
        assert "onerror=alert(1)>" not in answer.text.replace("&gt;", "")
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("field", ["recipient_name", "message", "amount", "recipient_email", "deliver_on", "quantity"])
@pytest.mark.parametrize("typed", ['<b>"quoted" & odd</b>', "{{7*7}}", "مرحبا", "-5", "1_000"])
def test_what_was_typed_stands_in_its_field_again(visitor: Visitor, field: str, typed: str) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", {**visitor.fill_gift(offer="amount", giver_name=""), f"gifts-0-{field}": typed})
    assert answer.status_code == 422
    assert visitor.fields[f"gifts-0-{field}"] == typed


def test_forged_field_names_change_nothing(visitor: Visitor) -> None:
    visitor.open("/gift")
    forged = {
        "gifts-²-offer": "1",
        "gifts-99999999999-offer": "amount",
        "gifts--1-offer": "x",
        "gifts-0-state": "paid",
        "gifts": "x",
        "remove_gift-²": "1",
        "remove_gift-99": "1",
    }
    answer = visitor.send("/gift", {**visitor.fill_gift(), **forged})
    assert answer.status_code == 200
    assert answer.text.count('class="gift"') == 1


def test_no_input_breaks_the_balance_check(visitor: Visitor) -> None:
    visitor.open("/balance")
    for hostile in hostile_inputs(120):
        answer = send_raw(visitor, "/balance", {**visitor.fields, "code": hostile})
        assert answer.status_code in (422, 429), hostile[:60]


@pytest.mark.parametrize(
    "path",
    [
        "/c/%ED%A0%80",
        "/c/%00",
        "/c/%FF%FE",
        "/c/" + "9" * 5000,
        "/orders/%00",
        "/art/%00.svg",
        "/gift?order=%00",
        "/gift?offer=%ED%A0%80",
        "/articles/..%2f..%2fetc",
    ],
)
def test_no_address_breaks_the_shop(visitor: Visitor, path: str) -> None:
    assert visitor.open(path).status_code in (200, 400, 404)


def test_too_many_fields_and_too_large_forms_are_refused(visitor: Visitor) -> None:
    visitor.open("/gift")
    large = visitor.send("/gift", {**visitor.fill_gift(message="x" * 1_100_000)})
    many = visitor.send("/gift", {f"field-{number}": "x" for number in range(1_500)})
    assert large.status_code == 413
    assert many.status_code in (200, 413, 422)


def send_raw(visitor: Visitor, path: str, fields: dict[str, str]) -> TestResponse:
    """Send fields as bytes, so that lone surrogates arrive as a broken client would send them."""
    body = "&".join(
        f"{quote_from_bytes(name.encode())}={quote_from_bytes(value.encode('utf-8', 'surrogatepass'))}"
        for name, value in fields.items()
    )
    return visitor.ask(path, method="POST", data=body, content_type="application/x-www-form-urlencoded")
