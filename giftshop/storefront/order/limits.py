"""How often an order's page may send mail, and ask Stripe about one payment.

Mail goes out three times an hour for one order, and for one visitor. Links that prove whose order it is are counted
apart: whoever asks for too many of them, which anyone with the order's address can, must not keep its buyer from
correcting a gift.
"""

import hashlib
from typing import Literal

from limits import RateLimitItemPerHour, RateLimitItemPerSecond

from giftshop.foundation.database import db
from giftshop.web.limiter import client_address, may_count

MAILS = RateLimitItemPerHour(3)
ASKS = RateLimitItemPerSecond(10, 30)
"""Once every three seconds, in bursts: the page of a buyer who waits for the bank asks every five."""
Mail = Literal["link", "change"]


def count_mail(token: str, what: Mail) -> bool:
    """Count a mail of a sort that is about to be sent; False when that is one too many, or nobody can count.

    Counting writes, so it happens while no transaction of ours is open (SQLite would wait for itself).
    """
    db.session.rollback()
    order = hashlib.sha256(token.encode()).hexdigest()  # the token itself stands in no table
    return all(may_count(MAILS, "order", what, who) for who in (order, client_address()))


def may_ask(session_id: str) -> bool:
    """Tell whether Stripe may be asked about this session now; else what was heard last is answer enough.

    Counts, for every process of every host, on a connection of its own: no writing transaction may be open. What
    cannot be counted is not asked.
    """
    return may_count(ASKS, "stripe-session", session_id)
