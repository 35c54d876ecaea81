"""Whether a recipient sees the price: as the buyer chose, alike on mail, paper and page, and in what comes later."""

from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop import clock
from giftshop.corrections.certificates import Asked, reissue
from giftshop.delivery.composing import build_message
from giftshop.delivery.models import Delivery
from giftshop.documents.pdf import PAPERS
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications import news
from giftshop.orders.look_up import token_of
from giftshop.refunds.requests import hold_refund, pursue_refund
from tests import build
from tests.documents.test_pdf import words_on
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in
from tests.standings.cases import CASES, code_of
from tests.storefront.conftest import Visitor, errors_of, heading, orders

PRICE = "$95"


def mails_to(address: str) -> dict[str, str]:
    """Return all that every message to somebody says, subject, both bodies and papers, by its kind."""
    found = db.session.execute(sa.select(Delivery.kind, Delivery.id).where(Delivery.to_address == address)).all()
    return {kind: all_in(number) for kind, number in found}


def all_in(delivery_id: int) -> str:
    message = build_message(delivery_id, sender="gifts@example.com", base_url="http://127.0.0.1:8000")
    said = [str(message["Subject"])]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            said.append(part.get_content())
        if part.get_content_type() == "application/pdf":
            said.append(words_on(part.get_content()))
    return " ".join(said)


def buy(visitor: Visitor, side: StripeSide, **values: str) -> str:
    """Buy a gift by the form and pay; return its code."""
    visitor.open("/gift")
    assert visitor.send("/gift", visitor.fill_gift(**values)).status_code == 303
    order = orders()[-1]
    side.workbench.post(f"/sessions/{order.attempts[-1].session_id}/settle", {"outcome": "pay"})
    side.tell("checkout.session.completed", order.attempts[-1].session_id or "")
    return code_of(db.session.scalars(sa.select(Certificate)).one())


def seen_by_recipient(visitor: Visitor, code: str) -> dict[str, str]:
    """Return what a recipient reads anywhere before anything was used."""
    seen = mails_to("ana@example.com")
    seen["page"] = visitor.open(f"/c/{code}").text.partition("<main")[2]
    for paper in PAPERS:
        seen[paper] = words_on(visitor.ask(f"/c/{code}/certificate.pdf?paper={paper}", method="GET").data)
    visitor.open("/balance")
    seen["balance"] = visitor.send("/balance", {"code": code}).text.partition("<main")[2]
    return seen


@pytest.mark.parametrize(
    ("offer", "price", "is_shown"),
    [
        ("60-minutes", "shown", True),
        ("60-minutes", "hidden", False),
        ("60-minutes", "", True),
        ("amount", "shown", True),
        ("amount", "hidden", False),
        ("amount", "", True),
    ],
)
def test_mail_paper_and_page_agree_on_the_price(
    visitor: Visitor, stripe_side: StripeSide, offer: str, price: str, is_shown: bool
) -> None:
    code = buy(visitor, stripe_side, offer=offer, amount="95" if offer == "amount" else "", price=price)
    seen = seen_by_recipient(visitor, code)
    assert set(seen) >= {"gift", "page", "letter", "a4", "card", "balance"}
    assert {where: PRICE in words for where, words in seen.items()} == dict.fromkeys(seen, is_shown)


def test_a_form_that_says_nothing_of_the_price_shows_it(visitor: Visitor, stripe_side: StripeSide) -> None:
    visitor.open("/gift")
    del visitor.fields["gifts-0-price"]
    assert visitor.send("/gift", visitor.fill_gift(offer="amount", amount="50")).status_code == 303
    assert orders()[-1].gifts[0].is_price_shown


def test_another_answer_than_the_two_is_asked_again(visitor: Visitor) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(price="maybe"))
    assert errors_of(answer) == {"gifts-0-price": "Choose whether they see the price"}


