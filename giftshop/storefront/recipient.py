"""The recipient's page: what is left, from whom, how to use it. It shows and prints; it never spends."""

from dataclasses import dataclass
from itertools import pairwise

from flask import Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import certificate_terms
from giftshop.certificates.codes import format_code
from giftshop.certificates.links import MARK
from giftshop.certificates.look_up import code_of, find_by_code, get_by_code
from giftshop.documents.pdf import Paper
from giftshop.documents.printing import face_of
from giftshop.documents.qr import certificate_address, qr_svg
from giftshop.documents.worker import press
from giftshop.errors import CertificateNotFoundError, InvalidCodeError
from giftshop.foundation.database import db, may_write
from giftshop.foundation.sightings import HOLDER, record_sighting
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.notifications.failed_scans import note_failed_scan
from giftshop.staff.finds import admit_staff, remember_found
from giftshop.storefront.art import draw
from giftshop.storefront.lookups import are_open, find_for_stranger
from giftshop.storefront.payment import find_settings
from giftshop.storefront.trusted import remember_opened
from giftshop.web.form_state import keep_for
from giftshop.words import N_, _

PDF_NAME = "certificate.pdf"
_MOST_TYPED = 100
"""What a cookie takes of a code that is none."""
PAPER_NAMES: dict[Paper, str] = {"letter": N_("Letter"), "a4": N_("A4"), "card": N_("a card")}


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the history as the holder reads it; amounts in minor units, `change_cents` with its sign."""

    day: str
    what: str
    change_cents: int
    left_cents: int


def show_certificate(code: str) -> ResponseReturnValue:
    """Show a certificate to whoever holds its code; staff who are signed in go on to redeem it."""
    if admit_staff():
        return _hand_to_staff(code)
    certificate = find_for_stranger(code)
    if certificate is None:
        return answer_bad_code()
    practice = get_practice()
    plain, certificate_id = code_of(certificate), certificate.id
    if MARK in request.args and are_open():  # from here on the browser has the mark, and nobody passes it on
        remember_opened([plain])
        return redirect(f"/c/{plain}", 302)
    page = render_template(
        "storefront/certificate.html",
        certificate=certificate,
        state=state_of(certificate, practice),
        code=format_code(plain),
        plain=plain,
        qr=_draw_qr(plain),
        art=draw(certificate.design, certificate.public_id),
        history=list_movements(certificate, zone=practice.time_zone),
        papers=_papers(practice),
        paper_names=PAPER_NAMES,
        booking_url=practice.booking_address(plain),
        terms=certificate_terms(practice, on=clock.today(practice.time_zone), expires_on=certificate.expires_on),
    )
    record_sighting(HOLDER, certificate_id=certificate_id)
    remember_opened([plain])
    return page


def send_pdf(code: str, *, name: str = PDF_NAME) -> ResponseReturnValue:
    """Answer with the certificate as a PDF to print, on the paper asked for; its name may be in any case."""
    if name.lower() != PDF_NAME:
        abort(404)
    certificate = find_by_code(code) if admit_staff() else find_for_stranger(code)
    if certificate is None:
        return answer_bad_code()
    papers = _papers(get_practice())
    asked = request.args.get("paper", papers[0])
    paper = next((paper for paper in papers if paper == asked), None)
    if paper is None:
        abort(404)
    face = face_of(certificate, base_url=find_settings().base_url)
    db.session.rollback()  # printing takes a while, and on SQLite a reader keeps writers waiting
    answer = Response(press.print_pdf(face, paper), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = 'inline; filename="gift-certificate.pdf"'
    return answer


def answer_bad_code() -> ResponseReturnValue:
    """Answer a bad code, whatever is bad about it: always the same bytes."""
    return render_template("storefront/unknown_code.html"), 404


def state_of(certificate: Certificate, practice: Practice) -> str:
    """Name what a holder needs to know: frozen, expired, used up, part used, or full."""
    expires_on = certificate.expires_on
    states = {
        CertificateStatus.FROZEN: certificate.status == CertificateStatus.FROZEN,
        "used_up": certificate.balance_cents == 0,
        "expired": expires_on is not None and expires_on < clock.today(practice.time_zone),
        "part_used": certificate.balance_cents < certificate.face_value_cents,
    }
    return next((state for state, is_so in states.items() if is_so), "full")


def list_movements(certificate: Certificate, *, zone: str) -> list[Movement]:
    """Return what happened to the balance, newest first; never by whom."""
    befores = [0, *(entry.balance_after_cents for entry in certificate.entries)]
    changes = [after - before for before, after in pairwise(befores)]
    rows = [
        Movement(_day(entry, zone), _what(entry, certificate), change, entry.balance_after_cents)
        for entry, change in zip(certificate.entries, changes, strict=True)
        if change
    ]
    return rows[::-1]


def _day(entry: LedgerEntry, zone: str) -> str:
    return dates.write_short_day(clock.local(entry.created_at, zone).date())


def _what(entry: LedgerEntry, certificate: Certificate) -> str:
    names = {
        EntryKind.ISSUE: _("Gift from %(name)s", name=certificate.giver_name),
        EntryKind.REDEEM: _("Used for a visit"),
        EntryKind.REVERSAL: _("Put back"),
        EntryKind.CASH_OUT: _("Paid out"),
        EntryKind.VOID: _("Ended"),
    }
    return names.get(EntryKind(entry.kind), _("Corrected"))


def _draw_qr(code: str) -> Markup:
    address = certificate_address(find_settings().base_url, code)
    return Markup(qr_svg(address, _("QR code of this certificate")))  # noqa: S704  # modules and a fixed title


def _hand_to_staff(code: str) -> ResponseReturnValue:
    """Take staff to the redeem page of whatever certificate has this code; it tells them its true state."""
    try:
        certificate = get_by_code(code)
    except (InvalidCodeError, CertificateNotFoundError) as refusal:
        return _hand_unfound_to_staff(code, why=type(refusal).__name__)
    public_id = certificate.public_id
    may_write()
    remember_found(certificate)
    db.session.commit()
    return redirect(f"/redeem/{public_id}", 303)


def _hand_unfound_to_staff(code: str, *, why: str) -> ResponseReturnValue:
    """Take staff to the redeem page with the code typed in: there they are told what is true of it, strangers never."""
    may_write()
    note_failed_scan(staff_id=current_user.id, name=current_user.name, why=why)
    db.session.commit()
    keep_for("/redeem", code=code[:_MOST_TYPED])
    return redirect("/redeem", 303)


def _papers(practice: Practice) -> list[Paper]:
    """Return the papers, the one people have where the practice is first."""
    return [practice.paper, *(paper for paper in PAPER_NAMES if paper != practice.paper)]
