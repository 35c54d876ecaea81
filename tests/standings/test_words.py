"""What a holder, a buyer, the counter and the office read of a certificate in each of its states."""

import pytest
from flask import Flask

from giftshop import clock
from giftshop.certificates import status
from giftshop.dates import write_day
from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind
from giftshop.office import standings as office_words
from giftshop.orders.look_up import token_of
from giftshop.orders.standings import USABLE, Standing
from giftshop.payments.shares import list_certificates
from giftshop.redemption import verdict
from giftshop.storefront import lookups
from giftshop.storefront.holder import words as holding
from giftshop.storefront.order import standing_words
from tests import build
from tests.office.conftest import words_of
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in
from tests.standings.cases import CASES, ask_back, sell
from tests.standings.told import ROWS, Told
from tests.storefront.conftest import Visitor, heading


def main_of(html: str) -> str:
    """Return the words of a page between its frames."""
    return words_of(html.partition("<main")[2].partition(">")[2].partition("</main>")[0])


def assert_told(expected: Told, head: str, words: str) -> None:
    day = write_day(clock.today("America/Denver"))
    assert head == expected.head
    for sentence in expected.says:
        assert sentence.format(day=day) in words


@pytest.mark.parametrize("name", CASES)
def test_every_reader_reads_what_happened_when_and_how_much(
    app: Flask, visitor: Visitor, stripe_side: StripeSide, name: str
) -> None:
    case, row = CASES[name](stripe_side), ROWS[name]
    order_page, office_page = f"/orders/{token_of(case.order)}", f"/office/orders/{case.order.id}"
    db.session.commit()
    page = visitor.open(f"/c/{case.code}")
    words = main_of(page.text)
    assert page.status_code == (404 if name == "replaced" else 200)
    assert_told(row.holder, heading(page), words)
    assert "Corrected" not in words
    assert "typing slip" not in words
    page = visitor.open(order_page)
    assert_told(row.buyer, heading(page), main_of(page.text))
    owner = signed_in(app, hire("owner"))
    found = owner.post("/redeem", data={"code": case.code})
    html = owner.get(found.location).text if found.location else found.text
    verdict_of = html.partition('class="state verdict')[2] or html.partition('id="summary"')[2]
    assert_told(row.till, words_of(verdict_of.partition("<b>")[2].partition("</b>")[0]), main_of(html))
    html = owner.get(office_page).text
    of_one = html.partition('aria-labelledby="certificates"')[2].partition("</li>")[0]
    tag = of_one.partition('class="tag')[2].partition(">")[2].partition("</span>")[0]
    assert_told(row.office, words_of(tag), words_of(of_one))


def test_a_code_that_was_replaced_tells_nothing_of_its_certificate(visitor: Visitor, stripe_side: StripeSide) -> None:
    case = CASES["replaced"](stripe_side)
    db.session.commit()
    opened = visitor.open(f"/c/{case.code}")
    visitor.open("/balance")
    for page in (opened, visitor.send("/balance", {"code": case.code})):
        words = main_of(page.text)
        assert "This code was replaced" in words
        assert not any(secret in words for secret in ("Ana", "Marko", "$", "massage", "email to"))


@pytest.mark.parametrize("name", [name for name in CASES if name != "replaced"])
def test_a_typed_code_says_the_same_without_the_name(visitor: Visitor, stripe_side: StripeSide, name: str) -> None:
    case, row = CASES[name](stripe_side), ROWS[name]
    db.session.commit()
    visitor.open("/balance")
    page = visitor.send("/balance", {"code": case.code})
    day, words = write_day(clock.today("America/Denver")), main_of(page.text)
    assert page.status_code == 200
    assert "Ana" not in words
    sentences = [
        each for each in row.holder.says if not each.startswith("From") and not each.endswith((" $0.00", "−$95.00"))
    ]
    assert all(each.format(day=day) in words for each in sentences)


@pytest.mark.parametrize("name", ["refunded", "lost", "ended"])
def test_what_has_ended_prints_nothing_and_leads_to_the_page_that_says_why(
    visitor: Visitor, stripe_side: StripeSide, name: str
) -> None:
    case = CASES[name](stripe_side)
    db.session.commit()
    answer = visitor.open(f"/c/{case.code}/certificate.pdf")
    assert (answer.status_code, answer.location) == (303, f"/c/{case.code}")
    page = visitor.open(f"/c/{case.code}").text
    assert case.code not in page
    assert "Copy the code" not in page


def test_codes_that_there_were_do_not_count_as_guesses(
    visitor: Visitor, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "BY_ALL_STRANGERS", lookups.RateLimitItemPerHour(1))
    refunded, replaced = CASES["refunded"](stripe_side).code, CASES["replaced"](stripe_side).code
    db.session.commit()
    answers = [visitor.open(f"/c/{code}").status_code for code in (refunded, replaced, refunded, replaced)]
    assert answers == [200, 404, 200, 404]


def test_certificates_of_one_gift_that_stand_differently_are_told_one_by_one(
    visitor: Visitor, stripe_side: StripeSide
) -> None:
    case_order = stripe_side.sell(build.gift_request(delivery="print", quantity=4))
    first, second, third, _fourth = list_certificates(case_order.id)
    status.freeze_by_hand(first.id, reason_code="rang", actor="staff:1", at=clock.now())
    build.redeem(second, 95_00)
    key = build.request_key()
    status.void(third.id, reason_code="cash", request_key=key, actor="staff:1", at=clock.now())
    path, day = f"/orders/{token_of(case_order)}", write_day(clock.today("America/Denver"))
    db.session.commit()
    words = main_of(visitor.open(path).text)
    assert "1 of 4 can still be used" in words
    assert "1 of 4: On hold for the moment." in words
    assert f"1 of 4: All of it was used, $95.00, the last of it on {day}" in words
    assert f"1 of 4: It has ended and can no longer be used. We took $95.00 off it on {day}." in words
    assert words.count("Print certificate") == 1


def test_part_of_a_refund_under_way_is_told_beside_what_is_left(visitor: Visitor, stripe_side: StripeSide) -> None:
    case = sell(stripe_side)
    ask_back(case, 40_00)
    path = f"/orders/{token_of(case.order)}"
    db.session.commit()
    assert "$40.00 of it is on its way back to whoever bought it." in main_of(visitor.open(f"/c/{case.code}").text)
    assert "$40.00 of it is on its way back to you" in main_of(visitor.open(path).text)


def test_every_state_and_every_movement_has_its_words_in_each_table() -> None:
    assert set(holding.WORDS) == set(Standing) == set(office_words.WORDS)
    assert set(standing_words.WORDS) == set(verdict.WORDS) == set(Standing) - set(USABLE)
    assert set(holding.MOVEMENTS) == set(EntryKind)
    assert set(ROWS) == set(CASES)
