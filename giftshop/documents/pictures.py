"""The two pictures of a printed certificate, for pdf.py: the backdrop of the sheet and the QR symbol.

They write PDF operators themselves where WeasyPrint expects an image: four times faster than SVG in the page.
"""

import io
from typing import Any

from giftshop.documents.artwork.drawing import DESIGNS, HEIGHT, PALETTES, WIDTH, Palette, pdf_operators, rgb
from giftshop.documents.layout import PLATE_PAD, POINT, Layout, Plate, Sheet
from giftshop.documents.qr import qr_pdf_operators

PNG_WIDTH, PNG_RATIO, PNG_COLOURS = 1120, 2, 16
TICK = (5.0, 9.0)
"""Millimetres from the edge between which a fold's tick stands: nearer to it most printers print nothing."""
_SPOT = (
    "20.5 16 m 20.5 18.37 18.57 20.3 16.2 20.3 c 13.83 20.3 11.9 18.37 11.9 16 c "
    "11.9 13.63 13.83 11.7 16.2 11.7 c 18.57 11.7 20.5 13.63 20.5 16 c h"
)
_RINGS = (
    "16 2.2 m 24 2.2 29.6 7.9 29.8 15.7 c 30 23.9 23.9 29.8 15.9 29.8 c "
    "8 29.8 2 23.9 2.2 15.8 c 2.4 7.9 8.2 2.2 16 2.2 c h "
    "16.2 7.2 m 21.4 7.1 24.9 10.9 24.8 16 c 24.7 21 21 24.7 15.9 24.7 c "
    "10.9 24.7 7.2 21.1 7.2 16.1 c 7.2 10.9 11.1 7.3 16.2 7.2 c h"
)
"""The mark of templates/storefront/mark.svg, 32 units wide: a spot of colour, and two rings around it."""


class Picture:
    """Operators in a box whose origin is its lower left corner, stretched to wherever the page places it."""

    def __init__(self, operators: bytes, width: float, height: float) -> None:
        self._operators, self._width, self._height = operators, width, height

    def get_intrinsic_size(self, *_: Any) -> tuple[float, float, float]:
        """Return width, height and ratio, as the library asks every image."""
        return self._width, self._height, self._width / self._height

    def draw(self, stream: Any, width: float, height: float, *_: Any) -> None:
        """Write the operators into the page, whose lengths count from the upper left corner."""
        stream.push_state()
        stream.transform(width / self._width, 0, 0, -height / self._height, 0, height)
        stream.stream.append(self._operators)
        stream.pop_state()


def backdrop(design: str, seed: str, palette: Palette, sheet: Sheet, layout: Layout) -> Picture:
    """Return the drawing across the top of a sheet, the plate on it, and the ticks that mark the folds."""
    width, height = sheet.width / POINT, sheet.height / POINT
    high, scale = layout.art / POINT, width / WIDTH
    below = (HEIGHT * scale - high) * (1 - DESIGNS[design].focus)
    operators = [
        f"q 0 {height - high:.2f} {width:.2f} {high:.2f} re W n".encode(),
        f"{scale:.5f} 0 0 {scale:.5f} 0 {height - high - below:.3f} cm".encode(),
        pdf_operators(design, seed, palette),
        b"Q",
        _plate(layout.plate, palette, height),
        b"0.35 w 0.46 0.52 0.5 RG",
    ]
    for fold in sheet.folds:
        y, near, far = height - fold / POINT, TICK[0] / POINT, TICK[1] / POINT
        ends = ((near, far), (width - far, width - near))
        operators.append(
            " ".join(f"{left:.2f} {y:.2f} m {right:.2f} {y:.2f} l" for left, right in ends).encode() + b" S"
        )
    return Picture(b"\n".join(operators), width, height)


def _plate(plate: Plate, palette: Palette, height: float) -> bytes:
    """Draw the white plate with the mark on it; the name beside the mark is the page's own text."""
    box = (plate.left, height * POINT - plate.top - plate.height, plate.width, plate.height)
    scale, left = plate.mark / POINT / 32, (plate.left + PLATE_PAD) / POINT
    middle = height - (plate.top + plate.height / 2) / POINT
    return "\n".join(
        (
            f"1 g {' '.join(f'{side / POINT:.2f}' for side in box)} re f",
            f"q {scale:.5f} 0 0 {-scale:.5f} {left:.2f} {middle + 16 * scale:.2f} cm 1.6 w",
            f"{rgb(palette.accent)} rg {rgb(palette.line)} RG",
            f"{_SPOT} B {_RINGS} S Q",
        )
    ).encode()


NOTHING = Picture(b"", 1, 1)
"""An empty picture."""


def drawing_png(design: str, seed: str, palette: str) -> bytes:
    """Return a certificate's drawing as PNG, twice as wide as it stands in an e-mail, some 50 KB."""
    import pydyf
    import pypdfium2

    pdf, stream = pydyf.PDF(), pydyf.Stream([pdf_operators(design, seed, PALETTES[palette])])
    pdf.add_object(stream)
    box = pydyf.Array([0, 0, WIDTH, HEIGHT])
    page = {"Type": "/Page", "Parent": pdf.pages.reference, "MediaBox": box, "Contents": stream.reference}
    pdf.add_page(pydyf.Dictionary(page))
    written, drawn = io.BytesIO(), io.BytesIO()
    pdf.write(written)
    with pypdfium2.PdfDocument(written.getvalue()) as document:
        picture = document[0].render(scale=PNG_WIDTH / WIDTH).to_pil().convert("RGB")
    high = round(PNG_WIDTH / PNG_RATIO)
    top = round((picture.height - high) * DESIGNS[design].focus)
    cut = picture.crop((0, top, PNG_WIDTH, top + high))
    cut.quantize(PNG_COLOURS).save(drawn, "PNG", optimize=True)
    return drawn.getvalue()


def qr_picture(address: str) -> Picture:
    """Return the QR symbol of an address with its quiet zone."""
    operators, side = qr_pdf_operators(address)
    return Picture(operators, side, side)
