"""Pages of signing in: password, second step, enrolment, recovery codes, account, signing out."""

from datetime import timedelta

from flask import Blueprint, current_app, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from giftshop import clock
from giftshop.documents.qr import qr_svg
from giftshop.errors import ShopError
from giftshop.foundation.database import db, may_write
from giftshop.staff import accounts, sessions, sign_in, tries
from giftshop.staff.devices import find_device, remember_device
from giftshop.staff.models import Staff
from giftshop.staff.notices import locked_out, signed_in_anew
from giftshop.staff.rights import first_page, is_local_path
from giftshop.web.form_state import KEPT, typed_in
from giftshop.words import N_, _

blueprint = Blueprint("staff", __name__, url_prefix="/staff")

WRONG_SIGN_IN = N_("That e-mail address and password don’t belong together, or there were too many tries")
WRONG_FACTOR = N_("That code isn’t right, or was used already. Wait for the next one and try again")
NOT_CONFIRMED = N_("That isn’t your password, or there were too many tries")
HALF_WAY = timedelta(minutes=10)


@blueprint.get("/login")
def show_login() -> ResponseReturnValue:
    """Show the first step; who is signed in goes on to work."""
    return redirect(first_page(current_user), 303) if sessions.is_signed_in() else _login_page(typed_in("email"))


@blueprint.post("/login")
def check_password() -> ResponseReturnValue:
    """Check e-mail and password; every refusal says the same."""
    email, password = typed_in("email"), typed_in("password")
    counters = tries.count_sign_in(email)
    may_try = tries.take_try(counters)
    staff = sign_in.find_staff(email) if may_try else None
    if not sign_in.is_password(staff, password[:1000]) or staff is None:
        db.session.rollback()
        if not may_try and tries.is_used_up(counters):
            _tell_locked(sign_in.find_staff(email))
        return _login_page(email, {"email": _(WRONG_SIGN_IN)}), 422
    db.session.commit()
    tries.give_back_try(counters)
    session["half_way"] = [staff.fs_uniquifier, clock.now().timestamp()]
    return redirect("/staff/second-step" if staff.tf_totp_secret else "/staff/enrol", 303)


@blueprint.get("/second-step")
def show_second_step() -> ResponseReturnValue:
    """Ask for the code from the app, or a recovery code."""
    return render_template("staff/second_step.html", errors={}) if _half_way() else redirect("/staff/login", 303)


@blueprint.post("/second-step")
def check_second_step() -> ResponseReturnValue:
    """Sign the person in when the code is right."""
    staff = _half_way()
    if staff is None or not staff.tf_totp_secret:
        return redirect("/staff/login", 303)
    was_here = staff.last_totp_counter is not None
    if not sign_in.is_second_factor(staff, typed_in("code")[:40]):
        db.session.commit()
        if staff.failed_second_factors >= sign_in.MOST_WRONG_FACTORS:
            _tell_locked(staff)
        return render_template("staff/second_step.html", errors={"code": _(WRONG_FACTOR)}), 422
    return _signed_in(staff, was_here=was_here)


@blueprint.get("/enrol")
def show_enrolment() -> ResponseReturnValue:
    """Show a new secret for the app, as QR code and as text, until its first code is confirmed."""
    staff = _half_way()
    if staff is None or staff.tf_totp_secret:
        return redirect("/staff/login", 303)
    session.setdefault("new_secret", sign_in.new_secret())
    return _enrolment_page(staff, {})


