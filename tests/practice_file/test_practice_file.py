"""`flask practice`: an owner sets up the shop and edits it by one file, on both databases, wholly or not at all."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import list_public_offers
from giftshop.catalog.practice import find_practice, get_practice
from giftshop.delivery.deliveries import list_for_order
from giftshop.delivery.models import Delivery
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from tests import build
from tests.conftest import both_databases, make_settings
from tests.orders import told

SHOP = "http://127.0.0.1:8000"
OWN_LINES = {
    "name": '"Still Water Massage"',
    "short_name": '"Still Water"',
    "legal_name": '"Still Water LLC"',
    "address": '"1 Main Street, Portland, OR 97201"',
    "phone": '"(503) 555-0101"',
    "email": '"hello@stillwater.example"',
    "booking_url": '"https://stillwater.example/book?gift={ref}"',
    "time_zone": '"America/Los_Angeles"',
    "place": '"US-OR"',
}

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run `flask practice …`; return its exit status and what it said."""

    def flask_practice(*words: str) -> tuple[int, str]:
        db.session.remove()
        done = app.test_cli_runner().invoke(args=["practice", *words])
        return done.exit_code, done.output

    return flask_practice


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the owner keeps the file."""
    return tmp_path / "practice.toml"


def edit(text: str, **lines: str) -> str:
    """Replace the values of names, the first time each stands in the text."""
    for name, value in lines.items():
        before, _, after = text.partition(f"\n{name} = ")
        assert after, name
        text = f"{before}\n{name} = {value}\n{after.partition(chr(10))[2]}"
    return text


def forget_practice() -> None:
    """Leave the database as `flask db upgrade` makes it."""
    db.session.execute(sa.delete(Offer))
    db.session.execute(sa.delete(Practice))
    db.session.commit()


@both_databases
def test_a_shop_without_a_practice_is_set_up_by_filling_in_the_form(app: Flask, run: Run, file: Path) -> None:
    forget_practice()
    _, form = run("show")
    file.write_text(form)
    status, refusal = run("set", str(file))
    assert (status, find_practice()) == (1, None)
    assert all(f"practice.{name}" in refusal for name in OWN_LINES)
    file.write_text(edit(form, **OWN_LINES))
    assert run("set", str(file))[0] == 0
    assert (get_practice().name, get_practice().place, len(list_public_offers())) == ("Still Water Massage", "US-OR", 5)
    page = app.test_client().get("/", base_url=SHOP)
    assert (page.status_code, "Still Water Massage" in page.text) == (200, True)


@both_databases
def test_what_is_shown_can_be_set_again_and_changes_nothing(run: Run, file: Path) -> None:
    _, shown = run("show")
    file.write_text(shown)
    assert run("set", str(file)) == (0, "Nothing to change: all of it stands already.\n")
    assert run("show") == (0, shown)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ActivityEvent)) == 0


@both_databases
@pytest.mark.parametrize("ending", ["", "\n# the offers were in another file\n"])
def test_a_file_without_any_offer_leaves_those_that_are_there(run: Run, file: Path, ending: str) -> None:
    shown = run("show")[1]
    before = [offer.slug for offer in list_public_offers()]
    practice = shown.partition("\n[[offers]]")[0]
    file.write_text(edit(practice, short_name='"Another name"') + ending)
    status, said = run("set", str(file))
    assert (status, "The file names no offers: those that are there stay as they are." in said) == (0, True)
    assert "retired" not in said
    assert get_practice().short_name == "Another name"
    assert [offer.slug for offer in list_public_offers()] == before
    file.write_text("offers = []\n" + practice)
    assert run("set", str(file))[0] == 0
    assert [offer.slug for offer in list_public_offers()] == before


def test_an_offer_that_is_left_out_is_retired_and_comes_back_when_it_stands_there_again(run: Run, file: Path) -> None:
    _, shown = run("show")
    first, _, rest = shown.partition("\n[[offers]]")
    _, _, later = rest.partition("\n[[offers]]")
    file.write_text(f"{first}\n[[offers]]{later}")
    status, said = run("set", str(file))
    assert (status, "30-minutes is retired" in said) == (0, True)
    assert db.session.scalar(sa.select(Offer.visibility).where(Offer.slug == "30-minutes")) == "retired"
    assert "30-minutes" not in run("show")[1]
    file.write_text(shown)
    run("set", str(file))
    assert run("show") == (0, shown)


def test_every_change_is_named_and_kept_in_the_trail(run: Run, file: Path) -> None:
    file.write_text(
        edit(run("show")[1], phone='"(970) 555-0199"', maximum="400", price="65.5", visibility='"unlisted"')
    )
    status, said = run("set", str(file))
    named = ["practice.phone", "practice.maximum_cents", "30-minutes.price_cents", "30-minutes.visibility"]
    assert (status, said.splitlines()) == (0, ["Changed:", *named])
    assert (get_practice().maximum_cents, list_public_offers()[0].slug) == (400_00, "60-minutes")
    event = db.session.scalars(sa.select(ActivityEvent)).one()
    assert (event.kind, all(name in event.facts for name in named)) == ("practice_set", True)


WRONG_LINES = [
    ("name", '""', "practice.name: must be one line"),
    ("name", '"two\\nlines\\u0007"', "practice.name: must be one line"),
    ("name", f'"{"m" * 81}"', "practice.name: must be one line of 1 to 80"),
    ("name", "7", "practice.name: must be a text in quotes"),
    ("phone", '"call us"', "practice.phone: must be a telephone number"),
    ("email", '"a@x.example, b@y.example"', "practice.email: Enter an e-mail address"),
    ("booking_url", '"focusedcare.example/book"', "practice.booking_url: must be an address"),
    ("booking_url", '"javascript:alert(1)"', "practice.booking_url: must be an address"),
    ("booking_url", '"https://[::1"', "practice.booking_url: must be an address"),
    ("time_zone", '"Mars/Olympus"', "practice.time_zone: must be a time zone"),
    ("currency", '"DEM"', "practice.currency: must be a currency that people pay with today"),
    ("currency", '"BGN"', "practice.currency: must be a currency"),
    ("currency", '"XXX"', "practice.currency: must be a currency"),
    ("currency", '"usd"', "practice.currency: must be a currency"),
    ("currency", "true", "practice.currency: must be a text in quotes"),
    ("place", '"US-XX"', "practice.place: must be a state or country"),
    ("place", '"Colorado"', "practice.place: must be a state or country"),
    ("palette", '"pink"', "practice.palette: must be one of spruce"),
    ("is_selling", '"yes"', "practice.is_selling: must be true or false"),
    ("minimum", "0.49", "practice.minimum: must be $0.50 or more"),
    ("minimum", "500.01", "practice.minimum: must not be more than the maximum"),
    ("minimum", "-5", "practice.minimum: Enter an amount"),
    ("minimum", "25.001", "practice.minimum: Enter an amount"),
    ("minimum", "nan", "practice.minimum: Enter an amount"),
    ("minimum", "1e2", "practice.minimum: Enter an amount"),
    ("minimum", "false", "practice.minimum: must be an amount"),
    ("maximum", "2000.01", "practice.maximum: must be $2,000.00 or less"),
    ("buyer_day_limit", "10_001", "practice.buyer_day_limit: must be $10,000.00 or less"),
    ("delivery_hour", "24", "practice.delivery_hour: must be a whole number from 0 to 23"),
    ("delivery_hour", "9.0", "practice.delivery_hour: must be a whole number"),
    ("refund_days", "-1", "practice.refund_days: must be a whole number from 0"),
    ("refund_days", "true", "practice.refund_days: must be a whole number"),
    ("slug", '"Thirty Minutes"', "offer 1.slug: must be of small letters"),
    ("slug", '"amount"', "offer 1.slug: must be of small letters"),
    ("slug", '"60-minutes"', "There are two offers 60-minutes."),
    ("minutes", "0", "offer 1.minutes: must be a whole number from 1"),
    ("price", "0.49", "offer 1.price: must be between $0.50 and $2,000.00"),
    ("price", "2000.01", "offer 1.price: must be between"),
    ("session_promise", '"honor"', 'practice.session_promise: must be one of "honour", "value" and "ask"'),
    ("visibility", '"retired"', 'offer 1.visibility: must be "public" or "unlisted"'),
    ("delivery_hour", "9\ncolour = 1", "practice.colour is not known here"),
    ("slug", '"x"\ncolour = 1', "offer 1.colour is not known here"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG_LINES)
def test_one_wrong_line_changes_nothing_and_is_named(
    run: Run, file: Path, name: str, value: str, sentence: str
) -> None:
    _, shown = run("show")
    file.write_text(edit(shown, **{"legal_name": '"Somebody Else LLC"', name: value}))
    status, said = run("set", str(file))
    assert (status, sentence in said, said.count("\n")) == (1, True, 2)
    assert run("show") == (0, shown)


def test_everything_that_is_wrong_is_named_at_once(run: Run, file: Path) -> None:
    _, shown = run("show")
    text = edit(shown, phone='"?"', place="1", maximum="3000", price='"free"', currency='"DEM"')
    file.write_text(f"extra = 1\n{text}".replace("\ndelivery_hour = 9", ""))
    status, said = run("set", str(file))
    assert (status, len(said.splitlines())) == (1, 8)
    assert "extra is not known here" in said
    assert "practice.delivery_hour: is missing" in said


NOT_PRACTICES = [
    (b"", "practice: this table is missing"),
    (b"practice = 1\noffers = 2", "offers: each must begin with a line [[offers]]"),
    (b"offers = [1]", "offer 1: this table is missing"),
    (b"[practice", "This is not a TOML file: "),
    (b"\xff\xfe", "not written in UTF-8"),
]


@pytest.mark.parametrize(("content", "sentence"), NOT_PRACTICES)
def test_a_file_of_another_kind_is_refused_in_a_sentence(run: Run, file: Path, content: bytes, sentence: str) -> None:
    file.write_bytes(content)
    status, said = run("set", str(file))
    assert (status, sentence in said) == (1, True)


def test_yen_are_counted_whole(run: Run, file: Path) -> None:
    form = run("show")[1].replace(".00\n", "\n")
    file.write_text(edit(form, currency='"JPY"', minimum="50", maximum="200_000", buyer_day_limit="1000000"))
    assert run("set", str(file))[0] == 0
    assert (get_practice().maximum_cents, list_public_offers()[0].price_cents) == (200_000, 60)
    assert "\nprice = 60\n" in run("show")[1]


def test_a_file_that_is_not_there_is_said_in_a_sentence(run: Run, file: Path) -> None:
    assert run("set", str(file)) == (1, f"Error: {file}: No such file or directory.\n")


@both_databases
def test_the_currency_stays_once_something_was_sold(run: Run, file: Path) -> None:
    in_euros = edit(run("show")[1], currency='"EUR"')
    file.write_text(in_euros)
    assert run("set", str(file)) == (0, "Changed:\npractice.currency\n")
    file.write_text(edit(in_euros, currency='"USD"'))
    run("set", str(file))
    build.certificate()
    file.write_text(edit(in_euros, phone='"(970) 555-0199"'))
    status, said = run("set", str(file))
    assert (status, said.count("\n"), "The currency cannot change any more" in said) == (1, 1, True)
    assert (get_practice().currency, get_practice().phone) == ("USD", "(970) 555-0134")


@pytest.mark.parametrize("env", ["production", "development"])
@both_databases
def test_without_a_practice_every_page_says_that_the_shop_is_not_open_yet(
    app: Flask, database_url: str, env: str
) -> None:
    forget_practice()
    client = create_app(make_settings(database_url, env=env)).test_client()
    for address in ("/", "/gift", "/balance", "/articles", "/terms", "/c/K7M2QX9RTB4DHVWR", "/staff/login", "/redeem"):
        page = client.get(address, base_url=SHOP)
        assert (page.status_code, "This shop is not open yet." in page.text) == (503, True), address
        assert ("flask seed" in page.text) == (env == "development")
        assert (page.headers["Retry-After"], "Content-Security-Policy" in page.headers) == ("3600", True)
    assert client.post("/gift", base_url=SHOP).status_code == 503
    assert client.get("/healthz", base_url=SHOP).text == "ok"
    assert client.get("/nowhere", base_url=SHOP).status_code == 404
    assert client.post("/webhooks/stripe", base_url=SHOP).status_code == 400
    close_app(client.application)


DENVER = "America/Denver"


def wait_for(*days: date) -> list[int]:
    """Let gifts of an order wait for their days, and return their messages' ids."""
    order = told.sold(*[build.gift_request(deliver_on=day) for day in days])
    message_ids = [message.id for message in list_for_order(order.id)[1:]]
    db.session.rollback()
    return message_ids


