"""What a certificate says: its facts, cleaned and put together as sentences, for layout.py and pdf.py."""

from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from giftshop.documents.typesetting import printable
from giftshop.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFace:
    """What stands on a certificate. `code` is its 16 symbols; `amount_text` is ready to print ("$120.00").

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
    service_text: str
    practice_name: str
    practice_address: str
    practice_phone: str
    booking_address: str
    balance_address: str
    terms: tuple[str, ...]
    issued_on: date
    is_test: bool
    is_on_hold: bool = False
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """The texts as they are printed: without controls, without runs of space, telephone numbers in one piece."""

    label: str
    name: str
    message: str
    giver: str
    amount: str
    practice: str
    booking: str
    terms: str
    phone: str


def words_of(face: CertificateFace) -> Words:
    """Return the words of a certificate. What the law wants said stands in the terms (issue, worth, help, issuer)."""
    phone, amount = _unbroken(face.practice_phone), _unbroken(face.amount_text)
    return Words(
        label=_("%(what)s for", what=_line(face.service_text) or _("A massage")),
        name=_line(face.recipient_name),
        message=_lines(face.message),
        giver=_("From %(giver)s", giver=_line(face.giver_name)),
        amount=amount,
        practice=_line(face.practice_name),
        booking=_booking(_line(face.booking_address), phone),
        terms=_terms(face, amount, phone),
        phone=phone,
    )


def _booking(address: str, phone: str) -> str:
    bring = _("Bring this page, show it on your phone, or read out the code.")
    if address:
        way = _("Book at %(address)s or call %(phone)s.", address=address, phone=phone)
    else:
        way = _("Call %(phone)s to book.", phone=phone)
    return f"{way} {bring}"


def _terms(face: CertificateFace, amount: str, phone: str) -> str:
    issued = _unbroken(format_date(face.issued_on, "long", locale=face.lang))
    sentences = [
        _worth(amount, issued, is_test=face.is_test),
        *(_line(sentence) for sentence in face.terms),
        _("Balance and help: %(phone)s, %(address)s.", phone=phone, address=_line(face.balance_address)),
        _line(face.practice_address),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _worth(amount: str, issued: str, *, is_test: bool) -> str:
    if is_test:
        return _(
            "Worth %(amount)s when issued on %(day)s as a TEST, without value; scan for what is left.",
            amount=amount,
            day=issued,
        )
    return _("Worth %(amount)s when issued on %(day)s; scan for what is left.", amount=amount, day=issued)


def _lines(text: str) -> str:
    """Return the giver's lines without runs of empty ones."""
    lines = [" ".join(line.split()) for line in printable(text).strip().split("\n")]
    return "\n".join(line for line, before in zip(lines, ["", *lines], strict=False) if line or before)


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _unbroken(text: str) -> str:
    return _line(text).replace(" ", "\u00a0")
