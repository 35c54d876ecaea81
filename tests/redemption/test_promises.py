"""What the till tells beside the verdict: the session promised, at which prices, and that it was not sent yet."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.catalog.models import Offer, PromiseRule
from giftshop.catalog.practice import get_practice
from giftshop.errors import InsufficientBalanceError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, HonouredSession
from giftshop.notifications.daily_report_acts import list_acts
from giftshop.orders.history import Sources, list_happenings
from giftshop.orders.models import Order
from giftshop.redemption import till
from tests import build
from tests.conftest import both_databases
from tests.overlapping import overlap, transact
from tests.redemption.desk import JSON, find, redeem
from tests.storefront.conftest import Fields

PRICES = {
    "still sold, dearer now": ("60-minutes", 85_00, "Paid $85.00, today $95.00"),
    "no longer known": ("gone", 85_00, "Paid $85.00, no longer sold"),
}


@pytest.mark.parametrize("price", PRICES)
def test_a_promised_session_shows_the_price_paid_and_todays(app: Flask, desk: FlaskClient, price: str) -> None:
    slug, paid, words = PRICES[price]
    certificate = build.certificate(face_value_cents=paid, service_name="60-minute massage", offer_slug=slug)
    page = desk.get(find(desk, certificate)).text
    assert "<dt>Promised</dt>" in page
    assert f"60-minute massage. {words}" in page
    assert "<dt>Promised</dt>" not in desk.get(find(desk, build.certificate())).text


def test_a_retired_session_is_no_longer_sold(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate(service_name="60-minute massage", offer_slug="60-minutes")
    db.session.query(Offer).filter_by(slug="60-minutes").one().visibility = "retired"
    db.session.commit()
    assert "no longer sold" in desk.get(find(desk, certificate)).text


def test_a_certificate_that_is_still_to_go_out_says_when_and_can_be_redeemed(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    build.keep_back(certificate, until=datetime(2030, 12, 1, 16, 0, tzinfo=UTC))
    path = find(desk, certificate)
    page = desk.get(path).text
    assert "Not sent yet: it goes to Ana on Dec 1, 2030 at 9:00\u202fAM" in page
    assert 'class="state verdict warn"' in page
    assert redeem(desk, path, "10").status_code == 200


def test_a_certificate_sent_before_is_good_while_it_is_sent_once_more(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    build.keep_back(certificate, until=clock.now() + timedelta(days=2), was_sent=True)
    assert "Good to use" in desk.get(find(desk, certificate)).text


RULES = {"honour": PromiseRule.HONOUR, "value": PromiseRule.VALUE, "ask": PromiseRule.ASK}


def sold_as_session(paid_cents: int = 85_00, *, rule: str = "honour", **content: Any) -> Certificate:
    """A certificate sold as an hour that costs $95.00 by now, in a shop with this rule."""
    get_practice().session_promise = RULES[rule]
    return build.certificate(
        face_value_cents=paid_cents, service_name="60-minute massage", offer_slug="60-minutes", **content
    )


def press(client: FlaskClient, path: str, **changes: str) -> Any:
    """Press the button of the page as it stands, with whatever is selected on it."""
    fields = Fields(client.get(path).text).values
    return client.post(path, data={**fields, **changes})


def honoured() -> list[tuple[int, int | None, int]]:
    db.session.expire_all()
    found = db.session.query(HonouredSession).order_by(HonouredSession.entry_id)
    return [(each.promised_cents, each.price_cents, each.difference_cents) for each in found]


@both_databases
def test_one_press_gives_the_session_as_promised_and_keeps_what_it_cost_more(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    path = find(desk, certificate)
    page = desk.get(path).text
    assert 'value="session" data-cents="8500" checked' in page
    assert "The 60-minute massage was sold for $85.00 and costs $95.00 today." in page
    assert "it takes all of it, and there is nothing to collect" in page
    assert "$10.00" not in page
    done = press(desk, path)
    assert done.status_code == 303
    words = desk.get(done.location).text
    assert "Took $85.00" in words
    assert "sold for $85.00, costs $95.00 today. The difference of $10.00 is on record." in words
    assert honoured() == [(85_00, 95_00, 10_00)]
    assert certificate.balance_cents == 0
    assert [entry.amount_cents for entry in certificate.entries] == [85_00, 85_00]


def test_what_was_honoured_stands_in_the_orders_history_and_in_the_owners_mail(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    press(desk, find(desk, certificate))
    order = db.session.query(Order).one()
    sources = Sources(
        order=order, certificates=[certificate], deliveries=[], refunds=[], notes=[], practice=get_practice()
    )
    line = next(line for line in list_happenings(sources) if "Redeemed" in line.what)
    told = "60-minute massage as promised, sold for $85.00, at a price of $95.00: $10.00 given"
    assert told in line.detail
    now = clock.now()
    _grave, slight = list_acts(get_practice(), now - timedelta(days=1), now + timedelta(days=1))
    assert [line for line in slight if told in line and certificate.public_id in line]


@both_databases
def test_undoing_gives_all_of_it_back_and_it_can_be_honoured_again(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    path = find(desk, certificate)
    entry = redeem(desk, path, "session").json["entry"]
    undone = desk.post(f"{path}/undo", data={"entry": entry, "request_key": build.request_key()}, headers=JSON)
    assert undone.status_code == 200
    db.session.expire_all()
    assert certificate.balance_cents == 85_00
    assert list_acts(get_practice(), clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)) == ([], [])
    assert redeem(desk, path, "session").status_code == 200
    assert honoured() == [(85_00, 95_00, 10_00), (85_00, 95_00, 10_00)]
    assert certificate.balance_cents == 0


def test_a_retired_session_is_honoured_though_it_has_no_price_any_more(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    db.session.query(Offer).filter_by(slug="60-minutes").one().visibility = "retired"
    db.session.commit()
    path = find(desk, certificate)
    assert "was sold for $85.00 and is no longer sold" in desk.get(path).text
    words = desk.get(press(desk, path).location).text
    assert "sold for $85.00, no longer sold. That is on record." in words
    assert honoured() == [(85_00, None, 0)]


def test_part_of_it_used_before_is_made_up_for_at_the_price_that_was_promised(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session(balance_cents=65_00)
    path = find(desk, certificate)
    page = desk.get(f"{path}?again=1").text
    assert "As promised, it takes all $65.00 that is left; collect $20.00 another way." in page
    press(desk, f"{path}?again=1")
    assert honoured() == [(85_00, 95_00, 10_00)]
    assert certificate.balance_cents == 0


def test_all_of_it_may_be_taken_for_something_else_and_then_nothing_was_honoured(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    path = find(desk, certificate)
    assert redeem(desk, path, "85.00").status_code == 200
    assert honoured() == []


@pytest.mark.parametrize("paid_cents", [95_00, 120_00])
def test_a_session_that_costs_no_more_than_was_paid_is_taken_at_todays_price(
    app: Flask, desk: FlaskClient, paid_cents: int
) -> None:
    path = find(desk, sold_as_session(paid_cents))
    page = desk.get(path).text
    assert 'value="95.00"' in page
    assert 'value="session"' not in page
    assert "collect" not in page.partition('id="leaves"')[2]
    assert redeem(desk, path, "session").status_code == 409
    assert honoured() == []


def test_by_the_rule_of_its_value_it_counts_as_money(app: Flask, desk: FlaskClient) -> None:
    path = find(desk, sold_as_session(rule="value"))
    page = desk.get(path).text
    assert 'value="session"' not in page
    assert "Paid $85.00, today $95.00" in page
    assert "counts as its value: take all $85.00, and collect $10.00 another way." in page
    refused = redeem(desk, path, "session")
    assert (refused.status_code, refused.json["error"].startswith("The session’s price or the rule")) == (409, True)
    assert press(desk, path).status_code == 303
    assert honoured() == []


def test_a_shop_that_wants_to_be_asked_selects_nothing_and_takes_what_is_chosen(app: Flask, desk: FlaskClient) -> None:
    path = find(desk, sold_as_session(rule="ask"))
    page = desk.get(path).text
    assert " checked" not in page.partition("</fieldset>")[0]
    assert "Ask the owner whether to give it as promised." in page
    assert "Otherwise it counts as its value: take all $85.00, and collect $10.00 another way." in page
    refused = press(desk, path)
    assert (refused.status_code, "Choose first: the session that was promised" in refused.text) == (422, True)
    assert press(desk, path, amount="session").status_code == 303
    assert honoured() == [(85_00, 95_00, 10_00)]


def test_what_was_taken_meanwhile_at_another_till_is_seen_before_it_is_honoured(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    path = find(desk, certificate)
    fields = Fields(desk.get(path).text).values
    build.redeem(certificate, 20_00, actor="staff:99")
    db.session.commit()
    refused = desk.post(path, data=fields)
    assert (refused.status_code, "85.00" in refused.text) == (409, True)
    assert (certificate.balance_cents, honoured()) == (65_00, [])


def test_a_certificate_used_up_meanwhile_is_not_honoured(app: Flask, desk: FlaskClient) -> None:
    certificate = sold_as_session()
    path = find(desk, certificate)
    build.redeem(certificate, 85_00, actor="staff:99")
    db.session.commit()
    assert redeem(desk, path, "session").status_code == 409
    assert (certificate.balance_cents, honoured()) == (0, [])


def test_the_same_press_twice_honours_once(app: Flask, desk: FlaskClient) -> None:
    path, key = find(desk, sold_as_session()), build.request_key()
    first, second = (redeem(desk, path, "session", request_key=key) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(honoured()) == 1


@both_databases
def test_two_tills_at_once_honour_it_once(app: Flask) -> None:
    certificate_id = sold_as_session().id

    def give() -> None:
        certificate = db.session.get_one(Certificate, certificate_id)
        answer = till.honour(
            certificate,
            note="",
            staff_id=1,
            request_key=build.request_key(),
            mode="simulated",
            on=date(2026, 1, 1),
        )
        if answer.refusal:
            raise InsufficientBalanceError

    if db.engine.dialect.name == "postgresql":
        outcomes = overlap(app, give, give)
    else:  # whoever writes has the whole file
        db.session.commit()
        outcomes = transact(app, give), transact(app, give)
    assert sorted(outcomes) == ["InsufficientBalanceError", "done"]
    assert honoured() == [(85_00, 95_00, 10_00)]
    assert db.session.get_one(Certificate, certificate_id).balance_cents == 0
