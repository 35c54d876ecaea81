"""Connections that send half a request, or a byte now and then: dropped within seconds, and nobody waits for them."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from tests.running import RunningShop, running_shop

HALF_OPEN = 40
HEAD = b"POST /balance HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BEGINNINGS = {
    "nothing": b"",
    "half a line": b"GET /heal",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 100000\r\n\r\ncode=",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nFF\r\ncode=",
    "a body too long": HEAD + b"Content-Length: 900000000\r\n\r\ncode=",
}


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningShop]:
    folder = tmp_path_factory.mktemp("slow")
    path = folder / "shop.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with running_shop(folder, f"sqlite:///{path}") as shop:
        yield shop


def open_one(shop: RunningShop, beginning: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", shop.port), timeout=30)
    host = shop.url.removeprefix("http://").encode()
    connection.sendall(beginning.replace(b"%s", host))
    return connection


def slowest_answer(shop: RunningShop, calls: int) -> float:
    slowest = 0.0
    for _ in range(calls):
        began = time.monotonic()
        assert requests.get(f"{shop.url}/healthz", timeout=30).text == "ok"
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def trickle(connections: list[socket.socket], ended: threading.Event) -> None:
    """Send one more byte on each, again and again."""
    while not ended.wait(0.3):
        for connection in connections:
            try:
                connection.sendall(b"x")
            except OSError:
                return


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_forty_half_requests_keep_nobody_waiting(shop: RunningShop, beginning: str) -> None:
    ended = threading.Event()
    with ExitStack() as stack:
        half_open = [stack.enter_context(closing(open_one(shop, BEGINNINGS[beginning]))) for _ in range(HALF_OPEN)]
        if BEGINNINGS[beginning]:
            thread = threading.Thread(target=trickle, args=(half_open, ended))
            thread.start()
            stack.callback(thread.join)
        stack.callback(ended.set)
        assert slowest_answer(shop, 20) <= 1


def test_a_half_request_is_dropped_within_seconds(shop: RunningShop) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        half_open = {name: stack.enter_context(closing(open_one(shop, BEGINNINGS[name]))) for name in BEGINNINGS}
        answers = {name: connection.recv(1000) for name, connection in half_open.items()}
    assert time.monotonic() - began < 12
    assert answers.pop("nothing") == b""
    assert {name: answer.startswith(b"HTTP/1.1 408") for name, answer in answers.items()} == dict.fromkeys(
        answers, True
    )


def test_connections_that_are_answered_and_do_not_close_keep_nobody_waiting(shop: RunningShop) -> None:
    with ExitStack() as stack:
        for _ in range(HALF_OPEN):
            whole = b"GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
            stack.enter_context(closing(open_one(shop, whole)))
        assert slowest_answer(shop, 20) <= 1


def test_whole_requests_are_answered_in_pieces_one_behind_the_other_and_in_chunks(shop: RunningShop) -> None:
    asked = b"GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n"
    with closing(open_one(shop, asked[:20])) as connection:
        time.sleep(0.2)
        rest = (asked[20:] + asked + asked[:10]).replace(b"%s", shop.url.removeprefix("http://").encode())
        connection.sendall(rest)
        answers = b""
        while answers.count(b"\r\n\r\nok") < 2:
            answers += connection.recv(10_000)
        assert answers.count(b"200 OK") == 2
    pieces = (b"code=7KQ2-M4XD-", b"9TFP-B3HV")
    answer = requests.post(f"{shop.url}/webhooks/stripe", data=iter(pieces), timeout=10)
    assert answer.status_code == 400


def test_a_body_that_is_too_long_is_answered_when_it_has_come(shop: RunningShop) -> None:
    answer = requests.post(f"{shop.url}/balance", data=b"x" * 17_000_000, timeout=30)
    assert answer.status_code == 413
