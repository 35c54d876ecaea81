"""Who looked at a certificate's page: a program that fetched it, or somebody before whose eyes it stood."""

import pytest
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.certificates import codes
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from tests import build
from tests.conftest import both_databases
from tests.signing_in import hire, signed_in
from tests.storefront.conftest import Visitor

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def certificate(app: Flask) -> tuple[int, str]:
    """The id of a certificate, and the address of its page."""
    built = build.certificate()
    found = built.id, f"/c/{build.code_of(built)}"
    db.session.rollback()
    return found


def looks(certificate_id: int) -> list[tuple[str, str]]:
    """Return what is kept of looks at a certificate's page, oldest first, leaving no transaction open."""
    found = [(event.kind, event.actor) for event in activity_log.list_events(certificate_ids=[certificate_id])]
    db.session.rollback()
    return found


@both_databases
def test_a_program_that_fetches_the_page_has_not_opened_it(visitor: Visitor, certificate: tuple[int, str]) -> None:
    number, path = certificate
    for _ in range(3):
        assert visitor.open(path, headers={"User-Agent": "Mail link checker"}).status_code == 200
    assert looks(number) == [("fetched", "visitor")]


@both_databases
def test_a_fetch_does_not_use_up_the_hour_of_the_real_look(visitor: Visitor, certificate: tuple[int, str]) -> None:
    number, path = certificate
    visitor.open(path)
    for _ in range(3):
        assert visitor.ask(f"{path}/opened", method="POST", headers=HERE).status_code == 204
    assert looks(number) == [("fetched", "visitor"), ("opened", "holder")]
    with time_machine.travel(clock.now().timestamp() + 3700, tick=False):
        visitor.open(path)
        visitor.ask(f"{path}/opened", method="POST", headers=HERE)
    assert looks(number) == [("fetched", "visitor"), ("opened", "holder")] * 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_nobody_but_the_page_itself_says_that_it_was_opened(
    visitor: Visitor, certificate: tuple[int, str], headers: dict[str, str]
) -> None:
    number, path = certificate
    assert visitor.ask(f"{path}/opened", method="POST", headers=headers).status_code == 403
    assert visitor.ask(f"{path}/opened", method="GET", headers=HERE).status_code == 404
    assert looks(number) == []


def test_it_tells_nobody_whether_a_code_exists_and_its_tries_are_limited(visitor: Visitor) -> None:
    answers = [visitor.ask(f"/c/{codes.new_code()}/opened", method="POST", headers=HERE) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [204] * 10 + [429]
    assert "Set-Cookie" not in answers[0].headers
    assert db.session.query(ActivityEvent).count() == 0


def test_a_look_of_staff_is_none_of_the_holder(app: Flask, certificate: tuple[int, str]) -> None:
    number, path = certificate
    assert signed_in(app, hire("staff")).post(f"{path}/opened", headers=HERE).status_code == 204
    assert looks(number) == []


@both_databases
def test_it_needs_no_token_and_no_cookie(app: Flask, visitor: Visitor, certificate: tuple[int, str]) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    number, path = certificate
    stranger = Visitor(app.test_client(use_cookies=False), visitor.base_url)
    assert stranger.ask(f"{path}/opened", method="POST", headers=HERE).status_code == 204
    assert looks(number) == [("opened", "holder")]
