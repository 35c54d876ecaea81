"""Who is at the door, as limits of buying know them: a browser by its cookie, since when it reads, and its network.

The name stands in the session cookie that a page with a form sends anyway; whoever drops it has no name and has read
nothing yet.
"""

import secrets
from datetime import UTC, datetime

from flask import session

from giftshop import clock
from giftshop.checkout.limits import Visitor
from giftshop.storefront.payment import find_settings
from giftshop.web.limiter import client_address

WIDE = 100
"""How many times more somebody may who tries the shop out with simulated money, if the settings say so."""
_KEPT = "reader"


def greet() -> None:
    """Let this browser be known from now on, because it is shown a page from which it may buy."""
    _read()


def get_visitor() -> Visitor:
    """Return who asks."""
    name, since = _read()
    return Visitor(
        address=client_address(),
        browser=name,
        reads_since=datetime.fromtimestamp(since, UTC),
        leniency=WIDE if find_settings().limits == "wide" else 1,
    )


def _read() -> tuple[str, int]:
    """Return this browser's name and the second since which it is known; new ones where there are none."""
    if _KEPT not in session:
        session[_KEPT] = [secrets.token_urlsafe(12), int(clock.now().timestamp())]
    name, since = session[_KEPT]
    return name, since
