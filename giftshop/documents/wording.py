"""What a certificate says: its facts, cleaned and put together as sentences, for layout.py and pdf.py."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from babel.dates import format_date

from giftshop.documents.typesetting import printable
from giftshop.words import N_, _


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFace:
    """What stands on a certificate. `code` is its 16 symbols; `amount_text` is ready to print ("$120.00").

    `amount_text` may be empty, for who is not to see a price. `left_text` and `left_on` are of one that was used.
    One that is on hold says so across its drawing, so that nobody travels with it in vain; not that it is void,
    because it may be released.
    """

    public_id: str
    code: str
    base_url: str
    design: str
    palette: str
    recipient_name: str
    giver_name: str
    message: str
    amount_text: str
    left_text: str = ""
    left_on: date | None = None
    service_text: str
    practice_name: str
    practice_address: str
    practice_phone: str
    booking_url: str
    terms: tuple[str, ...]
    issued_on: date
    is_test: bool
    is_on_hold: bool = False
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text; with an `address` it is a link."""

    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts as they are printed: without controls, without runs of space, telephone numbers in one piece."""

    label: str
    name: str
    message: str
    giver: str
    amount: str
    left: str
    practice: str
    address: str
    booking: tuple[Part, ...]
    terms: tuple[Part, ...]
    phone: str


def spoken(parts: tuple[Part, ...]) -> str:
    """Return a text without its links."""
    return "".join(part.text for part in parts)


def words_of(face: CertificateFace) -> Words:
    """Return the words of a certificate. What the law wants said stands in the terms (worth, day, help) or beside."""
    phone = _unbroken(face.practice_phone)
    return Words(
        label=_("%(what)s for", what=_line(face.service_text) or _("A massage")),
        name=_line(face.recipient_name),
        message=_lines(face.message),
        giver=_("From %(giver)s", giver=_line(face.giver_name)),
        amount=_unbroken(face.left_text or face.amount_text),
        left=_("left on %(day)s", day=_day(face.left_on, face.lang)) if face.left_on else "",
        practice=_line(face.practice_name),
        address=_line(face.practice_address),
        booking=_booking(face.booking_url, phone),
        terms=_terms(face),
        phone=phone,
    )


def _booking(url: str, phone: str) -> tuple[Part, ...]:
    bring = _("Bring this page, show it on your phone, or read out the code.")
    if not url:
        call = _("Call %(phone)s to book.", phone=phone)
        return (Part(f"{call} {bring}"),)
    return (*_linked(N_("Book at %(address)s or call %(phone)s."), url, phone=phone), Part(f" {bring}"))


def _terms(face: CertificateFace) -> tuple[Part, ...]:
    sentences = [_worth(face), *(_line(sentence) for sentence in face.terms)]
    said = " ".join(sentence for sentence in sentences if sentence)
    help_ = _linked(
        N_("Scan the code for what is left and all terms, see %(address)s, or call %(phone)s."),
        f"{face.base_url}/balance",
        phone=_unbroken(face.practice_phone),
    )
    return (Part(f"{said} "), *help_)


def _linked(sentence: str, url: str, **values: str) -> tuple[Part, ...]:
    """Return a sentence in which a web address stands as people write it, and is a link."""
    before, after = _(sentence, address="\0", **values).split("\0")
    return Part(before), Part(_bare(url), url), Part(after)


def _worth(face: CertificateFace) -> str:
    values = {"amount": _unbroken(face.amount_text), "day": _day(face.issued_on, face.lang)}
    test = _("TEST, without value.") if face.is_test else ""
    worth = _("Worth %(amount)s when issued on %(day)s.", **values)
    if not face.amount_text:
        worth = _("Issued on %(day)s.", **values)
    return f"{test} {worth}".strip()


def _day(day: date, language: str) -> str:
    return _unbroken(format_date(day, "long", locale=language))


def _bare(url: str) -> str:
    """Return a web address as people write it: without scheme and query."""
    parts = urlsplit(url)
    return _line(f"{parts.netloc}{parts.path}".rstrip("/"))


def _lines(text: str) -> str:
    """Return the giver's lines without runs of empty ones."""
    lines = [" ".join(line.split()) for line in printable(text).strip().split("\n")]
    return "\n".join(line for line, before in zip(lines, ["", *lines], strict=False) if line or before)


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _unbroken(text: str) -> str:
    return _line(text).replace(" ", "\u00a0")
