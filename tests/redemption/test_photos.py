"""Photos at the counter: of whatever kind and size people have, each read, or told why it cannot be."""

import io
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageFile

from giftshop.certificates.codes import new_code
from giftshop.documents import pdf
from giftshop.documents.pdf import Paper
from giftshop.documents.qr import certificate_address
from giftshop.redemption import pictures
from giftshop.redemption.photos import NoCodeInPhotoError, NoPhotoError, read_photo
from giftshop.redemption.pictures import (
    DamagedPictureError,
    HeicError,
    HugePictureError,
    LockedPdfError,
    NoPictureError,
    PictureError,
    SlowPictureError,
)
from tests import build
from tests.documents.test_pdf import FACE
from tests.hostile import encode_file
from tests.redemption.pictures import photo_of
from tests.signing_in import hire, signed_in

ADDRESS = "HTTPS://GIFT.EXAMPLE.COM/C/K7M2QX9RTB4DHVWR"
PORTRAIT, SCREENSHOT = (3024, 4032), (1440, 3120)


def square(side: int, text: str = ADDRESS) -> Image.Image:
    """Draw a QR code of that many points a side."""
    return Image.open(io.BytesIO(photo_of(text, "PNG"))).convert("L").resize((side, side))


@cache
def taken(size: tuple[int, int], side: int) -> Image.Image:
    """A picture of that size with some grain, and a code in its lower part."""
    picture = Image.effect_noise(size, 60).convert("RGB")
    picture.paste(square(side).convert("RGB"), (size[0] // 4, size[1] // 2))
    return picture


def see_through(ink: int) -> Image.Image:
    """A code of one ink, and nothing where its ground would be."""
    picture = Image.new("RGBA", (1200, 1200), (0, 0, 0, 0))
    picture.paste(Image.new("RGBA", (800, 800), (ink, ink, ink, 255)), (200, 200), square(800).point(lambda v: 255 - v))
    return picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def turned(way: int, kind: str = "JPEG", **options: Any) -> bytes:
    """A portrait that says how it is to be turned, as phones write it."""
    exif = Image.Exif()
    exif[0x0112] = way
    return saved(taken(PORTRAIT, 900), kind, exif=exif, quality=85, **options)


def sixteen_bits() -> bytes:
    shades = square(600).convert("I").point(lambda shade: shade * 257)
    return saved(shades.convert("I;16"), "PNG")


def two_codes() -> bytes:
    """A shelf of the practice: the code of its network beside a certificate."""
    picture = Image.new("L", (1400, 700), 255)
    picture.paste(square(500, "WIFI:T:WPA;S:Practice;P:relax;;"), (50, 100))
    picture.paste(square(500), (800, 100))
    return saved(picture, "PNG")


def empty_pdf() -> bytes:
    written = io.BytesIO()
    pypdfium2.PdfDocument.new().save(written)
    return written.getvalue()


LOCKED = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n4 0 obj<</Filter/Standard/V 1/R 2/P -4"
    b"/O<" + b"ab" * 32 + b">/U<" + b"cd" * 32 + b">>>endobj\ntrailer<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]/Size 5>>"
)


READ: dict[str, Callable[[], bytes]] = {
    "an iPhone's portrait (MPO)": partial(
        turned, 6, "MPO", save_all=True, append_images=[Image.new("RGB", (300, 400))]
    ),
    **{f"a JPEG turned by {way}": partial(turned, way) for way in range(1, 9)},
    "a progressive JPEG": lambda: saved(taken(PORTRAIT, 900), "JPEG", progressive=True),
    "a JPEG for printers": lambda: saved(taken(PORTRAIT, 900).convert("CMYK"), "JPEG"),
    "a screenshot (PNG)": lambda: saved(taken(SCREENSHOT, 500), "PNG", compress_level=1),
    "a screenshot (WebP)": lambda: saved(taken(SCREENSHOT, 500), "WEBP", quality=80),
    "a photo (PNG)": lambda: saved(taken(PORTRAIT, 900).convert("L"), "PNG", compress_level=1),
    "black on nothing (PNG)": lambda: saved(see_through(0), "PNG"),
    "white on nothing (PNG)": lambda: saved(see_through(255), "PNG"),
    "black on nothing (WebP)": lambda: saved(see_through(0), "WEBP", lossless=True),
    "black on nothing, few colours": lambda: saved(see_through(0).quantize(8), "PNG"),
    "grey on nothing": lambda: saved(see_through(60).convert("LA"), "PNG"),
    "one bit": lambda: saved(square(300).convert("1"), "PNG"),
    "sixteen bits": sixteen_bits,
    "AVIF": lambda: saved(taken(SCREENSHOT, 500), "AVIF", speed=10),
    "black on nothing (AVIF)": lambda: saved(see_through(0), "AVIF", speed=10),
    "GIF": lambda: saved(taken(SCREENSHOT, 500).convert("P"), "GIF"),
    "a GIF that moves": lambda: saved(
        taken(SCREENSHOT, 500).resize((720, 1560)), "GIF", save_all=True, append_images=[Image.new("P", (720, 1560))]
    ),
    "TIFF": lambda: saved(taken(SCREENSHOT, 500), "TIFF"),
    "TIFF (LZW)": lambda: saved(taken(SCREENSHOT, 500), "TIFF", compression="tiff_lzw"),
    "a fax (TIFF)": lambda: saved(square(1700).convert("1"), "TIFF", compression="group4"),
    "BMP": lambda: saved(taken(SCREENSHOT, 500), "BMP"),
    "a scanned sheet (PDF)": lambda: saved(taken((2480, 3508), 400), "PDF", resolution=300),
    "two codes": two_codes,
}
REFUSED: dict[str, tuple[Callable[[], bytes], type[PictureError]]] = {
    "nothing": (lambda: b"", NoPhotoError),
    "no code": (lambda: saved(Image.new("L", (400, 400), 255), "PNG"), NoCodeInPhotoError),
    "no code in a PDF": (lambda: saved(Image.new("L", (400, 400), 255), "PDF"), NoCodeInPhotoError),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), HeicError),
    "HEIC of an older phone": (lambda: b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(200), HeicError),
    "SVG": (lambda: b"<svg onload=alert(1)>", NoPictureError),
    "a film": (lambda: b"\0\0\0\x18ftypisom" + bytes(200), NoPictureError),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NoPictureError),
    "half a JPEG": (lambda: turned(1)[:2_000_000], DamagedPictureError),
    "half a large PNG": (lambda: saved(taken(SCREENSHOT, 500), "PNG", compress_level=1)[:90_000], DamagedPictureError),
    "half a PDF": (lambda: b"%PDF-1.7\n1 0 obj", DamagedPictureError),
    "a PDF without a page": (empty_pdf, DamagedPictureError),
    "a locked PDF": (lambda: LOCKED, LockedPdfError),
    "a bomb": (lambda: saved(Image.new("1", (30_000, 30_000)), "PNG"), HugePictureError),
    "more than 64 megapixels": (lambda: saved(Image.new("1", (8001, 8000)), "GIF"), HugePictureError),
}


