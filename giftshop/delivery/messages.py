"""Messages: what each e-mail says, as text and as HTML, with its certificates attached."""

import re
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader

from giftshop import clock
from giftshop.catalog import booking
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_installation, get_practice, is_open_for_sales
from giftshop.catalog.terms import short_terms
from giftshop.certificates.codes import format_code
from giftshop.certificates.links import link_path
from giftshop.certificates.look_up import code_of
from giftshop.delivery.kinds import KINDS, MessageKind
from giftshop.delivery.models import Delivery
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.documents.pdf import CertificateFace, Paper
from giftshop.documents.printing import print_face
from giftshop.documents.worker import press
from giftshop.foundation.templates import SpeakingEnvironment
from giftshop.ledger.models import Certificate
from giftshop.money import format_amount
from giftshop.words import _, current_language

_TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
MOST_SUBJECT = 60

_TYPED = ("message", "giver_name", "recipient_name", "goes", "unsent")
"""The facts that hold words of strangers."""
_LINK_LIKE = re.compile(r"(?<=\w)([.:@])(?=[^\W\d_]|/)")
_UNSEEN_BREAK = "\u200b"
_LATIN = str.maketrans(
    {
        **{"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ħ": "h", "ı": "i", "ŧ": "t", "ŋ": "ng", "æ": "ae", "œ": "oe"},
        **{"þ": "th", "ə": "e", "ƒ": "f", "ĸ": "k", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "'": "", "’": "", "ʼ": ""},
    }
)
"""Latin letters that are no letter with a mark, as they are written without their own sign; apostrophes join."""
_VALUE = re.compile(r"%\((\w+)\)s")


def compose(
    delivery: Delivery, facts: dict[str, Any], certificates: list[Certificate], *, base_url: str, sender: str
) -> EmailMessage:
    """Return the message of a delivery, all but its attachments; the same Message-ID however often it is composed.

    Every certificate stands in the text with its link and its code.
    """
    practice = get_practice()
    message = EmailMessage()
    message["Subject"] = _subject(delivery.kind, facts, practice)
    message["From"] = Address(_one_line(practice.name), addr_spec=sender)
    message["To"] = Address(addr_spec=delivery.to_address)
    message["Reply-To"] = Address(_one_line(practice.name), addr_spec=practice.email)
    message["Message-ID"] = delivery.message_id
    message["Date"] = format_datetime(clock.now())  # of this try: an old date looks like spam
    message["Auto-Submitted"] = "auto-generated"
    context = _context(facts, certificates, practice, base_url)
    context["drawing"] = f"cid:{_picture_id(delivery.message_id)}"
    message.set_content(_render(f"{delivery.kind}.txt", context))
    message.add_alternative(_inline_css(_render(f"{delivery.kind}.html", context)), subtype="html")
    return message


def attach(message: EmailMessage, faces: list[CertificateFace], *, paper: Paper) -> None:
    """Print certificates on a paper and attach them, and the drawing that the message shows, if it shows one.

    Slow, so no transaction may be open. Raises PrintingError.
    """
    _enclose_drawing(message, faces)
    for number, face in enumerate(faces, start=1):
        parts = ["gift-certificate", _plain_name(face.recipient_name), str(number) if len(faces) > 1 else ""]
        name = "-".join(filter(None, parts)) + ".pdf"
        pdf = print_face(face, paper, is_page=False)
        message.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)


def _enclose_drawing(message: EmailMessage, faces: list[CertificateFace]) -> None:
    """Enclose the first certificate's own drawing where the HTML shows it: as part of the message, never fetched."""
    html, picture_id = message.get_body(("html",)), _picture_id(message["Message-ID"])
    if html is not None and faces and f"cid:{picture_id}" in html.get_content():
        picture = press.draw(faces[0].design, faces[0].public_id, faces[0].palette)
        html.add_related(picture, "image", "png", cid=f"<{picture_id}>", filename="drawing.png", disposition="inline")


def _picture_id(message_id: str) -> str:
    return f"drawing.{message_id.strip('<>')}"


