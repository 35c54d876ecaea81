"""Embedded fonts made small: the list of a CJK font's 47,000 glyph names, written as the one range it is.

The subsetter keeps every glyph's number and lists them one by one, 90 KB that hardly compress in each PDF with a
Chinese name. The list is rewritten in place as a range (Adobe Technical Note 5176, charset formats 0 and 2), the
rest of its room filled with zeros, so that no offset in the font moves.
"""

import struct
from typing import Any

_CHARSET, _ESCAPE = 15, 12


def shorten_glyph_lists(_document: Any, pdf: Any) -> None:
    """Rewrite the glyph list of every OpenType font embedded in a document about to be written."""
    for item in pdf.objects:
        if getattr(item, "extra", {}).get("Subtype") == "/OpenType":
            item.stream = [shorten_glyph_list(b"".join(item.stream))]


def shorten_glyph_list(font: bytes) -> bytes:
    """Return an OpenType font whose glyph names count 1, 2, 3 … with that list as a range; any other as it is."""
    start = _table(font, b"CFF ")
    if start is None:
        return font
    offset = _charset_offset(font, start)
    if offset <= 2 or font[start + offset] != 0:  # 0–2 name predefined lists; other formats are short already
        return font
    count = _glyph_count(font)
    room = slice(start + offset, start + offset + 1 + 2 * (count - 1))
    if font[room] != bytes(1) + b"".join(struct.pack(">H", number) for number in range(1, count)):
        return font
    short = struct.pack(">BHH", 2, 1, count - 2)
    return font[: room.start] + short.ljust(room.stop - room.start, b"\0") + font[room.stop :]


def _table(font: bytes, tag: bytes) -> int | None:
    count = struct.unpack_from(">H", font, 4)[0]
    for record in range(12, 12 + 16 * count, 16):
        if font[record : record + 4] == tag:
            return int(struct.unpack_from(">I", font, record + 8)[0])
    return None


def _glyph_count(font: bytes) -> int:
    start = _table(font, b"maxp")
    return int(struct.unpack_from(">H", font, start + 4)[0]) if start is not None else 0


def _charset_offset(font: bytes, start: int) -> int:
    """Return where the glyph list stands in the CFF table, from its top dictionary; 0 when it names none."""
    names_end = _index_end(font, start + font[start + 2])
    size = font[names_end + 2]
    first = names_end + 3 + 2 * size
    end = _index_end(font, names_end)
    operand = 0
    place = first
    while place < end:
        byte = font[place]
        if byte == _CHARSET:
            return operand
        if byte == _ESCAPE:
            place += 2
        elif byte <= 21:
            place += 1
        else:
            operand, place = _operand(font, place)
    return 0


def _index_end(font: bytes, start: int) -> int:
    """Return where an INDEX ends: a count, the size of its offsets, the offsets, the data."""
    count, size = (int(part) for part in struct.unpack_from(">HB", font, start))
    if count == 0:
        return start + 2
    last = start + 3 + count * size
    return start + 2 + (count + 1) * size + int.from_bytes(font[last : last + size], "big")


def _operand(font: bytes, place: int) -> tuple[int, int]:
    """Return an operand's value (real numbers count as 0) and the place behind it."""
    byte = font[place]
    if byte == 28:
        return int(struct.unpack_from(">h", font, place + 1)[0]), place + 3
    if byte == 29:
        return int(struct.unpack_from(">i", font, place + 1)[0]), place + 5
    if byte == 30:
        place += 1
        while font[place] & 0x0F != 0x0F:
            place += 1
        return 0, place + 1
    if byte <= 246:
        return byte - 139, place + 1
    sign = 1 if byte <= 250 else -1
    return sign * ((byte - (247 if sign > 0 else 251)) * 256 + font[place + 1] + 108), place + 2
