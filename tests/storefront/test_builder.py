"""Making a gift: what the form takes, what it refuses with which words, and that it never loses what was typed."""

import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from giftshop import clock
from giftshop.catalog.models import Offer, Practice
from giftshop.documents.worker import PressBusyError, press
from giftshop.errors import BuyerLimitError
from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from giftshop.payments.gateway import StripeGateway
from giftshop.storefront import visitors
from giftshop.storefront.builder.letters import MOST_PICTURES
from tests.storefront.conftest import Visitor, errors_of, heading, orders


def test_a_filled_in_form_leads_to_the_payment_page(paying: Visitor) -> None:
    paying.open("/gift")
    answer = paying.send("/gift", paying.fill_gift())
    (order,) = orders()
    assert answer.status_code == 303
    assert answer.location == order.attempts[0].session_url
    assert order.total_cents == 95_00
    assert order.buyer_email == "marko@example.com"
    gift = order.gifts[0]
    assert (gift.recipient_name, gift.giver_name, gift.design) == ("Ana", "Marko", "stones")


def test_the_same_form_sent_twice_is_one_order(paying: Visitor) -> None:
    paying.open("/gift")
    first = paying.send("/gift", paying.fill_gift())
    second = paying.send("/gift", paying.fill_gift())
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(orders()) == 1


def test_the_same_form_with_other_answers_asks_once_more_and_then_goes_through(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift())
    again = paying.send("/gift", paying.fill_gift(recipient_name="Ana Maria"))
    assert again.status_code == 409
    assert "sent this form before" in errors_of(again)[""]
    assert paying.send("/gift").status_code == 303
    assert [order.gifts[0].recipient_name for order in orders()] == ["Ana", "Ana Maria"]


@pytest.mark.parametrize("key", ["k" * 16, "k" * 255, "7f/Qz+a=~<&>\"'!{}|^"])
def test_a_key_that_a_program_chose_is_used_as_it_is(paying: Visitor, key: str) -> None:
    paying.open("/gift")
    filled_in = {**paying.fields, **paying.fill_gift(), "request_key": key}
    first, second = paying.send("/gift", filled_in), paying.send("/gift", filled_in)
    assert (first.status_code, first.location) == (303, second.location)
    assert [order.request_key for order in orders()] == [key]
    assert paying.send("/gift", {**filled_in, "gifts-0-message": "Else."}).status_code == 409
    assert len(orders()) == 1


@pytest.mark.parametrize(
    "key", ["key-1", "k" * 15, "k" * 256, "a key with blanks in it", "schlüssel-für-immer", "\0" * 20]
)
def test_a_key_that_cannot_be_used_is_refused_and_a_fresh_one_stands_in_the_form(paying: Visitor, key: str) -> None:
    paying.open("/gift")
    for _ in range(2):
        answer = paying.send("/gift", {**paying.fill_gift(), "request_key": key})
        assert answer.status_code == 400
        assert "did not arrive whole" in errors_of(answer)[""]
        assert orders() == []
    assert paying.fields["gifts-0-recipient_name"] == "Ana"
    assert paying.send("/gift").status_code == 303


def test_a_form_without_a_key_is_an_order_of_its_own_each_time(paying: Visitor) -> None:
    paying.open("/gift")
    for _ in range(2):
        assert paying.send("/gift", {**paying.fill_gift(), "request_key": ""}).status_code == 303
    assert len({order.request_key for order in orders()}) == 2


def test_several_gifts_are_one_order_with_one_payment(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", {**paying.fill_gift(), "add_gift": "1"})
    second = paying.fill_gift(1, offer="amount", amount="$100", delivery="print", quantity="3")
    assert paying.send("/gift", second).status_code == 303
    (order,) = orders()
    assert [gift.amount_cents * gift.quantity for gift in order.gifts] == [95_00, 300_00]
    assert order.total_cents == 395_00


def test_when_stripe_is_away_nothing_is_charged_and_the_order_waits(visitor: Visitor) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift())
    assert answer.status_code == 503
    assert heading(answer) == "Nothing was charged. Try again"
    assert f"/gift?order={token_in(answer.text)}" in answer.text
    assert [order.state for order in orders()] == ["awaiting_payment"]