def _subject(kind: str, facts: dict[str, Any], practice: Practice) -> str:
    """Return the subject, at most 60 characters, on one line whatever the names hold."""
    title = facts.get("title", "")
    words = {**facts, "short_name": practice.short_name, "what": title[:1].lower() + title[1:]}
    forms = KINDS[MessageKind(kind)].subjects
    known = [form for form in forms if all(words.get(name) for name in _VALUE.findall(form))] or forms[-1:]
    lines = [_one_line(_(form, **words)) for form in known]
    fitting = [line for line in lines if len(line) <= MOST_SUBJECT]
    return fitting[0] if fitting else lines[-1][: MOST_SUBJECT - 1].rstrip() + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _context(
    facts: dict[str, Any], certificates: list[Certificate], practice: Practice, base_url: str
) -> dict[str, Any]:
    enclosed = [_enclosed(certificate, base_url) for certificate in certificates]
    said: dict[str, Any] = {name: _unlinked(facts[name]) for name in _TYPED if name in facts}
    said["gifts"] = [{**gift, "recipient_name": _unlinked(gift["recipient_name"])} for gift in facts.get("gifts", [])]
    return {
        **facts,
        **said,
        "practice": practice,
        "terms": short_terms(practice),
        "certificates": enclosed,
        "worth": _tell_worth(facts.get("amount_text", ""), enclosed),
        "order_address": base_url + facts.get("order_path", ""),
        "office_address": base_url + facts.get("office_path", ""),
        "booking_address": _booking_address(certificates, practice),
        "balance_address": f"{base_url}/balance",
        "gift_address": f"{base_url}/gift" if is_open_for_sales(practice) else "",
        "is_test": get_installation().mode != "live",
        "language": current_language(),
    }


def _booking_address(certificates: list[Certificate], practice: Practice) -> str:
    """Return where to book, with what a message brings; one that brings nothing leads to the practice's own page."""
    if not certificates:
        return practice.booking_address()
    return booking.link_for(certificates[0], practice, code=code_of(certificates[0]))


def _unlinked(text: str) -> str:
    """Return a stranger's words so that no mail program makes a link of them: the shop is nobody's spam relay.

    Mail programs turn "evil.example" in any text into a link; a break that takes no room prevents it.
    """
    return _LINK_LIKE.sub(rf"{_UNSEEN_BREAK}\1", text)


def _enclosed(certificate: Certificate, base_url: str) -> dict[str, str]:
    code, currency = code_of(certificate), certificate.currency
    is_used = certificate.balance_cents != certificate.face_value_cents
    left = format_amount(certificate.balance_cents, currency) if is_used else ""
    design = _(DESIGNS[certificate.design].name) if certificate.design in DESIGNS else ""
    return {"address": base_url + link_path(code), "code": format_code(code), "left": left, "design": design}


def _tell_worth(amount: str, enclosed: list[dict[str, str]]) -> str:
    """Say what a gift is worth: what is left only of one that was used, and no price where it is not to be seen."""
    if len(enclosed) == 1 and enclosed[0]["left"]:
        return _("%(left)s is left on your certificate, for any of our sessions.", left=enclosed[0]["left"])
    if not amount:
        return ""
    if len(enclosed) > 1:
        return _("There is %(amount_text)s on each of your certificates, for any of our sessions.", amount_text=amount)
    return _("There is %(amount_text)s on your certificate, for any of our sessions.", amount_text=amount)


def _inline_css(html: str) -> str:
    """Move the style sheet of a message into its elements, as mail programs want it; nothing is fetched."""
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
    return str(inliner.inline(html))


def _plain_name(name: str) -> str:
    """Return a name as it may stand in a file's name anywhere: ASCII letters, figures and dashes; may be empty."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LATIN))
    letters = plain.encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", letters))


def _render(name: str, context: dict[str, Any]) -> str:
    return _environment().get_template(f"emails/{name}").render(context)


@cache
def _environment() -> Environment:
    """Return the templates' environment: HTML is escaped, the plain text parts are not HTML."""
    return SpeakingEnvironment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html")),  # text parts are no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
