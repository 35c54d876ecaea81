"""A poor line between a browser and the shop: a proxy on the shop's own port that loses, cuts and mangles answers."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from flask import Flask
from werkzeug.serving import make_server

from giftshop.foundation.settings import Settings

HEAD_END = b"\r\n\r\n"
WAIT_SECONDS = 60


@dataclass
class Line:
    """The line; what becomes of each form sent is taken from `troubles`, first in, first out, then `always`."""

    port: int
    shop_port: int
    troubles: deque["Trouble"] = field(default_factory=deque)
    always: "Trouble | None" = None
    asked: list[bytes] = field(default_factory=list)
    """The bodies that came, in order."""
    is_over: threading.Event = field(default_factory=threading.Event)

    def trouble_for(self, request: bytes) -> "Trouble":
        """Return what becomes of this request; pages and files come through."""
        if not request.startswith(b"POST "):
            return passed_on
        self.asked.append(request.partition(HEAD_END)[2])
        return self.troubles.popleft() if self.troubles else self.always or passed_on

    def ask(self, request: bytes) -> bytes:
        """Hand a request to the shop; return the whole answer."""
        head, _, body = request.partition(HEAD_END)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self.shop_port)) as shop:
            shop.sendall(b"\r\n".join([*lines, b"Connection: close"]) + HEAD_END + body)
            return b"".join(iter(partial(shop.recv, 65536), b""))


Trouble = Callable[[Line, bytes, socket.socket], None]
"""What becomes of a request: it may ask the shop, and send the browser what it likes."""


def passed_on(line: Line, request: bytes, browser: socket.socket) -> None:
    """No trouble at all."""
    browser.sendall(line.ask(request))


def cut_answer(line: Line, request: bytes, browser: socket.socket) -> None:
    """The shop acts; its answer ends in the middle of its body."""
    head, _, body = line.ask(request).partition(HEAD_END)
    browser.sendall(head + HEAD_END + body[: len(body) // 2])


def cut_without_a_length(line: Line, request: bytes, browser: socket.socket) -> None:
    """Likewise, of an answer that does not say how long it is: a browser takes the half for the whole."""
    head, _, body = line.ask(request).partition(HEAD_END)
    lines = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"content-length:")]
    browser.sendall(b"\r\n".join(lines) + HEAD_END + body[: len(body) // 2])


def cut_head(line: Line, request: bytes, browser: socket.socket) -> None:
    """The shop acts; its answer ends in the middle of its first line."""
    browser.sendall(line.ask(request)[:12])


def lost_answer(line: Line, request: bytes, browser: socket.socket) -> None:
    """The shop acts; the line breaks before a word of it comes back."""
    line.ask(request)


def lost_request(_line: Line, _request: bytes, _browser: socket.socket) -> None:
    """The line breaks before the shop hears anything."""


def swallowed(line: Line, request: bytes, browser: socket.socket) -> None:
    """The shop acts; nothing comes back, and the line stays open."""
    line.ask(request)
    silent(line, request, browser)


def silent(line: Line, _request: bytes, browser: socket.socket) -> None:
    """Nothing is asked and nothing answered, until the browser goes."""
    browser.settimeout(0.1)
    while not line.is_over.is_set():
        with suppress(TimeoutError):
            if not browser.recv(1):
                return


def answered_by_proxy(status: str, *, is_done: bool, line: Line, request: bytes, browser: socket.socket) -> None:
    """A proxy answers with a page of its own, after the shop was asked or before."""
    if is_done:
        line.ask(request)
    body = f"<html><body><h1>{status}</h1></body></html>".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close"
    browser.sendall(head.encode() + HEAD_END + body)


def _of_a_proxy(status: str, *, is_done: bool) -> Trouble:
    return lambda line, request, browser: answered_by_proxy(
        status, is_done=is_done, line=line, request=request, browser=browser
    )


bad_gateway = _of_a_proxy("502 Bad Gateway", is_done=False)
gateway_timeout = _of_a_proxy("504 Gateway Timeout", is_done=True)
foreign_page = _of_a_proxy("200 OK", is_done=False)
"""What the network of a hotel answers to everything until somebody has agreed to its terms."""


def to_another_host(_line: Line, _request: bytes, browser: socket.socket) -> None:
    """Likewise, by leading elsewhere."""
    browser.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/terms\r\nContent-Length: 0" + HEAD_END)


@contextmanager
def poor_line(app: Flask, settings: Settings) -> Iterator[Line]:
    """Serve the shop behind such a line, which answers at the shop's own address meanwhile."""
    shop = make_server("127.0.0.1", 0, app, threaded=True)
    answering = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.02})
    answering.start()
    line = Line(int(settings.base_url.rsplit(":", 1)[1]), shop.port)
    door = socket.create_server(("127.0.0.1", line.port))
    taking = threading.Thread(target=_take_calls, args=(line, door))
    taking.start()
    yield line
    line.is_over.set()
    taking.join()
    door.close()
    shop.shutdown()
    answering.join()
    shop.server_close()


def _take_calls(line: Line, door: socket.socket) -> None:
    door.settimeout(0.05)
    calls: list[threading.Thread] = []
    while not line.is_over.is_set():
        with suppress(TimeoutError):
            browser, _address = door.accept()
            calls.append(threading.Thread(target=_take_call, args=(line, browser)))
            calls[-1].start()
    for call in calls:
        call.join()


def _take_call(line: Line, browser: socket.socket) -> None:
    """Answer one request; the connection ends with it."""
    with browser, suppress(OSError):  # a browser may go whenever it likes
        browser.settimeout(0.1)
        request = _read_request(line, browser)
        if request:
            browser.settimeout(WAIT_SECONDS)
            line.trouble_for(request)(line, request, browser)


def _read_request(line: Line, browser: socket.socket) -> bytes:
    """Return a whole request; nothing when the browser opened a line and says nothing (they do, to be quick later)."""
    read = b""
    while not line.is_over.is_set():
        with suppress(TimeoutError):
            part = browser.recv(65536)
            if not part:
                return b""
            read += part
            head, end, body = read.partition(HEAD_END)
            if end and len(body) >= _length_of_body(head):
                return read
    return b""


def _length_of_body(head: bytes) -> int:
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(lengths[0]) if lengths else 0
