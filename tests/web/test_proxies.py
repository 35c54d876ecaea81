"""Behind proxies: limits count the visitor whom the outermost trusted proxy saw; forged headers change nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import request
from flask.testing import FlaskClient

from giftshop.app import close_app, create_app
from giftshop.web.limiter import client_address
from giftshop.web.proxies import FORGOTTEN, TOO_MANY
from tests.conftest import make_settings

SHOP = "http://127.0.0.1:8000"
PROXY, VISITOR, FORGED = "10.0.0.1", "192.0.2.7", "203.0.113.5"


@contextmanager
def behind(hops: int, database_url: str) -> Iterator[FlaskClient]:
    """A proxy's connection to a shop that is told how many proxies stand before it."""
    app = create_app(make_settings(database_url, proxy_hops=hops))
    app.view_functions["health.is_up"] = lambda: f"{client_address()} {request.url}"
    try:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = PROXY
        yield client
    finally:
        close_app(app)


@pytest.mark.parametrize(
    ("hops", "forwarded_for", "counted"),
    [
        (0, VISITOR, PROXY),
        (0, "", PROXY),
        (1, VISITOR, VISITOR),
        (1, f"{FORGED}, {VISITOR}", VISITOR),
        (1, "", PROXY),
        (1, "not an address", "unknown"),
        (2, f"{FORGED}, {VISITOR}, 10.0.0.2", VISITOR),
        (2, VISITOR, PROXY),
    ],
)
def test_limits_count_whom_the_outermost_trusted_proxy_saw(
    database_url: str, hops: int, forwarded_for: str, counted: str
) -> None:
    with behind(hops, database_url) as client:
        seen = client.get("/healthz", base_url=SHOP, headers={"X-Forwarded-For": forwarded_for}).text
    assert seen == f"{counted} {SHOP}/healthz"


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix"])
def test_no_other_forwarded_header_is_believed(database_url: str, header: str) -> None:
    with behind(1, database_url) as client:
        seen = client.get("/healthz", base_url=SHOP, headers={header: "9"}).text
    assert seen == f"{PROXY} {SHOP}/healthz"


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:cb00:7109", "203.0.113.9"),
        ("::FFFF:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:51234", "203.0.113.9"),
        ('"[2001:db8:1:2:3::4]:51234"', "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3::4]", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("64:ff9b::cb00:7109", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.999", "unknown"),
        ("203.0.113.9:", "unknown"),
        ("_hidden", "unknown"),
        ("unknown", "unknown"),
        ("[]", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_is_read_however_a_proxy_writes_it(database_url: str, written: str, counted: str) -> None:
    with behind(0, database_url) as client:
        client.environ_base["REMOTE_ADDR"] = written
        assert client.get("/healthz", base_url=SHOP).text == f"{counted} {SHOP}/healthz"
    if written.strip():
        with behind(1, database_url) as client:
            seen = client.get("/healthz", base_url=SHOP, headers={"X-Forwarded-For": written}).text
            assert seen == f"{counted} {SHOP}/healthz"


def ready(client: FlaskClient, forwarded_for: str = "") -> dict[str, Any]:
    """Return what /readyz says to a request that came through proxies."""
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    told: dict[str, Any] = client.get("/readyz", base_url=SHOP, headers=headers).get_json()
    return told


@pytest.mark.parametrize(
    ("hops", "peer", "forwarded_for", "notice"),
    [
        (0, "127.0.0.1", VISITOR, FORGOTTEN),
        (0, "10.0.0.1", f"{FORGED}, {VISITOR}", FORGOTTEN),
        (0, "::1", VISITOR, FORGOTTEN),
        (0, "", VISITOR, FORGOTTEN),  # over a Unix socket
        (0, "8.8.8.8", VISITOR, ""),  # a stranger wrote it
        (0, "127.0.0.1", "", ""),
        (1, "127.0.0.1", VISITOR, ""),
        (1, "127.0.0.1", f"{FORGED}, {VISITOR}", ""),
        (2, "127.0.0.1", VISITOR, TOO_MANY),
        (2, "127.0.0.1", "", ""),  # a health check of the machine itself
    ],
)
def test_a_wrong_number_of_proxies_is_noticed_logged_and_told(
    database_url: str, hops: int, peer: str, forwarded_for: str, notice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with behind(hops, database_url) as client:
        client.environ_base["REMOTE_ADDR"] = peer
        for _ in range(3):
            client.get("/healthz", base_url=SHOP, headers={"X-Forwarded-For": forwarded_for})
        client.environ_base["REMOTE_ADDR"] = "127.0.0.1"
        told = ready(client)
    assert told["notices"] == ([notice] if notice else [])
    assert capsys.readouterr().err.count("all visitors count as one") == len(told["notices"])  # once in a process


def test_the_doctor_can_see_how_many_proxies_its_own_question_came_through(database_url: str) -> None:
    with behind(1, database_url) as client:
        assert ready(client, f"{VISITOR}, 10.0.0.2")["proxies"] == {"seen": 2, "told": 1}
        assert ready(client)["proxies"] == {"seen": 0, "told": 1}
