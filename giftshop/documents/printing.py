"""Printing: a certificate's row, its practice and its terms joined into the face that the press prints."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import printed_terms
from giftshop.certificates.look_up import code_of
from giftshop.documents.fonts import SURE_LETTERS
from giftshop.documents.pdf import CertificateFace, Paper
from giftshop.documents.typesetting import find_dropped, printable
from giftshop.documents.worker import PrintingError, UnprintableError, press
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.words import N_, _, current_language


def face_of(certificate: Certificate, *, base_url: str) -> CertificateFace:
    """Return what stands on a certificate, with its code; of one that was used, what is left today."""
    practice = get_practice()
    is_used = certificate.balance_cents != certificate.face_value_cents
    issued_on = clock.local(certificate.issued_at, practice.time_zone).date()
    return CertificateFace(
        public_id=certificate.public_id,
        code=code_of(certificate),
        base_url=base_url,
        design=certificate.design,
        palette=practice.palette,
        recipient_name=certificate.recipient_name,
        giver_name=certificate.giver_name,
        message=certificate.message,
        amount_text=_price(certificate),
        left_text=format_amount(certificate.balance_cents, certificate.currency) if is_used else "",
        left_on=clock.today(practice.time_zone) if is_used else None,
        service_text=certificate.service_name,
        practice_name=practice.name,
        practice_address=f"{practice.legal_name}, {practice.address}",
        practice_phone=practice.phone,
        booking_url=practice.booking_address(),
        terms=tuple(printed_terms(practice, on=issued_on, expires_on=certificate.expires_on)),
        issued_on=issued_on,
        is_test=certificate.mode != "live",
        is_on_hold=certificate.status == CertificateStatus.FROZEN,
        lang=current_language(),
    )


def _price(certificate: Certificate) -> str:
    """Return what it was sold for, where its buyer lets that be seen."""
    return format_amount(certificate.face_value_cents, certificate.currency) if certificate.is_price_shown else ""


def certificate_pdf(certificate: Certificate, *, paper: Paper, base_url: str) -> bytes:
    """Return a certificate's PDF, printed in the press's child process. Raises PrintingError.

    Ends the open transaction before printing, because an open one keeps SQLite's writers waiting.
    """
    face = face_of(certificate, base_url=base_url)
    db.session.rollback()
    return print_face(face, paper, is_page=False)


def print_face(face: CertificateFace, paper: Paper, *, is_page: bool) -> bytes:
    """Return a certificate's PDF, which was proven, and tell whoever watches when it must not go out.

    Slow, so no transaction may be open. Raises PrintingError, PressBusyError, UnprintableError.
    """
    try:
        pdf = press.print_pdf(face, paper, is_page=is_page)
    except UnprintableError as error:
        _watch.unprintable(face.public_id, error.reason)
        raise
    _watch.printed(face.public_id)
    return pdf


def watch(*, unprintable: Callable[[str, str], None], printed: Callable[[str], None]) -> None:
    """Let these be called with the public id of every certificate that is faulty (and why), or was printed."""
    _watch.unprintable, _watch.printed = unprintable, printed


@dataclass
class _Watch:
    """Who hears of prints; set when the app is built, because alerts are made in a layer above."""

    unprintable: Callable[[str, str], None] = lambda _public_id, _reason: None
    printed: Callable[[str], None] = lambda _public_id: None


_watch = _Watch()


def find_unprintable(text: str) -> str:
    """Return the letters of a text that cannot be printed here; none, too, while nobody has time to look.

    Then the proof finds them, before anything goes out.
    """
    dropped = find_dropped(text)
    if {*printable(text)} <= SURE_LETTERS:
        return dropped
    with suppress(PrintingError):
        dropped += press.find_missing_letters(text)
    return dropped


def find_missing_scripts() -> list[str]:
    """Return the scripts that cannot be printed on this machine, by name, for whoever looks after the shop."""
    missing = press.find_missing_letters("".join(letter for _name, letter in _SCRIPTS))
    return [_(name) for name, letter in _SCRIPTS if letter in missing]


_SCRIPTS = (
    (N_("Chinese"), "永"),
    (N_("Japanese"), "あ"),
    (N_("Korean"), "한"),
    (N_("Arabic"), "م"),
    (N_("Hebrew"), "ש"),
    (N_("Thai"), "ส"),
    (N_("Devanagari"), "अ"),
    (N_("emoji"), "🎉"),
)
