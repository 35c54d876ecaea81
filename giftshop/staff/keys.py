"""Keys of sign-ins: what passwords, authenticator secrets and recovery codes hang on, sealed in the database.

They once were made from GIFTSHOP_SECRET_KEY, and a new one locked everybody out. Now they lie beside the people they
belong to, opened by the code keys; a shop that had people then keeps the keys those people have (decision 30).
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation
from giftshop.certificates import encryption
from giftshop.errors import WrongDatabaseError
from giftshop.foundation.database import db
from giftshop.staff.models import Staff


@dataclass(frozen=True, slots=True)
class StaffKeys:
    """Three keys, written as the libraries take them: hexadecimal, and urlsafe base64 for the recovery codes."""

    password_salt: str
    totp: str
    recovery_codes: str


def keep_staff_keys(secret_keys: list[str]) -> None:
    """Give the database its keys, once, in the caller's transaction.

    Where people work already they get those that were made from the oldest secret key until now; else drawn ones.
    """
    installation = get_installation()
    if installation.staff_keys_enc is None:
        has_people = db.session.scalar(sa.select(Staff.id).limit(1)) is not None
        keys = _made_from(secret_keys[-1] if has_people else secrets.token_hex(32))
        text = json.dumps(asdict(keys))
        installation.staff_keys_enc = encryption.seal(text, _binding(installation))


def get_staff_keys() -> StaffKeys:
    """Return the keys of this database. Raises WrongDatabaseError before its migration, SealBrokenError."""
    installation = get_installation()
    if installation.staff_keys_enc is None:
        raise WrongDatabaseError("This database has no keys for sign-ins yet. Run `flask db upgrade`.")
    return StaffKeys(**json.loads(encryption.open_sealed(bytes(installation.staff_keys_enc), _binding(installation))))


def _made_from(root: str) -> StaffKeys:
    return StaffKeys(
        password_salt=_derived(root, "password salt").hex(),
        totp=_derived(root, "totp").hex(),
        recovery_codes=base64.urlsafe_b64encode(_derived(root, "recovery codes")).decode(),
    )


def _derived(root: str, purpose: str) -> bytes:
    return hmac.digest(root.encode(), f"giftshop {purpose}".encode(), hashlib.sha256)


def _binding(installation: Installation) -> str:
    return f"staff keys of {installation.instance_id}"
