"""The certificate on paper as its row stands: one on hold says so, on every paper, and stays readable by everyone."""

from pathlib import Path

import outloud
import pypdfium2
import pytest
from flask import Flask

from giftshop.certificates.codes import format_code
from giftshop.documents.pdf import PAPERS, Paper
from giftshop.documents.printing import face_of
from giftshop.documents.worker import press
from giftshop.foundation.database import db
from tests import build

BASE = "https://gifts.focusedcare.example"


def print_one(status: str, paper: Paper) -> bytes:
    face = face_of(build.certificate(status=status), base_url=BASE)
    db.session.rollback()
    return press.print_pdf(face, paper)


def words_on(pdf: bytes) -> str:
    texts = [str(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(pdf)]
    return " ".join(" ".join(texts).split())


@pytest.mark.parametrize("paper", PAPERS)
def test_a_certificate_on_hold_says_so_across_its_drawing(app: Flask, tmp_path: Path, paper: Paper) -> None:
    pdf = print_one("frozen", paper)
    assert "On hold. Please call (970) 555-0134" in words_on(pdf).replace("\xa0", " ")
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf)
    result = outloud.check(str(path))
    assert (result.verdict, result.errors, result.warnings) == ("pass", 0, 0), result.findings
    page = pypdfium2.PdfDocument(pdf)[0]
    left, bottom, right, top = box_of(page, "On hold")
    width, height = page.get_size()
    edge = 10 / 25.4 * 72
    assert edge < left < right < width - edge
    assert height - top > edge
    assert bottom > height - 32 / 25.4 * 72


def box_of(page: pypdfium2.PdfPage, words: str) -> tuple[float, float, float, float]:
    """Return where the first letters of some words stand, in points from the lower left corner."""
    text = page.get_textpage()
    start, _length = text.search(words).get_next()
    boxes = [text.get_charbox(start + number) for number in range(len(words))]
    return boxes[0][0], boxes[0][1], boxes[-1][2], boxes[0][3]


def test_a_good_certificate_says_nothing_of_a_hold(app: Flask) -> None:
    assert "hold" not in words_on(print_one("active", "letter")).lower()


def test_the_command_writes_a_certificate_to_a_file_and_shows_no_code(app: Flask, tmp_path: Path) -> None:
    certificate = build.certificate()
    code, path = build.code_of(certificate), tmp_path / "one.pdf"
    db.session.commit()
    arguments = ["certificates", "render", certificate.public_id, "--paper", "card", "--out", str(path)]
    result = app.test_cli_runner().invoke(args=arguments)
    assert (result.exit_code, result.output) == (0, f"Wrote {path}.\n")
    assert format_code(code) in words_on(path.read_bytes())


@pytest.mark.parametrize("paper", PAPERS)
def test_printed_again_later_it_says_what_is_left_and_since_when(app: Flask, paper: Paper) -> None:
    certificate = build.certificate()
    build.redeem(certificate, 75_00)
    face = face_of(certificate, base_url=BASE)
    db.session.rollback()
    words = words_on(press.print_pdf(face, paper)).replace("\xa0", " ")
    assert face.left_on is not None
    assert f"$45.00 left on {face.left_on:%B} {face.left_on.day}, {face.left_on.year}" in words
    assert "Worth $120.00 when issued" in words
    assert words.count("$120.00") == 1


@pytest.mark.parametrize("paper", PAPERS)
def test_a_fresh_one_has_its_whole_worth_and_says_nothing_of_what_is_left_on_a_day(app: Flask, paper: Paper) -> None:
    words = words_on(print_one("active", paper))
    assert "$120.00" in words
    assert " left on" not in words
