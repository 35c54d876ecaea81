"""Staff who open certificates by their addresses do so 120 times a minute, page and paper together."""

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.web.limiter import limiter
from tests import build
from tests.conftest import both_databases
from tests.signing_in import browser, hire, signed_in

NOBODYS = "K7M2QX9RTB4DHVWR"


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    limiter.reset()
    return signed_in(app, hire("staff"))


@both_databases
def test_the_121st_look_up_in_a_minute_waits_for_the_next(app: Flask, desk: FlaskClient) -> None:
    certificate = build.certificate()
    address = f"/c/{build.code_of(certificate)}"
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for number in range(120):
            path, status = (f"/c/{NOBODYS}/certificate.pdf", 404) if number % 2 else (f"/c/{NOBODYS}", 303)
            assert desk.get(path).status_code == status, number
        for path in (address, f"{address}/certificate.pdf"):
            refused = desk.get(path)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        traveller.shift(60)
        assert desk.get(address).location == f"/redeem/{certificate.public_id}"


def test_one_persons_look_ups_are_not_anothers(app: Flask, desk: FlaskClient) -> None:
    address = f"/c/{build.code_of(build.certificate())}"
    for _ in range(121):
        desk.get(f"/c/{NOBODYS}")
    assert desk.get(address).status_code == 429
    assert signed_in(app, hire("manager")).get(address).status_code == 303
    assert browser(app).get(address).status_code == 200
