"""Writing the practice and its offers: made, changed, retired, never deleted; for whoever has read what is wanted."""

from typing import Any

import sqlalchemy as sa

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.practice import find_practice
from giftshop.foundation.database import db


def set_practice(facts: dict[str, Any], offers: list[dict[str, Any]]) -> list[str]:
    """Make the practice and its offers what is given, column by column; name what changed. Does not commit.

    Offers stand in the order given. One that is not given any more is retired: what was sold still names it. None at
    all leave those that stand: a file that was cut short must not close the shop.
    """
    practice = find_practice()
    if practice is None:
        db.session.add(Practice(id=1, **facts))
        changed = ["the practice is new"]
    else:
        changed = [f"practice.{name}" for name in _update(practice, facts)]
    return changed + (_set_offers(offers) if offers else [])


def _set_offers(offers: list[dict[str, Any]]) -> list[str]:
    standing = {offer.slug: offer for offer in db.session.scalars(sa.select(Offer).order_by(Offer.id))}
    changed = []
    for position, facts in enumerate(offers):
        offer = standing.pop(facts["slug"], None)
        if offer is None:
            db.session.add(Offer(position=position, **facts))
            changed.append(f"{facts['slug']} is new")
        else:
            changed += [f"{offer.slug}.{name}" for name in _update(offer, {**facts, "position": position})]
    for offer in standing.values():
        if _update(offer, {"visibility": "retired"}):
            changed.append(f"{offer.slug} is retired")
    return changed


def _update(row: Practice | Offer, facts: dict[str, Any]) -> list[str]:
    """Set the columns of a row that differ; return their names."""
    differing = [name for name, value in facts.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, facts[name])
    return differing
