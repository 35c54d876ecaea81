"""Findings: what one check says, how bad it is, and what to do; for every check of the doctor and the command."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum, auto

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from giftshop.errors import ShopError
from giftshop.foundation.retry import describe
from giftshop.foundation.settings import Settings


class Tone(StrEnum):
    """How a finding is meant: a fault makes the command end with an error."""

    OK = auto()
    WARNING = auto()
    FAULT = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do about it."""

    tone: Tone
    what: str
    words: str


Check = Callable[[], Iterator[Finding]]


def ok(what: str, words: str) -> Finding:
    """Say that all is well."""
    return Finding(Tone.OK, what, words)


def warning(what: str, words: str) -> Finding:
    """Say what a person should look at some time."""
    return Finding(Tone.WARNING, what, words)


def fault(what: str, words: str) -> Finding:
    """Say what keeps a live shop from working as it should."""
    return Finding(Tone.FAULT, what, words)


def shop_settings() -> Settings:
    """Return the settings of the shop that is looked at."""
    settings: Settings = current_app.config["SHOP_SETTINGS"]
    return settings


def examine(what: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds; one that breaks is a fault itself, and does not keep the others from looking."""
    try:
        yield from check()
    except (ShopError, OSError, SQLAlchemyError, ValueError, LookupError, RuntimeError) as error:
        words = error.message if isinstance(error, ShopError) else describe(error)
        yield fault(what, f"This could not be looked at: {words}")
