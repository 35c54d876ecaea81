"""The pages of a certificate in each of its states, in a real browser: no barrier for anyone, and what they look like.

`make states` keeps a picture of each in docs/states/ (PICTURES= says where).
"""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Page

from giftshop.foundation.database import db
from giftshop.orders.look_up import token_of
from tests.browsing import assert_no_barrier, check_markup, keep_still, listen_for_failures
from tests.counter import Counter
from tests.journeys.browser import PHONE
from tests.orders.stripe_side import StripeSide
from tests.standings.cases import CASES

PICTURES = os.environ.get("PICTURES", "")
MOST_BYTES, MOST_HEIGHT, COLOURS = 60_000, 1500, (64, 32, 16)


@pytest.mark.parametrize("name", CASES)
def test_the_page_of_each_reader_has_no_barrier(
    app: Flask, shop: str, page: Page, counter: Counter, stripe_side: StripeSide, name: str
) -> None:
    case = CASES[name](stripe_side)
    order_page = f"/orders/{token_of(case.order)}"
    keep_still(page)
    failures = listen_for_failures(page, expected="a status of 4")
    db.session.commit()
    for reader, path in (("holder", f"/c/{case.code}"), ("buyer", order_page)):
        page.goto(shop + path)
        check_markup(page.content())
        _look(page, name, reader)
    counter.sign_in("manager")
    counter.type_code(case.code)
    page.wait_for_selector(".verdict, #summary")
    _look(page, name, "counter", schemes=("light", "dark"))
    if name not in ("replaced", "reissued"):
        page.goto(f"{shop}/office/orders/{case.order.id}")
        _look(page, name, "office", schemes=("light", "dark"))
    assert failures == []


def _look(page: Page, name: str, reader: str, schemes: tuple[str, ...] = ("light",)) -> None:
    """Look for barriers at every width; keep a picture where pictures are asked for."""
    assert_no_barrier(page, schemes=schemes)
    if PICTURES:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.set_viewport_size(PHONE)
        file = Path(PICTURES) / f"{re.sub(r'[^a-z]+', '-', name)}-{reader}.png"
        file.write_bytes(_small(page.screenshot(full_page=True)))


def _small(picture: bytes) -> bytes:
    """Return the upper part of a picture in few colours, as many as fit the size of a file here."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    upper = image.crop((0, 0, image.width, min(image.height, MOST_HEIGHT)))
    return next(made for made in _in_colours(upper) if len(made) <= MOST_BYTES)


def _in_colours(image: Image.Image) -> Iterator[bytes]:
    for number in COLOURS:
        file = io.BytesIO()
        image.quantize(number, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        yield file.getvalue()
