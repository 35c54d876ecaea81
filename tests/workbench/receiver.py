"""A stand-in for the shop's webhook: takes what the workbench posts and answers as told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


@dataclass
class Received:
    """One post that arrived."""

    path: str
    header: str | None
    body: bytes

    def event(self, secret: str) -> dict[str, Any]:
        """Return the event as the real SDK reads it, its signature checked."""
        found: dict[str, Any] = stripe.Webhook.construct_event(self.body, self.header, secret).to_dict()
        return found


@dataclass
class Receiver:
    """A small server; `answers` are the status codes to come, then 200 for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    open: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int) -> list[Received]:
        """Return what arrived once there are that many; fails after 20 seconds."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout=20), (
                f"{len(self.received)} of {count} arrived"
            )
            return list(self.received)

    def types(self, secret: str) -> list[str]:
        """Return the types of the events that arrived, in order."""
        return [each.event(secret)["type"] for each in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()
    receiver.open.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.arrived:
                receiver.received.append(Received(self.path, self.headers["Stripe-Signature"], body))
                code = receiver.answers.pop(0) if receiver.answers else 200
                receiver.arrived.notify_all()
            receiver.open.wait(15)
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler
