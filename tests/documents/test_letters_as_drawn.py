"""The letters of a name on paper, pixel by pixel: the same as a browser draws, whatever the text layer says."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops
from playwright.sync_api import Browser

from giftshop.documents.fonts import DISPLAY, FALLBACK_BOLD, Typeface
from giftshop.documents.pdf import render_pdf
from giftshop.documents.typesetting import direction, name_style
from tests.documents.drawn import glyphs_on, page_picture
from tests.documents.test_foreign_scripts import NAMES
from tests.documents.test_pdf import FACE as ANY_FACE
from tests.journeys.browser import chromium

FACE = replace(ANY_FACE, service_text="One hour")  # the line above the name, here without descenders
DOTS, SIZE_PX = 288, 120
ALIKE = 0.85
"""The share of the ink of two pictures that must lie in the same place; one wrong letter leaves three quarters."""
SYSTEM = '"Noto Serif", "Noto Serif CJK SC", "Noto Naskh Arabic", "Noto Serif Hebrew"'
WRITTEN = ["polish", "vietnamese", "chinese", "arabic", "greek", "hebrew"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def drawn_by(browser: Browser, name: str) -> Image.Image:
    """Return the ink of a name as the browser draws it, in the typeface the certificate chooses."""
    faces = _face_rule(DISPLAY) + _face_rule(FALLBACK_BOLD)
    family = {"display": f'"{DISPLAY.family}"', "sans": f'"{FALLBACK_BOLD.family}"'}.get(name_style(name), SYSTEM)
    weight = 700 if name_style(name) == "sans" else 600
    spacing = "0" if direction(name) == "rtl" else "-0.006em"
    style = f"font: {weight} {SIZE_PX}px/2 {family}; letter-spacing: {spacing}; padding: 40px"
    page = browser.new_page(viewport={"width": 2600, "height": 400})
    page.set_content(f"<style>{faces} body {{ margin: 0; {style}; white-space: nowrap }}</style>{name}")
    page.evaluate("document.fonts.ready")
    shot = page.screenshot()
    page.close()
    return ink(Image.open(io.BytesIO(shot)))


def printed_by_us(pdf: bytes) -> Image.Image:
    """Return the ink of the name on a Letter page, found by its size."""
    first = next(glyph for glyph in glyphs_on(pdf) if glyph.size_pt > 27)
    scale, page = DOTS / 72, page_picture(pdf, DOTS)
    baseline = page.height - first.y_pt * scale
    size = first.size_pt * scale
    return ink(page.crop((int(first.x_pt * scale) - 20, int(baseline - size), page.width, int(baseline + size * 0.4))))


def ink(picture: Image.Image) -> Image.Image:
    """Return what is darker than the paper, cut to its edges, in one size, to lay two pictures over each other."""
    dark = picture.convert("L").point(lambda shade: 255 if shade < 128 else 0)
    return dark.crop(dark.getbbox()).resize((1600, 200)).point(lambda shade: 255 if shade > 127 else 0)


def overlap(one: Image.Image, other: Image.Image) -> float:
    """Return the share of all ink that lies in both pictures (intersection over union)."""
    both, either = ImageChops.darker(one, other), ImageChops.lighter(one, other)
    return both.histogram()[255] / either.histogram()[255]


def with_two_letters_exchanged(pdf: bytes, one: str, other: str) -> bytes:
    """Return the document with the outlines of two letters of the name's font exchanged, its text layer untouched."""
    numbers = {glyph.text: glyph for glyph in glyphs_on(pdf) if glyph.size_pt > 27}
    with pikepdf.open(io.BytesIO(pdf)) as document:
        font = document.pages[0].Resources.Font[numbers[one].font]
        file = font.DescendantFonts[0].FontDescriptor.FontFile2
        opened = TTFont(io.BytesIO(file.read_bytes()))
        first, second = (opened.getGlyphName(numbers[letter].number) for letter in (one, other))
        outlines = opened["glyf"]
        outlines[first], outlines[second] = outlines[second], outlines[first]
        changed, written = io.BytesIO(), io.BytesIO()
        opened.save(changed)
        file.write(changed.getvalue())
        document.save(written)
    return written.getvalue()


def _face_rule(face: Typeface) -> str:
    data = base64.b64encode(face.path.read_bytes()).decode()
    source = f"url(data:font/ttf;base64,{data})"
    return f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: {source} }}'


@pytest.mark.parametrize("name", WRITTEN)
def test_a_name_looks_as_in_a_browser(name: str, browser: Browser) -> None:
    pdf = render_pdf(replace(FACE, recipient_name=NAMES[name]), "letter")
    assert overlap(printed_by_us(pdf), drawn_by(browser, NAMES[name])) >= ALIKE


@pytest.mark.parametrize(
    ("name", "other"), [("Nguyễn", "Nguyên"), ("李小龙", "李小虎"), ("محمد", "محمود"), ("Ana", "Aña")]
)
def test_a_name_that_differs_by_one_letter_does_not_look_the_same(name: str, other: str, browser: Browser) -> None:
    pdf = render_pdf(replace(FACE, recipient_name=name), "letter")
    assert overlap(printed_by_us(pdf), drawn_by(browser, other)) < ALIKE


def test_wrong_letters_are_seen_though_the_text_layer_is_right(browser: Browser) -> None:
    pdf = render_pdf(replace(FACE, recipient_name="Marko"), "letter")
    wrong = with_two_letters_exchanged(pdf, "M", "k")
    assert [glyph.text for glyph in glyphs_on(wrong)] == [glyph.text for glyph in glyphs_on(pdf)]
    assert overlap(printed_by_us(pdf), drawn_by(browser, "Marko")) >= ALIKE
    assert overlap(printed_by_us(wrong), drawn_by(browser, "Marko")) < ALIKE