@pytest.mark.parametrize("kind", READ)
def test_a_code_is_read_from_every_kind_of_picture(kind: str) -> None:
    assert read_photo(READ[kind]()) == ADDRESS


@pytest.mark.parametrize("paper", ["letter", "a4", "card"])
def test_a_code_is_read_from_the_certificates_own_pdf(paper: Paper) -> None:
    printed = pdf.render_pdf(FACE, paper)
    assert read_photo(printed) == certificate_address(FACE.base_url, FACE.code)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_says_why(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    # WeasyPrint, which no web process loads, sets it for its own pictures.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    make, reason = REFUSED[kind]
    with pytest.raises(PictureError) as refused:
        read_photo(make())
    assert refused.type is reason
    assert len(reason().message) > 30


def test_the_counter_shows_the_reason_at_the_photo(app: Flask, desk: FlaskClient) -> None:
    for kind in ("HEIC", "a locked PDF", "a bomb", "SVG"):
        make, reason = REFUSED[kind]
        answer = desk.post("/redeem", **encode_file("photo", "photo", make()))
        assert answer.status_code == 422
        assert f'<a href="#photo">{reason().message}' in answer.text


def test_a_photographed_certificate_is_found_from_a_screenshot_and_a_pdf(app: Flask) -> None:
    desk, certificate = signed_in(app, hire("staff")), build.certificate()
    address = certificate_address("http://127.0.0.1:8000", build.code_of(certificate))
    sheet = Image.new("L", (1440, 3120), 255)
    sheet.paste(square(500, address), (400, 2000))
    for kind in ("PNG", "WEBP", "PDF", "TIFF"):
        found = desk.post("/redeem", **encode_file("photo", "photo", saved(sheet, kind)))
        assert found.location == f"/redeem/{certificate.public_id}", kind


def test_a_child_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_SECONDS", 0.02)
    before = time.monotonic()
    with pytest.raises(SlowPictureError):
        read_photo(READ["a scanned sheet (PDF)"]())
    assert time.monotonic() - before < 5


def test_a_child_knows_none_of_the_shops_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    def run(*_command: object, env: dict[str, str], **_options: object) -> Any:
        seen.append(env)
        raise pictures.subprocess.TimeoutExpired("", 1)

    monkeypatch.setenv("GIFTSHOP_CODE_PEPPER", "secret")
    monkeypatch.setattr(pictures.subprocess, "run", run)
    with pytest.raises(SlowPictureError):
        read_photo(saved(square(300), "PDF"))
    assert "secret" not in str(seen)


@pytest.mark.parametrize("kind", ["a screenshot (PNG)", "TIFF", "AVIF", "a scanned sheet (PDF)"])
def test_what_is_large_or_unusual_is_decoded_in_no_web_process(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def decode(_picture: Image.Image) -> str:
        raise AssertionError

    monkeypatch.setattr(pictures, "_read", decode)
    assert read_photo(READ[kind]()) == ADDRESS
    with pytest.raises(AssertionError):
        read_photo(READ["one bit"]())


def test_a_code_nobody_has_is_told_apart_from_a_bad_picture(app: Flask, desk: FlaskClient) -> None:
    photo = photo_of(certificate_address("http://127.0.0.1:8000", new_code()))
    assert "No such certificate" in desk.post("/redeem", **encode_file("photo", "photo.jpg", photo)).text
