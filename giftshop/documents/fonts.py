"""The typefaces, from packages, the same on every machine: files for paper, small web subsets for pages.

`python -m giftshop.documents.fonts` makes the subsets, their style sheet and their licences in static/fonts/, once at
set-up.
"""

import hashlib
import io
import sys
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

STATIC_FONTS = Path(__file__).resolve().parent.parent.parent / "static" / "fonts"

LATIN = "U+20-7E, U+A0-FF, U+2013-2014, U+2018-201A, U+201C-201E, U+2022, U+2026, U+20AC, U+2212, U+2713"
HEADLINES = "U+20-7E, U+A0-A1, U+A3, U+BF-FF, U+2013-2014, U+2018-2019, U+201C-201D, U+2026, U+20AC, U+2212"
"""The same without signs that no name or amount has: what a page shows first must not weigh."""
EUROPEAN = "U+100-17F, U+218-21B"
FURTHER_LATIN = "U+180-217, U+21C-24F, U+2B0-2FF, U+1E00-1E9F"
VIETNAMESE = "U+1EA0-1EFF"
GREEK = "U+370-3FF, U+1F00-1FFF"
CYRILLIC = "U+400-45F, U+490-491"
FURTHER_CYRILLIC = "U+460-48F, U+492-52F"


@dataclass(frozen=True, slots=True)
class Typeface:
    """One font file: its package, its file name there, and the family name we call it by."""

    package: str
    file: str
    family: str
    weight: int

    @property
    def path(self) -> Path:
        """Where the file lies. Raises ModuleNotFoundError when its package is not installed."""
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(self.package)
        return Path(spec.origin).parent / "files" / self.file

    @property
    def features(self) -> list[str]:
        """What pages ask of it: headings figures of their own width, text of one width and slashed zeros in codes."""
        return ["kern", "liga", "locl", "lnum", *(["pnum"] if self == DISPLAY else ["tnum", "zero"])]

    @property
    def has_slashed_zeros(self) -> bool:
        """Tell whether its zeros carry a slash: right in a code, wrong in "$120.00", so there they get an open one."""
        return self.package == "fontpkg_atkinson_hyperlegible"


DISPLAY = Typeface("font_source_serif_pro", "SourceSerifPro-Semibold.ttf", "Source Serif Pro", 600)
TEXT = Typeface("fontpkg_atkinson_hyperlegible", "AtkinsonHyperlegible-Regular.ttf", "Atkinson Hyperlegible", 400)
TEXT_BOLD = Typeface("fontpkg_atkinson_hyperlegible", "AtkinsonHyperlegible-Bold.ttf", "Atkinson Hyperlegible", 700)
FALLBACK = Typeface("font_source_sans_pro", "SourceSansPro-Regular.ttf", "Source Sans Pro", 400)
FALLBACK_BOLD = Typeface("font_source_sans_pro", "SourceSansPro-Bold.ttf", "Source Sans Pro", 700)
ALL = (DISPLAY, TEXT, TEXT_BOLD, FALLBACK, FALLBACK_BOLD)

_OTHER_SCRIPTS = (VIETNAMESE, GREEK, CYRILLIC, FURTHER_CYRILLIC)
_SUBSETS = [
    *((DISPLAY, DISPLAY.family, letters) for letters in (HEADLINES, EUROPEAN, FURTHER_LATIN, *_OTHER_SCRIPTS)),
    *((face, TEXT.family, letters) for face in (TEXT, TEXT_BOLD) for letters in (LATIN, EUROPEAN, FURTHER_LATIN)),
    *((face, TEXT.family, letters) for face in (FALLBACK, FALLBACK_BOLD) for letters in _OTHER_SCRIPTS),
]
"""Each web font: the file, the family pages know it by, and the letters it brings.

A page loads those it has letters of: a name in another script must not make it heavy.
"""

