"""How often Stripe is asked about one payment, for pages that a buyer opens again and again."""

from limits import RateLimitItemPerSecond

from giftshop.web.limiter import may_count

ASKS = RateLimitItemPerSecond(10, 30)
"""Once every three seconds, in bursts: the page of a buyer who waits for the bank asks every five."""


def may_ask(session_id: str) -> bool:
    """Tell whether Stripe may be asked about this session now; else what was heard last is answer enough.

    Counts, for every process of every host, on a connection of its own: no writing transaction may be open. What
    cannot be counted is not asked.
    """
    return may_count(ASKS, "stripe-session", session_id)