def moment_of(message_id: int) -> datetime:
    moment = db.session.get_one(Delivery, message_id, populate_existing=True).send_at
    db.session.rollback()
    return moment


@both_databases
def test_another_zone_or_hour_moves_the_gifts_that_wait_and_says_how_many(run: Run, file: Path) -> None:
    day = clock.today(DENVER) + timedelta(days=9)
    waiting = wait_for(day, day + timedelta(days=20))
    for zone, hour in (("Pacific/Auckland", 9), ("Pacific/Auckland", 17), ("America/Phoenix", 17)):
        file.write_text(edit(run("show")[1], time_zone=f'"{zone}"', delivery_hour=str(hour)))
        status, said = run("set", str(file))
        assert (status, said.splitlines()[0]) == (0, "Changed:")
        assert said.splitlines()[-1] == (
            "2 gifts that wait go out at another moment. The buyers get an email that says when."
        )
        expected = [clock.local_moment(on, hour=hour, time_zone=zone) for on in (day, day + timedelta(days=20))]
        assert [moment_of(each) for each in waiting] == expected
    kept = db.session.scalars(sa.select(ActivityEvent.facts).where(ActivityEvent.kind == "practice_set"))
    assert [json.loads(facts)["moved"] for facts in kept] == [2, 2, 2]
    db.session.rollback()


