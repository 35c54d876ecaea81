"""Words: every sentence people read, in the language of the moment, for pages, mails, paper and refusals alike.

English is the source: its sentences are their own translation, so it needs no catalogue and none of Babel's machinery.
Any other language is one compiled catalogue in `translations/`, read once per process. Nothing here knows of the web:
rules, jobs and the printing child speak too (docs/decisions/0025-words-through-gettext.md).
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

SOURCE = "en"
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"


_DETERMINED = re.compile(r"(?:an?|the|this|some|any|your|our|my)\b")
_FIGURES = re.compile(r"[0-9]+(?:[,.\u00a0\u202f][0-9]{3}(?![0-9]))*")
_OPEN = re.compile(
    r"[ai]|e(?!u|we)|o(?!nc?e\b|uija)|u(?!ni(?![mn])|s[aeu]|t[io]|biq|ku)|h(?:our|onest|ono|eir)", re.ASCII
)
"""How words begin that are said with a vowel: not "euphoric", "one-hour", "unique" and "usual", but "hour"."""


class Catalogue(Protocol):
    """What a language says in place of a source sentence; gettext's own classes are such."""

    def gettext(self, message: str, /) -> str: ...

    def ngettext(self, singular: str, plural: str, number: int, /) -> str: ...


class UnknownLanguageError(LookupError):
    """No catalogue has been made for this language, and none was registered."""


def gettext(message: str, /, **values: object) -> str:
    """Return a sentence in the current language, with values in the place of `%(name)s`.

    Only a sentence with values is a pattern, in which a per cent sign is written `%%`; a value may hold any sign.
    """
    said = _current.get().catalogue.gettext(message) if message else ""  # to catalogues that is their header
    return said % values if values else said


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """Return the form of a sentence that goes with a number, which itself stands where `%(num)s` is."""
    return choose_form(singular, plural, number) % {"num": number, **values}


def choose_form(singular: str, plural: str, number: int) -> str:
    """Return the form of a sentence that goes with a number, its values not filled in yet."""
    return _current.get().catalogue.ngettext(singular, plural, number)


def with_article(thing: str) -> str:
    """Return a thing with "a" or "an" before it, in English by how it is said: "an 80-minute massage", "a unique hour".

    What begins with an article or a word in its place stays as it is. In another language each of the two patterns is
    what its translator makes of it.
    """
    plain = unicodedata.normalize("NFKD", thing).lower()
    if _DETERMINED.match(plain):
        return thing
    figures = _FIGURES.match(plain)
    is_open = _is_said_with_vowel(figures[0]) if figures else _OPEN.match(plain) is not None
    return gettext("an %(name)s", name=thing) if is_open else gettext("a %(name)s", name=thing)


def N_(message: str) -> str:  # noqa: N802  # gettext's own name: extraction looks for it
    """Mark a sentence of a table, made before anybody's language is known, to be translated where it is read."""
    return message


_ = gettext


def current_catalogue() -> Catalogue:
    """Return what translates at this moment, for whoever keeps what was made with it."""
    return _current.get().catalogue


def current_language() -> str:
    """Return the code of the current language ("en")."""
    return _current.get().code


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Speak a language meanwhile, in this thread or task alone. Raises UnknownLanguageError."""
    before = speak(code)
    try:
        yield
    finally:
        speak(before)


def speak(code: str) -> str:
    """Speak a language from here on, in this thread or task alone; return the one before. Raises UnknownLanguageError.

    Where a block says how long, use `in_language`.
    """
    before = _current.get().code
    _current.set(_find_language(code))
    return before


def list_languages() -> list[str]:
    """Return the codes of all languages that can be spoken, English first."""
    made = sorted(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.mo"))
    return list(dict.fromkeys([SOURCE, *made, *_registered]))


def register(code: str, catalogue: Catalogue) -> None:
    """Offer a language whose catalogue is no file, or another catalogue for one that is, in this process."""
    _registered[code] = catalogue
    _find_language.cache_clear()


def unregister(code: str) -> None:
    """Forget what was registered for a language."""
    _registered.pop(code, None)
    _find_language.cache_clear()


def _is_said_with_vowel(figures: str) -> bool:
    """Tell whether a number is said with a vowel at its beginning: eight, eleven, eighteen, eighty, eight hundred …"""
    digits = re.sub("[^0-9]", "", figures)
    leading = digits[: len(digits) % 3 or 3]
    return leading.startswith("8") or leading in ("11", "18")


class _Source:
    """The language the sentences are written in."""

    def gettext(self, message: str, /) -> str:
        return message

    def ngettext(self, singular: str, plural: str, number: int, /) -> str:
        return singular if number == 1 else plural


@dataclass(frozen=True, slots=True)
class _Language:
    code: str
    catalogue: Catalogue


_registered: dict[str, Catalogue] = {}
_english = _Language(SOURCE, _Source())
_current: ContextVar[_Language] = ContextVar("language", default=_english)


@cache
def _find_language(code: str) -> _Language:
    if code in _registered:
        return _Language(code, _registered[code])
    if code == SOURCE:
        return _english
    if code not in list_languages():
        raise UnknownLanguageError(code)
    from babel.support import Translations  # English alone does without Babel’s machinery

    return _Language(code, Translations.load(CATALOGUES, [code]))
