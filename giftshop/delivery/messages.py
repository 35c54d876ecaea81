"""Messages: what each e-mail says, as text and as HTML, with its certificates attached."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import short_terms
from giftshop.certificates.codes import format_code
from giftshop.certificates.document import CertificateFace
from giftshop.certificates.models import Certificate
from giftshop.certificates.press import press
from giftshop.certificates.register import code_of
from giftshop.delivery.models import Delivery
from giftshop.money import format_amount

_TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
MOST_SUBJECT = 60

SUBJECTS = {
    "receipt": "Your order {order_number} at {short_name}",
    "gift": "{giver_name} sent you a massage at {short_name}",
    "certificate": "Your gift certificate for {recipient_name}",
    "payment_failed": "Your payment for order {order_number} didn't go through",
    "alert": "Needs you: {title}",
}


def compose(
    delivery: Delivery, facts: dict[str, Any], certificates: list[Certificate], *, base_url: str, sender: str
) -> EmailMessage:
    """Return the message of a delivery, all but its attachments; the same Message-ID however often it is composed.

    Every certificate stands in the text with its link and its code.
    """
    practice = get_practice()
    message = EmailMessage()
    message["Subject"] = _subject(delivery.kind, facts, practice)
    message["From"] = Address(practice.name, addr_spec=sender)
    message["To"] = Address(addr_spec=delivery.to_address)
    message["Reply-To"] = Address(practice.name, addr_spec=practice.email)
    message["Message-ID"] = delivery.message_id
    message["Date"] = format_datetime(delivery.send_at)
    message["Auto-Submitted"] = "auto-generated"
    context = {
        **facts,
        "practice": practice,
        "terms": short_terms(practice),
        "order_address": base_url + facts.get("order_path", ""),
        "certificates": [_enclosed(certificate, base_url) for certificate in certificates],
        "is_test": any(certificate.mode != "live" for certificate in certificates),
        "balance_address": f"{base_url}/balance",
    }
    message.set_content(_render(f"{delivery.kind}.txt", context))
    message.add_alternative(css_inline_html(_render(f"{delivery.kind}.html", context)), subtype="html")
    return message


def attach(message: EmailMessage, faces: list[CertificateFace]) -> None:
    """Print certificates and attach them; slow, so no transaction may be open. Raises PrintingError."""
    for number, face in enumerate(faces, start=1):
        name = "gift-certificate.pdf" if len(faces) == 1 else f"gift-certificate-{number}.pdf"
        message.add_attachment(press.print_pdf(face, "letter"), maintype="application", subtype="pdf", filename=name)


def css_inline_html(html: str) -> str:
    """Move the style sheet of a message into its elements, as mail programs want it; nothing is fetched."""
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
    return str(inliner.inline(html))


def _subject(kind: str, facts: dict[str, Any], practice: Practice) -> str:
    """Return the subject, at most 60 characters, on one line whatever the names hold."""
    words = SUBJECTS[kind].format_map({**facts, "short_name": practice.short_name})
    line = " ".join(words.split())
    return line if len(line) <= MOST_SUBJECT else line[: MOST_SUBJECT - 1].rstrip() + "…"


def _enclosed(certificate: Certificate, base_url: str) -> dict[str, str]:
    code = code_of(certificate)
    return {
        "address": f"{base_url}/c/{code}",
        "code": format_code(code),
        "worth": format_amount(certificate.face_value_cents, certificate.currency),
    }


def _render(name: str, context: dict[str, Any]) -> str:
    return _environment().get_template(f"emails/{name}").render(context)


@cache
def _environment() -> Environment:
    """Return the templates' environment: HTML is escaped, the plain text parts are not HTML."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html")),  # noqa: S701  # text parts are no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
