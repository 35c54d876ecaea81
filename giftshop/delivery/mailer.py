"""The mailer: hands one message for one person to the mail server, or to the captured mailbox in development."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import requests

from giftshop.errors import ShopError

SECONDS = 30


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
            self._send_by_smtp(message, to_address)
        else:
            self._capture(message, to_address)

    def _send_by_smtp(self, message: EmailMessage, to_address: str) -> None:
        try:
            with _connect(self.smtp_url) as server:
                server.send_message(message, from_addr=self.sender, to_addrs=[to_address])
        except smtplib.SMTPRecipientsRefused as refused:
            code, _text = next(iter(refused.recipients.values()))
            raise _by_code(code) from None
        except smtplib.SMTPResponseException as refused:
            raise _by_code(refused.smtp_code) from None
        except (OSError, smtplib.SMTPException):
            raise TemporaryMailError from None

    def _capture(self, message: EmailMessage, to_address: str) -> None:
        headers = {
            "Authorization": f"Bearer {self.mailbox_key}",
            "X-Envelope-From": self.sender,
            "X-Envelope-To": to_address,
            "Content-Type": "message/rfc822",
        }
        try:
            answer = requests.post(
                f"{self.mailbox_url}/mailbox/messages", data=message.as_bytes(), headers=headers, timeout=SECONDS
            )
        except requests.RequestException:
            raise TemporaryMailError from None
        if not answer.ok:
            raise TemporaryMailError


def _connect(url: str) -> smtplib.SMTP:
    """Open the connection an address like smtp://user:password@host:587 asks for.

    smtps:// is encrypted from the start; smtp:// changes to encryption, and goes without it only to this machine.
    """
    parts = urlsplit(url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
        server.ehlo()
        if server.has_extn("starttls") or not _is_loopback(host):
            server.starttls(context=context)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _by_code(code: int) -> ShopError:
    """Name a refusal by its SMTP code: 4xx may pass later, 5xx will not (RFC 5321, 4.2.1)."""
    return PermanentMailError() if 500 <= code < 600 else TemporaryMailError()
