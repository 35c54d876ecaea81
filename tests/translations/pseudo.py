"""A pseudo-language for tests: each sentence of the catalogue marked and its vowels changed, so that others stand out.

Only what `translations/messages.pot` holds is changed. Whatever still has plain vowels was said outside the catalogue.
"""

import re
from functools import cache

from babel.messages.pofile import read_po

from giftshop import words

PSEUDO = "eo"
"""Esperanto's code: Babel can write its dates, as the papers need, and the shop is unlikely ever to speak it."""
TEMPLATE = words.CATALOGUES / "messages.pot"
_PLAIN, _CHANGED = "aeiouAEIOU", "áéíóúÁÉÍÓÚ"
_KEPT = re.compile(r"%\(\w+\)s|%%|<[^>]*>|&\w+;|https?://\S+")
"""What a translation must leave as it is: the places of values, markup, addresses."""
_VOWELS = str.maketrans(_PLAIN, _CHANGED)
_WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)*")


class PseudoCatalogue:
    """What the pseudo-language says for the sentences that are in the catalogue, but those that are `left_out`."""

    def __init__(self, left_out: str = "") -> None:
        self._known = known_messages() - {left_out}

    def gettext(self, message: str, /) -> str:
        """Return a known sentence changed, any other as it is."""
        return changed(message) if message in self._known else message

    def ngettext(self, singular: str, plural: str, number: int, /) -> str:
        """Return the form that goes with the number, as English has two."""
        return self.gettext(singular if number == 1 else plural)


@cache
def known_messages() -> frozenset[str]:
    """Return every sentence of the catalogue, plural forms too."""
    with TEMPLATE.open("rb") as file:
        messages = [message.id for message in read_po(file) if message.id]
    return frozenset(form for each in messages for form in ([each] if isinstance(each, str) else each))


def changed(message: str) -> str:
    """Return a sentence marked, with other vowels in all of it that is words."""
    kept = _KEPT.findall(message)
    parts = _KEPT.split(message)
    said = "".join(part.translate(_VOWELS) + left for part, left in zip(parts, [*kept, ""], strict=True))
    return f"‹{said}›"


def plain_words(text: str) -> list[str]:
    """Return the words of a text that no catalogue has touched: those with a vowel as English writes it."""
    return [word for word in _WORD.findall(text) if set(word) & set(_PLAIN)]


ALL = PseudoCatalogue()
"""The one catalogue of most tests: templates are kept as they were compiled with it."""
