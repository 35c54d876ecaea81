"""The mailer: hands one message for one person to the mail server, or to the captured mailbox in development."""

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

from giftshop.errors import ShopError
from giftshop.words import _

GREETING_SECONDS, SECONDS = 10, 60
"""How long to wait for a connection and its greeting, and for all of one message. Not shorter: a server that takes
a message, looks through it for half a minute and then finds us gone delivers it all the same (RFC 1047)."""


class TemporaryMailError(ShopError):
    """The mail server could not take the message now."""


class PermanentMailError(ShopError):
    """The mail server refused the message for good."""


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
            raise TemporaryMailError(_("The captured mailbox could not be reached. Does the workbench run?")) from None
        if not answer.ok:
            sentence = _("The captured mailbox did not take the message (%(code)s).", code=answer.status_code)
            raise TemporaryMailError(sentence)


def _send_by_smtp(message: EmailMessage, url: str, *, sender: str, to_address: str) -> None:
    """Send one message. Only what the server says about this message or its address can be final.

    A refused sign-in, sender or connection is the shop's own trouble: whoever looks after it has three days.
    """
    try:
        with _connected(url, sender.rpartition("@")[2]) as server:
            server.send_message(message, from_addr=sender, to_addrs=[to_address])
    except smtplib.SMTPRecipientsRefused as refused:
        code = refused.recipients[to_address][0]
        sentence = _("The mail server refused the address (%(code)s). Check it for a typing error.", code=code)
        raise _refusal(code, sentence) from None
    except smtplib.SMTPDataError as refused:
        code = refused.smtp_code
        raise _refusal(code, _("The mail server refused the message (%(code)s).", code=code)) from None
    except smtplib.SMTPAuthenticationError:
        raise TemporaryMailError(_("The mail server refused our sign-in. Check SMTP_URL.")) from None
    except smtplib.SMTPSenderRefused as refused:
        code = refused.smtp_code
        sentence = _("The mail server refused our sender address (%(code)s). Check GIFTSHOP_MAIL_FROM.", code=code)
        raise TemporaryMailError(sentence) from None
    except (OSError, smtplib.SMTPException):
        raise TemporaryMailError(_("The mail server could not be reached, or did not answer in time.")) from None


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


def _refusal(code: int, sentence: str) -> ShopError:
    """Name a refusal by its SMTP code: 4xx may pass later, 5xx will not (RFC 5321, 4.2.1)."""
    return PermanentMailError(sentence) if 500 <= code < 600 else TemporaryMailError(sentence)


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