_STAND_INS = [
    (DISPLAY, "Source Serif as Georgia", "Georgia", 400, 0.4356),
    (DISPLAY, "Source Serif as DejaVu", "DejaVu Serif", 400, 0.5081),
    (TEXT, "Atkinson as Arial", "Arial", 400, 0.4384),
    (TEXT_BOLD, "Atkinson as Arial", "Arial Bold", 700, 0.4730),
    (TEXT, "Atkinson as DejaVu", "DejaVu Sans", 400, 0.5025),
    (TEXT_BOLD, "Atkinson as DejaVu", "DejaVu Sans Bold", 700, 0.5677),
]
"""Each stand-in while a web font loads: the visitor's own font, with the mean width of its English text in em."""

_ENGLISH = (
    "The quick relief of an hour without pain: shoulders, neck and lower back, slowly and with care. "
    "Bring this page, show it on your phone, or read out the code when you arrive at the practice."
)


def read_face(face: Typeface) -> bytes:
    """Return a font file as we print and serve it: zeros are open, and slashed by the feature "zero" (as in codes)."""
    if not face.has_slashed_zeros:
        return face.path.read_bytes()
    from fontTools.ttLib import TTFont

    written = io.BytesIO()
    with TTFont(face.path, recalcTimestamp=False) as font:
        font.ensureDecompiled()  # the order of its glyphs is about to change
        _open_zeros(font)
        font.save(written)
    return written.getvalue()


def _open_zeros(font: Any) -> None:
    """Give zeros one counter, as large as the two beside their slash, and keep the slashed ones as alternates."""
    from fontTools.otlLib.builder import buildLookup, buildSingleSubstSubtable
    from fontTools.ttLib.tables import otTables

    glyphs, table = font["glyf"], font["GSUB"].table
    font.setGlyphOrder([*font.getGlyphOrder(), "zero.slash"])
    glyphs["zero.slash"], font["hmtx"]["zero.slash"] = deepcopy(glyphs["zero"]), font["hmtx"]["zero"]
    for name in ("zero", "zero.tf"):
        glyphs[name] = _with_one_counter(glyphs[name], glyphs)
    table.LookupList.Lookup.append(buildLookup([buildSingleSubstSubtable({"zero": "zero.slash"})]))
    feature = otTables.FeatureRecord()
    feature.FeatureTag, feature.Feature = "zero", otTables.Feature()
    feature.Feature.FeatureParams, feature.Feature.LookupListIndex = None, [len(table.LookupList.Lookup) - 1]
    table.FeatureList.FeatureRecord.append(feature)
    for script in table.ScriptList.ScriptRecord:
        for language in (script.Script.DefaultLangSys, *(each.LangSys for each in script.Script.LangSysRecord)):
            language.FeatureIndex.append(len(table.FeatureList.FeatureRecord) - 1)


def _with_one_counter(zero: Any, glyphs: Any) -> Any:
    """Draw the outer edge of a zero once more inside, to the edges of what was left free beside its slash."""
    from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphCoordinates
    from fontTools.ttLib.tables.ttProgram import Program

    points, ends, flags = zero.getCoordinates(glyphs)
    edge, free = list(points[: ends[0] + 1]), list(points[ends[0] + 1 :])
    (left, low), (right, high) = _corners(edge)
    (inner_left, inner_low), (inner_right, inner_high) = _corners(free)
    wide, tall = (inner_right - inner_left) / (right - left), (inner_high - inner_low) / (high - low)
    counter = [(round(inner_left + (x - left) * wide), round(inner_low + (y - low) * tall)) for x, y in edge]
    drawn = Glyph()
    drawn.numberOfContours, drawn.program = 2, Program()
    drawn.program.fromBytecode(b"")
    drawn.coordinates = GlyphCoordinates([*edge, *reversed(counter)])
    drawn.flags = bytearray([*flags[: len(edge)], *reversed(flags[: len(edge)])])
    drawn.endPtsOfContours = [len(edge) - 1, 2 * len(edge) - 1]
    drawn.recalcBounds(glyphs)
    return drawn