def test_trying_again_after_an_outage_reaches_the_payment_page(paying: Visitor, visitor: Visitor) -> None:
    app = visitor.client.application
    working, app.extensions["stripe_gateway"] = app.extensions["stripe_gateway"], unreachable()
    visitor.open("/gift")
    away = visitor.send("/gift", visitor.fill_gift())
    app.extensions["stripe_gateway"] = working
    answer = visitor.send(f"/orders/{token_in(away.text)}/pay")
    assert answer.status_code == 303
    assert orders()[0].attempts[0].session_url == answer.location


def test_coming_back_from_stripe_everything_is_still_filled_in(paying: Visitor) -> None:
    paying.open("/gift")
    day = str(clock.today("America/Denver") + timedelta(days=9))
    paying.send("/gift", paying.fill_gift(offer="amount", amount="130.5", deliver_on=day))
    token = token_of_only_order()
    paying.open(f"/gift?order={token}")
    assert paying.fields["gifts-0-offer"] == "amount"
    assert paying.fields["gifts-0-amount"] == "130.50"
    assert paying.fields["gifts-0-recipient_email"] == "ana@example.com"
    assert paying.fields["gifts-0-deliver_on"] == day
    assert paying.fields["buyer_email"] == "marko@example.com"
    assert paying.fields["replaces"] == token


def test_the_changed_order_replaces_the_one_that_was_not_paid(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift())
    paying.open(f"/gift?order={token_of_only_order()}")
    assert paying.send("/gift", {"gifts-0-offer": "90-minutes"}).status_code == 303
    assert [(order.state, order.total_cents) for order in orders()] == [
        ("expired", 95_00),
        ("awaiting_payment", 120_00),
    ]


def test_an_unknown_order_in_the_address_shows_a_fresh_form(visitor: Visitor) -> None:
    answer = visitor.open("/gift?order=nobody")
    assert answer.status_code == 200
    assert "replaces" not in visitor.fields


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("recipient_name", "", "Enter their name, as it should look on the certificate"),
        ("recipient_name", " \u200b ", "Enter their name, as it should look on the certificate"),
        ("recipient_name", "x" * 61, "Use at most 60 characters. This is 1 too many"),
        ("recipient_name", "Ana\r\nBcc: x@example.com", "This holds invisible signs that can’t be printed"),
        ("recipient_name", "\u202eanA", "This holds invisible signs that can’t be printed"),
        ("recipient_name", "Z" + "\u0300" * 40, "This has more accents on one letter than we can print"),
        ("giver_name", "", "Enter your name"),
        ("message", "x" * 407, "Use at most 400 characters. This is 7 too many"),
        ("message", "a\0b", "This holds invisible signs that can’t be printed"),
        ("design", "unicorns", "Pick one of the designs"),
        ("delivery", "pigeon", "Choose how it should get there"),
        ("recipient_email", "ana@", "Enter their email address, like name@example.com"),
        ("recipient_email", "a@x.com, b@x.com", "Enter their email address, like name@example.com"),
        ("recipient_email", "Ana <ana@example.com>", "Enter their email address, like name@example.com"),
        ("deliver_on", "2020-02-02", "Choose a day from"),
        ("deliver_on", "9999-12-31", "Choose a day from"),
        ("deliver_on", "tomorrow", "Choose a day from"),
        ("deliver_on", "٢٠٢٦-١٢-٠١", "Choose a day from"),
        ("quantity", "0", "Enter how many you want, from 1 to 10"),
        ("quantity", "11", "Enter how many you want, from 1 to 10"),
        ("quantity", "٣", "Enter how many you want, from 1 to 10"),
        ("quantity", "1e1", "Enter how many you want, from 1 to 10"),
        ("offer", "", "Choose one of the amounts, or type your own"),
        ("offer", "free-lunch", "Choose one of the amounts, or type your own"),
    ],
)
def test_a_wrong_field_is_named_and_kept(visitor: Visitor, field: str, value: str, sentence: str) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(**{field: value}))
    assert answer.status_code == 422
    assert errors_of(answer)[f"gifts-0-{field}"].startswith(sentence)
    assert f"Error: {sentence}" in answer.text
    assert "<title>Error: Make a gift certificate" in answer.text
    assert orders() == []


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("", "Enter an amount in figures"),
        ("24.99", "Amount must be between $25 and $500"),
        ("500.01", "Amount must be between $25 and $500"),
        ("-50", "Enter an amount in figures"),
        ("1e2", "Enter an amount in figures"),
        ("1_00", "Enter an amount in figures"),
        ("٥٠", "Enter an amount in figures"),
        ("NaN", "Enter an amount in figures"),
        ("50.005", "Enter an amount in figures"),
        ("9" * 5000, "Enter an amount in figures"),
    ],
)
def test_an_amount_outside_the_bounds_or_unreadable_is_refused(visitor: Visitor, amount: str, sentence: str) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(offer="amount", amount=amount))
    assert answer.status_code == 422
    assert errors_of(answer)["gifts-0-amount"].startswith(sentence)
    assert visitor.fields["gifts-0-amount"] == amount


