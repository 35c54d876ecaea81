"""Pictures of whatever kind people have of a certificate, made fit for the reader of QR codes; in a child if need be.

Run as a program it reads one file from its standard input, within limits of time and memory that it sets itself, and
answers in JSON. So a picture that is made to hurt costs a child, and no web process decodes a PDF.
"""

import io
import json
import os
import resource
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from giftshop.certificates.codes import find_codes
from giftshop.documents.qr import read_texts
from giftshop.errors import ShopError

SIDE = 1600
"""To so many points a large picture is shrunk, or to the next whole part above; then to half as far."""
MOST_PIXELS, MOST_PIXELS_HERE = 64_000_000, 4_000_000
MOST_SECONDS, MOST_MEMORY = 10, 1 << 30
MOST_PAGES = 2
FORMATS_HERE = ("JPEG", "PNG", "WEBP", "GIF")
FORMATS = (*FORMATS_HERE, "AVIF", "TIFF", "BMP")
WHITE, BLACK = 255, 0
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, MemoryError)
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PDF = b"%PDF-"
_ROOT = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""What a child gets of the environment: where Python is, and none of the shop's secrets."""


class PictureError(ShopError):
    """That picture can’t be opened."""


class NoPictureError(PictureError):
    """That kind of file can’t be opened here. Send a photo, a screenshot or a PDF, or type the code."""


class HeicError(PictureError):
    """HEIC pictures can’t be opened here. Send a screenshot of it or a JPEG, or type the code."""


class DamagedPictureError(PictureError):
    """That picture arrived damaged, or only in part. Take it once more, or type the code."""


class HugePictureError(PictureError):
    """That picture is too large to be opened: more than 64 megapixels. Send a screenshot of it, or type the code."""


class LockedPdfError(PictureError):
    """That PDF is locked by a password. Scan its code from the screen, or type the code."""


class SlowPictureError(PictureError):
    """That picture takes too long to be opened. Send a screenshot of it, or type the code."""


_REFUSALS = {each.__name__: each for each in PictureError.__subclasses__()}


def read_picture(data: bytes) -> str | None:
    """Return the text of the QR code in a file, None where none is found. Raises PictureError.

    Small pictures of the usual kinds are decoded here, large JPEGs too: their decoder leaves out what is not needed.
    """
    if data.startswith(_PDF):
        return _ask_child(data)
    with _opened(data) as picture:
        is_shrinking, pixels = picture.format in ("JPEG", "MPO"), picture.width * picture.height
        if picture.format in (*FORMATS_HERE, "MPO") and (is_shrinking or pixels <= MOST_PIXELS_HERE):
            return _read(picture)
    return _ask_child(data)


def read_here(data: bytes) -> str | None:
    """Return the text of the QR code in a file, decoded in this process whatever it is. Raises PictureError."""
    if data.startswith(_PDF):
        return _choose([text for page in _draw_first_pages(data) for text in read_texts(page)])
    with _opened(data) as picture:
        return _read(picture)


def _opened(data: bytes) -> Image.Image:
    """Open a picture without decoding it yet. Raises PictureError for what is none, or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise HugePictureError from None
    except UnidentifiedImageError:
        raise (HeicError if data[4:8] == b"ftyp" and data[8:12] in _HEIC else NoPictureError) from None
    except _DAMAGED:
        raise DamagedPictureError from None
    if picture.width * picture.height > MOST_PIXELS:
        raise HugePictureError
    return picture


def _read(picture: Image.Image) -> str | None:
    """Look for a code in a picture made smaller, then in a larger one, on a white ground, then on a black one."""
    try:
        picture.draft("L", (2 * SIDE, 2 * SIDE))  # of a JPEG; others stay as they are
        full = _in_plain_mode(picture)
    except _DAMAGED:
        raise DamagedPictureError from None
    return next((text for shades in _shades_of(full) if (text := _choose(read_texts(shades)))), None)


def _shades_of(full: Image.Image) -> Iterator[Image.Image]:
    """Yield what the reader may look at: shades of grey, without anything that shines through."""
    part = max(1, max(full.size) // SIDE)
    for each in dict.fromkeys((part, max(1, part // 2))):
        small = full.reduce(each) if each > 1 else full
        if small.mode == "L":
            yield small
            continue
        for ground in (WHITE, BLACK):
            flat = Image.new("L", small.size, ground)
            flat.paste(small.convert("L"), mask=small.getchannel("A"))
            yield flat


def _in_plain_mode(picture: Image.Image) -> Image.Image:
    """Return the first frame in shades of grey, or in colours with what shines through, eight bits each."""
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode.startswith("I"):  # sixteen bits, which a conversion would cut off instead of dividing
        return picture.convert("I").point(lambda shade: shade * (1 / 256)).convert("L")
    return picture.convert("L")


def _choose(texts: list[str]) -> str | None:
    """Return, of the codes in one picture, the first that can be a certificate's, else the first."""
    return next((text for text in texts if find_codes(text)), texts[0] if texts else None)


def _draw_first_pages(data: bytes) -> Iterator[Image.Image]:
    """Draw a PDF's first pages in shades of grey: our card has its code on the second. Raises PictureError."""
    import pypdfium2  # loaded by the child alone

    try:
        with pypdfium2.PdfDocument(data) as document:
            for number in range(min(MOST_PAGES, max(1, len(document)))):
                page = document[number]
                scale = 2 * SIDE / max(page.get_size())
                drawn: Image.Image = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil()
                yield drawn.convert("L")
    except pypdfium2.PdfiumError as refusal:
        is_locked = refusal.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
        raise (LockedPdfError if is_locked else DamagedPictureError) from None
    except _DAMAGED:
        raise DamagedPictureError from None


def _ask_child(data: bytes) -> str | None:
    """Let a process of its own read a file; one that takes too much of anything is ended. Raises PictureError."""
    command, environment = [sys.executable, "-m", __name__], {name: os.environ.get(name, "") for name in _KEPT}
    try:
        child = subprocess.run(  # noqa: S603  # this module, and nothing of what was sent
            command, input=data, capture_output=True, timeout=2 * MOST_SECONDS, cwd=_ROOT, env=environment, check=False
        )
        answer = json.loads(child.stdout)
    except subprocess.TimeoutExpired:
        raise SlowPictureError from None
    except ValueError:  # it ended without an answer: by a fault of a decoder, or at a limit
        raise DamagedPictureError from None
    if refusal := answer.get("refusal"):
        raise _REFUSALS[refusal]
    text: str | None = answer["text"]
    return text


def _work() -> None:
    """Read one file from the standard input and answer in JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    try:
        answer = {"text": read_here(sys.stdin.buffer.read())}
    except PictureError as refusal:
        answer = {"refusal": type(refusal).__name__}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _work()
