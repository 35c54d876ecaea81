"""Pictures of QR codes as the counter gets them: frames of its camera, and phones' photos of many megapixels."""

import io

from PIL import Image

from giftshop.documents.qr import read_code_image

MOST_FRAME_BYTES, MOST_PHOTO_BYTES = 512_000, 16_000_000
MOST_PIXELS = 64_000_000
SIDE = 1600
"""A code that fills a tenth of the picture still has five points to a module."""
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def read_photo(data: bytes) -> str | None:
    """Return the text of the QR code in a photo, or None: for whatever else was sent, too."""
    try:
        return read_code_image(_shrunk(data))
    except _UNREADABLE:
        return None


def read_frame(data: bytes) -> str | None:
    """Return the text of the QR code in a frame (JPEG), or None: for whatever else was sent, too."""
    try:
        return read_code_image(data, jpeg_only=True)
    except _UNREADABLE:
        return None


def _shrunk(data: bytes) -> bytes:
    """Return a large JPEG smaller; its decoder leaves out the detail itself, so memory stays small."""
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as photo:
        if photo.format != "JPEG" or max(photo.size) <= SIDE or photo.width * photo.height > MOST_PIXELS:
            return data
        photo.draft("L", (SIDE, SIDE))
        small = photo.convert("L")
    small.thumbnail((SIDE, SIDE))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=90)
    return written.getvalue()
