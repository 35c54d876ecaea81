"""Pictures of QR codes, as the camera sends a frame of them and as a phone takes a photo."""

import io

from PIL import Image

from giftshop.documents.qr import qr_modules

PHONE_SIZE = (4032, 3024)
"""What phones have taken for ten years: 12 megapixels."""


def photo_of(text: str, kind: str = "JPEG") -> bytes:
    """A photograph of a QR code."""
    modules = qr_modules(text)
    picture = Image.new("L", (len(modules) + 8, len(modules) + 8), 255)
    for y, row in enumerate(modules):
        for x, is_dark in enumerate(row):
            picture.putpixel((x + 4, y + 4), 0 if is_dark else 255)
    written = io.BytesIO()
    picture.resize((400, 400), Image.Resampling.NEAREST).save(written, kind)
    return written.getvalue()


def phone_photo(text: str) -> bytes:
    """A photo of a QR code on a table with some grain, several megabytes large."""
    photo = Image.effect_noise(PHONE_SIZE, 60).convert("RGB")
    photo.paste(Image.open(io.BytesIO(photo_of(text, "PNG"))).resize((900, 900)), (1500, 1000))
    written = io.BytesIO()
    photo.save(written, "JPEG", quality=90)
    return written.getvalue()
