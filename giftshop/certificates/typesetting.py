"""Typesetting: how foreign, long and hostile texts are cleaned, measured and given a typeface for paper."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from giftshop.typefaces import DISPLAY, FALLBACK_BOLD, TEXT, Typeface, has_letters, letters_of

MARKS_PER_LETTER = 4
MOST_NAME_PT, LEAST_NAME_PT = 34.0, 20.0
MOST_MESSAGE_LINES = 8
_UNSEEN = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
_AVERAGE_EM, _WIDE_EM = 0.56, 1.05


@dataclass(frozen=True, slots=True)
class SetName:
    """A name ready to print: its text, the class of its typeface, its size in points (whole or half)."""

    text: str
    style: str
    size_pt: float


def printable(text: str) -> str:
    """Return `text` without what does not print: controls, bidi overrides, surrogates, heaps of combining marks.

    Line ends are kept; joiners inside emoji and Arabic words are kept.
    """
    composed = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    kept, marks = [], 0
    for letter in _UNSEEN.sub("", composed.replace("\r\n", "\n").replace("\r", "\n")):
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS_PER_LETTER and (letter == "\n" or category not in ("Cc", "Cs", "Co", "Cn")):
            kept.append(letter)
    return "".join(kept)


def set_name(name: str, *, width_pt: float) -> SetName:
    """Choose a name's typeface and the size at which it fits one line, between 34 and 20 points; then it wraps.

    A name with one letter that the display face lacks is set wholly in a fallback: a word in two faces looks
    like a fault.
    """
    text = " ".join(name.split())
    style = name_style(text)
    fitting = width_pt / max(_width_em(text, style), 0.1)
    size = min(MOST_NAME_PT, max(LEAST_NAME_PT, fitting))
    return SetName(text, style, int(size * 2) / 2)


def name_style(text: str) -> str:
    """Return the class of the first typeface that has every letter of a name: display, sans, or the system's."""
    if has_letters(DISPLAY, text):
        return "display"
    return "sans" if has_letters(FALLBACK_BOLD, text) else "system"


def text_style(text: str) -> str:
    """Return the class for running text: the text face, or the fallbacks wholly when a letter is missing."""
    return "text" if has_letters(TEXT, text.replace("\n", "")) else "foreign"


def message_lines(message: str) -> list[str]:
    """Return the giver's lines, without runs of empty ones, at most as many as the sheet holds."""
    lines = re.sub(r"\n{3,}", "\n\n", message.strip()).split("\n")
    return lines[:MOST_MESSAGE_LINES]


def message_size(message: str) -> str:
    """Return the class of a message's size: the longer, the smaller, so that nothing is cut off."""
    weight = len(message) + 45 * message.count("\n")
    return "roomy" if weight <= 160 else "close" if weight <= 300 else "dense"


def _width_em(text: str, style: str) -> float:
    face = {"display": DISPLAY, "sans": FALLBACK_BOLD}.get(style)
    if face is not None:
        widths = _advances(face)
        return sum(widths.get(ord(letter), _AVERAGE_EM) for letter in text)
    return sum(_WIDE_EM if unicodedata.east_asian_width(letter) in "WF" else _AVERAGE_EM for letter in text)


@cache
def _advances(face: Typeface) -> dict[int, float]:
    """Return how far each letter of a face advances, in em."""
    from fontTools.ttLib import TTFont

    with TTFont(face.path, lazy=True) as font:
        em, widths, names = font["head"].unitsPerEm, font["hmtx"], font.getBestCmap()
        return {letter: widths[names[letter]][0] / em for letter in letters_of(face)}
