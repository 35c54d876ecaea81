"""What the catalogue sells, in the order buyers see it."""

import sqlalchemy as sa

from giftshop.catalog.models import Offer
from giftshop.errors import OfferNotFoundError
from giftshop.foundation.database import db

FREE_AMOUNT = "amount"
"""What stands in an offer's place when the buyer typed an amount."""


def list_public_offers() -> list[Offer]:
    """Return the offers everyone sees."""
    query = sa.select(Offer).where(Offer.visibility == "public").order_by(Offer.position, Offer.id)
    return list(db.session.scalars(query))


def list_kept_offers() -> list[Offer]:
    """Return the offers that may be bought, public and unlisted."""
    query = sa.select(Offer).where(Offer.visibility != "retired").order_by(Offer.position, Offer.id)
    return list(db.session.scalars(query))


def get_offer(slug: str) -> Offer:
    """Return an offer that may be bought, public or unlisted. Raises OfferNotFoundError."""
    offer = find_offer(slug)
    if offer is None or offer.visibility == "retired":
        raise OfferNotFoundError
    return offer


def find_offer(slug: str) -> Offer | None:
    """Return the offer with this slug, retired ones too, or None."""
    return db.session.scalar(sa.select(Offer).where(Offer.slug == slug))
