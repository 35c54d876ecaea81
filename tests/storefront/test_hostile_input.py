"""Whatever is typed, pasted or forged: never a broken page, always a clear error with the input kept."""

import pytest
from werkzeug.test import TestResponse

from giftshop.storefront.forms import GIFT_FIELDS
from tests.hostile import encode_raw, hostile_inputs
from tests.storefront.conftest import Visitor, errors_of


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
    return visitor.ask(path, method="POST", **encode_raw(fields))
