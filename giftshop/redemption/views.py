"""Pages of the counter: find a certificate, see what it is good for, redeem, undo."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TypeVar

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from limits import RateLimitItemPerMinute

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.certificates.reasons import read_note, read_reason
from giftshop.errors import CertificateNotFoundError, ChangedMeanwhileError, InvalidCodeError, ShopError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.notifications.failed_scans import note_failed_scan
from giftshop.orders.history import tell_meanwhile
from giftshop.orders.search import Results, search_certificates
from giftshop.redemption import photos, till
from giftshop.redemption.pictures import PictureError
from giftshop.redemption.result_page import FIELD_OF_REFUSAL, render_result
from giftshop.redemption.unfound import Unfound, judge_unfound
from giftshop.staff import sessions
from giftshop.staff.finds import get_found, remember_found
from giftshop.staff.rights import has_role
from giftshop.web.error_pages import wants_json
from giftshop.web.form_state import form_key, is_kept_below, typed_in
from giftshop.web.limiter import STORE_LOST, client_address, limiter

T = TypeVar("T")
blueprint = Blueprint("redemption", __name__, url_prefix="/redeem")

ONCE = RateLimitItemPerMinute(1, 10)


def sign_in_key() -> str:
    """Return what a limit of this blueprint counts: the sign-in, not the address that a whole practice shares.

    It comes from the signed cookie alone: counting happens while no transaction is open, so no row may be read.
    """
    return sessions.cookie_name() or client_address()


def allow_photos() -> None:
    """Let a photo for the counter be larger than a form; asked before it is read, so only the cookie counts."""
    if request.path == blueprint.url_prefix and sessions.cookie_name():
        request.max_content_length = photos.MOST_PHOTO_BYTES


@blueprint.get("")
def show_find() -> str:
    """Show the one field that takes codes, scanner input and words; what was typed before signing in is still there."""
    return _find_page(typed_in("code"))


@blueprint.post("")
@limiter.limit("120/minute", key_func=sign_in_key)
def find() -> ResponseReturnValue:
    """Find a certificate by its code or its photographed QR code; managers also by words."""
    typed = typed_in("code")
    if (photo := request.files.get("photo")) is not None:
        try:
            typed = photos.read_photo(photo.read() if photo.filename else b"")
        except PictureError as refusal:
            return _find_page("", {"photo": refusal.message}), 422
    try:
        certificate = till.find_by_scan(typed)
    except (InvalidCodeError, CertificateNotFoundError) as refusal:
        return _answer_unfound(typed, refusal)
    return _go_to(certificate)


@blueprint.post("/frame")
@limiter.limit("10/second", key_func=sign_in_key)
def read_frame() -> ResponseReturnValue:
    """Decode one frame of the camera; nothing of it is kept."""
    if (request.content_length or 0) > photos.MOST_FRAME_BYTES:
        return Response("too large", 413)
    text = photos.read_frame(request.get_data(cache=False))
    return jsonify({"code": text}) if text else ("", 204)


@blueprint.get("/<public_id>")
def show(public_id: str) -> ResponseReturnValue:
    """Show what a certificate is good for, or what was just done with it."""
    certificate = get_found(public_id)
    done = _find_entry(certificate, request.args.get("done", ""))
    return render_result(certificate, done=done, again="again" in request.args)


@blueprint.post("/<public_id>")
@limiter.limit("120/minute", key_func=sign_in_key)
def redeem(public_id: str) -> ResponseReturnValue:
    """Take an amount off, once."""
    certificate = get_found(public_id)
    form = request.form
    refusals = list[ShopError]()
    take = _try(lambda: till.read_taking(certificate, form.get("amount", ""), form.get("other_amount", "")), refusals)
    note = _try(lambda: read_note(form.get("note", "")), refusals)
    if take is None or note is None:
        also = {FIELD_OF_REFUSAL.get(type(each).__name__, ""): each.message for each in refusals[1:]}
        return _refused(certificate, type(refusals[0]).__name__, refusals[0].message, 422, also=also)
    answer = take(
        note=note,
        staff_id=current_user.id,
        request_key=form.get("request_key", ""),
        mode=current_app.config["SHOP_SETTINGS"].stripe_mode,
        on=clock.today(get_practice().time_zone),
    )
    db.session.commit()
    return _answered(certificate, answer)


def _try(read: Callable[[], T], refusals: list[ShopError]) -> T | None:
    """Return what is read of a form; None when it is refused, so that the rest is read, too."""
    try:
        return read()
    except ShopError as refusal:
        refusals.append(refusal)
        return None


@blueprint.post("/<public_id>/undo")
def undo(public_id: str) -> ResponseReturnValue:
    """Give back what a redemption took, once."""
    certificate = get_found(public_id)
    entry, typed = _find_entry(certificate, request.form.get("entry", "")), request.form.get("reason", "").strip()
    try:
        reason = read_reason(typed) if typed else ""
    except ShopError as refusal:
        return _refused(certificate, type(refusal).__name__, refusal.message, 422)
    answer = till.take_back(
        certificate,
        entry.id if entry is not None else 0,
        reason=reason,
        staff_id=current_user.id,
        is_manager=has_role("manager"),
        request_key=request.form.get("request_key", ""),
    )
    db.session.commit()
    return _answered(certificate, answer, undoing=entry)


def _go_to(certificate: Certificate) -> ResponseReturnValue:
    """Remember that this sign-in found the certificate, and lead to its page."""
    remember_found(certificate)
    db.session.commit()
    if wants_json():
        return jsonify({"certificate": certificate.public_id, "balance": certificate.balance_cents})
    return redirect(f"/redeem/{certificate.public_id}", 303)


def _answer_unfound(typed: str, refusal: ShopError) -> ResponseReturnValue:
    """Say why nothing was found, keeping what was typed; a manager's words are searched for."""
    is_new = _is_asked_first(typed)
    results = search_certificates(typed) if has_role("manager") else Results([])
    for each in results.found:
        remember_found(each.certificate, by_search=True)
    if not results.found and is_new:
        note_failed_scan(refusal, staff_id=current_user.id, name=current_user.name)
    db.session.commit()
    if results.found:
        return _find_page(typed, results=results)
    if has_role("manager") and type(refusal) is InvalidCodeError:
        refusal = till.NothingFitsError()
    if wants_json():
        return jsonify({"error": refusal.message}), 422
    unfound = judge_unfound(typed, refusal, time_zone=get_practice().time_zone)
    return _find_page(typed, {"code": refusal.message}, unfound=unfound), 422


