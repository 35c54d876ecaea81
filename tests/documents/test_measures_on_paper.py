"""Measures of the printed page, taken from its pixels and operators: folds, edges, the QR symbol, sizes of type."""

from dataclasses import replace

import pytest
import zxingcpp
from PIL import Image, ImageChops

from giftshop.documents.artwork.designs import DESIGNS
from giftshop.documents.layout import SHEETS, Sheet
from giftshop.documents.pdf import PAPERS, Paper, render_pdf
from tests.documents.drawn import glyphs_on, last_picture, page_picture, pictures
from tests.documents.test_pdf import FACE, HARD

DOTS, INCH = 150, 25.4
WHITE = (255, 255, 255)
FOLD_CLEAR, EDGE_CLEAR = 6, 10
TERMS = (
    "Good for any of our services. Use it at once or bit by bit: what you leave stays on it.",
    "It never expires and no fee is ever taken from it.",
    "Treat it as you would cash. Lost, or seen by someone it was not meant for? Tell us and we replace what is left.",
    "In Colorado, once the balance is $5.00 or less, you may ask us to pay it out. It is not exchangeable for cash.",
)
FULLEST = {
    "recipient_name": "W" * 60,
    "giver_name": "M" * 60,
    "message": "W" * 400,
    "practice_name": "The Therapeutic Massage and Bodywork Practice of Fort Collins",
}
FULL = {
    "service_text": "90-minute deep tissue massage",
    "recipient_name": "Wilhelmina Konstantinopolska-Featherstonehaugh of Aberdeen A",
    "giver_name": "Everyone at the Westminster Community Swimming and Walking Cl",
    "message": ("Lie down for an hour, breathe, and let somebody else do the lifting for once. " * 6)[:399] + "!",
}
HOSTS = {29: "https://gifts.example", 33: "https://gifts.focusedcaremassage.example", 37: f"https://{'g' * 46}.example"}
"""The modules of the symbol for ever longer addresses: versions 3, 4 and 5."""

on_every_paper = pytest.mark.parametrize("paper", PAPERS)
with_hard_texts = pytest.mark.parametrize(
    "changes", [{}, *HARD, FULLEST], ids=lambda changes: ascii(next(iter(changes.values()), ""))[:24]
)


