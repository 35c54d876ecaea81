"""A mail server over TCP or TLS that says at each step what a test tells it to, to every caller."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

WELL = {
    "banner": "220 mail.example ESMTP",
    "ehlo": "250-mail.example\n250-SIZE 20000000\n250-STARTTLS\n250-AUTH PLAIN LOGIN\n250 ENHANCEDSTATUSCODES",
    "helo": "250 mail.example",
    "starttls": "220 2.0.0 go on",
    "auth": "235 2.7.0 welcome",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "end": "250 2.0.0 taken",
    "rset": "250 ok",
    "quit": "221 bye",
    "noop": "250 ok",
}
"""What it says to each command when nothing else was said; "end" is what follows the message's final dot."""


@dataclass
class RefusingServer:
    """`says` are its answers by step, changed at will; "" hangs up; what came whole is in `taken`."""

    port: int
    says: dict[str, str] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def serve(self, connection: socket.socket, held: ExitStack) -> None:
        """Speak with one caller until one of both hangs up."""
        stream = held.enter_context(connection.makefile("rwb"))
        if not self._say(stream, "banner"):
            return
        while line := stream.readline():
            step = line[:8].split(None, 1)[0].strip().lower().decode("ascii", "replace") if line.strip() else "noop"
            if not self._say(stream, step):
                return
            if step == "starttls" and self._answer(step).startswith("220") and self.tls:
                connection = held.enter_context(self.tls.wrap_socket(connection, server_side=True))
                stream = held.enter_context(connection.makefile("rwb"))
            if step == "data" and self._answer(step).startswith("354") and not self._take(stream):
                return

    def _take(self, stream: Any) -> bool:
        lines = []
        while (line := stream.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if self._answer("end").startswith("250"):
            self.taken.append(b"".join(lines))
        return self._say(stream, "end")

    def _answer(self, step: str) -> str:
        return {**WELL, **self.says}.get(step, "502 5.5.1 what?")

    def _say(self, stream: Any, step: str) -> bool:
        answer = self._answer(step)
        if answer:
            stream.write(answer.replace("\n", "\r\n").encode() + b"\r\n")
            stream.flush()
        return bool(answer)


@contextmanager
def refusing_server(
    tls: ssl.SSLContext | None = None, *, is_encrypted: bool = False, **says: str
) -> Iterator[RefusingServer]:
    """Run one on a port of its own; `is_encrypted` from the first byte (smtps)."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RefusingServer(listener.getsockname()[1], {**says}, tls=tls)

    def answer(connection: socket.socket) -> None:
        with suppress(OSError, ValueError), ExitStack() as held:
            held.enter_context(connection)
            connection.settimeout(20)
            if is_encrypted and tls:
                connection = held.enter_context(tls.wrap_socket(connection, server_side=True))
            server.serve(connection, held)

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
