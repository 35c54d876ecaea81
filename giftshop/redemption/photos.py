"""Pictures of QR codes as the counter gets them: frames of its camera, and photos, screenshots and PDFs of any size."""

from giftshop.documents.qr import read_code_image
from giftshop.redemption.pictures import PictureError, read_picture

MOST_FRAME_BYTES, MOST_PHOTO_BYTES = 512_000, 16_000_000


class NoCodeInPhotoError(PictureError):
    """There is no QR code in that picture. Hold it closer, or type the code."""


class NoPhotoError(PictureError):
    """Take a photo of the QR code first, or choose one."""


def read_photo(data: bytes) -> str:
    """Return the text of the QR code in a photo. Raises PictureError, which says what is wrong with it."""
    if not data:
        raise NoPhotoError
    text = read_picture(data)
    if text is None:
        raise NoCodeInPhotoError
    return text


def read_frame(data: bytes) -> str | None:
    """Return the text of the QR code in a frame (JPEG), or None: for whatever else was sent, too."""
    return read_code_image(data, jpeg_only=True)
