"""Whatever is typed, pasted or forged: refused at its field with the input kept, or taken and shown as it is.

Nothing breaks the shop (an answer of 500 or more fails every test here), and nothing typed is ever asked for.
"""

import sys
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from giftshop.orders.look_up import token_of
from giftshop.storefront.balance import BAD_CODE
from giftshop.storefront.builder.form import GIFT_FIELDS, MOST_GIFTS, TRAP
from giftshop.storefront.lookups import PER_ADDRESS
from giftshop.web.limiter import limiter
from tests import build
from tests.hostile import as_shown, encode_raw, hostile_inputs, size_of, watch_what_is_reached
from tests.storefront.conftest import Fields, Visitor, errors_of, orders
from tests.workbench.running import RunningWorkbench

COUNTS: dict[str, dict[str, str]] = {"amount": {"offer": "amount"}}
"""What else must be chosen for a field to count; the usual gift has it for every other one."""
USUAL = {"quantity": "1", "price": "shown"}
"""What an order says where nothing was typed."""
RADIOS = ("offer", "design", "price", "delivery")
MOST_IN_A_FORM = 400_000


@pytest.fixture
def form(visitor: Visitor) -> dict[str, str]:
    """What a fresh form sends, before anything is filled in."""
    visitor.open("/gift")
    return visitor.fields


@pytest.fixture(autouse=True)
def _nothing_typed_is_asked_for(form: dict[str, str], workbench: RunningWorkbench) -> Iterator[None]:
    """Once the shop stands only Stripe is spoken to, and our press: no other host, program or file of the machine."""
    with watch_what_is_reached() as reached:
        yield
    stripe = urlsplit(workbench.url)
    assert reached <= {stripe.netloc, stripe.hostname, sys.executable}


@pytest.mark.parametrize("field", GIFT_FIELDS)
def test_any_input_in_a_gift_is_refused_at_its_field_and_kept_or_ordered_as_it_is(
    paying: Visitor, form: dict[str, str], field: str
) -> None:
    taken = []
    for batch in batches(hostile_inputs()):
        answer = send_gifts(paying, form, field, batch)
        if answer.status_code == 303:
            assert_ordered(paying, field, batch)
        else:
            refused = refusals(answer, field, len(batch))
            assert_kept(paying, field, batch)
            taken += [typed for number, typed in enumerate(batch) if number not in refused]
    for batch in batches(taken):
        assert send_gifts(paying, form, field, batch).status_code == 303
        assert_ordered(paying, field, batch)


def test_any_input_for_the_receipt_is_refused_at_its_field_and_kept_or_ordered_as_it_is(
    paying: Visitor, form: dict[str, str]
) -> None:
    for typed in hostile_inputs():
        answer = send_order(paying, form, "buyer_email", typed)
        if answer.status_code == 303:
            assert orders()[-1].buyer_email == typed.strip()
        else:
            assert (answer.status_code, list(errors_of(answer))) == (422, ["buyer_email"])
            assert held(paying.fields["buyer_email"]) == held(typed)


def test_any_input_in_the_trap_for_programs_is_refused_there_and_kept(visitor: Visitor, form: dict[str, str]) -> None:
    for typed in filter(None, hostile_inputs()):
        answer = send_order(visitor, form, TRAP, typed)
        assert (answer.status_code, errors_of(answer)) == (422, {TRAP: "Leave this field empty"})
        assert held(visitor.fields[TRAP]) == held(typed)
    assert orders() == []


def test_any_request_key_is_used_as_it_is_or_refused_with_the_form_kept_and_a_fresh_one(
    paying: Visitor, form: dict[str, str]
) -> None:
    for typed in filter(None, hostile_inputs()):
        answer = send_order(paying, form, "request_key", typed)
        if answer.status_code == 303:
            assert [order.request_key for order in orders()].count(as_shown(typed)) == 1
        else:
            assert (answer.status_code, list(errors_of(answer))) == (400, [""])
            assert paying.fields["request_key"] != typed
            assert_kept(paying, "message", ["Your shoulders have carried enough."])
    assert {16 <= len(order.request_key) <= 255 for order in orders()} == {True}


def test_no_token_but_our_own_opens_the_form_and_what_was_filled_in_is_kept(
    visitor: Visitor, form: dict[str, str]
) -> None:
    for typed in hostile_inputs():
        answer = send_order(visitor, form, "csrf_token", typed)
        assert (answer.status_code, list(errors_of(answer))) == (403, [""])
        assert_kept(visitor, "message", ["Your shoulders have carried enough."])
    assert orders() == []


def test_a_forged_order_to_replace_changes_nothing(paying: Visitor, form: dict[str, str]) -> None:
    filled_in = {**form, **paying.fill_gift()}
    first = paying.send("/gift", filled_in)
    for typed in hostile_inputs():  # copies of one form, so that each gets the first answer
        answer = send_raw(paying, {**filled_in, "replaces": typed})
        assert (answer.status_code, answer.location) == (303, first.location)
    assert [order.state for order in orders()] == ["awaiting_payment"]


def test_any_input_in_the_balance_check_gets_the_one_answer_and_is_kept(visitor: Visitor) -> None:
    visitor.open("/balance")
    for number, typed in enumerate(hostile_inputs()):
        if number % PER_ADDRESS.amount == 0:
            limiter.reset()  # every one is looked up
        answer = send_raw(visitor, {**visitor.fields, "code": typed}, path="/balance")
        assert (answer.status_code, errors_of(answer)) == (422, {"code": BAD_CODE})
        assert held(visitor.fields["code"]) == held(typed)


