"""The proof: whether a printed certificate shows what it must, looked at as a reader of its page would, for child.py.

Its page is rasterised and its QR code read back; its glyphs are counted as they were set, for a missing one is drawn
as a box, which no text layer tells.
"""

import io
from dataclasses import dataclass

from giftshop.documents.qr import certificate_address
from giftshop.documents.wording import CertificateFace

DOTS_PER_INCH = 110
"""Fewer than any scanner or telephone sees."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a print: letters that no font has, or a code that cannot be read back."""

    letters: str = ""
    is_unreadable: bool = False


def find_fault(pdf: bytes, face: CertificateFace, missing: str) -> Fault | None:
    """Return what keeps a certificate from going out; `missing` are the letters set without a glyph."""
    if missing:
        return Fault(letters=missing)
    if certificate_address(face.base_url, face.code) not in _codes_on(pdf):
        return Fault(is_unreadable=True)
    return None


def _codes_on(pdf: bytes) -> list[str]:
    """Return the QR codes of the last page, which carries the symbol on every paper."""
    import pypdfium2
    import zxingcpp

    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        page = document[len(document) - 1]
        picture = page.render(scale=DOTS_PER_INCH / 72, grayscale=True).to_pil()
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [barcode.text for barcode in found if barcode.valid]
