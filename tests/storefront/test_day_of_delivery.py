"""The day on which a gift is to go out: which are offered, which are refused, and what is said of each."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from werkzeug.test import TestResponse

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.checkout.placing import place_order
from giftshop.dates import write_short_day
from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from tests import build
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Visitor, errors_of, orders
from tests.storefront.order_buyer import NEXT_WEEK, buy

AT_NINE = "2026-11-24T16:00:00Z"
"""Nine in the morning in Denver."""


@time_machine.travel("2026-11-24T15:00:00Z", tick=False)
def test_the_hint_names_hour_and_zone_and_the_chosen_day_its_own(visitor: Visitor) -> None:
    assert "it goes at 9 AM Denver time, on the day you choose from Nov 24, 2026" in hint(visitor.open("/gift"))
    for day, written in (("2027-03-14", "March 14, 2027"), ("2027-11-07", "November 7, 2027")):
        answer = visitor.send("/gift", {**visitor.fill_gift(deliver_on=day), "update_preview": "1"})
        offset = "UTC−6" if day == "2027-03-14" else "UTC−7"
        assert hint(answer) == f"Goes out on {written} at 9:00 AM Denver time ({offset})"


@pytest.mark.parametrize(("now", "first"), [("2026-11-24T15:59:59Z", "2026-11-24"), (AT_NINE, "2026-11-25")])
def test_a_day_whose_hour_has_passed_is_not_offered(visitor: Visitor, now: str, first: str) -> None:
    with time_machine.travel(now, tick=False):
        page = visitor.open("/gift")
    assert f'min="{first}"' in page.text
    assert f"from {write_short_day(date.fromisoformat(first))}" in hint(page)


@time_machine.travel(AT_NINE, tick=False)
def test_a_day_whose_hour_passed_while_the_form_stood_open_is_refused_and_kept(visitor: Visitor) -> None:
    visitor.open("/gift")
    answer = visitor.send("/gift", visitor.fill_gift(deliver_on="2026-11-24"))
    assert answer.status_code == 422
    assert errors_of(answer) == {
        "gifts-0-deliver_on": "Today it is past 9 AM Denver time. Choose a day from November 25, 2026, "
        "or leave it empty to send it now"
    }
    assert visitor.fields["gifts-0-deliver_on"] == "2026-11-24"
    assert "Goes out on" not in answer.text
    assert orders() == []


@pytest.mark.parametrize("day", ["2020-01-01", "2026-11-23", "2028-01-01", "9999-12-31", "0001-01-01"])
def test_no_day_that_is_refused_is_promised(visitor: Visitor, day: str) -> None:
    with time_machine.travel(AT_NINE, tick=False):
        visitor.open("/gift")
        answer = visitor.send("/gift", visitor.fill_gift(deliver_on=day))
        looked_at = visitor.send("/gift", {**visitor.fill_gift(deliver_on=day), "update_preview": "1"})
    assert list(errors_of(answer)) == ["gifts-0-deliver_on"]
    for page in (answer, looked_at):
        assert "Goes out on" not in page.text
        assert visitor.fields["gifts-0-deliver_on"] == day


def set_clock(zone: str, hour: int) -> None:
    """Let the practice be elsewhere, or send gifts at another hour."""
    practice = get_practice()
    practice.time_zone, practice.delivery_hour = zone, hour
    db.session.commit()


CHANGES_OF_CLOCKS = [
    ("2027-03-14", 2, "March 14, 2027 at 3:00 AM Denver time (UTC−6)"),  # 2:00 to 3:00 does not exist
    ("2027-03-14", 3, "March 14, 2027 at 3:00 AM Denver time (UTC−6)"),
    ("2027-11-07", 1, "November 7, 2027 at 1:00 AM Denver time (UTC−6)"),  # twice: the first of the two
    ("2027-11-07", 2, "November 7, 2027 at 2:00 AM Denver time (UTC−7)"),
]


@pytest.mark.parametrize(("day", "hour", "words"), CHANGES_OF_CLOCKS)
def test_an_hour_that_is_skipped_or_happens_twice_is_said_as_it_will_be(
    visitor: Visitor, day: str, hour: int, words: str
) -> None:
    set_clock("America/Denver", hour)
    with time_machine.travel(AT_NINE, tick=False):
        visitor.open("/gift")
        page = visitor.send("/gift", {**visitor.fill_gift(deliver_on=day), "update_preview": "1"})
    assert hint(page) == f"Goes out on {words}"


def test_a_day_without_a_midnight_begins_an_hour_later(visitor: Visitor) -> None:
    set_clock("Africa/Cairo", 0)
    with time_machine.travel("2027-04-29T21:59:59Z", tick=False):  # a second to midnight, which is 1:00 that day
        page = visitor.open("/gift")
        assert 'min="2027-04-30"' in page.text
        page = visitor.send("/gift", {**visitor.fill_gift(deliver_on="2027-04-30"), "update_preview": "1"})
        assert hint(page) == "Goes out on April 30, 2027 at 1:00 AM Cairo time (UTC+3)"
    with time_machine.travel("2027-04-29T22:00:00Z", tick=False):
        assert 'min="2027-05-01"' in visitor.open("/gift").text


def test_a_day_whose_hour_passed_before_it_was_paid_goes_right_after_payment(visitor: Visitor) -> None:
    with time_machine.travel("2026-11-24T15:59:00Z", tick=False):
        wanted = build.purchase(build.gift_request(deliver_on=date(2026, 11, 24)))
        path = f"/orders/{token_of(place_order(wanted, mode='simulated', at=clock.now()))}"
        db.session.commit()
        assert "on November 24, 2026 at 9:00 AM Denver time (UTC−7)" in plain(visitor.open(path))
    with time_machine.travel(AT_NINE, tick=False):
        assert "Goes to ana@example.com right after payment" in plain(visitor.open(path))


def test_the_page_of_changes_offers_and_refuses_the_same_days(visitor: Visitor, stripe_side: StripeSide) -> None:
    buyer = buy(visitor, stripe_side, deliver_on=NEXT_WEEK.isoformat())
    set_clock("America/Denver", 0)
    today = clock.today("America/Denver")
    page = buyer.open()
    assert f'min="{today + timedelta(days=1)}"' in page.text
    assert f"At 12 AM Denver time, from {write_short_day(today + timedelta(days=1))}" in plain(page)
    for day, why in ((today, "Today it is past 12 AM Denver time."), (today - timedelta(days=1), "Choose a day from")):
        answer = buyer.change("day", day=day.isoformat())
        assert (answer.status_code, list(errors_of(answer))) == (422, ["day"])
        assert why in plain(answer)
        assert f'value="{day}"' in answer.text


def plain(page: TestResponse) -> str:
    """What a page says, with ordinary spaces."""
    return page.text.replace("\u202f", " ")


def hint(page: TestResponse) -> str:
    """The hint at the day of the first gift."""
    (found,) = re.findall(r'id="gifts-0-deliver_on-hint"[^>]*>(.*?)</', page.text, re.DOTALL)
    return " ".join(str(found).replace("\u202f", " ").split())
