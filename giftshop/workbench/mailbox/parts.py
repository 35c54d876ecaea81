"""Takes a captured message apart into what a page or a test wants to see, for `mailbox`."""

import re
from base64 import b64encode
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from html import unescape
from typing import Any

from giftshop.workbench.store import Json

_LINK = re.compile(r"""https?://[^\s"'<>\\]+""", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']([^"']+)""", re.IGNORECASE)


@lru_cache(maxsize=256)
def read_mail(row: Any) -> Json:
    """Return {id, from, to, subject, message_id, received_at, headers, text, html, attachments, links}.

    What was read lately is remembered: who waits for a message lists them all again and again.
    """
    message = _parsed(row)
    text, html = _content(message, "plain"), _content(message, "html")
    return {
        "id": row["seq"], "from": row["sender"], "to": row["recipients"].split(","),
        "subject": str(message["Subject"] or ""), "message_id": str(message["Message-ID"] or ""),
        "received_at": row["received_at"], "headers": [[name, str(value)] for name, value in message.items()],
        "text": text, "html": html, "attachments": _described(row["seq"], message), "links": _links(text, html),
    }  # fmt: skip


def get_attachment(row: Any, number: int) -> tuple[str, str, bytes]:
    """Return name, content type and bytes of an attachment, counted from 1; IndexError when there is none."""
    part = [*_parsed(row).iter_attachments()][number - 1 if number > 0 else 10**6]
    return part.get_filename() or f"attachment-{number}", part.get_content_type(), _bytes(part)


def html_with_pictures(row: Any) -> str:
    """Return the HTML part with the pictures that came in the message put in, as a mail program shows them."""
    message = _parsed(row)
    html = _content(message, "html")
    for part in message.walk():
        if (name := str(part["Content-ID"] or "").strip("<>")) and part.get_content_maintype() == "image":
            picture = b64encode(_bytes(part)).decode()
            html = html.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{picture}")
    return html


def _parsed(row: Any) -> EmailMessage:
    message = message_from_bytes(row["raw"], policy=policy.default)
    assert isinstance(message, EmailMessage)  # what policy.default makes
    return message


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return "" if part is None else part.get_content()


def _described(mail_id: int, message: EmailMessage) -> list[Json]:
    return [
        {
            "name": part.get_filename() or f"attachment-{number}", "content_type": part.get_content_type(),
            "size": len(_bytes(part)), "url": f"/mailbox/{mail_id}/attachments/{number}",
        }
        for number, part in enumerate(message.iter_attachments(), start=1)
    ]  # fmt: skip


def _bytes(part: Any) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()


def _links(text: str, html: str) -> list[str]:
    """Return each http address in the message once, in order of appearance."""
    written = [address.rstrip(".,;:!?)") for address in _LINK.findall(text)]
    linked = [unescape(address) for address in _HREF.findall(html) if address.lower().startswith("http")]
    return list(dict.fromkeys([*written, *linked]))