@pytest.mark.parametrize(("typed", "cents"), [("25", 25_00), (" $ 120 ", 120_00), ("499.5", 499_50), ("500", 500_00)])
def test_an_amount_is_read_as_people_write_it(paying: Visitor, typed: str, cents: int) -> None:
    paying.open("/gift")
    assert paying.send("/gift", paying.fill_gift(offer="amount", amount=typed)).status_code == 303
    assert orders()[0].total_cents == cents


def test_an_amount_typed_without_a_choice_means_other(paying: Visitor) -> None:
    paying.open("/gift")
    assert paying.send("/gift", paying.fill_gift(offer="", amount="75")).status_code == 303
    assert orders()[0].total_cents == 75_00


def test_an_amount_that_contradicts_the_choice_is_asked_about_not_guessed(visitor: Visitor) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(offer="60-minutes", amount="30"))
    assert answer.status_code == 422
    assert errors_of(answer)["gifts-0-amount"].startswith("You chose 60-minute massage, $95.")
    assert orders() == []


def test_fields_that_the_chosen_way_does_not_need_are_not_looked_at(paying: Visitor) -> None:
    paying.open("/gift")
    gift = paying.fill_gift(delivery="print", recipient_email="not an address", deliver_on="never")
    assert paying.send("/gift", gift).status_code == 303
    assert (orders()[0].gifts[0].recipient_email, orders()[0].gifts[0].deliver_on) == ("", None)


def test_every_error_is_told_at_once_and_names_its_gift(visitor: Visitor) -> None:
    visitor.open("/gift")
    visitor.send("/gift", {**visitor.fill_gift(), "add_gift": "1"})
    wrong = {**visitor.fill_gift(recipient_name=""), **visitor.fill_gift(1, recipient_email="ana@"), "buyer_email": ""}
    answer = visitor.send("/gift", wrong)
    assert errors_of(answer) == {
        "gifts-0-recipient_name": "Gift 1: Enter their name, as it should look on the certificate",
        "gifts-1-recipient_email": "Gift 2: Enter their email address, like name@example.com",
        "buyer_email": "Enter your email address, like name@example.com",
    }


def test_the_day_may_be_today_and_a_year_ahead(paying: Visitor) -> None:
    first = clock.first_day(hour=9, time_zone="America/Denver")  # today, until nine
    a_year_on = first.replace(year=first.year + 1, day=min(first.day, 28))
    for day in (first, a_year_on):
        paying.open("/gift")
        assert paying.send("/gift", paying.fill_gift(deliver_on=day.isoformat())).status_code == 303
    assert [order.gifts[0].deliver_on for order in orders()] == [first, a_year_on]


