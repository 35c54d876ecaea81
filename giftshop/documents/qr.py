"""The QR code: the certificate's address as modules, as SVG and as PDF operators, and read back from pictures."""

import io
import warnings
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

import qrcode
from PIL import Image, UnidentifiedImageError
from qrcode.constants import ERROR_CORRECT_Q

QUIET_ZONE = 4
"""Modules of white that a reader needs around the symbol (ISO/IEC 18004)."""
_BOMBS = (Image.DecompressionBombWarning, Image.DecompressionBombError)
MOST_PIXELS = 4_000_000
_MASK = 3


def certificate_address(base_url: str, code: str) -> str:
    """Return what the QR code holds: all in capitals, so that it stays in the denser alphanumeric mode."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}/C/{code}".upper()


@lru_cache(maxsize=256)
def qr_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return the symbol's rows of modules, dark ones True, without quiet zone; error correction Q.

    The mask is fixed: choosing it costs 6 ms and decodes no better.
    """
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=_MASK)
    symbol.add_data(text, optimize=0)
    symbol.make(fit=True)
    return tuple(tuple(bool(module) for module in row) for row in symbol.modules)


def qr_svg(text: str, title: str) -> str:
    """Return the symbol with its quiet zone as SVG, black on white on every page, named for screen readers."""
    modules = qr_modules(text)
    size = len(modules) + 2 * QUIET_ZONE
    dark = "".join(f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h{width}v1h-{width}z" for x, y, width in _runs(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img"'
        f' aria-label="{escape(title)}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{dark}"/></svg>'
    )


def qr_pdf_operators(text: str) -> tuple[bytes, int]:
    """Return the symbol with its quiet zone as PDF operators in a box of n × n units, and n."""
    modules = qr_modules(text)
    size = len(modules) + 2 * QUIET_ZONE
    dark = (f"{x + QUIET_ZONE} {size - QUIET_ZONE - y - 1} {width} 1 re" for x, y, width in _runs(modules))
    return f"1 g 0 0 {size} {size} re f 0 g {' '.join(dark)} f".encode("ascii"), size


def read_code_image(data: bytes, *, jpeg_only: bool = False) -> str | None:
    """Return the text of the first QR code in a picture, or None: for whatever else was sent, too.

    The picture's size is looked at before it is decoded (at most 4 megapixels); nothing is kept.
    """
    picture = _opened(data, ["JPEG"] if jpeg_only else ["JPEG", "PNG", "WEBP"])
    return next(iter(read_texts(picture)), None) if picture is not None else None


def read_texts(picture: Image.Image) -> list[str]:
    """Return the text of every QR code in a picture in shades of grey."""
    import zxingcpp  # loaded by whoever scans, not by every page

    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [barcode.text for barcode in found if barcode.valid]


def _opened(data: bytes, formats: list[str]) -> Image.Image | None:
    """Open and decode a picture in shades of grey, or return None when it is none, or too large."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=formats) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    return None
                return picture.convert("L")
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, *_BOMBS):
            return None


def _runs(modules: tuple[tuple[bool, ...], ...]) -> list[tuple[int, int, int]]:
    """Return the dark runs of each row as (x, y, width): fewer and seamless, where single squares show hairlines."""
    runs = []
    for y, row in enumerate(modules):
        start = None
        for x, is_dark in enumerate((*row, False)):
            if is_dark and start is None:
                start = x
            elif not is_dark and start is not None:
                runs.append((start, y, x - start))
                start = None
    return runs
