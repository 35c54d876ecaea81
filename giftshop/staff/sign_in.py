"""Signing in: a password, then a second factor; Flask-Security keeps hashes, secrets, codes and roles."""

from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import flask_security
import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet
from flask import Flask, current_app
from flask_security import Security, SQLAlchemySessionUserDatastore
from flask_security.recovery_codes import MfRecoveryCodesUtil
from flask_security.totp import Totp
from passlib.exc import TokenError  # type: ignore[import-untyped]
from passlib.totp import TOTP  # type: ignore[import-untyped]

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.staff import sessions
from giftshop.staff.keys import get_staff_keys
from giftshop.staff.models import Role, Staff
from giftshop.staff.rights import guard

ISSUER = "giftshop"
RECOVERY_CODES = 8
STEP_SECONDS = 30
MOST_WRONG_FACTORS = 10
"""Wrong second factors in a row after which only a reset helps: P(guess) ≤ 10 × 2 steps / 10⁶."""


_IN_THE_DATABASE = "the key lies in the database"
"""Flask-Security wants its keys when the app is built; ours are read where one is needed (staff/keys.py)."""


class OnceOnlyTotp(Totp):
    """Codes from an app, each good once: the step of the last one is kept with the person."""

    def __init__(self, _secrets: Any, issuer: str) -> None:
        self._issuer = issuer

    @property
    def _totp(self) -> Any:
        return TOTP.using(issuer=self._issuer, secrets={"1": get_staff_keys().totp})

    def get_last_counter(self, user: Any) -> int | None:
        """Return the step of the last code; one that is still to come was used while a clock was ahead, and is none."""
        counter: int | None = user.last_totp_counter
        is_to_come = counter is not None and counter * STEP_SECONDS > clock.now().timestamp() + STEP_SECONDS
        return None if is_to_come else counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.last_totp_counter = tmatch.counter

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = STEP_SECONDS) -> bool:
        """Check a code of this step or, within `window` seconds, of one before; none is good before its time.

        passlib looks as far ahead as back, so it is asked about the middle of what is behind us.
        """
        last, half = self.get_last_counter(user), window // 2
        try:
            found = self._totp.verify(token, totp_secret, window=half, skew=-half, last_counter=last)
        except TokenError:
            return False
        self.set_last_counter(user, found)
        return True


class SealedRecoveryCodes(MfRecoveryCodesUtil):
    """Recovery codes, encrypted with the database's own key."""

    def __init__(self, _app: Flask) -> None:
        pass

    @property
    def cryptor(self) -> MultiFernet:  # type: ignore[override]  # read anew, never set
        return MultiFernet([Fernet(get_staff_keys().recovery_codes)])


def configure_sign_in(app: Flask) -> None:
    """Set up Flask-Security beneath our own pages, and the guard before every page that is not public."""
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106  # a method, not a password
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
            "argon2__memory_cost": 19456,
            "argon2__rounds": 2,
            "argon2__parallelism": 1,
        },
        SECURITY_PASSWORD_SALT=_IN_THE_DATABASE,
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TOTP_SECRETS={"1": _IN_THE_DATABASE},
        SECURITY_TOTP_ISSUER=ISSUER,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES=True,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES_N=RECOVERY_CODES,
        SECURITY_REGISTERABLE=False,
        PERMANENT_SESSION_LIFETIME=12 * 3600,
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.extensions["staff_security"] = Security(
        app,
        SQLAlchemySessionUserDatastore(db.session, Staff, Role),
        register_blueprint=False,
        totp_cls=OnceOnlyTotp,
        mf_recovery_codes_util_cls=SealedRecoveryCodes,
    )
    app.login_manager.user_loader(sessions.find_person)  # type: ignore[attr-defined]  # one query for both of a cookie's halves
    guard(app)


def find_staff(email: str) -> Staff | None:
    """Return the active person with this e-mail address, or None."""
    staff: Staff | None = _security().datastore.find_user(email=email.strip().lower())
    return staff if staff is not None and staff.active else None