def test_gifts_are_added_and_removed_without_a_script(visitor: Visitor) -> None:
    visitor.open("/gift")
    for expected in (2, 3):
        answer = visitor.send("/gift", {**visitor.fill_gift(), "add_gift": "1"})
        assert answer.status_code == 200
        assert answer.text.count('class="gift"') == expected
        visitor.fields.pop("add_gift", None)
    assert visitor.fields["gifts-1-giver_name"] == "Marko"
    visitor.fields.update({"gifts-1-recipient_name": "Bo", "gifts-2-recipient_name": "Cy"})
    answer = visitor.send("/gift", {"remove_gift-1": "1"})
    assert answer.text.count('class="gift"') == 2
    assert visitor.fields["gifts-1-recipient_name"] == "Cy"


def test_there_are_at_most_ten_gifts_and_at_least_one(visitor: Visitor) -> None:
    ten = {name: value for number in range(10) for name, value in visitor.fill_gift(number).items()}
    visitor.open("/gift")
    eleventh = visitor.send("/gift", {**ten, "add_gift": "1"})
    assert eleventh.text.count('class="gift"') == 10
    assert 'name="add_gift"' not in eleventh.text
    visitor.open("/gift")
    assert visitor.send("/gift", {"remove_gift-0": "1"}).text.count('class="gift"') == 1


def test_the_preview_is_drawn_without_a_script(visitor: Visitor) -> None:
    visitor.open("/gift")
    held = visitor.open("/art/held.svg").text
    visitor.open("/gift")
    answer = visitor.send("/gift", {**visitor.fill_gift(design="held"), "update_preview": "1"})
    assert answer.status_code == 200
    assert held in answer.text
    assert '<span data-is="recipient_name">Ana</span>' in answer.text
    assert '<p class="num" data-is="amount">$95.00</p>' in answer.text
    assert orders() == []


def test_the_trap_for_programs_is_out_of_sight_and_refuses_what_falls_in(visitor: Visitor) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", {**visitor.fill_gift(), "website": "http://spam.example"})
    assert answer.status_code == 422
    assert errors_of(answer) == {"website": "Leave this field empty"}
    assert '<div class="trap" aria-hidden="true">' in answer.text
    assert orders() == []


def test_a_form_without_its_token_is_refused_but_not_lost(visitor: Visitor) -> None:
    answer = visitor.send("/gift", {**visitor.fill_gift(), "request_key": "0123456789abcdef"})
    assert answer.status_code == 403
    assert visitor.fields["gifts-0-recipient_name"] == "Ana"
    assert orders() == []


def test_an_offer_can_be_chosen_by_a_link_also_an_unlisted_one(visitor: Visitor) -> None:
    db.session.add(
        Offer(
            slug="couples",
            kind="session",
            name="Couples",
            minutes=60,
            description="",
            price_cents=190_00,
            visibility="unlisted",
            position=9,
        )
    )
    db.session.commit()
    visitor.open("/gift?offer=couples")
    assert visitor.fields["gifts-0-offer"] == "couples"
    assert "$190" in visitor.open("/gift?offer=couples").text
    assert "$190" not in visitor.open("/gift").text


def test_while_sales_are_paused_the_form_says_so(visitor: Visitor) -> None:
    db.session.get_one(Practice, 1).is_selling = False
    db.session.commit()
    assert heading(visitor.open("/gift")) == "No new certificates just now"


def test_what_was_typed_outlives_a_pause_of_sales(visitor: Visitor) -> None:
    visitor.open("/gift")
    db.session.get_one(Practice, 1).is_selling = False
    db.session.commit()
    answer = visitor.send("/gift", visitor.fill_gift())
    assert answer.status_code == 422
    assert "We’ve paused the sale of certificates" in answer.text
    assert visitor.fields["gifts-0-message"] == "Your shoulders have carried enough."


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("60-minutes", "“60-minute massage” is not sold any more"),
        ("never-was", "What this link is for is not sold here"),
    ],
)
def test_a_link_to_what_is_not_sold_says_so_and_chooses_the_usual_one(visitor: Visitor, asked: str, title: str) -> None:
    db.session.query(Offer).filter_by(slug="60-minutes").one().visibility = "retired"
    db.session.commit()
    page = visitor.open(f"/gift?offer={asked}")
    assert title in page.text
    assert "We have chosen “90-minute massage” for now." in page.text
    assert visitor.fields["gifts-0-offer"] == "90-minutes"
    assert '<p class="num" data-is="total">$120.00</p>' in page.text
    db.session.query(Offer).update({"visibility": "retired"})
    db.session.commit()
    page = visitor.open(f"/gift?offer={asked}")
    assert "Choose any amount you like instead." in page.text
    assert visitor.fields["gifts-0-offer"] == "amount"


