"""The recipient's page: what is left, from whom, how to use it. It shows and prints; it never spends."""

import re
from urllib.parse import quote

from flask import Response, abort, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from giftshop import clock
from giftshop.catalog import booking
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import certificate_terms
from giftshop.certificates.codes import find_codes, format_code
from giftshop.certificates.links import MARK
from giftshop.certificates.look_up import code_of, find_by_code, get_by_code
from giftshop.documents.pdf import Paper
from giftshop.documents.printing import face_of, print_face
from giftshop.documents.qr import certificate_address, qr_svg
from giftshop.errors import CertificateNotFoundError, InvalidCodeError, ShopError
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db, may_write
from giftshop.foundation.sightings import HOLDER, VISITOR, record_sighting
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.ledger.states import CertificateStatus
from giftshop.notifications.failed_scans import note_failed_scan
from giftshop.orders.standings import CLOSED, OVER, USABLE, read_situation
from giftshop.staff.devices import is_known_device
from giftshop.staff.finds import admit_staff, remember_found
from giftshop.storefront.art import draw
from giftshop.storefront.holder.standings import list_movements, tell_heading, tell_replaced, tell_standing, tell_worth
from giftshop.storefront.lookups import are_open, find_for_stranger
from giftshop.storefront.payment import find_settings
from giftshop.storefront.trusted import remember_opened
from giftshop.web.form_state import keep_for
from giftshop.words import N_, _

PDF_NAME = "certificate.pdf"
_PDF_MEANT = re.compile(r"certificate\.pdf(?![0-9a-z])", re.IGNORECASE | re.ASCII)
_CLEAN = re.compile(r"[0-9a-z]+(?:[ -]+[0-9a-z]+)*", re.IGNORECASE | re.ASCII)
_WORD = re.compile(r"[0-9a-z]+", re.ASCII)
_MOST_TYPED = 100
"""What a cookie takes of a code that is none."""
PAPER_NAMES: dict[Paper, str] = {"letter": N_("Letter"), "a4": N_("A4"), "card": N_("a card")}


def show_certificate(code: str) -> ResponseReturnValue:
    """Show a certificate to whoever holds its code; staff who are signed in go on to redeem it."""
    if admit_staff():
        return _hand_to_staff(code)
    if meant := find_meant_code(code):
        return redirect(f"/c/{meant}")
    found = find_for_stranger(code)
    if found is None:
        return answer_bad_code()
    if isinstance(found, ReplacedCode):
        return answer_replaced(found)
    plain, certificate_id = "" if found.status == CertificateStatus.VOID else code_of(found), found.id
    remember_opened([plain] if plain else [])
    if plain and MARK in request.args and are_open():  # the browser has the mark now, and nobody passes it on
        return redirect(f"/c/{plain}", 302)
    page = _page(found, get_practice(), plain=plain)
    record_sighting(VISITOR, Activity.FETCHED, certificate_id=certificate_id)
    return page


def record_opening(code: str) -> ResponseReturnValue:
    """Keep on record that a certificate's page was opened: its own script says so, from before somebody's eyes.

    Programs that check the links of a mail fetch the page and run nothing; another site's script is refused.
    """
    if not {"Sec-Fetch-Site", "Origin"} & set(request.headers.keys()):
        abort(403)
    found = None if admit_staff() else find_for_stranger(code)
    if isinstance(found, Certificate):
        record_sighting(HOLDER, Activity.OPENED, certificate_id=found.id)
    return "", 204


