"""Devices that people have signed in on: a stranger's wrong tries do not lock them out there, for the sign-in page.

The cookie opens nothing. It only says whose right password and second factor a browser has given before, so that its
wrong tries are counted apart from everybody else's.
"""

import hashlib
import hmac
import secrets

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from giftshop.foundation.settings import Settings

KNOWN_FOR_SECONDS = 180 * 24 * 3600
MOST_PEOPLE = 10
"""People who share a device at the front desk; whoever has not signed in there for longest is forgotten first."""
_PURPOSE = "giftshop known device"


def remember_device(email: str) -> None:
    """Let this answer tell the browser that the person has signed in on it, by both steps."""
    device, people = _read()
    mine = _marks(device, email)
    people = [mine[0], *(mark for mark in people if mark not in mine)][:MOST_PEOPLE]
    value = _signer().dumps([device, *people])

    @after_this_request
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            _cookie_name(),
            value,
            max_age=KNOWN_FOR_SECONDS,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Strict",
        )
        return response


def find_device(email: str) -> str:
    """Return a name for this person on this device, for a counter of their own; "" where they never signed in."""
    device, people = _read()
    return next((mark for mark in _marks(device, email) if mark in people), "")


def is_known_device() -> bool:
    """Tell whether somebody who works here has signed in on this device."""
    return bool(_read()[1])


def _read() -> tuple[str, list[str]]:
    """Return the device's name, a new one where there is none, and the marks of the people who signed in on it."""
    try:
        device, *people = _signer().loads(request.cookies.get(_cookie_name(), ""), max_age=KNOWN_FOR_SECONDS)
    except BadSignature:
        return secrets.token_urlsafe(12), []
    return device, people


def _marks(device: str, email: str) -> list[str]:
    """Return what stands for a person in this device's cookie, by each of the shop's keys: without one it is nobody."""
    who = f"{_PURPOSE} {device} {email.strip().lower()}".encode("utf-8", "replace")
    return [hmac.digest(key.encode(), who, hashlib.sha256).hex()[:32] for key in _settings().secret_key_list]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_settings().signing_keys, salt=_PURPOSE)


def _settings() -> Settings:
    settings: Settings = current_app.config["SHOP_SETTINGS"]
    return settings


def _cookie_name() -> str:
    """Return a name beside the session's own, with the same prefix: browsers keep "__Host-" to this host and to TLS."""
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"
