"""Who may ask how often: the limiter that pages share, counting strangers by address."""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import request
from flask_limiter import Limiter


def client_address() -> str:
    """Return the address a request came from; an IPv6 one by its /64, which is what one person has."""
    address = request.remote_addr or "unknown"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


limiter = Limiter(key_func=client_address, headers_enabled=False, strategy="fixed-window")
