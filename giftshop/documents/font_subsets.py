"""Embedded fonts made small, for pdf.py: a CJK font keeps the few glyphs it draws, not 47,000 empty places.

The library's subsetter keeps every glyph at its number, so that a name of three Chinese letters costs 90 KB of
offsets that hardly compress. A character-keyed font names its glyphs itself (Adobe Technical Note 5176, charset):
written bare, with that list, it needs no empty places.
"""

import io
from collections.abc import Iterable
from typing import Any


def shrink_fonts(document: Any, pdf: Any) -> None:
    """Rewrite the character-keyed fonts of a document about to be written (WeasyPrint's `finisher`)."""
    glyphs = _glyphs_by_font(document)
    files = [item for item in pdf.objects if getattr(item, "extra", {}).get("Subtype") == "/OpenType"]
    shrunk = {file.reference for file in files if _shrink_file(file, glyphs)}
    for item in pdf.objects if shrunk else ():
        if _descends_from(item, pdf, shrunk):
            del item["CIDToGIDMap"]  # belongs to TrueType fonts alone; here the font's own list decides


def _glyphs_by_font(document: Any) -> dict[bytes, set[int]]:
    glyphs: dict[bytes, set[int]] = {}
    for font in document.fonts.values():
        glyphs.setdefault(font.file_content, set()).update(font.to_unicode)
    return glyphs


def _shrink_file(file: Any, glyphs: dict[bytes, set[int]]) -> bool:
    content = b"".join(file.stream)
    small = shrink_font(content, glyphs.get(content, set()))
    if small is not None:
        file.stream, file.extra["Subtype"] = [small], "/CIDFontType0C"
    return small is not None


def shrink_font(font: bytes, glyphs: Iterable[int]) -> bytes | None:
    """Return the bare CFF of an OpenType font with only these glyphs, named by their numbers in `font`.

    None when the font is not character-keyed: its glyphs have no numbers of their own to keep.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(font), lazy=True) as opened:
        top = opened["CFF "].cff.topDictIndex[0]
        if not hasattr(top, "ROS"):
            return None
        kept = sorted({0, *glyphs} & set(range(len(top.charset))))
        options = subset.Options(notdef_outline=True, recalc_bounds=False)
        subsetter = subset.Subsetter(options)
        subsetter.populate(gids=kept)
        subsetter.subset(opened)
        _name_by_number(top, kept)
        return bytes(opened["CFF "].compile(opened))


def _name_by_number(top: Any, numbers: list[int]) -> None:
    """Name each glyph by the number that the page calls it by; the list that came with the font may be wrong."""
    old, new = top.charset, [".notdef", *(f"cid{number:05d}" for number in numbers[1:])]
    places = top.CharStrings.charStrings
    top.CharStrings.charStrings = {name: places[was] for was, name in zip(old, new, strict=True)}
    top.charset = new


def _descends_from(item: Any, pdf: Any, files: set[bytes]) -> bool:
    if not (isinstance(item, dict) and "CIDToGIDMap" in item):
        return False
    descriptor = pdf.objects[int(item["FontDescriptor"].split()[0])]
    return descriptor.get("FontFile3") in files
