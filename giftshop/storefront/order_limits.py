"""How often an order's page may send mail: three times an hour for one order, and for one visitor."""

import hashlib

from limits import RateLimitItemPerHour
from sqlalchemy.exc import SQLAlchemyError

from giftshop.database import db
from giftshop.limits import client_address, limiter

MAILS = RateLimitItemPerHour(3)
_KEY = "order-mail"


def count_mail(token: str) -> bool:
    """Count a mail that is about to be sent; False when that is one too many, or nobody can count.

    Counting writes, so it happens while no transaction of ours is open (SQLite would wait for itself).
    """
    db.session.rollback()
    order = hashlib.sha256(token.encode()).hexdigest()  # the token itself stands in no table
    try:
        return all(limiter.limiter.hit(MAILS, _KEY, who) for who in (order, client_address()))
    except SQLAlchemyError:
        return False
