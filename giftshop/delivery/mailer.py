"""The mailer: hands one message for one person to the mail server, or to the captured mailbox in development."""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from threading import Timer
from urllib.parse import unquote, urlsplit

import requests

from giftshop.delivery.faults import FINAL, MailFault, classify, tell
from giftshop.errors import ShopError

GREETING_SECONDS, SECONDS = 10, 60
"""How long to wait for a connection and its greeting, and for all of one message. Not shorter: a server that takes
a message, looks through it for half a minute and then finds us gone delivers it all the same (RFC 1047)."""


MOST_WORDS = 200
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"“”]+@[^\s<>()\[\]:;,\"“”]+")
_SECRET = re.compile(r"\b[0-9a-z]{4}(?:[-\s]?[0-9a-z]{4}){3}\b|(?<=/c/)\S+|(?<=/orders/)\S+", re.IGNORECASE)


class MailError(ShopError):
    """The message did not go out."""

    def __init__(self, fault: MailFault, said: str = "") -> None:
        """Say what is wrong, with the words of the server."""
        super().__init__(tell(fault, said))
        self.fault = fault


class TemporaryMailError(MailError):
    """The message waits: it goes out later, or when somebody has put right what keeps it."""


class PermanentMailError(MailError):
    """The mail server refused the address for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailer:
    """Where mail goes: `smtp_url`, or when that is empty the mailbox at `mailbox_url` with its `mailbox_key`."""

    sender: str
    smtp_url: str
    mailbox_url: str
    mailbox_key: str

    def send(self, message: EmailMessage, *, to_address: str) -> None:
        """Send to exactly one address. Raises TemporaryMailError (try again), PermanentMailError."""
        if self.smtp_url:
            _send_by_smtp(message, self.smtp_url, sender=self.sender, to_address=to_address)
        else:
            self._capture(message, to_address)

    def _capture(self, message: EmailMessage, to_address: str) -> None:
        headers = {
            "Authorization": f"Bearer {self.mailbox_key}",
            "X-Envelope-From": self.sender,
            "X-Envelope-To": to_address,
            "Content-Type": "message/rfc822",
        }
        address = f"{self.mailbox_url}/mailbox/messages"
        try:
            answer = requests.post(
                address, data=message.as_bytes(), headers=headers, timeout=(GREETING_SECONDS, SECONDS)
            )
        except requests.RequestException:
            raise TemporaryMailError(MailFault.NOT_CAPTURED) from None
        if not answer.ok:
            raise TemporaryMailError(MailFault.NOT_CAPTURED, str(answer.status_code))


def _send_by_smtp(message: EmailMessage, url: str, *, sender: str, to_address: str) -> None:
    """Send one message. Only what the server says about its address is final; whatever it says of us is not."""
    try:
        with _connected(url, sender.rpartition("@")[2]) as server:
            server.send_message(message, from_addr=sender, to_addrs=[to_address])
    except (OSError, smtplib.SMTPException) as error:
        fault, said = classify(error)
        refusal = PermanentMailError if fault in FINAL else TemporaryMailError
        raise refusal(fault, _fit_to_show(said, sender)) from None


def _fit_to_show(said: str, sender: str) -> str:
    """Return a server's words as they may stand on a page and in a log: no codes, no addresses but our own."""
    shown = "".join(sign if sign.isprintable() else " " for sign in said)[: 5 * MOST_WORDS]
    shown = _ADDRESS.sub(lambda found: sender if found[0].casefold() == sender.casefold() else "…@…", shown)
    return _SECRET.sub("…", shown)[:MOST_WORDS].strip()


def try_server(url: str, *, sender: str, to_address: str) -> None:
    """Go through all of sending a message but the message itself: connect, encrypt, sign in, name both addresses.

    Raises what went wrong as it is: ssl.SSLError, OSError, and smtplib's errors with the server's own words.
    """
    with _connected(url, sender.rpartition("@")[2]) as server:
        code, words = server.mail(sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, words, sender)
        code, words = server.rcpt(to_address)
        if code not in (250, 251):
            raise smtplib.SMTPRecipientsRefused({to_address: (code, words)})
        server.rset()


@contextmanager
def _connected(url: str, our_host: str) -> Iterator[smtplib.SMTP]:
    """Give the connection an address like smtp://user:password@host:587 asks for, for at most a minute.

    How it ends does not matter any more: the message was taken before, or its refusal is on its way.
    """
    server = _connect(url, our_host)
    hurry = Timer(SECONDS, _hang_up, [server])
    hurry.daemon = True
    hurry.start()
    try:
        _prepare(server, url)
        yield server
        with suppress(OSError, smtplib.SMTPException):
            server.putcmd("QUIT")
    finally:
        hurry.cancel()
        server.close()


def _connect(url: str, our_host: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        context = _tls(host)
        return smtplib.SMTP_SSL(host, parts.port or 465, our_host, timeout=GREETING_SECONDS, context=context)
    return smtplib.SMTP(host, parts.port or 587, our_host, timeout=GREETING_SECONDS)


def _prepare(server: smtplib.SMTP, url: str) -> None:
    """Change to encryption where it was not there from the start, and sign in.

    Without encryption nothing leaves this machine: a server elsewhere that does not offer it gets no mail.
    """
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if isinstance(server.sock, socket.socket):
        server.sock.settimeout(SECONDS)
    server.ehlo_or_helo_if_needed()
    if parts.scheme == "smtp" and (server.has_extn("starttls") or not _is_this_machine(host)):
        server.starttls(context=_tls(host))
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))


def _tls(host: str) -> ssl.SSLContext:
    """Return how to encrypt; a server on this machine need not prove who it is."""
    context = ssl.create_default_context()
    if _is_this_machine(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hang_up(server: smtplib.SMTP) -> None:
    """End a connection under its reader, who then finds it closed; also when it is encrypted by now."""
    if isinstance(server.sock, socket.socket):
        with suppress(OSError):
            socket.socket.shutdown(server.sock, socket.SHUT_RDWR)