def _corners(points: list[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    across, up = zip(*points, strict=True)
    return (min(across), min(up)), (max(across), max(up))


@cache
def letters_of(face: Typeface) -> frozenset[int]:
    """Return the code points that a font file can draw, from its own character map."""
    from fontTools.ttLib import TTFont

    with TTFont(face.path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def has_letters(face: Typeface, text: str) -> bool:
    """Tell whether a face can draw every letter of `text`."""
    return {ord(letter) for letter in text} <= letters_of(face)


def make_web_fonts(folder: Path) -> list[Path]:
    """Write the subsets as woff2, named by their content, with fonts.css and the licences; return the font files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.woff2"):
        stale.unlink()
    rules, files = [], []
    for face, family, letters in _SUBSETS:
        data = _subset(face, letters)
        path = folder / f"{face.path.stem.lower()}.{hashlib.sha256(data).hexdigest()[:8]}.woff2"
        path.write_bytes(data)
        files.append(path)
        rules.append(_face_rule(family, face.weight, f"url(/static/fonts/{path.name}) format('woff2')", letters))
    rules += [_stand_in_rule(*stand_in) for stand_in in _STAND_INS]
    for face in ALL:
        (folder / f"{face.package}.LICENSE.txt").write_text(_licence(face), encoding="utf-8")
    (folder / "fonts.css").write_text("\n".join(rules) + "\n", encoding="utf-8")
    return files


def _subset(face: Typeface, letters: str) -> bytes:
    from fontTools import subset

    options = subset.Options(flavor="woff2", layout_features=face.features, desubroutinize=True, hinting=False)
    options.name_IDs, options.notdef_outline, options.recommended_glyphs = [1, 2], True, False
    font = subset.load_font(io.BytesIO(read_face(face)), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_code_points(letters))
    subsetter.subset(font)
    written = io.BytesIO()
    subset.save_font(font, written, options)
    return written.getvalue()


def _code_points(letters: str) -> list[int]:
    found: list[int] = []
    for part in letters.replace("U+", "").split(", "):
        first, _, last = part.partition("-")
        found.extend(range(int(first, 16), int(last or first, 16) + 1))
    return found


SURE_LETTERS = frozenset("\n" + "".join(map(chr, _code_points(f"{LATIN}, U+100-17E, U+218-21B, U+1EA0-1EF9"))))
"""Letters that the packages' faces have, whatever the system has: nobody need look for them."""


def _face_rule(family: str, weight: int, source: str, letters: str) -> str:
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: swap; '
        f"src: {source}; unicode-range: {letters} }}"
    )


def _stand_in_rule(face: Typeface, family: str, local: str, weight: int, width: float) -> str:
    """Scale a visitor's own font to the width and the lines of ours, so that nothing jumps when ours arrives."""
    font = _metrics(face)
    scale = font["width"] / width
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: local("{local}"); '
        f"size-adjust: {scale:.1%}; ascent-override: {font['ascent'] / scale:.1%}; "
        f"descent-override: {font['descent'] / scale:.1%}; line-gap-override: 0% }}"
    )


def _metrics(face: Typeface) -> dict[str, float]:
    """Return mean width of English text, ascent and descent, each in em."""
    from fontTools.ttLib import TTFont

    with TTFont(face.path, lazy=True) as font:
        em, widths, names = font["head"].unitsPerEm, font["hmtx"], font.getBestCmap()
        width = sum(widths[names[ord(letter)]][0] for letter in _ENGLISH) / len(_ENGLISH)
        line: Any = font["hhea"]
        return {"width": width / em, "ascent": line.ascent / em, "descent": -line.descent / em}


def _licence(face: Typeface) -> str:
    files = face.path.parent.glob("LICENSE*"), face.path.parent.parent.glob("LICENSE*")
    return next(path for found in files for path in found).read_text(encoding="utf-8")


if __name__ == "__main__":
    for written in make_web_fonts(STATIC_FONTS):
        sys.stdout.write(f"{written.stat().st_size:6} bytes  {written.name}\n")
