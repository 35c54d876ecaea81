"""The yardstick of `make bench` is honest: the naive print shows the same page and says the same words."""

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw

from bench.naive import render_naively
from bench.pdf import FACE
from giftshop.documents.layout import SHEETS
from giftshop.documents.pdf import PAPERS, Paper, render_pdf
from giftshop.documents.qr import certificate_address
from tests.documents.drawn import page_picture

DOTS = 72


@pytest.mark.parametrize("paper", PAPERS)
def test_the_naive_print_is_the_same_page(paper: Paper) -> None:
    ours, naive = render_pdf(FACE, paper), render_naively(FACE, paper)
    difference = ImageChops.difference(page_picture(ours, DOTS), page_picture(naive, DOTS)).convert("L")
    hide_symbol(difference, paper)
    unlike = sum(difference.histogram()[64:])
    assert unlike < difference.width * difference.height * 0.002
    assert words_on(naive) == words_on(ours)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_naive_print_carries_the_same_code(paper: Paper) -> None:
    found = zxingcpp.read_barcodes(page_picture(render_naively(FACE, paper), 150))
    assert [barcode.text for barcode in found] == [certificate_address(FACE.base_url, FACE.code)]


def hide_symbol(picture: Image.Image, paper: Paper) -> None:
    """Paint over the QR symbol: the same content has several masks, and so several looks."""
    sheet = SHEETS[paper]
    left, right = ((edge / 25.4) * DOTS for edge in (sheet.margin - 1, sheet.margin + sheet.symbol + 1))
    ImageDraw.Draw(picture).rectangle((left, picture.height * 0.55, right, picture.height), fill=0)


def words_on(pdf: bytes) -> str:
    return " ".join(str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()).split())
