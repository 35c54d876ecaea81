"""Events that are not believed: ten signatures in a row that do not fit are told to the owner, with the reason."""

import hmac
import json
import time
from datetime import datetime

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.notifications.models import Alert
from giftshop.web.limiter import limiter
from tests.conftest import both_databases

FOREIGN = "whsec_sim_of_somebody_else"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "livemode": False,
    "data": {"object": {"id": "x"}},
}


@pytest.fixture(autouse=True)
def _nothing_counted(app: Flask) -> None:
    limiter.reset()


def post(client: FlaskClient, secret: str, *, age: int = 0, header: str | None = None) -> int:
    """Post an event as Stripe would, signed so many seconds ago; return the status."""
    body, stamp = json.dumps(EVENT).encode(), int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    signature = f"t={stamp},v1={digest}" if header is None else header
    headers = {"Stripe-Signature": signature} if signature else {}
    db.session.rollback()
    answer = client.post("/webhooks/stripe", data=body, headers=headers, base_url="http://127.0.0.1:8000")
    return answer.status_code


def alerts() -> list[Alert]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Alert).where(Alert.kind == "webhook_refused")))


@both_databases
def test_ten_in_a_row_are_one_alert_and_one_letter_with_the_reason(
    client: FlaskClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert [post(client, FOREIGN) for _ in range(9)] == [400] * 9
    assert alerts() == []
    assert caplog.text.count("STRIPE_WEBHOOK_SECRET is not this endpoint") == 9
    for _ in range(20):
        post(client, FOREIGN)
    (alert,) = alerts()
    assert "the last ten were refused. They are signed with another secret" in alert.detail
    assert db.session.scalar(sa.select(sa.func.count(Delivery.id)).where(Delivery.kind == MessageKind.ALERT)) == 1
    assert post(client, settings.webhook_secrets[0]) == 200
    assert [each.resolved_at is None for each in alerts()] == [False]


@pytest.mark.parametrize(
    ("age", "words"), [(3600, "this machine’s clock is ahead"), (-3600, "this machine’s clock is behind")]
)
def test_a_clock_that_is_wrong_is_named_as_the_reason(
    client: FlaskClient, settings: Settings, age: int, words: str
) -> None:
    for _ in range(10):
        assert post(client, settings.webhook_secrets[0], age=age) == 400
    (alert,) = alerts()
    assert words in alert.detail


def test_one_that_fits_in_between_begins_the_count_anew(client: FlaskClient, settings: Settings) -> None:
    for _ in range(3):
        assert [post(client, FOREIGN) for _ in range(9)] == [400] * 9
        assert post(client, settings.webhook_secrets[0]) == 200
    assert alerts() == []


@pytest.mark.parametrize("header", ["", "nonsense", "t=1", "t=x,v1=00", "v1=00"])
def test_what_no_stripe_would_send_is_no_sign_of_anything(client: FlaskClient, header: str) -> None:
    assert [post(client, FOREIGN, header=header) for _ in range(12)] == [400] * 12
    assert alerts() == []


def test_another_day_may_tell_again(client: FlaskClient) -> None:
    for day in (24, 26):
        with time_machine.travel(datetime(2026, 11, day, 12).astimezone(), tick=False):
            for _ in range(10):
                post(client, FOREIGN)
    assert len(alerts()) == 2
