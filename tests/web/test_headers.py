"""Every answer carries the security headers, and every page is shown to whom it is for: read off the address map."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from giftshop.app import close_app, create_app
from giftshop.catalog.models import Practice
from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.staff.rights import PUBLIC_BLUEPRINTS, PUBLIC_ENDPOINTS, RANKS, RIGHTS
from tests import build
from tests.conftest import make_settings
from tests.protection import assert_protected
from tests.signing_in import browser, hire, signed_in


@pytest.fixture
def arguments(app: Flask) -> dict[str, str]:
    """A value that leads somewhere for every argument that an address takes; "1" is tried for those not named here."""
    certificate = build.certificate()
    order = db.session.query(Order).one()
    values = {
        "filename": "js/redeem.js",
        "slug": "before-your-visit",
        "design": "held",
        "token": token_of(order),
        "code": build.code_of(certificate),
        "public_id": certificate.public_id,
    }
    db.session.rollback()
    return values


def address_of(rule: Rule, arguments: dict[str, str]) -> str:
    """Return the address of a rule with its arguments filled in."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda found: arguments.get(found[1], "1"), rule.rule)


def every_call(app: Flask, arguments: dict[str, str]) -> Iterator[tuple[Rule, str, str]]:
    """Return every rule with each method and its address; what ends a sign-in comes last."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint == "staff.sign_out"):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, address_of(rule, arguments)


def is_public(rule: Rule) -> bool:
    return rule.endpoint.split(".")[0] in PUBLIC_BLUEPRINTS or rule.endpoint in PUBLIC_ENDPOINTS


@pytest.mark.parametrize("role", [None, *RANKS])
def test_every_page_and_every_post_without_a_token_is_protected(
    app: Flask, arguments: dict[str, str], role: str | None
) -> None:
    client = open_for(app, role, arguments)
    app.config["WTF_CSRF_ENABLED"] = True
    calls = 0
    for rule, method, address in every_call(app, arguments):
        before = count_rows()
        answer = client.open(address, method=method, buffered=True)
        assert_protected(address, answer.headers)
        if method != "GET" and rule.endpoint != "webhook.receive_event":
            is_led_to_sign_in = role is None and not is_public(rule)
            assert answer.status_code == (303 if is_led_to_sign_in else 403), address
            assert not is_led_to_sign_in or answer.location == "/staff/login"
            assert count_rows() == before, address
        calls += 1
    assert calls >= 30


FOREIGN = {"site": {"Sec-Fetch-Site": "cross-site"}, "origin": {"Origin": "https://evil.example"}}


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("role", [None, *RANKS])
def test_no_form_of_another_site_is_answered_or_has_an_effect(
    app: Flask, arguments: dict[str, str], role: str | None, foreign: str
) -> None:
    client = open_for(app, role, arguments)
    before, calls = count_rows(), 0
    for rule, method, address in every_call(app, arguments):
        if method != "GET" and rule.endpoint != "webhook.receive_event":
            answer = client.open(address, method=method, headers=FOREIGN[foreign])
            assert answer.status_code == 403, address
            calls += 1
    assert calls >= 15
    assert count_rows() == before


def count_rows() -> dict[str, int]:
    """Return how many rows each table of the shop has: a form that was refused has left nothing."""
    db.session.rollback()
    query = sa.union_all(
        *(sa.select(sa.literal(name), sa.func.count()).select_from(table) for name, table in db.metadata.tables.items())
    )
    return dict(db.session.execute(query).all())


ODD_CALLS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "unknown address": ("GET", "/nothing", {}, 404),
    "unknown address at the counter": ("GET", "/redeem/1/2/3", {}, 404),
    "another host": ("GET", "/", {"base_url": "http://evil.example"}, 400),
    "another host at the counter": ("GET", "/redeem", {"base_url": "http://evil.example"}, 400),
    "another host, posted": ("POST", "/staff/login", {"base_url": "http://evil.example"}, 400),
    "NUL in the address": ("GET", "/c/%00", {}, 400),
    "a method nobody knows": ("BREW", "/redeem", {}, 405),
    "posted where nothing is read": ("POST", "/articles", {}, 405),
    "opened where only forms go": ("GET", "/staff/logout", {}, 405),
    "too large": ("POST", "/balance", {"data": {"code": "x" * 1_100_000}}, 413),
    "too large for a stranger at the counter": ("POST", "/redeem", {"data": {"photo": "x" * 1_100_000}}, 413),
    "from another site": ("POST", "/gift", {"headers": {"Origin": "https://evil.example"}}, 403),
    "asked for as JSON": ("GET", "/redeem", {"headers": {"Accept": "application/json"}}, 401),
    "a way back too long for a cookie": ("GET", "/redeem/" + "x" * 5000, {}, 303),
    "no longer a directory": ("GET", "/redeem/", {}, 302),
    "a file": ("GET", "/static/js/redeem.js", {}, 200),
    "the headers of a file": ("HEAD", "/static/js/redeem.js", {}, 200),
    "a file of the folder above": ("GET", "/static/../wsgi.py", {}, 404),
    "no such file": ("GET", "/static/js/none.js", {}, 404),
    "posted to a file": ("POST", "/static/js/redeem.js", {}, 405),
    "a part of a file beyond its end": ("GET", "/static/js/redeem.js", {"headers": {"Range": "bytes=999999-"}}, 416),
    "the health of the process": ("GET", "/healthz", {}, 200),
}


@pytest.mark.parametrize("call", ODD_CALLS)
def test_an_answer_to_anything_odd_is_protected(app: Flask, call: str) -> None:
    method, address, options, status = ODD_CALLS[call]
    answer = browser(app).open(address, method=method, buffered=True, **options)
    assert answer.status_code == status
    assert_protected(address, answer.headers)


def test_a_file_that_has_not_changed_is_protected(app: Flask) -> None:
    client = browser(app)
    tag = client.get("/static/js/redeem.js", buffered=True).headers["ETag"]
    answer = client.get("/static/js/redeem.js", headers={"If-None-Match": tag}, buffered=True)
    assert answer.status_code == 304
    assert_protected("/static/js/redeem.js", answer.headers)


def test_a_try_too_many_is_answered_protected(app: Flask) -> None:
    client = browser(app)
    answers = [client.post("/balance", data={"code": "K7M2-QX9R-TB4D-HVWR"}) for _ in range(11)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"]
    assert_protected("/balance", answers[-1].headers)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_fault_of_ours_is_answered_protected_and_tells_nothing(app: Flask, accept: str) -> None:
    def break_down() -> str:
        raise RuntimeError("the secret reason")

    app.view_functions["storefront.home"] = break_down
    answer = browser(app).get("/", headers={"Accept": accept})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert_protected("/", answer.headers)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop_without_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """A shop whose database file or server is gone."""
    gone = {"sqlite": f"sqlite:///{tmp_path}/gone/shop.sqlite", "postgresql": "postgresql+psycopg://x@127.0.0.1:9/x"}
    app = create_app(make_settings(gone[request.param]))
    yield app
    close_app(app)


AWAY = {
    ("GET", "/"): 503,
    ("GET", "/gift"): 503,
    ("POST", "/gift"): 503,
    ("GET", "/orders/unknown"): 503,
    ("GET", "/c/K7M2-QX9R-TB4D-HVWR"): 503,
    ("POST", "/staff/login"): 503,
    ("GET", "/readyz"): 503,
    ("GET", "/healthz"): 200,
    ("GET", "/staff/login"): 503,
    ("GET", "/static/js/redeem.js"): 200,
}


def test_while_the_database_is_away_every_answer_is_protected(shop_without_database: Flask) -> None:
    shop_without_database.config["WTF_CSRF_ENABLED"] = False
    client = shop_without_database.test_client()
    for (method, address), status in AWAY.items():
        answer = client.open(address, method=method, buffered=True, base_url="http://127.0.0.1:8000")
        assert answer.status_code == status, address
        assert_protected(address, answer.headers)
        assert ("Retry-After" in answer.headers) == (status == 503 and address != "/readyz")


@pytest.mark.parametrize("address", ["/", "/redeem", "/nothing"])
def test_a_shop_at_https_asks_to_be_reached_by_https_only(database_url: str, address: str) -> None:
    app = create_app(make_settings(database_url, base_url="https://gifts.example"))
    answer = app.test_client().get(address, base_url="https://gifts.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    close_app(app)


@pytest.mark.parametrize("role", [None, *RANKS])
def test_every_page_is_for_whom_the_table_of_rights_says(
    app: Flask, arguments: dict[str, str], role: str | None
) -> None:
    client = open_for(app, role, arguments)
    for rule, method, address in every_call(app, arguments):
        answer = client.open(address, method=method, buffered=True)
        assert answer.status_code < 500 or rule.endpoint.startswith(("health", "storefront")), address
        if is_public(rule):
            continue
        if role is None:
            assert (answer.status_code, answer.location) == (303, "/staff/login"), address
        elif RANKS[role] < RANKS[RIGHTS[rule.endpoint]]:
            assert answer.status_code == 403, address
        else:
            assert answer.status_code != 403, address
            assert answer.location != "/staff/login" or rule.endpoint == "staff.sign_out", address


def open_for(app: Flask, role: str | None, arguments: dict[str, str]) -> FlaskClient:
    """Return the browser of a person who has found the certificate, or of nobody; managers may pay money back."""
    db.session.get_one(Practice, 1).manager_refund_limit_cents = 500_00
    db.session.commit()
    if role is None:
        return browser(app)
    client = signed_in(app, hire(role))
    client.post("/redeem", data={"code": arguments["code"]})
    return client


def test_a_page_of_a_higher_rank_is_closed_to_a_lower_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIGHTS, "redemption.show_find", "manager")
    answers = {role: signed_in(app, hire(role)).get("/redeem").status_code for role in RANKS}
    assert answers == {"staff": 403, "manager": 200, "owner": 200}


def test_a_page_that_is_in_no_table_is_closed_to_everybody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RIGHTS, "redemption.show_find")
    for role in RANKS:
        assert signed_in(app, hire(role)).get("/redeem").status_code == 403
