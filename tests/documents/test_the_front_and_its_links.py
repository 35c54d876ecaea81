"""Whose certificate it is, how much there is to read, what can be tapped, and how zeros look, on every paper."""

import io
from dataclasses import replace
from datetime import date

import pikepdf
import pytest
import zxingcpp

from giftshop.documents.artwork.drawing import PALETTES
from giftshop.documents.layout import SHEETS
from giftshop.documents.pdf import PAPERS, Paper, render_pdf
from giftshop.documents.qr import certificate_address
from tests.documents.drawn import Glyph, glyphs_on, last_picture, outlines_of, page_picture
from tests.documents.test_measures_on_paper import INCH, TERMS, box_mm
from tests.documents.test_pdf import FACE

POINT = 25.4 / 72
on_every_paper = pytest.mark.parametrize("paper", PAPERS)


def lines_of(glyphs: list[Glyph]) -> dict[tuple[int, float], str]:
    """Return the texts of a document by page and height."""
    lines: dict[tuple[int, float], str] = {}
    for glyph in glyphs:
        place = (glyph.page, round(glyph.y_pt, 1))
        lines[place] = lines.get(place, "") + glyph.text
    return lines


@on_every_paper
def test_name_and_mark_stand_on_the_drawing(paper: Paper) -> None:
    pdf, sheet = render_pdf(FACE, paper), SHEETS[paper]
    first = lines_of(glyphs_on(pdf))
    (top,) = [
        sheet.height - place[1] * POINT for place, text in first.items() if text == FACE.practice_name and place[0] == 0
    ][:1]
    assert top < sheet.arts[0] - 5
    plate = box_mm(page_picture(pdf, 150), sheet.margin, top - 9, sheet.margin + 14, top + 6)
    colours = {colour for _, colour in plate.getcolors(1 << 20) or []}
    accent = PALETTES["spruce"].accent
    assert (255, 255, 255) in colours
    assert tuple(int(accent[start : start + 2], 16) for start in (1, 3, 5)) in colours


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_the_terms_take_three_lines(paper: Paper) -> None:
    terms = ("It never expires and no fee is ever taken from it.", TERMS[3])
    lines = lines_of(glyphs_on(render_pdf(replace(FACE, terms=terms), paper)))
    first = next(place for place, text in lines.items() if text.startswith("Worth"))
    assert len([place for place in lines if place[1] <= first[1]]) == 3


@on_every_paper
def test_code_booking_and_balance_are_tagged_links_that_stay_when_printed(paper: Paper) -> None:
    with pikepdf.open(io.BytesIO(render_pdf(FACE, paper))) as document:
        links = [link for page in document.pages for link in page.get("/Annots", [])]
        assert [str(link.A.URI) for link in links] == [
            f"{FACE.base_url}/c/{FACE.code}",
            "https://focusedcare.example/book",
            f"{FACE.base_url}/balance",
        ]
        assert all(link.F == 4 and "/StructParent" in link and str(link.Contents) for link in links)
        left, first, right, second = (float(side) for side in links[0].Rect)
    symbol = zxingcpp.read_barcodes(last_picture(render_pdf(FACE, paper), 72))[0].position
    assert left < symbol.top_left.x < symbol.top_right.x < right
    assert abs(first - second) == pytest.approx(right - left, abs=0.1)


@on_every_paper
def test_the_symbol_is_read_where_a_printer_shrank_the_page_to_fit(paper: Paper) -> None:
    """CUPS prints A4 on Letter at 85.5 %."""
    dots = round(150 * 0.855)
    (read,) = zxingcpp.read_barcodes(last_picture(render_pdf(FACE, paper), dots))
    assert read.text == certificate_address(FACE.base_url, FACE.code)
    side = (read.position.top_right.x - read.position.top_left.x) / 150 * INCH
    assert side >= 30 - 2 / 150 * INCH


def test_zeros_are_open_but_in_the_code() -> None:
    face = replace(FACE, code="7K00M4XD9TFP00HV", message="100", left_text="$45.00", left_on=date(2030, 1, 20))
    pdf = render_pdf(face, "letter")
    with pikepdf.open(io.BytesIO(pdf)) as document:
        numbers: dict[str, set[tuple[str, int]]] = {"code": set(), "else": set()}
        for glyph in glyphs_on(pdf):
            if glyph.text == "0":
                numbers["code" if round(glyph.size_pt) == 15 else "else"].add((glyph.font, glyph.number))
        fonts = {name: outlines_of(font) for name, font in document.pages[0].Resources.Font.items()}
        assert all(fonts[font](number) for found in numbers.values() for font, number in found)
    assert len(numbers["code"]) == 1
    assert not numbers["code"] & numbers["else"]


def test_without_a_price_there_is_none_anywhere() -> None:
    texts = "".join(glyph.text for glyph in glyphs_on(render_pdf(replace(FACE, amount_text=""), "letter")))
    assert "$" not in texts
    assert "Issued on" in texts.replace("\xa0", " ")
