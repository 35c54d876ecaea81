"""What a printed page really draws, read from its operators, fonts and pixels rather than its text, for tests."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf
import pypdfium2
from fontTools.cffLib import CFFFontSet
from fontTools.pens.boundsPen import ControlBoundsPen
from fontTools.ttLib import TTFont
from PIL import Image

_UPRIGHT = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph that a page shows: its font's name there, its number in the file, its size and where its run starts.

    `page` counts from 0.
    """

    font: str
    number: int
    text: str
    size_pt: float
    x_pt: float
    y_pt: float
    page: int


def glyphs_on(pdf: bytes) -> list[Glyph]:
    """Return the glyphs of all pages in the order they are drawn; number 0 is a font's box for a missing one."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return [glyph for number, page in enumerate(document.pages) for glyph in _glyphs_of(page, number)]


def _glyphs_of(page: Any, number: int) -> Iterator[Glyph]:
    encodings = {name: _Encoding(font) for name, font in page.Resources.Font.items()}
    for run in _runs(page):
        yield from _glyphs(run, encodings[run.font], number)


def missing_glyphs(pdf: bytes) -> list[str]:
    """Return the texts in whose place a page shows a font's box for missing letters."""
    return [glyph.text for glyph in glyphs_on(pdf) if glyph.number == 0]


def loose_fonts(pdf: bytes) -> list[str]:
    """Return the fonts of a document that are not in it, or are in it as a whole (without a subset's prefix)."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        return [str(font.BaseFont) for font in fonts if not _is_embedded_subset(font)]


def empty_glyphs(pdf: bytes) -> list[str]:
    """Return the texts, other than space, for which the embedded font has nothing to draw."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fonts = {name: font for page in document.pages for name, font in page.Resources.Font.items()}
        outlines = {name: outlines_of(font) for name, font in fonts.items()}
    return [each.text for each in glyphs_on(pdf) if each.text.strip() and not outlines[each.font](each.number)]


def page_picture(pdf: bytes, dots: int) -> Image.Image:
    """Return the first page as a picture with so many dots per inch."""
    return pictures(pdf, dots)[0]


def last_picture(pdf: bytes, dots: int) -> Image.Image:
    """Return the page with the QR symbol as a picture with so many dots per inch: the card has it on its back."""
    return pictures(pdf, dots)[-1]


def pictures(pdf: bytes, dots: int) -> list[Image.Image]:
    """Return every page as a picture with so many dots per inch."""
    return [page.render(scale=dots / 72).to_pil().convert("RGB") for page in pypdfium2.PdfDocument(pdf)]


def outlines_of(font: Any) -> Any:
    """Return a function from a glyph's number to its box, None when nothing is drawn."""
    descriptor = font.DescendantFonts[0].FontDescriptor
    data = next(descriptor[key] for key in _FILES if key in descriptor).read_bytes()
    if "/FontFile3" in descriptor and descriptor.FontFile3.Subtype == "/CIDFontType0C":
        return _cff_boxes(data)
    glyph_set = (opened := TTFont(io.BytesIO(data))).getGlyphSet()
    return lambda number: _box(glyph_set, opened.getGlyphName(number))


@dataclass(frozen=True, slots=True)
class _Run:
    font: str
    codes: tuple[int, ...]
    size_pt: float
    x_pt: float
    y_pt: float


class _Encoding:
    """How a font's codes name glyphs and texts."""

    def __init__(self, font: Any) -> None:
        encoding = font.Encoding
        self._numbers = None if encoding == "/Identity-H" else dict(_pairs(encoding, rb"<(\w+)> (\d+)\n", 10))
        self._texts = dict(_pairs(font.ToUnicode, rb"<(\w+)> <(\w*)>\n", None))

    def number(self, code: int) -> int:
        return code if self._numbers is None else self._numbers.get(code, 0)

    def text(self, code: int) -> str:
        return self._texts.get(code, "")


def _pairs(stream: Any, pattern: bytes, base: int | None) -> Iterator[tuple[int, Any]]:
    for code, value in re.findall(pattern, stream.read_bytes()):
        if base is None and len(value) % 4:
            continue  # the range of all codes, not a text
        yield int(code, 16), int(value, base) if base else bytes.fromhex(value.decode()).decode("utf-16-be")


def _runs(page: Any) -> Iterator[_Run]:
    """Yield what the page's operators show, with its size and place on paper."""
    pen = _Pen()
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "TJ":
            yield pen.show(operands[0])
        elif act := _ACTS.get(str(operator)):
            act(pen, operands)


class _Pen:
    """The state in which a page shows text: matrices, font and size."""

    def __init__(self) -> None:
        self._stack: list[Matrix] = []
        self._page, self._text = _UPRIGHT, _UPRIGHT
        self._font, self._size = "", 0.0

    def save(self, _operands: Any) -> None:
        self._stack.append(self._page)

    def restore(self, _operands: Any) -> None:
        self._page = self._stack.pop()

    def transform(self, operands: Any) -> None:
        self._page = _times(_matrix(operands), self._page)

    def move(self, operands: Any) -> None:
        self._text = _matrix(operands)

    def take(self, operands: Any) -> None:
        self._font, self._size = str(operands[0]), float(operands[1])

    def show(self, shown: Any) -> _Run:
        placed = _times(self._text, self._page)
        return _Run(self._font, _codes(shown), abs(self._size * placed[3]), placed[4], placed[5])


_ACTS = {"q": _Pen.save, "Q": _Pen.restore, "cm": _Pen.transform, "Tm": _Pen.move, "Tf": _Pen.take}


def _glyphs(run: _Run, encoding: _Encoding, page: int) -> Iterator[Glyph]:
    for code in run.codes:
        yield Glyph(run.font, encoding.number(code), encoding.text(code), run.size_pt, run.x_pt, run.y_pt, page)


def _codes(shown: Any) -> tuple[int, ...]:
    data = b"".join(bytes(part) for part in shown if isinstance(part, pikepdf.String))
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def _matrix(operands: Any) -> Matrix:
    a, b, c, d, e, f = (float(value) for value in operands)
    return a, b, c, d, e, f


def _times(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = second
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _is_embedded_subset(font: Any) -> bool:
    descriptor = font.DescendantFonts[0].FontDescriptor
    has_prefix = re.match(r"/[A-Z]{6}\+", str(font.BaseFont)) is not None
    return has_prefix and any(key in descriptor for key in _FILES)


def _cff_boxes(data: bytes) -> Any:
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(data), None)
    glyphs = fonts[0].CharStrings
    return lambda number: _box(glyphs, f"cid{number:05d}")


def _box(glyphs: Any, name: str) -> Any:
    pen = ControlBoundsPen(glyphs)
    glyphs[name].draw(pen)
    return pen.bounds