def test_any_balance_check_without_our_token_is_refused_with_the_code_kept(visitor: Visitor) -> None:
    for typed in hostile_inputs():
        answer = send_raw(visitor, {"code": "7KQ2", "csrf_token": typed}, path="/balance")
        assert (answer.status_code, list(errors_of(answer))) == (403, [""])
        assert visitor.fields["code"] == "7KQ2"


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


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/c/%ED%A0%80", 404),
        ("/c/%00", 400),
        ("/c/%FF%FE", 404),
        ("/c/" + "9" * 5000, 404),
        ("/c/x/%00.pdf", 400),
        ("/orders/%00", 400),
        ("/art/%00.svg", 400),
        ("/gift?order=%00", 400),
        ("/gift?offer=%ED%A0%80", 200),
        ("/articles/..%2f..%2fetc", 404),
    ],
)
def test_no_address_breaks_the_shop(visitor: Visitor, path: str, status: int) -> None:
    assert visitor.open(path).status_code == status


def test_a_form_too_large_or_of_too_many_parts_is_refused(visitor: Visitor) -> None:
    visitor.open("/gift")
    assert visitor.send("/gift", visitor.fill_gift(message="x" * 1_100_000)).status_code == 413
    part = '--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n'
    many = visitor.ask(
        "/gift", method="POST", data=part * 1_001 + "--edge--", content_type="multipart/form-data; boundary=edge"
    )
    assert many.status_code == 413


def test_fields_nobody_asked_for_are_not_looked_at_however_many(paying: Visitor) -> None:
    many = {f"field-{number}": "x" for number in range(1_500)}
    assert paying.send("/gift", {**paying.fill_gift(), **many}).status_code == 303


def batches(inputs: list[str]) -> Iterator[list[str]]:
    """Hand out inputs, so many at a time as one form may hold."""
    batch: list[str] = []
    for typed in inputs:
        if len(batch) == MOST_GIFTS or sum(map(size_of, [*batch, typed])) > MOST_IN_A_FORM:
            yield batch
            batch = []
        batch.append(typed)
    if batch:
        yield batch


def send_gifts(visitor: Visitor, form: dict[str, str], field: str, batch: list[str]) -> TestResponse:
    """Send a form with a gift for each input, which is the only odd thing about it."""
    gifts: dict[str, str] = {}
    for number, typed in enumerate(batch):
        gifts |= visitor.fill_gift(number, **{**COUNTS.get(field, {}), field: typed})
    return send_raw(visitor, {**form, "request_key": build.request_key(), **gifts})


def send_order(visitor: Visitor, form: dict[str, str], field: str, typed: str) -> TestResponse:
    """Send a form with one gift and one odd thing about it."""
    return send_raw(visitor, {**form, "request_key": build.request_key(), **visitor.fill_gift(), field: typed})


def send_raw(visitor: Visitor, fields: dict[str, str], *, path: str = "/gift") -> TestResponse:
    """Send fields as bytes, so that lone surrogates arrive as a broken client would send them."""
    answer = visitor.ask(path, method="POST", **encode_raw(fields))
    visitor.fields = Fields(answer.text).values
    assert answer.status_code < 500
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "\0" not in answer.text
    return answer


def refusals(answer: TestResponse, field: str, count: int) -> set[int]:
    """Return which gifts were refused, each at its one odd field, in the summary and beside it."""
    assert answer.status_code == 422
    ids = {f"gifts-{number}-{field}": number for number in range(count)}
    told = errors_of(answer)
    assert told
    assert told.keys() <= ids.keys()
    assert all(f'id="{name}-error">Error: ' in answer.text for name in told)
    return {ids[name] for name in told}


def assert_kept(visitor: Visitor, field: str, batch: list[str]) -> None:
    """Check that the form shown again holds what was typed, the odd and the rest; radios hold only what they offer."""
    for number, typed in enumerate(batch):
        sent = visitor.fill_gift(number, **{**COUNTS.get(field, {}), field: typed})
        shown = {name: held(visitor.fields.get(name, "")) for name in sent}
        if field in RADIOS:
            sent[f"gifts-{number}-{field}"] = "" if typed else USUAL.get(field, "")
        assert shown == {name: held(value) for name, value in sent.items()}


def assert_ordered(visitor: Visitor, field: str, batch: list[str]) -> None:
    """Check that the newest order, shown in the form again, says what was typed."""
    visitor.open(f"/gift?order={token_of(orders()[-1])}")
    for number, typed in enumerate(batch):
        shown = visitor.fields[f"gifts-{number}-{field}"]
        assert essence(shown) == essence(typed if typed.strip() else USUAL.get(field, typed))


def held(text: str) -> str:
    """Return a text as HTML can hold it: what is unreadable as signs that say so, and one kind of line end."""
    return as_shown(text).replace("\r\n", "\n").replace("\r", "\n")


def essence(text: str) -> str:
    """Return what people see of a text: composed letters, apart from how they are spaced; "" when there are none."""
    signs = "".join(unicodedata.normalize("NFC", as_shown(text)).split())
    return signs if any(unicodedata.category(sign)[0] in "LNPS" for sign in signs) else ""
