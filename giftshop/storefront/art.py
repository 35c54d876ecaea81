"""Drawings for pages: a certificate's own, the sample of a design, and small ones for the picker."""

from functools import lru_cache

from flask import Response, abort, request
from markupsafe import Markup

from giftshop.documents.artwork.drawing import DESIGNS, HEIGHT, PALETTES, WIDTH, svg, thumbnail_svg

SAMPLE_SEED = "G-1042"
"""What sample drawings are seeded with; a certificate's own is seeded with its public id."""
_A_DAY = 86_400


def draw(design: str, seed: str) -> Markup:
    """Return a certificate's drawing to stand in a page, coloured by the page's style sheet."""
    return Markup(svg(_known(design), seed))  # noqa: S704  # our own lines; seed and design only choose them


@lru_cache(maxsize=64)
def draw_sample(design: str) -> Markup:
    """Return the sample drawing of a design to stand in a page."""
    return draw(design, SAMPLE_SEED)


def send_drawing(design: str) -> Response:
    """Answer with the sample drawing of a design, for the live preview."""
    if design not in DESIGNS:
        abort(404)
    return _picture(str(draw_sample(design)))


def send_thumbnails() -> Response:
    """Answer with the small drawings of all designs in the colours of a palette, each found by #design.

    One picture for all is a fifth lighter than one for each, and one request instead of seven.
    """
    palette = request.args.get("palette", "")
    if palette not in PALETTES:
        abort(404)
    return _picture(_thumbnails(palette))


@lru_cache(maxsize=len(PALETTES))
def _thumbnails(palette: str) -> str:
    """Stack the drawings, every one in a frame of its own size with a view that shows just that frame."""
    width, height = WIDTH // 4, HEIGHT // 4
    views = [f'<view id="{design}" viewBox="0 {row * height} {width} {height}"/>' for row, design in enumerate(DESIGNS)]
    frames = [
        thumbnail_svg(design, SAMPLE_SEED, palette=PALETTES[palette]).replace(
            "<svg ", f'<svg y="{row * height}" width="{width}" height="{height}" ', 1
        )
        for row, design in enumerate(DESIGNS)
    ]
    namespace = 'xmlns="http://www.w3.org/2000/svg"'
    body = "".join(views + frames).replace(f" {namespace}", "")
    return f'<svg {namespace} viewBox="0 0 {width} {height * len(DESIGNS)}">{body}</svg>'


def _known(design: str) -> str:
    """Return the design, or the house design for one that is no longer drawn."""
    return design if design in DESIGNS else next(iter(DESIGNS))


def _picture(text: str) -> Response:
    answer = Response(text, mimetype="image/svg+xml")
    answer.cache_control.public = True
    answer.cache_control.max_age = _A_DAY
    return answer
