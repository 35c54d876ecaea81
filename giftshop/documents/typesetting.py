"""Typesetting: how foreign, long and hostile texts are cleaned, measured and given a typeface, for layout.py."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from giftshop.documents.fonts import (
    DISPLAY,
    FALLBACK,
    FALLBACK_BOLD,
    TEXT,
    TEXT_BOLD,
    Typeface,
    has_letters,
    letters_of,
)

MARKS_PER_LETTER = 4
_UNSEEN = re.compile(r"[\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_PICTURES = re.compile(r"[\u200d\u20e3\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\U0001f000-\U0001faff]")
_ONE_PICTURE = r"[\u20e3\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff]"
_ONE_SIGN = re.compile(
    rf"{_ONE_PICTURE}[\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*(?:\u200d{_ONE_PICTURE}[\ufe0f\U0001f3fb-\U0001f3ff]*)*"
)
_WIDE = r"\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff"
_PIECES = re.compile(f" +|[{_WIDE}]|[^ {_WIDE}]+")
_KANA, _HANGUL = re.compile(r"[\u3040-\u30ff]"), re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")
_AVERAGE_EM, _WIDE_EM = 0.62, 1.05
"""How far a letter of a face that is not ours advances: most of them less, so that lines are not undercounted."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a text is set: the class of its typeface, size and line height in points, lines it takes and may take."""

    style: str
    size_pt: float
    line_pt: float
    lines: int
    most_lines: int

    @property
    def height_pt(self) -> float:
        """Return the height of the lines it takes."""
        return self.lines * self.line_pt


def printable(text: str) -> str:
    """Return `text` without what does not print: controls, bidi overrides, surrogates, heaps of combining marks.

    Line ends are kept; joiners inside emoji and Arabic words are kept. The same on every version of Python.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    kept, marks = [], 0
    for letter in _UNSEEN.sub("", _LINE_ENDS.sub("\n", composed).replace("\t", " ")):
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS_PER_LETTER and (letter == "\n" or not _is_unprintable(letter, category)):
            kept.append(letter)
    return "".join(kept)


def _is_unprintable(letter: str, category: str) -> bool:
    """Tell whether a code point is a control, a surrogate, for private use or for ever without meaning.

    Those without meaning as yet pass: which they are depends on the version of Python, and tomorrow's emoji are
    among them.
    """
    number = ord(letter)
    return category in ("Cc", "Cs", "Co") or 0xFDD0 <= number <= 0xFDEF or number & 0xFFFE == 0xFFFE


def find_dropped(text: str) -> str:
    """Return the letters that mean something to somebody and are left out all the same: those for private use."""
    return "".join(sorted({letter for letter in text if unicodedata.category(letter) == "Co"}))


def count_pictures(text: str) -> int:
    """Return how many emoji a text has; one put together from several signs counts once."""
    return len(_ONE_SIGN.findall(text))


def direction(text: str) -> str:
    """Return "rtl" or "ltr" by the first letter that has a direction (Unicode Standard Annex 9, rule P2)."""
    if text.isascii():
        return "ltr"
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return "rtl" if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L" else "ltr"


def name_style(text: str) -> str:
    """Return the class of the first typeface that has every letter: display, sans, or one of the system's.

    A word in two faces looks like a fault, so one missing letter moves the whole name. Pictures do not count.
    """
    return _style(text, ((DISPLAY, "display"), (FALLBACK_BOLD, "sans")))


def text_style(text: str) -> str:
    """Return the class for running text: the text face, or wholly a fallback when one letter is missing."""
    return _style(text, ((TEXT, "text"), (FALLBACK, "foreign")))


def fit_line(text: str, *, most_pt: float, least_pt: float, width_pt: float, most_lines: int) -> Setting:
    """Set a name in the largest size, between two, at which it takes one line; below that it wraps."""
    style = name_style(text)
    fitting = width_pt / max(width_em(text, style), 0.1)
    size = int(min(most_pt, max(least_pt, fitting * 0.99)) * 2) / 2
    lines = 1 if fitting >= least_pt else count_lines(text, style, width_pt=width_pt, size_pt=size)
    return Setting(style, size, size * 1.14, min(lines, most_lines), most_lines)


def fit_block(text: str, sizes: Sequence[tuple[float, float]], *, width_pt: float, room_pt: float) -> Setting:
    """Set running text in the first of the sizes (each with its line height) at which it fits its room.

    If it fits in none, the last is taken, and the page cuts it at the last line that fits, with an ellipsis.
    """
    style = text_style(text)
    for size, line in sizes:
        lines, most = count_lines(text, style, width_pt=width_pt, size_pt=size), max(1, int(room_pt / line))
        if lines <= most:
            return Setting(style, size, line, lines, most)
    return Setting(style, size, line, most, most)


def count_lines(text: str, style: str, *, width_pt: float, size_pt: float) -> int:
    """Return how many lines a text takes in a column; as many or one more than the page will need."""
    return sum(_lines_of(paragraph, style, width_pt / size_pt) for paragraph in text.split("\n"))


def width_em(text: str, style: str) -> float:
    """Return how wide a text is on one line, in em; kerning is left out."""
    face = _FACES.get(style)
    widths = _advances(face) if face else {}
    return sum(widths.get(ord(letter)) or _guessed_em(letter) for letter in text)


def _style(text: str, faces: Sequence[tuple[Typeface, str]]) -> str:
    letters = _PICTURES.sub("", text.replace("\n", ""))
    for face, style in faces:
        if has_letters(face, letters):
            return style
    if _KANA.search(text):
        return "japanese"
    return "korean" if _HANGUL.search(text) else "system"


def _lines_of(paragraph: str, style: str, column: float) -> int:
    lines, reached = 1, 0.0
    for width, is_space in _words(paragraph, style):
        if reached + width <= column or is_space:
            reached += width
        elif width <= column:
            lines, reached = lines + 1, width
        else:  # broken inside, from the start of a line of its own
            lines, reached = lines + int(width // column) + (reached > 0), width % column
    return lines


def _words(paragraph: str, style: str) -> Iterator[tuple[float, bool]]:
    """Yield the width of every stretch without a break, and whether it is space; ideographs stand alone."""
    for piece in _PIECES.findall(paragraph):
        yield width_em(piece, style), piece[0] == " "


_FACES = {
    "display": DISPLAY,
    "sans": FALLBACK_BOLD,
    "text": TEXT,
    "bold": TEXT_BOLD,
    "foreign": FALLBACK,
}


def _guessed_em(letter: str) -> float:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    return _WIDE_EM if _is_wide(letter) else _AVERAGE_EM


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


@cache
def _advances(face: Typeface) -> dict[int, float]:
    """Return how far each letter of a face advances, in em."""
    from fontTools.ttLib import TTFont

    with TTFont(face.path, lazy=True) as font:
        em, widths, names = font["head"].unitsPerEm, font["hmtx"], font.getBestCmap()
        return {letter: widths[names[letter]][0] / em for letter in letters_of(face)}
