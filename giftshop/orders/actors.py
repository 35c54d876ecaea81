"""Actors: what people call whoever did something, as ledger, activity log and notes name them ("staff:7", "stripe").

Staff are read from their table by its name: the models in staff/ belong to the sign-in, which knows the web.
"""

from collections.abc import Callable, Iterable

import sqlalchemy as sa

from giftshop.foundation.database import db
from giftshop.words import N_, _

ACTORS = {
    "buyer": N_("The buyer"),
    "stripe": N_("Stripe"),
    "system": N_("The shop"),
    "holder": N_("Whoever holds the code"),
    "visitor": N_("A person or a program"),
}
LEFT = N_("Someone who left")
_STAFF = sa.table("staff", sa.column("id", sa.BigInteger), sa.column("name", sa.Text))


def name_actors(actors: Iterable[str]) -> dict[str, str]:
    """Return what people call each of these actors; a person of the staff by their name."""
    asked = set(actors)
    numbers = {int(actor[6:]) for actor in asked if actor.startswith("staff:") and actor[6:].isdigit()}
    names = _read_names(_STAFF.c.id.in_(numbers)) if numbers else {}
    return {actor: names.get(actor) or _(ACTORS.get(actor, LEFT)) for actor in asked}


def name_staff() -> Callable[[str], str]:
    """Return what names an actor as people know them ("staff:7" is Desi Desk)."""
    known = _read_names(sa.true())
    return lambda actor: known.get(actor) or actor


def _read_names(condition: sa.ColumnElement[bool]) -> dict[str, str]:
    found = db.session.execute(sa.select(_STAFF.c.id, _STAFF.c.name).where(condition))
    return {f"staff:{number}": name for number, name in found}
