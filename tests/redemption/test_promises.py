"""What the till tells beside the verdict: the session promised, at which prices, and that it was not sent yet."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.catalog.models import Offer
from giftshop.foundation.database import db
from tests import build
from tests.redemption.desk import find, redeem

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
