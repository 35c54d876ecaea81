"""Embedded fonts made small: only where a font numbers its glyphs itself; every other stays as it is."""

import io
from types import SimpleNamespace

import pydyf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen

from giftshop.documents.font_subsets import shrink_font, shrink_fonts


def font_that_names_its_glyphs() -> bytes:
    """Return an OpenType font with CFF outlines by names, as Latin ones are."""
    pen = T2CharStringPen(600, None)
    for act, points in ((pen.moveTo, [(0, 0)]), (pen.lineTo, [(500, 0)]), (pen.lineTo, [(250, 500)])):
        act(*points)
    pen.closePath()
    outline = pen.getCharString()
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder([".notdef", "A"])
    builder.setupCharacterMap({65: "A"})
    builder.setupCFF("Named-Regular", {}, {".notdef": outline, "A": outline}, {})
    builder.setupHorizontalMetrics({".notdef": (600, 0), "A": (600, 0)})
    builder.setupHorizontalHeader()
    builder.setupNameTable({"familyName": "Named", "styleName": "Regular"})
    builder.setupPost()
    written = io.BytesIO()
    builder.save(written)
    return written.getvalue()


def test_a_font_that_names_its_glyphs_is_left_as_it_is() -> None:
    font = font_that_names_its_glyphs()
    assert shrink_font(font, [1]) is None
    pdf, file = pydyf.PDF(), pydyf.Stream([font], extra={"Subtype": "/OpenType"})
    pdf.add_object(file)
    shrink_fonts(SimpleNamespace(fonts={}), pdf)
    assert (file.stream, file.extra["Subtype"]) == ([font], "/OpenType")