@pytest.mark.parametrize("asked", ["", "amount", "90-minutes", "90-Minutes ", "couples"])
def test_a_link_to_what_is_sold_says_nothing_of_the_kind(visitor: Visitor, asked: str) -> None:
    couples = Offer(slug="couples", name="For two", kind="session", minutes=60, price_cents=190_00, position=9)
    couples.description, couples.visibility = "", "unlisted"
    db.session.add(couples)
    db.session.commit()
    page = visitor.open("/gift", query_string={"offer": asked})
    assert "not sold" not in page.text
    assert visitor.fields["gifts-0-offer"] == (asked.strip().lower() or "60-minutes")


def folds_of(page: TestResponse) -> list[bool]:
    """Return which of the gifts stand there whole."""
    return [" open" in found for found in re.findall(r'<details class="fold"([^>]*)>', page.text)]


def test_a_finished_gift_folds_to_a_line_and_what_is_wrong_stands_open(visitor: Visitor) -> None:
    visitor.open("/gift")
    assert folds_of(visitor.send("/gift", {"add_gift": "1"})) == [True, True]
    page = visitor.send("/gift", {**visitor.fill_gift(), "add_gift": "1"})
    assert folds_of(page) == [False, True, True]
    assert '<span data-is="of_whom">Ana</span>, <span class="num" data-is="costs">$95.00</span>' in page.text
    page = visitor.send("/gift", {**visitor.fill_gift(1), **visitor.fill_gift(2, recipient_email="ana@")})
    assert errors_of(page) == {"gifts-2-recipient_email": "Gift 3: Enter their email address, like name@example.com"}
    assert folds_of(page) == [False, False, True]
    page = visitor.send("/gift", {**visitor.fill_gift(2), "update_preview": "2"})
    assert folds_of(page) == [False, True, False]


def test_what_a_gift_costs_is_open_until_something_is_chosen(visitor: Visitor) -> None:
    visitor.open("/gift?offer=amount")
    page = visitor.send("/gift", {"update_preview": "1"})
    assert '<p class="num" data-is="total">–</p>' in page.text
    assert "$0.00" not in page.text


@pytest.mark.parametrize(
    ("currency", "label", "bounds"),
    [("USD", "in dollars", "$25 to $500"), ("JPY", "in yen", "¥2,500 to ¥50,000"), ("EUR", "in euros", "€25 to €500")],
)
def test_amounts_are_asked_for_in_the_practices_own_currency(
    visitor: Visitor, currency: str, label: str, bounds: str
) -> None:
    db.session.get_one(Practice, 1).currency = currency
    db.session.commit()
    page = visitor.open("/gift").text
    assert f">Other amount, {label}</label>" in page
    assert f"Only if you chose Other. {bounds}" in page


def test_prices_are_the_lists_whatever_the_form_says(paying: Visitor) -> None:
    paying.open("/gift")
    forged = {**paying.fill_gift(), "gifts-0-price_cents": "1", "total": "1", "amount_cents": "1", "currency": "IDR"}
    assert paying.send("/gift", forged).status_code == 303
    assert (orders()[0].total_cents, orders()[0].currency) == (95_00, "USD")


def token_of_only_order() -> str:
    (order,) = orders()
    return token_of(order)


def token_in(page: str) -> str:
    return page.partition("/gift?order=")[2].partition('"')[0]


def unreachable() -> StripeGateway:
    return StripeGateway(secret_key="sk_test_sim_0123456789", api_base="http://127.0.0.1:9", webhook_secrets=["x"])


