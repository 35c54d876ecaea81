"""Proxies before the shop: whom to believe about a visitor's address, and the signs that their number is wrong.

One hop too many lets anybody choose the address that limits count; one too few counts the proxy itself, and all
visitors are one. Nobody can tell for sure from inside; what a request carries is a strong sign.
"""

import logging
from ipaddress import ip_address

from flask import Flask, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from giftshop.web.limiter import read_address

FORGOTTEN = (
    "A proxy stands before the shop and GIFTSHOP_PROXY_HOPS says there is none: all visitors count as one."
    " Set it to the number of proxies (1 behind nginx or Caddy on this host)."
)
TOO_MANY = (
    "GIFTSHOP_PROXY_HOPS counts more proxies than requests come through: all visitors count as one."
    " Set it to the number of proxies that add to X-Forwarded-For."
)
_NOTICE = "proxies_notice"
log = logging.getLogger(__name__)


def believe_proxies(app: Flask, hops: int) -> None:
    """Take a visitor's address from as many proxies as stand before the shop, and nothing else from any of them.

    Must be called last: what is put around the app before it sees the addresses that are believed.
    """
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0, x_host=0)  # type: ignore[method-assign]


def watch_proxies(app: Flask, hops: int) -> None:
    """Look at every request until one shows that the number of proxies is wrong; then log it, once in a process."""

    @app.before_request
    def look() -> None:
        if _NOTICE not in app.extensions and (sign := _sign_of_wrong_hops(hops)):
            app.extensions[_NOTICE] = sign
            log.warning(sign)


def find_proxy_notice() -> str:
    """Return what requests have shown about the number of proxies; "" while all is well."""
    return str(current_app.extensions.get(_NOTICE, ""))


def count_forwarded() -> int:
    """Return through how many proxies this request says it came."""
    return len([name for name in request.headers.get("X-Forwarded-For", "").split(",") if name.strip()])


def _sign_of_wrong_hops(hops: int) -> str:
    forwarded = count_forwarded()
    if hops == 0:  # a stranger may write the header as well: only what a neighbour sends is a proxy's
        return FORGOTTEN if forwarded and _is_neighbour(request.remote_addr or "") else ""
    return TOO_MANY if 0 < forwarded < hops else ""


def _is_neighbour(address: str) -> bool:
    """Tell whether an address is of this machine or of a private network, where proxies are."""
    return address == "" or ip_address(read_address(address) or "192.0.2.1").is_private
