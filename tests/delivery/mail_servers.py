"""Mail servers for tests: a real one that can refuse, and a scripted one with worse manners."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Arrived:
    """One message as it came over the wire, `at` seconds of the steady clock."""

    sender: str
    recipients: list[str]
    raw: bytes
    was_encrypted: bool
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """A mail server on a port of its own; `to_address` and `to_data` are its answers while they are set.

    `before_taking` is called with a message in hand, before the server says that it has it. `hangs_up` may be
    "after DATA" (the message counts, its sender never hears so); `slowness` seconds pass before each answer;
    `poisoned` is an address it never takes anything for, without ever saying no for good; `poisonings` is how often;
    `refused` is an address it does not know, and says so.
    """

    port: int = 0
    to_address: str = ""
    to_data: str = ""
    poisoned: str = ""
    poisonings: int = 0
    refused: str = ""
    hangs_up: str = ""
    slowness: float = 0
    before_taking: Callable[[], object] = field(default=lambda: None)
    arrived: list[Arrived] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    options: dict[str, Any] = field(default_factory=dict)

    def open(self) -> None:
        """Listen, on the same port as before."""
        self.port = self.port or free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **self.options)
        self._controller.start()

    def shut(self) -> None:
        """Refuse every connection."""
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def wait_for(self, count: int, seconds: float = 30) -> list[Arrived]:
        """Wait until that many messages came."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.arrived) >= count, seconds), f"only {len(self.arrived)} came"
        return self.arrived

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        await asyncio.sleep(self.slowness)
        refusal = {self.poisoned: "451 not now", self.refused: "550 no such mailbox"}.get(address, self.to_address)
        self.poisonings += address == self.poisoned
        if not refusal:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_data:
            return self.to_data
        self.before_taking()
        with self.came:
            raw = envelope.content
            assert isinstance(raw, bytes)
            self.arrived.append(Arrived(envelope.mail_from or "", envelope.rcpt_tos, raw, session.ssl is not None))
            self.came.notify_all()
        if self.hangs_up == "after DATA":
            server.transport.abort()
        return "250 taken"


@contextmanager
def running_mail_server(**options: Any) -> Iterator[MailServer]:
    """Run a mail server; `options` are aiosmtpd's (tls_context, require_starttls, authenticator, …)."""
    server = MailServer(options=options)
    server.open()
    try:
        yield server
    finally:
        server.shut()


@contextmanager
def scripted_server(*steps: str | float) -> Iterator[int]:
    """Run a server that goes through `steps` with the first caller, and give its port.

    A text is an answer (a line is read before each but the first), "…data" reads up to the final dot, a number
    is a wait in seconds. After the last step it hangs up.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as connection, connection.makefile("rwb") as lines:
            for number, step in enumerate(steps):
                if isinstance(step, float):
                    over.wait(step)
                    continue
                if number:
                    _read(lines, until=b".\r\n" if step.startswith("…data") else b"\n")
                lines.write(step.removeprefix("…data").lstrip().encode() + b"\r\n")
                lines.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with suppress(OSError):  # wakes an accept() that nobody came for
            socket.create_connection(("127.0.0.1", listener.getsockname()[1]), 1).close()
        thread.join(10)
        listener.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server's side of encryption with a certificate nobody vouches for, as Debian's mail servers have."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def only(user: bytes, password: bytes) -> Any:
    """Return an authenticator that knows one person."""

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (user, password), handled=False)

    return check


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _read(lines: Any, *, until: bytes) -> None:
    while (line := lines.readline()) and not line.endswith(until):
        pass