def send_pdf(code: str, *, name: str = PDF_NAME) -> ResponseReturnValue:
    """Answer with the certificate as a PDF to print, on the paper asked for; its name may be in any case."""
    if not _PDF_MEANT.match(name):
        return _lead_to_page(code, name)
    papers = _papers(get_practice())
    asked = _WORD.match(request.args.get("paper", papers[0]))
    if meant := find_meant_code(code) or ("" if name.lower() == PDF_NAME else code):
        return redirect(f"/c/{quote(meant)}/{PDF_NAME}?paper={asked[0] if asked else papers[0]}")
    certificate = find_by_code(code) if admit_staff() else find_for_stranger(code)
    if certificate is None:
        return answer_bad_code()
    if isinstance(certificate, ReplacedCode) or certificate.status == CertificateStatus.VOID:
        return redirect(f"/c/{find_codes(code)[0]}", 303)  # there is nothing to print: its page says why
    paper = next((paper for paper in papers if asked and paper == asked[0]), None)
    if paper is None:
        abort(404)
    face = face_of(certificate, base_url=find_settings().base_url)
    db.session.rollback()  # printing takes a while, and on SQLite a reader keeps writers waiting
    answer = Response(print_face(face, paper, is_page=True), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = 'inline; filename="gift-certificate.pdf"'
    return answer


def _page(certificate: Certificate, practice: Practice, *, plain: str) -> str:
    """Return the page of a certificate; `plain` is its code, which one that has ended has no more."""
    today = clock.today(practice.time_zone)
    situation = read_situation(certificate, on=today)
    return render_template(
        "storefront/certificate.html",
        certificate=certificate,
        heading=tell_heading(situation),
        sentences=tell_standing(situation, practice),
        worth=tell_worth(situation),
        is_open=situation.standing in USABLE,
        is_closed=situation.standing in CLOSED,
        is_over=situation.standing in OVER,
        is_at_work=_lead_back(plain),
        code=format_code(plain),
        plain=plain,
        qr=_draw_qr(plain) if plain else "",
        art=draw(certificate.design, certificate.public_id),
        history=list_movements(certificate, zone=practice.time_zone),
        papers=_papers(practice),
        paper_names=PAPER_NAMES,
        booking_url=booking.link_for(certificate, practice, code=plain),
        terms=certificate_terms(practice, on=today, expires_on=certificate.expires_on),
    )


def _lead_to_page(code: str, name: str) -> ResponseReturnValue:
    """Lead to a certificate's page where only a sentence's signs stand behind its address and a slash."""
    if _WORD.search(name.lower()):
        abort(404)
    return redirect(f"/c/{quote(find_meant_code(code) or code)}")


def _lead_back(code: str) -> bool:
    """Let whoever signs in here go on with this certificate, and tell whether people who work here use this device."""
    if not code or not is_known_device():
        return False
    session["next"] = f"/c/{code}"
    return True


def find_meant_code(written: str) -> str:
    """Return the code in an address to which a mail program added signs; empty when it is clean, or has no code.

    Where a sentence ends with an address, its full stop or bracket becomes a part of it. What is left must be one code.
    """
    codes = [] if _CLEAN.fullmatch(written) else find_codes(written)
    return codes[0] if len(codes) == 1 else ""


def answer_bad_code() -> ResponseReturnValue:
    """Answer a code that there never was, whatever is bad about it: always the same bytes."""
    return render_template("storefront/unknown_code.html"), 404


def answer_replaced(replaced: ReplacedCode) -> ResponseReturnValue:
    """Tell whoever holds a code that was replaced that it was, and when; nothing of the certificate."""
    told = tell_replaced(replaced.replaced_at, get_practice())
    return render_template("storefront/replaced_code.html", told=told), 404


def _draw_qr(code: str) -> Markup:
    address = certificate_address(find_settings().base_url, code)
    return Markup(qr_svg(address, _("QR code of this certificate")))  # noqa: S704  # modules and a fixed title


def _hand_to_staff(code: str) -> ResponseReturnValue:
    """Take staff to the redeem page of whatever certificate has this code; it tells them its true state."""
    try:
        certificate = get_by_code(code)
    except (InvalidCodeError, CertificateNotFoundError) as refusal:
        return _hand_unfound_to_staff(code, refusal)
    public_id = certificate.public_id
    may_write()
    remember_found(certificate)
    db.session.commit()
    return redirect(f"/redeem/{public_id}", 303)


def _hand_unfound_to_staff(code: str, refusal: ShopError) -> ResponseReturnValue:
    """Take staff to the redeem page with the code typed in: there they are told what is true of it, strangers never."""
    may_write()
    note_failed_scan(refusal, staff_id=current_user.id, name=current_user.name)
    db.session.commit()
    keep_for("/redeem", code=code[:_MOST_TYPED])
    return redirect("/redeem", 303)


def _papers(practice: Practice) -> list[Paper]:
    """Return the papers, the one people have where the practice is first."""
    return [practice.paper, *(paper for paper in PAPER_NAMES if paper != practice.paper)]
