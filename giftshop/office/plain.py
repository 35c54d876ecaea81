"""Sentences about payments and servers as an owner reads them: without Stripe's ids, commands and names of settings.

Whoever looks after the shop reads the same sentence whole: it stands folded below.
"""

import re
from dataclasses import dataclass

from giftshop.words import _

_ID = r"\b(?:[a-z]{2,8}_(?:test_|live_)?[A-Za-z0-9]{6,}|[a-z]{2,8}_sim_\w+)\b"
_IN_BRACKETS = re.compile(rf"\s*\([^()]*{_ID}[^()]*\)")
_ALONE = re.compile(rf"\s*[“\"]?{_ID}[”\"]?")
_LEFT_OVER = re.compile(r"^[\s:,.]+|\s+(?=[:,.])")
_FOR_ENGINEERS = re.compile(r"`|\b[A-Z]+_[A-Z_]+\b|\bflask\s")
_SENTENCES = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Plain:
    """What an owner reads, and the whole of it for whoever looks after the shop; nothing where that is the same."""

    sentence: str
    whole: str


def tell_plainly(told: str) -> Plain:
    """Return a sentence without what only helps whoever looks after the shop."""
    kept = [each for each in _SENTENCES.split(told) if not _FOR_ENGINEERS.search(each)]
    bare = _ALONE.sub("", _IN_BRACKETS.sub("", " ".join(kept))).strip()
    plain = _LEFT_OVER.sub("", bare) if bare != told else told
    plain = plain or _("Whoever looks after the shop has to see to something.")
    return Plain(plain, "" if plain == told else told)
