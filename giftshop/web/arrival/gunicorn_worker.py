"""The web process: gunicorn's threads, each given a request only when it has arrived whole.

gunicorn's own worker of threads gives one away at a connection's first byte, so eight half-sent requests stop the
shop for as long as they like (decision 33). Here the loop that waits for all connections collects what they send,
and drops those that take too long; a proxy before the shop may do so too, and none has to.
"""

import socket
import struct
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

from giftshop.web.arrival.whole_requests import ArrivingRequest, OverlongError

HEAD_SECONDS, SLOWEST = 8, 20_000
"""A request may take so many seconds, and one more for each so many bytes: less than any telephone sends."""
SEND_SECONDS, LINGER_SECONDS = 10, 2
MOST_HELD = 64_000_000
"""The bytes of unfinished requests that one process keeps at a time."""
_A_READ = 65_536
_REFUSALS = {
    408: b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
}


class Connection(TConn):  # type: ignore[misc]
    """A connection with what has arrived on it; `ends` once we have said all and wait for the other side to close."""

    parser: Any

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arriving, self.began_at, self.ends, self.was_cut = ArrivingRequest(), 0.0, False, False

    def wait(self, seconds: float) -> None:
        """Begin to wait for what comes next."""
        self.began_at = time.monotonic()
        self.timeout = self.began_at + seconds

    def take(self, data: bytes) -> None:
        """Add what came, and allow it the time that its length may take. Raises OverlongError."""
        self.arriving.take(data)
        self.timeout = self.began_at + HEAD_SECONDS + self.arriving.size / SLOWEST

    def load(self) -> None:
        """Give gunicorn's parser the request, so that it never has to read from the other side."""
        self.was_cut = self.arriving.is_cut
        if self.parser is None:
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
            self.initialized = True
        self.parser.unreader.unread(self.arriving.take_out())


class WholeRequestWorker(ThreadWorker):  # type: ignore[misc]
    """Serves what has arrived whole; unfinished requests and connections to be closed cost no thread."""

    def accept(self, listener: Any) -> None:
        """Take a connection and wait for its first request."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self._wait_for_more(Connection(self.cfg, client, address, listener.getsockname()), HEAD_SECONDS)

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """Begin to collect the next request of a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._wait_for_more(conn, HEAD_SECONDS)
        self.on_pending_socket_readable(conn, client)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:
        """Collect what came; give the connection to a thread when its request is whole."""
        try:
            data = client.recv(_A_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
        elif not conn.ends:
            self._collect(conn, data)

    def murder_pending(self) -> None:
        """Drop every connection that took too long."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout < now]:
            self._drop(conn, 408 if conn.arriving.received and not conn.ends else None)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Keep a connection for its next request, or see it off."""
        keeps = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        if not keeps:
            self._see_off(conn)
        elif conn.arriving.received:  # the next request came right behind
            self._wait_for_more(conn, HEAD_SECONDS)
            self._go_on(conn)
        else:
            super().finish_request(conn, fs)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        return not conn.was_cut and bool(super()._keepalive_after(conn, keepalive))

    def _cap_keepalive(self, deadline: float) -> None:
        """Let connections that were opened and never used hold up a stopping process no longer than idle ones."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            if not conn.arriving.received:
                conn.timeout = min(conn.timeout, deadline)

    def _collect(self, conn: Connection, data: bytes) -> None:
        try:
            conn.take(data)
        except OverlongError:
            self._drop(conn, 431)
            return
        if len(conn.arriving.received) > _A_READ and self._held() > MOST_HELD:
            self._drop(conn, 503)
            return
        self._go_on(conn)

    def _go_on(self, conn: Connection) -> None:
        if conn.arriving.is_whole():
            self._stop_waiting(conn)
            conn.load()
            conn.data_ready = True
            self.enqueue_req(conn)

    def _held(self) -> int:
        return sum(len(conn.arriving.received) for conn in self.pending_conns)

    def _wait_for_more(self, conn: Connection, seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.wait(seconds)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, 1, partial(self.on_pending_socket_readable, conn))

    def _stop_waiting(self, conn: Connection) -> None:
        self.pending_conns.remove(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _see_off(self, conn: Connection) -> None:
        """Say that we have said all, and read on a little so that the answer is not cut off (RFC 9112, 9.6).

        gunicorn waits for that in the loop itself, where a client that does not close would stop everybody.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.nr_conns -= 1
            conn.close()
            return
        conn.ends = True
        self._wait_for_more(conn, LINGER_SECONDS)

    def _drop(self, conn: Connection, status: int | None = None) -> None:
        self._stop_waiting(conn)
        if status is not None:
            with suppress(OSError):
                conn.sock.send(_REFUSALS[status])
        self.nr_conns -= 1
        conn.close()
