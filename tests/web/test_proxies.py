"""Behind proxies: limits count the visitor whom the outermost trusted proxy saw; forged headers change nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import request
from flask.testing import FlaskClient

from giftshop.app import close_app, create_app
from giftshop.web.limiter import client_address
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
