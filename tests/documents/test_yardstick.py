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
from tests.documents.drawn import last_picture, pictures

DOTS = 72


@pytest.mark.parametrize("paper", PAPERS)
def test_the_naive_print_is_the_same_page(paper: Paper) -> None:
    ours, naive = render_pdf(FACE, paper), render_naively(FACE, paper)
    pages = list(zip(pictures(ours, DOTS), pictures(naive, DOTS), strict=True))
    for number, (our_page, naive_page) in enumerate(pages, start=1):
        difference = ImageChops.difference(our_page, naive_page).convert("L")
        if number == len(pages):
            hide_symbol(difference, paper)
        assert sum(difference.histogram()[64:]) < difference.width * difference.height * 0.002
    assert words_on(naive) == words_on(ours)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_naive_print_carries_the_same_code(paper: Paper) -> None:
    found = zxingcpp.read_barcodes(last_picture(render_naively(FACE, paper), 150))
    assert [barcode.text for barcode in found] == [certificate_address(FACE.base_url, FACE.code)]


def hide_symbol(picture: Image.Image, paper: Paper) -> None:
    """Paint over the QR symbol: the same content has several masks, and so several looks."""
    sheet = SHEETS[paper]
    left, right = ((edge / 25.4) * DOTS for edge in (sheet.margin - 1, sheet.margin + sheet.symbol + 1))
    top = 0 if paper == "card" else picture.height * 0.55
    ImageDraw.Draw(picture).rectangle((left, top, right, picture.height), fill=0)


def words_on(pdf: bytes) -> str:
    texts = [str(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(pdf)]
    return " ".join(" ".join(texts).split())
