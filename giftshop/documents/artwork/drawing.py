"""The drawing of a certificate: one list of paths, written as SVG for pages and as PDF operators for paper.

Each drawing is 600 × 340 units, seeded by the certificate's public id, never by its code.
"""

from html import escape
from typing import NamedTuple

from giftshop.documents.artwork.contours import THIN, Grain, Outline, Shape
from giftshop.documents.artwork.designs import DESIGNS, Design

__all__ = [
    "DESIGNS",
    "HEIGHT",
    "PALETTES",
    "WIDTH",
    "Design",
    "Palette",
    "pdf_operators",
    "rgb",
    "svg",
    "thumbnail_svg",
]

WIDTH, HEIGHT = 600, 340
THUMBNAIL_SCALE, MANY_LINES = 4, 35


class Palette(NamedTuple):
    """The three colours of a drawing, as #rrggbb."""

    line: str
    accent: str
    ground: str


PALETTES = {
    "spruce": Palette("#1c4f4a", "#f2b279", "#e3ede7"),
    "indigo": Palette("#2b3a78", "#f0a58d", "#e6e9f5"),
    "plum": Palette("#5b2450", "#b9cfa4", "#f1e6ee"),
    "basalt": Palette("#2a3036", "#edc04a", "#e9ebed"),
    "lagoon": Palette("#0c5270", "#f7a491", "#dfedf3"),
}
"""The palettes a practice may choose; "spruce" is the sample practice's."""


def svg(design: str, seed: str, *, title: str = "", palette: Palette | None = None) -> str:
    """Return the drawing as SVG; without a title it is decoration and hidden from screen readers.

    Without a palette the shapes carry the classes art-line, art-accent and art-ground, which the page colours.
    """
    body = "".join(_path(shape, _relative(shape.outline, 1), shape.weight, palette) for shape in _shapes(design, seed))
    return _svg(WIDTH, HEIGHT, THIN, body, title=title, palette=palette)


def thumbnail_svg(design: str, seed: str, *, palette: Palette | None = None) -> str:
    """Return the same drawing at a quarter of the size, half of the thin lines left out, for the picker (1–2 KB).

    Of very many two thirds are left out.
    """
    body, lines, shapes = "", 0, _shapes(design, seed)
    every = 2 if sum(shape.weight == THIN for shape in shapes) < MANY_LINES else 3
    for shape in shapes:
        lines += shape.role == "line"
        if shape.role != "line" or shape.weight != THIN or lines % every == 1:
            body += _path(shape, _relative(shape.outline, THUMBNAIL_SCALE), THIN, palette)
    size = (WIDTH // THUMBNAIL_SCALE, round(HEIGHT / THUMBNAIL_SCALE))
    return _svg(*size, 0.7, body, title="", palette=palette)


def pdf_operators(design: str, seed: str, palette: Palette) -> bytes:
    """Return the drawing as PDF operators in a box of WIDTH × HEIGHT units, origin at the lower left corner.

    Ground first, then the paths in their order with round caps and joins, as in the SVG.
    """
    operators = [f"1 0 0 -1 0 {HEIGHT} cm 1 J 1 j", f"{rgb(palette.ground)} rg 0 0 {WIDTH} {HEIGHT} re f"]
    operators.append(f"{rgb(palette.line)} RG")
    for shape in _shapes(design, seed):
        path = " ".join(_pdf_segment(*segment) for segment in shape.outline)
        if shape.role == "line":
            operators.append(f"{shape.weight:g} w {path} S")
        else:
            operators.append(f"{rgb(getattr(palette, shape.role))} rg {path} f")
    return "\n".join(operators).encode("ascii")


def _shapes(design: str, seed: str) -> list[Shape]:
    return DESIGNS[design].draw(Grain(seed))


def _svg(width: int, height: int, weight: float, body: str, *, title: str, palette: Palette | None) -> str:
    label = f'role="img" aria-label="{escape(title)}"' if title else 'aria-hidden="true" focusable="false"'
    ground = f'<path {_paint("ground", palette)} d="M0 0H{width}V{height}H0Z"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {label}'
        f' preserveAspectRatio="xMaxYMid slice" fill="none" stroke-width="{weight:g}"'
        f' stroke-linecap="round" stroke-linejoin="round">{ground}{body}</svg>'
    )


def _path(shape: Shape, data: str, weight: float, palette: Palette | None) -> str:
    width = f' stroke-width="{weight:g}"' if weight != THIN else ""
    return f'<path {_paint(shape.role, palette)}{width} d="{data}"/>'


def _paint(role: str, palette: Palette | None) -> str:
    if palette is None:
        return f'class="art-{role}"'
    return f'{"stroke" if role == "line" else "fill"}="{getattr(palette, role)}"'


def _relative(outline: Outline, scale: float) -> str:
    """Write a path in steps of half a pixel from point to point: half the bytes, no difference to the eye."""
    data, here = "", (0.0, 0.0)
    for command, points in outline:
        steps = [(round(x / scale * 2) / 2, round(y / scale * 2) / 2) for x, y in points]
        values = " ".join(f"{x - here[0]:g} {y - here[1]:g}" for x, y in steps)
        data += command.lower() + values.replace(" -", "-")
        here = steps[-1] if steps else here
    return data


def _pdf_segment(command: str, points: tuple[tuple[float, float], ...]) -> str:
    return _PDF_SEGMENTS[command] % sum(points, ())


_PDF_SEGMENTS = {
    "M": "%.1f %.1f m",
    "L": "%.1f %.1f l",
    "C": "%.1f %.1f %.1f %.1f %.1f %.1f c",
    "Z": "h",
}


def rgb(colour: str) -> str:
    """Return a colour as the three numbers that PDF's operators take."""
    return " ".join(f"{int(colour[start : start + 2], 16) / 255:.4g}" for start in (1, 3, 5))
