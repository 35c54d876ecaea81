"""The two pictures of a printed certificate, for pdf.py: the backdrop of the sheet and the QR symbol.

They write PDF operators themselves where WeasyPrint expects an image: four times faster than SVG in the page.
"""

from typing import Any

from giftshop.documents.artwork.drawing import DESIGNS, HEIGHT, WIDTH, Palette, pdf_operators
from giftshop.documents.layout import POINT, Sheet
from giftshop.documents.qr import qr_pdf_operators

_TICK = 4.0
"""Millimetres from the edge that a fold's tick runs in."""


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


def backdrop(design: str, seed: str, palette: Palette, sheet: Sheet, art: float) -> Picture:
    """Return the drawing across the top of a sheet, `art` millimetres high, and the ticks that mark its folds."""
    width, height = sheet.width / POINT, sheet.height / POINT
    high, scale = art / POINT, width / WIDTH
    below = (HEIGHT * scale - high) * (1 - DESIGNS[design].focus)
    operators = [
        f"q 0 {height - high:.2f} {width:.2f} {high:.2f} re W n".encode(),
        f"{scale:.5f} 0 0 {scale:.5f} 0 {height - high - below:.3f} cm".encode(),
        pdf_operators(design, seed, palette),
        b"Q 0.35 w 0.46 0.52 0.5 RG",
    ]
    for fold in sheet.folds:
        y, tick = height - fold / POINT, _TICK / POINT
        line = f"0 {y:.2f} m {tick:.2f} {y:.2f} l {width - tick:.2f} {y:.2f} m {width:.2f} {y:.2f} l S"
        operators.append(line.encode())
    return Picture(b"\n".join(operators), width, height)


def qr_picture(address: str) -> Picture:
    """Return the QR symbol of an address with its quiet zone."""
    operators, side = qr_pdf_operators(address)
    return Picture(operators, side, side)