def test_what_was_chosen_stands_in_the_form_when_the_buyer_comes_back(
    visitor: Visitor, stripe_side: StripeSide
) -> None:
    visitor.open("/gift")
    visitor.send("/gift", visitor.fill_gift(offer="amount", amount="95", price="hidden"))
    page = visitor.open(f"/gift?order={token_of(orders()[-1])}")
    assert visitor.fields["gifts-0-price"] == "hidden"
    assert '<p class="num" data-is="amount"></p>' in page.text
    assert '<p class="num" data-is="total">$95.00</p>' in page.text


def test_the_buyer_and_the_desk_see_a_price_that_the_recipient_does_not(
    app: Flask, visitor: Visitor, stripe_side: StripeSide
) -> None:
    code = buy(visitor, stripe_side, price="hidden")
    token = token_of(orders()[-1])
    page = visitor.open(f"/orders/{token}").text
    paper, _, rest = page.partition('<aside class="paper"')[2].partition("</aside>")
    assert PRICE not in paper
    assert PRICE in rest
    assert "The price is not on it." in rest
    assert PRICE in mails_to("marko@example.com")["receipt"]
    desk = signed_in(app, hire("staff"))
    till = desk.get(desk.post("/redeem", data={"code": code}).location).text
    assert PRICE in till
    assert "left the price out" in till


def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "gift_request", partial(build.gift_request, is_price_shown=False))


@pytest.mark.parametrize("name", [name for name in CASES if name != "replaced"])
def test_no_state_tells_a_hidden_price(
    app: Flask, visitor: Visitor, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hidden(monkeypatch)
    case = CASES[name](stripe_side)
    left, spent = case.certificate.balance_cents, 95_00 - case.certificate.balance_cents
    db.session.commit()
    pages = [visitor.open(f"/c/{case.code}")]
    visitor.open("/balance")
    pages.append(visitor.send("/balance", {"code": case.code}))
    for page in pages:
        words = page.text.partition("<main")[2].partition("</main>")[0]
        assert PRICE not in words
        assert not spent or f"${spent / 100:.2f}" not in words.replace(f"${left / 100:.2f}", "")
        assert heading(page).strip()
        assert "%(" not in words


def test_what_comes_later_tells_what_is_left_and_never_the_price(
    visitor: Visitor, stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden(monkeypatch)
    case = CASES["sent"](stripe_side)
    asked = Asked(key=build.request_key(), reason="lost", actor="staff:1")
    reissue(case.certificate, asked)
    entry = build.redeem(case.certificate, 60_00)
    db.session.commit()
    tell_news()
    mails = mails_to("ana@example.com")
    assert "all that was on it moved to the new code" in mails["reissued"]
    assert "$35.00 left on your certificate" in mails["used"]
    assert "$60" not in mails["used"]
    build.undo(case.certificate, entry)
    db.session.commit()
    tell_news()
    mails = mails_to("ana@example.com")
    assert "What was taken off your certificate is back" in mails["used_undone"]
    assert not any(sum_ in each for each in mails.values() for sum_ in (PRICE, "$60"))


def tell_news() -> None:
    news.queue_news(at=clock.now())
    db.session.commit()


def test_a_part_that_went_back_is_told_by_what_is_left(
    stripe_side: StripeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden(monkeypatch)
    order, values = stripe_side.sell(build.gift_request()), {"state": "sent", "sent_at": clock.now()}
    db.session.execute(sa.update(Delivery).where(Delivery.kind == "gift").values(**values))
    certificate: Any = db.session.scalars(sa.select(Certificate)).one()
    refund = hold_refund(order.id, certificate.id, 40_00, reason="asked", actor="staff:1", limit_cents=None)
    db.session.commit()
    pursue_refund(refund.id, stripe_side.gateway)
    db.session.commit()
    mail = mails_to("ana@example.com")["certificate_refunded"]
    assert "$55.00 is left on it" in mail
    assert "$40" not in mail
    assert PRICE not in mail