def box_mm(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Cut a box out of a page; lengths are in millimetres."""
    sides = (left, top, right, bottom)
    return picture.crop(tuple(round(side / INCH * DOTS) for side in sides))  # type: ignore[arg-type]


def is_blank(picture: Image.Image) -> bool:
    return ImageChops.difference(picture, Image.new("RGB", picture.size, WHITE)).getbbox() is None


def art_bottom_mm(picture: Image.Image) -> float:
    """Return where the drawing ends: the first row of white at the left edge."""
    return next(y for y in range(picture.height) if picture.getpixel((1, y)) == WHITE) / DOTS * INCH


def strips_without_ticks(top: float, sheet: Sheet) -> list[tuple[float, float]]:
    """Return the heights between which nothing stands at the sides of a page: all but those of the folds' ticks."""
    edges = [top, *(edge for fold in sheet.folds[1:] for edge in (fold - 1, fold + 1)), sheet.height]
    return list(zip(edges[::2], edges[1::2], strict=True))


@on_every_paper
@with_hard_texts
def test_nothing_stands_near_a_fold_or_an_edge(paper: Paper, changes: dict[str, str]) -> None:
    sheet, pages = SHEETS[paper], pictures(render_pdf(replace(FACE, terms=TERMS, **changes), paper), DOTS)
    art = art_bottom_mm(picture := pages[0])
    left, right = EDGE_CLEAR, sheet.width - EDGE_CLEAR
    assert is_blank(box_mm(picture, left, art + 0.5, right, art + FOLD_CLEAR))
    for fold in sheet.folds[1:]:
        assert is_blank(box_mm(picture, left, fold - FOLD_CLEAR, right, fold + FOLD_CLEAR))
    for page, top in zip(pages, (art + 0.8, 0), strict=False):
        for first, last in strips_without_ticks(top, sheet):
            assert is_blank(box_mm(page, 0, first, EDGE_CLEAR, last))
            assert is_blank(box_mm(page, right, first, sheet.width, last))
        assert is_blank(box_mm(page, 0, sheet.height - EDGE_CLEAR, sheet.width, sheet.height))


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_ticks_mark_the_folds_in_thirds_and_the_drawing_fills_the_first(paper: Paper) -> None:
    sheet, picture = SHEETS[paper], page_picture(render_pdf(FACE, paper), DOTS)
    assert art_bottom_mm(picture) == pytest.approx(sheet.height / 3, abs=0.4)
    for fold in (sheet.height / 3, sheet.height / 1.5):
        for left in (5, sheet.width - 9):
            assert not is_blank(box_mm(picture, left, fold - 0.4, left + 4, fold + 0.6))
    for left in (0, sheet.width - 4.8):  # where printers print nothing
        assert is_blank(box_mm(picture, left, sheet.height / 1.5 - 1, left + 4.8, sheet.height / 1.5 + 1))


def test_a_text_too_near_a_fold_would_be_found() -> None:
    picture = page_picture(render_pdf(FACE, "letter"), DOTS)
    fold = SHEETS["letter"].folds[1]
    assert not is_blank(box_mm(picture, 5, fold - 30, 100, fold + FOLD_CLEAR))


@on_every_paper
@pytest.mark.parametrize("modules", HOSTS)
def test_the_symbol_is_large_and_stands_alone(paper: Paper, modules: int) -> None:
    picture = last_picture(render_pdf(replace(FACE, base_url=HOSTS[modules]), paper), DOTS)
    corners = zxingcpp.read_barcodes(picture)[0].position
    side = (corners.top_right.x - corners.top_left.x) / DOTS * INCH
    module = side / modules
    assert side >= 30 - 2 / DOTS * INCH
    assert module >= 0.8
    left, top = corners.top_left.x / DOTS * INCH, corners.top_left.y / DOTS * INCH
    zone = 4 * module
    for beside in (
        (left - zone, top - zone, left - 0.4, top + side + zone),
        (left + side + 0.4, top - zone, left + side + zone, top + side + zone),
        (left - zone, top - zone, left + side + zone, top - 0.4),
        (left - zone, top + side + 0.4, left + side + zone, top + side + zone),
    ):
        assert is_blank(box_mm(picture, *beside))


@on_every_paper
@with_hard_texts
def test_what_the_law_wants_said_is_at_least_ten_points_high(paper: Paper, changes: dict[str, str]) -> None:
    runs: dict[tuple[float, int, float], list[str]] = {}
    for glyph in glyphs_on(render_pdf(replace(FACE, terms=TERMS, **changes), paper)):
        runs.setdefault((glyph.size_pt, glyph.page, glyph.y_pt), []).append(glyph.text)
    by_size = [(size, "".join(texts).replace(" ", "")) for (size, *_), texts in runs.items()]
    small = "".join(text for size, text in by_size if size < 9.99)
    large = "".join(text for size, text in by_size if size >= 9.99)
    for sentence in ("$120.00", "issuedonNovember24,2026", "Itneverexpires", "call(970)555-0134", "CO80521"):
        assert sentence in large.replace("\u00a0", "")
    assert min(size for size, text in by_size if "K7M2-QX9R-TB4D-HVWR" in text) >= 14
    assert small == "" or paper == "card"


@on_every_paper
def test_the_longest_names_and_message_that_people_write_are_printed_whole(paper: Paper) -> None:
    texts = "".join(glyph.text for glyph in glyphs_on(render_pdf(replace(FACE, terms=TERMS, **FULL), paper)))
    for text in FULL.values():
        assert text.replace(" ", "") in texts.replace(" ", "")


@on_every_paper
def test_a_name_of_sixty_wide_letters_is_printed_whole(paper: Paper) -> None:
    glyphs = glyphs_on(render_pdf(replace(FACE, recipient_name="W" * 60, giver_name="M" * 60), paper))
    texts = [glyph.text for glyph in glyphs]
    assert sum(glyph.text == "W" and glyph.size_pt > 19.9 for glyph in glyphs) == 60
    assert sum(glyph.text == "M" and glyph.size_pt < 12 for glyph in glyphs) >= 60
    assert "…" not in texts


@on_every_paper
def test_every_design_is_printed_on_every_paper(paper: Paper) -> None:
    pictures = {
        page_picture(render_pdf(replace(FACE, design=design), paper), 40).crop((0, 0, 200, 80)).tobytes()
        for design in DESIGNS
    }
    assert len(pictures) == len(DESIGNS) == 7
