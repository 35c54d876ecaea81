"""Names of all the world on every paper: each glyph there where the system has the letters, and no crash where not."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import outloud
import pypdfium2
import pytest
import zxingcpp

from giftshop.documents.pdf import PAPERS, Paper, render_pdf
from giftshop.documents.qr import certificate_address
from tests.documents.drawn import empty_glyphs, glyphs_on, last_picture, loose_fonts, missing_glyphs, page_picture
from tests.documents.test_pdf import FACE, PAGES

NAMES = {
    "polish": "Żaneta Đorđević-Łukaszewska",
    "vietnamese": "Nguyễn",
    "chinese": "李小龙",
    "arabic": "محمد",
    "emoji": "Bo 🎉 💆🏽‍♀️",
    "japanese": "さくら 桜",
    "korean": "김민준",
    "hebrew": "דוד",
    "thai": "สมชาย",
    "devanagari": "अनीता",
    "greek": "Ελένη",
}
FROM_PACKAGES = ("polish", "vietnamese", "greek")
PICTURES = "🎉💆🏽\u200d♀\ufe0f"
NO_FONTS = (
    "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig><cachedir>{}</cachedir></fontconfig>"
)

on_every_paper = pytest.mark.parametrize("paper", PAPERS)
for_every_name = pytest.mark.parametrize("name", NAMES)


@cache
def printed(name: str, paper: Paper) -> bytes:
    """A certificate that has the name in all its texts: display face, running text, small print."""
    text = NAMES[name]
    face = replace(FACE, recipient_name=text, giver_name=text, message=f"{text}\n{text}", practice_name=text)
    return render_pdf(face, paper)


def write_all(folder: Path) -> None:
    """Print every name on every paper into files of a folder."""
    for name in NAMES:
        for paper in PAPERS:
            (folder / f"{name}-{paper}.pdf").write_bytes(printed(name, paper))


def code_read_from(pdf: bytes, dots: int) -> list[str]:
    """Read the codes of a whole page, scanned with so many dots per inch."""
    return [barcode.text for barcode in zxingcpp.read_barcodes(last_picture(pdf, dots))]


@on_every_paper
@for_every_name
def test_every_glyph_of_a_name_is_drawn(name: str, paper: Paper) -> None:
    pdf = printed(name, paper)
    assert missing_glyphs(pdf) == []
    assert {letter for text in empty_glyphs(pdf) for letter in text} <= set(PICTURES)


@on_every_paper
def test_an_emoji_is_drawn_in_its_colours(paper: Paper) -> None:
    colours = page_picture(printed("emoji", paper), 96).getcolors(1 << 24) or []
    plain = page_picture(printed("polish", paper), 96).getcolors(1 << 24) or []
    assert sum(count for count, colour in colours if _is_red(colour)) > 20
    assert not any(_is_red(colour) for _, colour in plain)


def _is_red(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return red > 200 and green < 90 and blue < 90


@on_every_paper
@for_every_name
def test_every_font_of_a_name_is_embedded_as_a_subset_and_the_file_stays_small(name: str, paper: Paper) -> None:
    pdf = printed(name, paper)
    assert loose_fonts(pdf) == []
    assert len(pdf) <= 60_000


@on_every_paper
@for_every_name
def test_a_name_passes_a_pdf_ua_checker(name: str, paper: Paper, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(printed(name, paper))
    result = outloud.check(str(path))
    assert (result.verdict, result.errors, result.warnings) == ("pass", 0, 0), result.findings


@on_every_paper
@pytest.mark.parametrize("name", ["polish", "vietnamese", "chinese", "arabic", "emoji"])
@pytest.mark.parametrize("dots", [96, 150, 300])
def test_the_code_beside_a_name_is_read_back(name: str, paper: Paper, dots: int) -> None:
    assert code_read_from(printed(name, paper), dots) == [certificate_address(FACE.base_url, FACE.code)]


@pytest.mark.parametrize("name", ["polish", "vietnamese", "chinese", "greek"])
def test_a_name_can_be_searched_and_copied(name: str) -> None:
    pdf = render_pdf(replace(FACE, recipient_name=NAMES[name], message=""), "letter")
    assert NAMES[name] in str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range())


@pytest.fixture(scope="module")
def without_fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of certificates printed by a process whose system has no fonts at all."""
    folder = tmp_path_factory.mktemp("without-fonts")
    (folder / "fonts.conf").write_text(NO_FONTS.format(folder / "cache"))
    script = (
        "import pathlib, sys; from tests.documents.test_foreign_scripts import write_all;"
        "write_all(pathlib.Path(sys.argv[1]))"
    )
    environment = {**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@on_every_paper
@for_every_name
def test_no_name_crashes_or_loses_the_code_where_the_system_has_no_fonts(
    name: str, paper: Paper, without_fonts: Path
) -> None:
    pdf = (without_fonts / f"{name}-{paper}.pdf").read_bytes()
    assert len(pypdfium2.PdfDocument(pdf)) == PAGES[paper]
    assert len(pdf) <= 60_000
    assert loose_fonts(pdf) == []
    assert code_read_from(pdf, 150) == [certificate_address(FACE.base_url, FACE.code)]


@on_every_paper
@pytest.mark.parametrize("name", FROM_PACKAGES)
def test_names_in_latin_and_greek_need_no_font_of_the_system(name: str, paper: Paper, without_fonts: Path) -> None:
    pdf = (without_fonts / f"{name}-{paper}.pdf").read_bytes()
    assert missing_glyphs(pdf) == []
    assert pdf == printed(name, paper)


@on_every_paper
@pytest.mark.parametrize("name", [name for name in NAMES if name not in FROM_PACKAGES])
def test_the_search_for_missing_glyphs_finds_them_where_no_font_has_the_letters(
    name: str, paper: Paper, without_fonts: Path
) -> None:
    missing = missing_glyphs((without_fonts / f"{name}-{paper}.pdf").read_bytes())
    assert set("".join(missing)) & set(NAMES[name])


@on_every_paper
def test_a_sentence_from_right_to_left_ends_on_the_left_beside_the_margin(paper: Paper) -> None:
    """The full stop of an Arabic sentence is its leftmost ink; a short one starts in line with the name."""
    face = replace(FACE, recipient_name="محمد", message="كل عام وأنت بخير.")
    runs = [glyph for glyph in glyphs_on(render_pdf(face, paper)) if glyph.text in (".", "م")]
    name = next(glyph for glyph in runs if glyph.size_pt > 27)
    stop = next(glyph for glyph in runs if glyph.text == "." and glyph.y_pt < name.y_pt)
    assert stop.x_pt == pytest.approx(name.x_pt, abs=0.1)