def test_a_gift_whose_hour_has_passed_by_the_new_clock_goes_out_now_and_that_is_said(run: Run, file: Path) -> None:
    get_practice().delivery_hour = 23
    db.session.commit()
    with time_machine.travel("2026-11-25T17:00:00Z", tick=False):
        wait_for(date(2026, 11, 25))
        file.write_text(edit(run("show")[1], delivery_hour="0"))
        assert run("set", str(file))[1].splitlines()[-1] == (
            "1 gift that waits goes out at another moment, 1 of them now: the hour of that day has passed."
        )


def test_a_zone_that_shows_the_same_hour_moves_nothing_and_that_is_said(run: Run, file: Path) -> None:
    wait_for(clock.today(DENVER) + timedelta(days=9))
    file.write_text(edit(run("show")[1], time_zone='"America/Boise"'))
    assert run("set", str(file))[1].splitlines()[-1] == "No gifts that wait go out at another moment."


def test_other_changes_do_not_speak_of_moments(run: Run, file: Path) -> None:
    wait_for(clock.today(DENVER) + timedelta(days=9))
    file.write_text(edit(run("show")[1], phone='"(970) 555-0199"'))
    assert run("set", str(file))[1] == "Changed:\npractice.phone\n"


@pytest.mark.parametrize("zone", ["localtime", "Factory", "posix/America/Denver", "America/denver", "GMT+7:00", ""])
def test_what_names_no_place_or_no_zone_is_refused(run: Run, file: Path, zone: str) -> None:
    file.write_text(edit(run("show")[1], time_zone=f'"{zone}"'))
    status, said = run("set", str(file))
    assert (status, "practice.time_zone: must be a time zone" in said) == (1, True)