def _is_asked_first(typed: str) -> bool:
    """Tell whether this page asks for this text for the first time: on a poor line it asks until an answer arrives.

    Counting writes, so what was read is ended first. Counters that are lost excuse nobody.
    """
    if not (key := request.form.get("request_key", "")):
        return True
    db.session.rollback()
    asked = hashlib.sha256(f"{key} {typed}".encode("utf-8", "replace")).hexdigest()
    with suppress(*STORE_LOST):
        return limiter.limiter.hit(ONCE, "scan", sign_in_key(), asked)
    return True


def _find_page(
    typed: str,
    errors: dict[str, str] | None = None,
    *,
    results: Results | None = None,
    unfound: Unfound | None = None,
) -> str:
    return render_template(
        "redemption/find.html",
        typed=typed,
        errors=errors or {},
        results=results or Results([]),
        unfound=unfound,
        is_manager=has_role("manager"),
        is_kept=is_kept_below("/redeem"),
        request_key=form_key(),
        most_photo_bytes=photos.MOST_PHOTO_BYTES,
    )


def _answered(certificate: Certificate, answer: Answer, *, undoing: LedgerEntry | None = None) -> ResponseReturnValue:
    """Turn the answer of an act into a page, or JSON; copies are told the same and marked."""
    if answer.refusal:
        told = (answer.refusal, answer.message, answer.status)
        response = current_app.make_response(_refused(certificate, *told, undoing=undoing))
    elif wants_json():
        response = jsonify(answer.facts)
    else:
        location = f"/redeem/{certificate.public_id}?done={answer.facts['entry']}"
        response = current_app.make_response(redirect(location, 303))
    if answer.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _refused(
    certificate: Certificate,
    refusal: str,
    message: str,
    status: int,
    *,
    undoing: LedgerEntry | None = None,
    also: Mapping[str, str] = MappingProxyType({}),
) -> ResponseReturnValue:
    if wants_json():
        return jsonify({"error": message, "balance": certificate.balance_cents}), status
    db.session.refresh(certificate)
    if refusal == ChangedMeanwhileError.__name__:
        practice, key = get_practice(), typed_in("request_key")
        message = " ".join([message, tell_meanwhile(certificate, key, practice)])
    errors = {FIELD_OF_REFUSAL.get(refusal, ""): message, **also}
    page = render_result(certificate, undoing=undoing, errors=errors, is_answered=status != 422)
    return page, status


def _find_entry(certificate: Certificate, entry_id: str) -> LedgerEntry | None:
    if not (entry_id.isascii() and entry_id.isdigit() and len(entry_id) < 19):
        return None
    entry = db.session.get(LedgerEntry, int(entry_id))
    return entry if entry is not None and entry.certificate_id == certificate.id else None
