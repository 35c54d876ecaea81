"""Forms of the office: who sends them, by which request, and what is wrong with what was typed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from flask import request
from flask_login import current_user

from giftshop.certificates.requests import Asked
from giftshop.errors import ShopError
from giftshop.web.form_state import taken

T = TypeVar("T")


@dataclass
class Filled:
    """The form that was sent: each field is read by its rule, what is wrong is kept under the field's name."""

    errors: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, read: Callable[[str], T], instead: T) -> T:
        """Return what a field holds, or `instead` when its rule refuses it."""
        try:
            return read(taken(name, request.form.get(name, "")))
        except ShopError as refusal:
            self.errors[name] = refusal.message
            return instead


def actor() -> str:
    """Return the person signed in as ledger and activity log name them."""
    return f"staff:{current_user.id}"


def asked(reason: str = "") -> Asked:
    """Return who asks, why, and by which request key."""
    return Asked(actor=actor(), reason=reason, key=request.form.get("request_key", ""))


def number_in(text: str) -> int | None:
    """Return the number that a parameter of an address holds, None for what no row could have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