def test_an_empty_form_may_be_kept_for_the_back_button_and_a_filled_in_one_by_nobody(paying: Visitor) -> None:
    fresh = paying.open("/gift").headers
    paying.send("/gift", paying.fill_gift())
    mine = paying.open(f"/gift?order={token_of_only_order()}").headers
    assert fresh["Cache-Control"] == "private, no-cache"
    assert "X-Robots-Tag" not in fresh
    assert mine["Cache-Control"] == "no-store"
    assert mine["X-Robots-Tag"] == "noindex"


def test_a_buyers_daily_limit_is_said_at_the_email(visitor: Visitor) -> None:
    db.session.get_one(Practice, 1).buyer_day_limit_cents = 50_00
    db.session.commit()
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift())
    assert answer.status_code == 422
    assert errors_of(answer) == {"buyer_email": BuyerLimitError().message.removesuffix(".")}


def test_a_browser_with_too_many_unfinished_payments_waits_and_stripe_is_not_asked(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "WIDE", 1)
    for number in range(6):
        visitor.open("/gift")
        answer = visitor.send("/gift", visitor.fill_gift(recipient_name=f"Ana {number}"))
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 2400
    assert visitor.fields["gifts-0-recipient_name"] == "Ana 5"
    assert len(orders()) == 5


@pytest.mark.parametrize(
    ("most", "sentence"), [(500_000_00, "between $25 and $2,000"), (1_800_00, "between $25 and $1,800")]
)
def test_the_law_bounds_an_amount_as_well_as_the_practice_and_is_told_at_the_amount(
    visitor: Visitor, most: int, sentence: str
) -> None:
    db.session.get_one(Practice, 1).maximum_cents = most
    db.session.commit()
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(offer="amount", amount="2000.01"))
    assert answer.status_code == 422
    assert list(errors_of(answer)) == ["gifts-0-amount"]
    assert sentence in errors_of(answer)["gifts-0-amount"]


@pytest.mark.parametrize("name", ["山田太郎", "Żaneta Đorđević", "สมชาย", "Bo 💆🏽\u200d♀\ufe0f"])
def test_a_name_in_any_script_that_can_be_printed_goes_through(paying: Visitor, name: str) -> None:
    paying.open("/gift")
    assert paying.send("/gift", paying.fill_gift(recipient_name=name)).status_code == 303
    assert orders()[0].gifts[0].recipient_name == name


def test_letters_that_no_font_has_are_named_at_their_field(paying: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "find_missing_letters", lambda text: "".join(sorted({*text} & {*"山田太郎"})))
    paying.open("/gift")
    answer = paying.send("/gift", paying.fill_gift(recipient_name="山田太郎", message="山 for you", giver_name="Žan"))
    assert answer.status_code == 422
    assert errors_of(answer) == {
        "gifts-0-recipient_name": "We can’t print 太 山 田 郎. Please write it another way",
        "gifts-0-message": "We can’t print 山. Please write it another way",
    }
    assert "山田太郎" in answer.text
    assert orders() == []


def test_letters_for_private_use_are_named_too(paying: Visitor) -> None:
    paying.open("/gift")
    answer = paying.send("/gift", paying.fill_gift(giver_name="Marko \ue000"))
    assert "\ue000" in errors_of(answer)["gifts-0-giver_name"]


def test_a_press_without_time_holds_up_no_order(paying: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def be_busy(_text: str) -> str:
        raise PressBusyError

    monkeypatch.setattr(press, "find_missing_letters", be_busy)
    paying.open("/gift")
    assert paying.send("/gift", paying.fill_gift(recipient_name="山田太郎")).status_code == 303


@pytest.mark.parametrize(("field", "most"), MOST_PICTURES.items())
def test_emoji_are_taken_up_to_what_a_page_bears(paying: Visitor, field: str, most: int) -> None:
    paying.open("/gift")
    answer = paying.send("/gift", paying.fill_gift(**{field: "Bo" + "🎂" * (most + 1)}))
    assert errors_of(answer) == {f"gifts-0-{field}": f"Use at most {most} emoji here: each is printed as a picture"}
    assert paying.send("/gift", paying.fill_gift(**{field: "Bo" + "🎂" * most})).status_code == 303
