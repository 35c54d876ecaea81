"""The practice and the installation: who sells here, with which kind of money."""

import secrets
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute

from giftshop import clock
from giftshop.catalog.models import Installation, Practice
from giftshop.errors import ShopError, WrongDatabaseError
from giftshop.foundation.database import db
from giftshop.money import be_at_home_in


class PracticeMissingError(ShopError):
    """The shop has no practice yet. Set it up with `flask practice set FILE`, or restore a backup."""


def find_practice() -> Practice | None:
    """Return the practice, or None while none is set up; amounts are written as people do at its place from here on."""
    practice = db.session.get(Practice, 1)
    if practice is not None:
        be_at_home_in(practice.place)
    return practice


def get_practice() -> Practice:
    """Return the practice. Raises PracticeMissingError."""
    practice = find_practice()
    if practice is None:
        raise PracticeMissingError
    return practice


def get_installation() -> Installation:
    """Return this database's stamp. Raises WrongDatabaseError while it has none."""
    installation = db.session.get(Installation, 1)
    if installation is None:
        raise WrongDatabaseError("This database is not stamped yet. Run `flask db upgrade`.")
    return installation


def stamp_installation(mode: str) -> Installation:
    """Stamp a new database with its mode and a random instance id; refuse one of another mode.

    Test and simulated certificates must never be redeemable where live ones are, so a database never changes its mode.
    """
    installation = db.session.get(Installation, 1)
    if installation is None:
        instance_id = f"shop_{secrets.token_hex(8)}"
        installation = Installation(id=1, instance_id=instance_id, mode=mode, created_at=clock.now())
        db.session.add(installation)
    if installation.mode != mode:
        raise _other_money(installation.mode, mode)
    return installation


def refuse_other_money(mode: str) -> None:
    """Refuse to run with a key of another mode than the database was stamped with. Raises WrongDatabaseError.

    A database that is not there yet, or does not answer now, is not judged: migrating and waiting come first.
    Every process begins with this, so what it writes first is already written as people do at the practice's place.
    """
    if is_to_be_made(db.engine):
        return
    stamped = _ask_for(Installation.mode)
    be_at_home_in(_ask_for(Practice.place) or "")
    if stamped not in (None, mode):
        raise _other_money(stamped, mode)


def is_to_be_made(engine: sa.Engine) -> bool:
    """Tell whether the database is a file that is not there yet: to ask it would make it."""
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    return bool(file) and not Path(file or "").exists()


def _ask_for(column: InstrumentedAttribute[str]) -> str | None:
    """Return what stands in a table of one row, or None while there is no row, no table, or no answer."""
    try:
        return db.session.scalar(sa.select(column))
    except DBAPIError:
        return None
    finally:
        db.session.remove()


def is_open_for_sales(practice: Practice) -> bool:
    """Tell whether the shop may sell: the owner wants to, and buyers can reach the practice by phone and web.

    Phone and web address for balance and replacement are mandatory (12 CFR 1005.20 and cautious defaults).
    """
    return practice.is_selling and bool(practice.phone) and bool(practice.booking_url)


def _other_money(stamped: str, mode: str) -> WrongDatabaseError:
    return WrongDatabaseError(f"This database belongs to {stamped} payments, and the Stripe key is for {mode} ones.")
