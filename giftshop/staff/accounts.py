"""Staff accounts: who works here, with which role; used by commands now and by the owner's pages later."""

import re
import secrets

import sqlalchemy as sa

from giftshop import clock
from giftshop.errors import ShopError
from giftshop.foundation.database import db
from giftshop.staff import sessions, sign_in
from giftshop.staff.models import Role, Staff
from giftshop.staff.rights import RANKS

LEAST_PASSWORD = 12
SAMPLE_PASSWORD = "sore-shoulders-welcome"  # noqa: S105  # printed by `make run`, refused in production
OWNER = "owner"
SAMPLE_STAFF = (
    ("owner@example.com", "Olga Owner", "owner"),
    ("manager@example.com", "Mina Manager", "manager"),
    ("desk@example.com", "Desi Desk", "staff"),
)


class StaffNotFoundError(ShopError):
    """Nobody with that e-mail address works here."""


class StaffExistsError(ShopError):
    """Somebody with that e-mail address works here already."""


class NoSecondFactorError(ShopError):
    """This person has not set up a second factor yet."""


class EmailInvalidError(ShopError):
    """Enter an e-mail address, like name@example.com."""


class WeakPasswordError(ShopError):
    """Choose a password of at least 12 characters that is not easy to guess."""


class LastOwnerError(ShopError):
    """Nobody else is an owner: without one nobody hears the shop’s alerts. Give another person the role first."""


class WrongPasswordError(ShopError):
    """That isn’t your password."""


class SamePasswordError(ShopError):
    """Choose another password than the one you have."""


def add_staff(email: str, *, role: str, name: str = "") -> str:
    """Add a person with a password that is returned; at the first sign-in they choose another and a second factor.

    Raises EmailInvalidError, StaffExistsError.
    """
    return give_password(_add(email, role=role, name=name, password=""))


def give_password(staff: Staff) -> str:
    """Return a new password, good for signing in and choosing another one; every sign-in of the person ends."""
    password = secrets.token_urlsafe(12)
    _set_password(staff, password)
    staff.password_was_given = True
    return password


def reset_second_factor(email: str) -> None:
    """Forget a person's second factor and end their sign-ins. Raises StaffNotFoundError."""
    staff = get_staff(email)
    staff.tf_totp_secret = staff.tf_primary_method = staff.mf_recovery_codes = staff.last_totp_counter = None
    staff.failed_second_factors = 0
    sessions.close_sessions_of(staff)


def disable(email: str) -> None:
    """Let a person no longer sign in, from this moment on. Raises StaffNotFoundError, LastOwnerError."""
    staff = get_staff(email)
    _insist_on_another_owner(staff)
    staff.active = False
    sessions.close_sessions_of(staff)


def enable(email: str) -> None:
    """Let a person sign in again. Raises StaffNotFoundError."""
    get_staff(email).active = True


def change_role(email: str, *, role: str) -> None:
    """Give a person another role; they sign in anew. Raises StaffNotFoundError, LastOwnerError."""
    staff = get_staff(email)
    if role != OWNER:
        _insist_on_another_owner(staff)
    staff.roles = [_get_role(role)]
    sessions.close_sessions_of(staff)


def change_password(staff: Staff, password: str) -> None:
    """Set a password of the person's own choice and end every sign-in of theirs. Raises WeakPasswordError."""
    refuse_weak(staff, password)
    _set_password(staff, password)
    staff.password_was_given = False


def refuse_weak(staff: Staff, password: str) -> None:
    """Raise WeakPasswordError for a password that is soon guessed."""
    if len(password) < LEAST_PASSWORD or len(set(password)) < 5 or staff.email.split("@")[0] in password.lower():
        raise WeakPasswordError


def replace_password(staff: Staff, *, old: str, new: str) -> None:
    """Change the password of who knows the old one. Raises WrongPasswordError, SamePasswordError, WeakPasswordError."""
    if not sign_in.is_password(staff, old):
        raise WrongPasswordError
    if new == old:
        raise SamePasswordError
    change_password(staff, new)


def get_staff(email: str) -> Staff:
    """Return the person with this e-mail address. Raises StaffNotFoundError."""
    staff = db.session.scalar(sa.select(Staff).where(Staff.email == email.strip().lower()))
    if staff is None:
        raise StaffNotFoundError
    return staff


def find_name(actor: str) -> str:
    """Return the name of the person behind a ledger entry's actor ("staff:7"), or "" where it was none of ours."""
    kind, _, number = actor.partition(":")
    staff = db.session.get(Staff, int(number)) if kind == "staff" and number.isdigit() else None
    return staff.name if staff is not None else ""


def seed_staff() -> None:
    """Add the sample people, each with a second factor, unless they are there."""
    for email, name, role in SAMPLE_STAFF:
        if db.session.scalar(sa.select(Staff.id).where(Staff.email == email)) is None:
            staff = _add(email, role=role, name=name, password=SAMPLE_PASSWORD)
            staff.tf_totp_secret, staff.tf_primary_method = sign_in.new_secret(), "authenticator"


def list_sample_sign_ins() -> list[str]:
    """Return how the sample people sign in, a line each."""
    lines = [f"password for all: {SAMPLE_PASSWORD}"]
    for email, _name, role in SAMPLE_STAFF:
        staff = get_staff(email)
        if staff.tf_totp_secret:
            secret = sign_in.secret_for_app(staff.tf_totp_secret)
            lines.append(f"{role:8} {email:20} authenticator secret {secret}")
    lines.append("the second step's code: .venv/bin/flask --app wsgi staff code EMAIL")
    return lines


def code_now(email: str) -> str:
    """Return the second-step code of a person at this moment. Raises StaffNotFoundError, NoSecondFactorError."""
    staff = get_staff(email)
    if not staff.tf_totp_secret:
        raise NoSecondFactorError
    return sign_in.code_now(staff)


def _add(email: str, *, role: str, name: str, password: str) -> Staff:
    address = email.strip().lower()
    if not re.fullmatch(r"[^\s@,<>]{1,64}@[^\s@,<>]{1,190}", address):
        raise EmailInvalidError
    if db.session.scalar(sa.select(Staff.id).where(Staff.email == address)) is not None:
        raise StaffExistsError
    staff = Staff(
        email=address,
        name=name or address.split("@")[0],
        password=sign_in.hash_password(password) if password else None,
        active=True,
        fs_uniquifier=secrets.token_hex(16),
        created_at=clock.now(),
        roles=[_get_role(role)],
    )
    db.session.add(staff)
    db.session.flush()
    return staff


def _set_password(staff: Staff, password: str) -> None:
    staff.password = sign_in.hash_password(password)
    staff.fs_uniquifier = secrets.token_hex(16)
    sessions.close_sessions_of(staff)


def _insist_on_another_owner(staff: Staff) -> None:
    owners = set(db.session.scalars(sa.select(Staff).where(Staff.active, Staff.roles.any(Role.name == OWNER))))
    if owners == {staff}:
        raise LastOwnerError


def _get_role(name: str) -> Role:
    role = db.session.scalar(sa.select(Role).where(Role.name == name))
    if role is None:
        role = Role(name=next(known for known in RANKS if known == name))
        db.session.add(role)
    return role