def is_password(staff: Staff | None, password: str) -> bool:
    """Check a password; for a person we don't know the same work is done, so that the time tells nothing."""
    from flask_security.utils import verify_and_update_password

    _take_salt()
    if staff is None or not staff.password:
        verify_and_update_password(password, Staff(password=_hash_of_nobody()))
        return False
    return bool(verify_and_update_password(password, staff))


def hash_password(password: str) -> str:
    """Return a password as it is stored."""
    _take_salt()
    return str(flask_security.hash_password(password))


def is_second_factor(staff: Staff, typed: str) -> bool:
    """Check a code from the app, or use up a recovery code; counts wrong ones and gives up after ten in a row.

    One try at a time: of two at once with the same code the second finds it used.
    """
    _hold(staff)
    if staff.failed_second_factors >= MOST_WRONG_FACTORS:
        return False
    is_right = _is_app_code(staff, typed) or _is_recovery_code(staff, typed)
    staff.failed_second_factors = 0 if is_right else staff.failed_second_factors + 1
    return is_right


def new_secret() -> str:
    """Return a new secret for an app, sealed as it is stored."""
    return str(_security().totp_factory.generate_totp_secret())


def secret_for_app(sealed: str) -> str:
    """Return a sealed secret as people type it into their app (base32)."""
    return str(_security().totp_factory.get_totp_b32_key(sealed))


def address_for_app(email: str, secret: str) -> str:
    """Return the otpauth address that the app reads from a QR code; `secret` as it would be typed (base32)."""
    return f"otpauth://totp/{ISSUER}:{quote(email)}?{urlencode({'secret': secret, 'issuer': ISSUER})}"


def code_now(staff: Staff) -> str:
    """Return the code the person's app shows now; for sample accounts in development."""
    return str(_security().totp_factory.generate_totp_password(staff.tf_totp_secret))


def enrol(staff: Staff, sealed: str, typed: str) -> list[str]:
    """Take an app into use if it shows the right code and no other app is; return the recovery codes, else none."""
    _hold(staff)
    if staff.tf_totp_secret not in (None, sealed) or not _is_code_of(sealed, staff, typed):
        return []
    staff.tf_totp_secret, staff.tf_primary_method, staff.failed_second_factors = sealed, "authenticator", 0
    codes: list[str] = current_app.extensions["security"]._mf_recovery_codes_util.create_recovery_codes(staff)
    return codes


def _hold(staff: Staff) -> None:
    """Read a person anew and keep others from changing the row until this transaction ends."""
    row = sa.select(Staff).where(Staff.id == staff.id).with_for_update(key_share=True)
    db.session.scalars(row.execution_options(populate_existing=True)).one()


def _is_app_code(staff: Staff, typed: str) -> bool:
    return bool(staff.tf_totp_secret) and _is_code_of(str(staff.tf_totp_secret), staff, typed)


def _is_code_of(sealed: str, staff: Staff, typed: str) -> bool:
    """Tell whether this is the code an app with the secret shows; the seal is opened for six figures only."""
    code = typed.replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return False
    return bool(_security().totp_factory.verify_totp(code, sealed, staff))


def _is_recovery_code(staff: Staff, typed: str) -> bool:
    codes = current_app.extensions["security"]._mf_recovery_codes_util
    code = typed.strip().lower()
    if not staff.mf_recovery_codes or not codes.check_recovery_code(staff, code):
        return False
    return bool(codes.delete_recovery_code(staff, code))


def _security() -> Any:
    return current_app.extensions["staff_security"]


@cache
def _hash_of_nobody() -> str:
    return str(hash_password("nobody has this password"))


def _take_salt() -> None:
    """Let Flask-Security, which reads it at each use, find the database's own salt."""
    current_app.config["SECURITY_PASSWORD_SALT"] = get_staff_keys().password_salt
