"""Every currency of Stripe's table, from the owner's file to the till: set up, shown, paid, printed, taken."""

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from giftshop.catalog.practice import get_practice
from giftshop.delivery.composing import build_message
from giftshop.delivery.models import Delivery
from giftshop.errors import AmountTooFineError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.money import be_at_home_in, format_amount, format_choice, format_plain
from giftshop.money.currencies import get_currency, list_codes
from giftshop.orders.look_up import token_of
from giftshop.refunds.requests import hold_refund, list_refundable, pursue_refund
from giftshop.workbench.stripe import currencies as at_stripe
from tests import build
from tests.faults import THOROUGH
from tests.ledger.acts import take
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in
from tests.storefront.conftest import Visitor, errors_of, orders

SESSION = "60-minutes"
OF_EACH_KIND = [
    "USD",
    "CAD",
    "EUR",
    "CHF",
    "SEK",
    "ZAR",
    "JPY",
    "XOF",
    "CLP",
    "HUF",
    "ISK",
    "UGX",
    "TWD",
    "IDR",
    "LBP",
    "KWD",
    "INR",
    "AED",
]
"""Two, no and three decimals, signs before and behind, whole units, steps, more figures: all others by the long run."""


@pytest.fixture(autouse=True)
def _home_again() -> Iterator[None]:
    """Let the next test write amounts as the sample practice's neighbours do."""
    yield
    be_at_home_in("US-CO")


def set_up(app: Flask, file: Path, code: str, **sums: int) -> str:
    """Set the practice up in a currency, where it is at home, by its file; return what the command said."""
    kind = get_currency(code)
    place = "US-CO" if code == "USD" else min(kind.places, default="XX")
    wanted = {
        "minimum": kind.least_cents,
        "maximum": 10 * price_of(code),
        "buyer_day_limit": 50 * price_of(code),
        **sums,
    }
    lines = [f'currency = "{code}"', f'place = "{place}"']
    lines += [f"{name} = {format_plain(cents, code)}" for name, cents in wanted.items()]
    shown = app.test_cli_runner().invoke(args=["practice", "show"]).output
    head, *_offers = shown.split("\n[[offers]]")
    kept = [line for line in head.splitlines() if line.split(" = ")[0] not in ("currency", "place", *wanted)]
    offer = f'slug = "{SESSION}"\nname = "60-minute massage"\nminutes = 60\ndescription = "An hour."'
    file.write_text("\n".join([*kept, *lines, "[[offers]]", offer, f"price = {format_plain(price_of(code), code)}"]))
    db.session.remove()
    said: str = app.test_cli_runner().invoke(args=["practice", "set", str(file)]).output
    return said


def price_of(code: str) -> int:
    """Return what an hour costs: far enough from both bounds."""
    kind = get_currency(code)
    return (kind.least_cents * 120) // kind.step_cents * kind.step_cents