@blueprint.post("/enrol")
def confirm_enrolment() -> ResponseReturnValue:
    """Take the app into use, sign the person in, and show the recovery codes this once."""
    staff, secret = _half_way(), session.get("new_secret")
    if staff is None or staff.tf_totp_secret or not isinstance(secret, str):
        return redirect("/staff/login", 303)
    codes = sign_in.enrol(staff, secret, typed_in("code")[:40])
    if not codes:
        db.session.rollback()
        return _enrolment_page(staff, {"code": _(WRONG_FACTOR)}), 422
    _signed_in(staff)
    return render_template("staff/recovery_codes.html", codes=codes)


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End this sign-in, here and for every copy of its cookie."""
    sessions.close_session()
    logout_user()
    db.session.commit()
    session.clear()
    return redirect("/staff/login", 303)


@blueprint.get("/account")
def show_account() -> ResponseReturnValue:
    """Show who is signed in, and the form for a new password."""
    return render_template("staff/account.html", errors={})


@blueprint.post("/account")
def change_password() -> ResponseReturnValue:
    """Set a new password; every sign-in of the person ends, and goes on under a new id where the old one was given."""
    counters = tries.count_confirming(current_user.email)
    if not tries.take_try(counters):
        _tell_locked(db.session.get(Staff, current_user.id))
        return _account_page({"password": _(NOT_CONFIRMED)})
    staff = db.session.get_one(Staff, current_user.id)
    was_given = staff.password_was_given
    try:
        accounts.replace_password(staff, old=typed_in("password")[:1000], new=typed_in("new_password")[:1000])
    except accounts.WrongPasswordError:
        errors = {"password": _(NOT_CONFIRMED), **_weak(staff, typed_in("new_password")[:1000])}
        db.session.rollback()
        return _account_page(errors)
    except ShopError as refusal:
        db.session.rollback()
        tries.give_back_try(counters)
        return _account_page({"new_password": refusal.message})
    db.session.commit()
    tries.give_back_try(counters)
    if was_given:
        return _signed_in(staff)
    logout_user()
    session.clear()
    return redirect("/staff/login", 303)


def _weak(staff: Staff, password: str) -> dict[str, str]:
    """Say what is wrong with a new password, beside the old one: both are told at once."""
    try:
        accounts.refuse_weak(staff, password)
    except accounts.WeakPasswordError as refusal:
        return {"new_password": refusal.message}
    return {}


def _account_page(errors: dict[str, str]) -> ResponseReturnValue:
    return render_template("staff/account.html", errors=errors), 422


def _login_page(email: str = "", errors: dict[str, str] | None = None) -> str:
    return render_template("staff/login.html", email=email, errors=errors or {})


def _enrolment_page(staff: Staff, errors: dict[str, str]) -> str:
    secret = sign_in.secret_for_app(str(session["new_secret"]))
    picture = qr_svg(sign_in.address_for_app(staff.email, secret), _("QR code for your authenticator app"))
    return render_template("staff/enrol.html", picture=picture, secret=secret, errors=errors)


def _half_way() -> Staff | None:
    """Return the person who gave the right password in the last ten minutes and still has to give the second factor."""
    kept = session.get("half_way")
    if not (isinstance(kept, list) and len(kept) == 2) or clock.now().timestamp() - kept[1] > HALF_WAY.total_seconds():
        return None
    datastore = current_app.extensions["staff_security"].datastore
    may_write()
    staff: Staff | None = datastore.find_user(fs_uniquifier=kept[0])
    return staff if staff is not None and staff.active else None


def _tell_locked(staff: Staff | None) -> None:
    """Let the practice know that a person's tries are used up; of people we don't know there is nothing to say."""
    if staff is not None:
        locked_out.send(None, staff_id=staff.id, name=staff.name)
    db.session.commit()


def _signed_in(staff: Staff, *, was_here: bool = False) -> ResponseReturnValue:
    """Open the sign-in under a new id and go on to where the person wanted, with what they had typed there.

    Who was here before, on another device, is told of: a first sign-in is what everybody waits for.
    """
    wanted, kept = session.get("next", ""), session.get(KEPT)
    sessions.open_session(staff)
    if was_here and not find_device(staff.email):
        device = request.user_agent.string or ""
        signed_in_anew.send(None, staff_id=staff.id, name=staff.name, device=device)
    remember_device(staff.email)
    login_user(staff)
    if kept:
        session[KEPT] = kept
    db.session.commit()
    return redirect(wanted if is_local_path(str(wanted)) else first_page(staff), 303)
