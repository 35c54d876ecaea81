"""The certificate on paper: accessible, small, the same for ever, readable by a scanner, and deaf to its texts."""

import hashlib
import http.server
import io
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import outloud
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from giftshop.documents import pdf as document
from giftshop.documents.layout import lay_out
from giftshop.documents.pdf import PAPERS, CertificateFace, Paper, build_html, render_pdf
from giftshop.documents.qr import certificate_address, read_code_image
from giftshop.documents.wording import words_of
from tests.documents.drawn import last_picture

FACE = CertificateFace(
    public_id="7Z0KQ2M4XD",
    code="K7M2QX9RTB4DHVWR",
    base_url="https://gifts.focusedcare.example",
    design="shoulders",
    palette="spruce",
    recipient_name="Ana",
    giver_name="Marko",
    message="Your shoulders have carried enough. Lie down for an hour.",
    amount_text="$120.00",
    service_text="",
    practice_name="Focused Care Therapeutic Massage",
    practice_address="Focused Care Therapeutic Massage LLC, 214 Juniper Street, Fort Collins, CO 80521",
    practice_phone="(970) 555-0134",
    booking_url="https://focusedcare.example/book",
    terms=("It never expires and no fee is ever taken from it.", "Treat it as you would cash."),
    issued_on=date(2026, 11, 24),
    is_test=False,
)
PAGES = {"letter": 1, "a4": 1, "card": 2}
"""A sheet is folded, a card has two sides."""
LONG = "Your shoulders have carried enough. " * 12
HARD = [
    {"recipient_name": "Żaneta Đorđević-Łukaszewska"},
    {"recipient_name": "Nguyễn Thị Ánh"},
    {"recipient_name": "Ελένη Юлия"},
    {"recipient_name": "محمد", "message": "تهانينا"},
    {"recipient_name": "דוד"},
    {"recipient_name": "李小龙", "message": "生日快乐"},
    {"recipient_name": "W" * 60, "giver_name": "M" * 60},
    {"message": LONG[:400]},
    {"message": "W" * 400},
    {"message": "a\n" * 200},
    {"message": "\u202eevil\u202c \u0000 \ud800 z" + "\u0301" * 300},
    {"message": "💆🏽‍♀️ ❤️ 🎂"},
]


def unpacked(pdf: bytes) -> bytes:
    """Return every compressed stream of a document in plain."""
    found = b""
    for part in pdf.split(b"stream\n")[1:]:
        with suppress(zlib.error):
            found += zlib.decompressobj().decompress(part)
    return found