def text_of(pdf: bytes) -> str:
    """Return what stands on the pages of a PDF, in single spaces."""
    with pypdfium2.PdfDocument(pdf) as pages:
        return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def spaced(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """A browser at the front desk."""
    return signed_in(app, hire("staff"))


@pytest.mark.parametrize("code", list_codes() if THOROUGH else OF_EACH_KIND)
def test_a_currency_goes_all_the_way_from_the_owners_file_to_the_till(
    paying: Visitor, stripe_side: StripeSide, desk: FlaskClient, app: Flask, tmp_path: Path, code: str
) -> None:
    price = price_of(code)
    assert set_up(app, tmp_path / "practice.toml", code).startswith("Changed:")
    page = paying.open("/gift").text
    assert format_choice(price, code) in page
    typed = {"gifts-0-offer": "amount", "gifts-0-amount": spaced(format_amount(2 * price, code))}
    previewed = paying.send("/gift", {**paying.fill_gift(delivery="print"), **typed, "update_preview": "1"}).text
    assert f'data-is="total">{format_amount(2 * price, code)}<' in previewed
    sent = paying.send("/gift", {**paying.fill_gift(delivery="print"), **typed})
    assert sent.status_code == 303, errors_of(sent)
    (order,) = orders()
    session_id = order.attempts[-1].session_id or ""
    session = stripe_side.workbench.get(f"/objects/{session_id}")
    assert (session["amount_total"], session["currency"]) == (2 * price, code.lower())
    stripe_side.workbench.post(f"/sessions/{session_id}/settle", {"outcome": "pay"})
    stripe_side.tell("checkout.session.completed", session_id)
    db.session.commit()
    certificate = db.session.query(Certificate).one()
    assert (certificate.face_value_cents, certificate.currency) == (2 * price, code)
    path, public_id = f"/c/{build.code_of(certificate)}", certificate.public_id
    db.session.rollback()
    assert format_amount(2 * price, code) in paying.open(path).text
    assert spaced(format_amount(2 * price, code)) in spaced(text_of(paying.open(f"{path}/certificate.pdf").data))
    desk.post("/redeem", data={"code": path.rpartition("/")[2]})
    form = {"amount": "other", "other_amount": format_amount(price, code), "request_key": build.request_key()}
    done = desk.post(f"/redeem/{public_id}", data=form).location
    assert f"Took {format_amount(price, code)}" in desk.get(done).text
    db.session.expire_all()
    assert db.session.query(Certificate).one().balance_cents == price


@pytest.mark.parametrize(("code", "abroad"), [("CAD", "CA$"), ("MXN", "MX$"), ("AUD", "A$"), ("NZD", "NZ$")])
def test_pages_mails_and_paper_write_the_home_sign(
    paying: Visitor, stripe_side: StripeSide, app: Flask, tmp_path: Path, code: str, abroad: str
) -> None:
    set_up(app, tmp_path / "practice.toml", code)
    order = stripe_side.sell(build.gift_request(offer=SESSION, quantity=1))
    ids = [delivery_id for (delivery_id,) in db.session.query(Delivery.id)]
    mails = [build_message(each, sender="gifts@shop.example", base_url=paying.base_url) for each in ids]
    pdf_of = f"/c/{build.code_of(db.session.query(Certificate).one())}"
    path = f"/orders/{token_of(order)}"
    db.session.commit()
    told = [str(mail.get_body(("plain",)).get_content()) for mail in mails]  # type: ignore[union-attr]
    told += [text_of(paying.open(f"{pdf_of}/certificate.pdf").data)]
    told += [paying.open(each).text for each in ("/", "/gift", path, f"{path}/receipt", pdf_of)]
    amount = format_amount(price_of(code), code)
    assert amount.startswith("$")
    assert sum(amount in spaced(text) for text in told) >= 5
    assert not [text for text in told if abroad in text]


@pytest.mark.parametrize(
    ("code", "hour"), [("HUF", 18_000_00), ("COP", 180_000_00), ("LBP", 4_500_000_00), ("JPY", 12_000)]
)
def test_a_limit_in_dollars_is_none_in_other_money(app: Flask, tmp_path: Path, code: str, hour: int) -> None:
    sums = {"minimum": hour // 2, "maximum": hour * 9, "buyer_day_limit": hour * 100}
    assert set_up(app, tmp_path / "practice.toml", code, **sums).startswith("Changed:")
    assert get_practice().maximum_cents == hour * 9


def test_the_law_of_the_united_states_limits_sales_there_and_in_dollars(app: Flask, tmp_path: Path) -> None:
    most = {"maximum": 2_000_01, "buyer_day_limit": 10_000_01}
    said = set_up(app, tmp_path / "practice.toml", "USD", **most)
    assert "practice.maximum: must be $2,000.00 or less." in said
    assert "practice.buyer_day_limit: must be $10,000.00 or less." in said
    assert set_up(app, tmp_path / "practice.toml", "CAD", **most).startswith("Changed:")


@pytest.mark.parametrize("code", ["GBP", "HKD", "CZK", "JPY", "ISK"])
def test_less_than_stripe_takes_cannot_be_the_owners_minimum(app: Flask, tmp_path: Path, code: str) -> None:
    kind = get_currency(code)
    said = set_up(app, tmp_path / "practice.toml", code, minimum=kind.least_cents - kind.step_cents)
    assert f"practice.minimum: must be {format_amount(kind.least_cents, code)} or more." in spaced(said) or (
        f"practice.minimum: must be {format_amount(kind.least_cents, code)} or more." in said
    )


def test_a_thousandth_that_card_networks_do_not_carry_is_no_price(paying: Visitor, app: Flask, tmp_path: Path) -> None:
    set_up(app, tmp_path / "practice.toml", "KWD")
    paying.open("/gift")
    refused = paying.send("/gift", paying.fill_gift(offer="amount", amount="60.125"))
    assert (refused.status_code, spaced(errors_of(refused)["gifts-0-amount"])) == (
        422,
        "Amounts go in steps of KWD 0.010",
    )


def test_what_is_left_is_paid_back_in_the_steps_that_card_networks_carry(
    app: Flask, stripe_side: StripeSide, tmp_path: Path
) -> None:
    set_up(app, tmp_path / "practice.toml", "KWD")
    order, certificate = stripe_side.sell_one(60_000)
    take(certificate.id, 40_125)
    asked = {"reason": "changed their mind", "actor": "staff:7", "limit_cents": None}
    assert [each.most_cents for each in list_refundable(order)] == [19_870]
    with pytest.raises(AmountTooFineError, match="steps of KWD"):
        hold_refund(order.id, certificate.id, 19_865, **asked)
    refund = hold_refund(order.id, certificate.id, 19_870, **asked)
    db.session.commit()
    assert pursue_refund(refund.id, stripe_side.gateway).state == "settled"
    assert certificate.balance_cents == 5


def test_the_shops_table_and_the_simulated_stripes_say_the_same() -> None:
    assert {code: get_currency(code).decimals for code in list_codes()} == {
        code.upper(): decimals for code, decimals in at_stripe.DECIMALS.items()
    }
    for code in list_codes():
        kind = get_currency(code)
        for cents in (kind.least_cents, kind.most_cents):
            at_stripe.check_total(cents, code.lower(), param="")
