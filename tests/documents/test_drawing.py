"""The drawing and the QR symbol on pages: well formed, named or hidden, coloured, and small where they are small."""

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from giftshop.documents.artwork.drawing import DESIGNS, PALETTES, svg, thumbnail_svg
from giftshop.documents.qr import MOST_PIXELS, QUIET_ZONE, qr_modules, qr_svg, read_code_image

SEED = "7Z0KQ2M4XD"
ADDRESS = "HTTPS://GIFTS.EXAMPLE/C/K7M2QX9RTB4DHVWR"
for_every_design = pytest.mark.parametrize("design", DESIGNS)


def paths(drawn: ElementTree.Element) -> list[ElementTree.Element]:
    """Return the paths of a picture, its ground first."""
    return list(drawn.iter("{http://www.w3.org/2000/svg}path"))


@for_every_design
def test_a_drawing_without_a_title_is_hidden_from_screen_readers_and_with_one_is_named(design: str) -> None:
    hidden = ElementTree.fromstring(svg(design, SEED))
    named = ElementTree.fromstring(svg(design, SEED, title='Two <"hands">'))
    assert (hidden.get("aria-hidden"), hidden.get("role")) == ("true", None)
    assert (named.get("aria-hidden"), named.get("role"), named.get("aria-label")) == (None, "img", 'Two <"hands">')
    assert hidden.get("viewBox") == "0 0 600 340"


@for_every_design
def test_the_page_colours_a_drawing_without_a_palette_by_classes_and_a_palette_by_itself(design: str) -> None:
    palette = PALETTES["plum"]
    classes = {path.get("class") for path in paths(ElementTree.fromstring(svg(design, SEED)))}
    coloured = paths(ElementTree.fromstring(svg(design, SEED, palette=palette)))
    assert classes == {"art-line", "art-accent", "art-ground"}
    assert {path.get("stroke") for path in coloured} == {None, palette.line}
    assert {path.get("fill") for path in coloured} == {None, palette.accent, palette.ground}


@for_every_design
def test_a_thumbnail_is_a_quarter_of_the_size_and_leaves_lines_out(design: str) -> None:
    whole, small = svg(design, SEED), thumbnail_svg(design, SEED)
    assert ElementTree.fromstring(small).get("viewBox") == "0 0 150 85"
    assert len(paths(ElementTree.fromstring(small))) < len(paths(ElementTree.fromstring(whole)))
    assert len(small) < len(whole)
    assert thumbnail_svg(design, SEED) == small != thumbnail_svg(design, "0000000000")


def test_the_symbol_on_a_page_draws_exactly_its_dark_modules() -> None:
    drawn = ElementTree.fromstring(qr_svg(ADDRESS, "Code of <Ana>"))
    modules = qr_modules(ADDRESS)
    size = len(modules) + 2 * QUIET_ZONE
    assert (drawn.get("viewBox"), drawn.get("aria-label")) == (f"0 0 {size} {size}", "Code of <Ana>")
    dark = set()
    for run in (paths(drawn)[1].get("d") or "").split("z")[:-1]:
        place, width = run.removeprefix("M").split("h")[:2]
        x, y = map(int, place.split())
        dark |= {(x + step - QUIET_ZONE, y - QUIET_ZONE) for step in range(int(width.split("v")[0]))}
    assert dark == {(x, y) for y, row in enumerate(modules) for x, is_dark in enumerate(row) if is_dark}


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    """Return an empty picture."""
    written = io.BytesIO()
    Image.new("1", (width, height)).save(written, kind)
    return written.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        picture(10, 10),
        picture(10, 10)[:40],
        picture(10, 10, "GIF"),
        picture(MOST_PIXELS + 1, 1),
        picture(30_000, 30_000),
    ],
    ids=["empty", "text", "no code", "cut short", "another kind", "one pixel too many", "a bomb"],
)
def test_whatever_holds_no_code_is_read_as_none(data: bytes) -> None:
    assert read_code_image(data) is None