def words_on(pdf: bytes) -> str:
    texts = [str(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(pdf)]
    return " ".join(" ".join(texts).split())


@pytest.mark.parametrize("paper", PAPERS)
def test_every_paper_is_one_small_page_with_embedded_fonts(paper: Paper) -> None:
    pdf = render_pdf(FACE, paper)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == PAGES[paper]
    assert len(pdf) <= 60_000
    assert document.get_metadata_value("Title") == "Gift certificate for Ana"
    assert b"/FontFile2" in unpacked(pdf)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("changes", [{}, *HARD[:7], HARD[11]], ids=lambda changes: ascii(changes)[:32])
def test_every_paper_passes_a_pdf_ua_checker(paper: Paper, changes: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(render_pdf(replace(FACE, **changes), paper))
    result = outloud.check(str(path))
    assert (result.verdict, result.errors, result.warnings) == ("pass", 0, 0), result.findings


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("changes", HARD, ids=lambda changes: ascii(next(iter(changes.values())))[:24])
def test_hard_texts_stay_on_one_page(paper: Paper, changes: dict[str, str]) -> None:
    assert len(pypdfium2.PdfDocument(render_pdf(replace(FACE, **changes), paper))) == PAGES[paper]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("dots", [96, 150, 300])
def test_the_code_is_read_back_from_the_page(paper: Paper, dots: int) -> None:
    picture = last_picture(render_pdf(FACE, paper), dots)
    written, top = io.BytesIO(), 0 if paper == "card" else picture.height // 2
    picture.convert("L").crop((0, top, picture.width // 2, picture.height)).save(written, "PNG")
    assert read_code_image(written.getvalue()) == certificate_address(FACE.base_url, FACE.code)


def test_it_says_what_the_law_wants_said() -> None:
    words = words_on(render_pdf(FACE, "letter"))
    for fact in ("$120.00", "November 24, 2026", "K7M2-QX9R-TB4D-HVWR", "(970) 555-0134", "never expires", "CO 80521"):
        assert fact in words
    assert "TEST" not in words


def test_a_practice_without_a_booking_page_is_called() -> None:
    words = words_on(render_pdf(replace(FACE, booking_url=""), "letter"))
    assert "Call (970) 555-0134 to book." in words.replace("\xa0", " ")
    assert "Book at" not in words


def test_a_rehearsal_says_that_it_has_no_value() -> None:
    assert "TEST · no value" in words_on(render_pdf(replace(FACE, is_test=True), "letter"))


def test_the_same_certificate_gives_the_same_bytes_in_every_process() -> None:
    script = (
        "import sys, hashlib; from tests.documents.test_pdf import FACE, render_pdf;"
        "sys.stdout.write(hashlib.sha256(render_pdf(FACE, 'letter')).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert digests == {hashlib.sha256(render_pdf(FACE, "letter")).hexdigest()}


def test_each_certificate_has_its_own_drawing() -> None:
    pages = [
        pypdfium2.PdfDocument(render_pdf(replace(FACE, public_id=seed), "letter"))[0].render(scale=1).to_pil()
        for seed in ("AAAAAAAAAA", "BBBBBBBBBB")
    ]
    art = [page.crop((0, 0, page.width, page.height // 3)).tobytes() for page in pages]
    assert art[0] != art[1]


@contextmanager
def canary() -> Iterator[tuple[str, list[str]]]:
    """Answer at an address that nobody may ask; yields it, and what was asked all the same."""
    asked: list[str] = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/canary", asked
        server.shutdown()


def test_nothing_is_fetched_whatever_the_texts_ask_for() -> None:
    with canary() as (address, asked):
        vectors = [
            f'<img src="{address}">',
            f'<link rel="stylesheet" href="{address}">',
            f'<link rel="attachment" href="{address}">',
            f"<style>@import url({address})</style>",
            f'<object data="{address}"></object>',
            f'<svg><image href="{address}"/></svg>',
            '<link rel=attachment href="file:///etc/passwd">',
            '<img src="file:///etc/passwd">',
            "{{ 7 * 7 }} {% include '/etc/passwd' %}",
        ]
        for vector in vectors:
            face = replace(FACE, recipient_name=vector, giver_name=vector, message=vector, practice_name=vector)
            pdf = render_pdf(face, "letter")
            objects = unpacked(pdf)
            assert b"/Catalog" in objects
            assert not any(forbidden in objects + pdf for forbidden in (b"/EmbeddedFile", b"/JavaScript", b"/Launch"))
    assert asked == []
    assert "49" not in words_on(render_pdf(replace(FACE, message="{{ 7 * 7 }}"), "letter")).replace("K7M2", "")


def test_nothing_is_fetched_even_if_a_text_came_through_as_markup() -> None:
    tools = document._tools()
    with canary() as (address, asked):
        for hostile in (
            f'<link rel="stylesheet" href="{address}"/>',
            f'<img src="{address}"/>',
            f"<style>@import url({address})</style>",
        ):
            html = tools.html(f"<html><head><title>x</title></head><body><p>before</p>{hostile}</body></html>")
            assert words_on(document._write_pdf(html, tools.sheets["letter"], {})).startswith("before")
    assert asked == []


@examples(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=())), st.sampled_from(PAPERS))
def test_no_text_whatever_breaks_the_markup(text: str, paper: Paper) -> None:
    face = replace(FACE, recipient_name=text, giver_name=text, message=text, service_text=text, practice_name=text)
    words = words_of(face)
    root = ElementTree.fromstring(build_html(face, paper, words, lay_out(words, paper)))
    assert root.findtext(".//h1") == words.name


def test_importing_the_document_does_not_load_weasyprint() -> None:
    script = "import sys, giftshop.documents.pdf as d; sys.exit('weasyprint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_process_that_printed_ends_in_silence_and_leaves_no_file(tmp_path: Path) -> None:
    script = (
        "import sys; from tests.documents.test_pdf import FACE; from giftshop.documents import pdf as document;"
        "document.render_pdf(FACE, 'card');"
        "sys.excepthook = lambda *_, kept=document._tools: None  # outlives the modules, as in a test run"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
