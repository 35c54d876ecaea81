"""The public pages: home, articles, terms, drawings, and the pages for what is not there."""

import gzip
import re

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.catalog.models import Offer, Practice
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.foundation.database import db
from giftshop.storefront.articles import ARTICLES
from tests.statements import count_queries
from tests.storefront.conftest import Visitor, heading

PACKED = {"Accept-Encoding": "gzip"}


def test_home_says_what_it_is_and_shows_two_ways_on(visitor: Visitor) -> None:
    page = visitor.open("/")
    assert heading(page) == "Give someone an hour off their feet."
    assert "For them, or for you?" in page.text
    assert 'href="/gift"' in page.text
    assert 'href="https://focusedcare.example/book"' in page.text
    assert "$60, $95, $120, $180, or any amount you like" in page.text
    assert "No fees. Never expires. Full refund for 14 days while unused." in page.text


def test_home_asks_the_database_at_most_three_times_however_many_offers_there_are(visitor: Visitor) -> None:
    row = {"kind": "amount", "name": "More", "description": "", "price_cents": 100, "visibility": "public"}
    with count_queries() as few:
        visitor.open("/")
    db.session.add_all(Offer(slug=f"more-{number}", position=number, **row) for number in range(30))
    db.session.commit()
    with count_queries() as many:
        visitor.open("/")
    assert len(few) <= 3, few
    assert len(many) == len(few)


def test_home_sets_no_cookie_and_may_be_found(visitor: Visitor) -> None:
    page = visitor.open("/")
    assert "Set-Cookie" not in page.headers
    assert "X-Robots-Tag" not in page.headers


def test_while_sales_are_paused_home_says_so_and_still_books(visitor: Visitor) -> None:
    db.session.get_one(Practice, 1).is_selling = False
    db.session.commit()
    page = visitor.open("/")
    assert "No new certificates just now" in page.text
    assert 'class="button" href="/gift"' not in page.text
    assert "Choose an amount" not in page.text
    for path in ("/articles/before-your-visit", "/articles/when-your-back-locks-up", "/terms", "/balance"):
        assert 'class="button quiet" href="/gift"' not in visitor.open(path).text
    assert "Book time for yourself" in page.text


def test_without_offers_any_amount_can_still_be_given(visitor: Visitor) -> None:
    db.session.execute(sa.update(Offer).values(visibility="retired"))
    db.session.commit()
    assert "Any amount you like, $25 to $500" in visitor.open("/").text
    visitor.open("/gift")
    assert visitor.fields["gifts-0-offer"] == "amount"


@pytest.mark.parametrize("slug", ARTICLES)
def test_every_article_leads_to_booking_and_to_the_gift(visitor: Visitor, slug: str) -> None:
    page = visitor.open(f"/articles/{slug}")
    assert heading(page) == ARTICLES[slug].title
    assert 'href="https://focusedcare.example/book"' in page.text
    assert 'href="/gift"' in page.text
    assert f'href="/articles/{slug}"' in visitor.open("/articles").text


def test_the_back_article_says_when_to_call_a_doctor(visitor: Visitor) -> None:
    page = visitor.open("/articles/when-your-back-locks-up")
    assert "When to call a doctor instead of us" in page.text
    words = re.sub(r"<[^>]+>", " ", page.text.split("<article")[1].split("</article>")[0]).split()
    assert 600 <= len([word for word in words if word.isalpha()]) <= 900


def test_the_terms_are_the_certificates_own_sentences(visitor: Visitor) -> None:
    page = visitor.open("/terms")
    assert "It never expires and no fee is ever taken from it." in page.text
    assert "In Colorado, once the balance is $5.00 or less, you may ask us to pay it out." in page.text
    assert "Full refund for 14 days while unused." in page.text


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_has_its_drawing_and_a_small_one_in_the_practices_colours(visitor: Visitor, design: str) -> None:
    drawing = visitor.open(f"/art/{design}.svg")
    small = visitor.open("/art/thumbnails.svg?palette=plum")
    assert drawing.mimetype == small.mimetype == "image/svg+xml"
    assert 'class="art-line"' in drawing.text
    assert f'<view id="{design}"' in small.text
    assert "#5b2450" in small.text
    assert "max-age=86400" in drawing.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["/art/unicorns.svg", "/art/thumbnails.svg?palette=neon", "/articles/none", "/nothing", "/orders/x/x.css"]
)
def test_what_is_not_there_is_said_kindly(visitor: Visitor, path: str) -> None:
    page = visitor.open(path)
    assert page.status_code == 404
    assert heading(page) == "There’s nothing here"
    assert "(970) 555-0134" in page.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_another_method_is_answered_in_the_shops_look(visitor: Visitor, method: str) -> None:
    page = visitor.ask("/articles", method=method)
    assert page.status_code in (403, 405)
    assert "Need a hand?" in page.text


def test_the_palette_and_the_test_sign_are_on_every_page(visitor: Visitor, app: Flask) -> None:
    db.session.get_one(Practice, 1).palette = "plum"
    db.session.commit()
    for path in ("/", "/gift", "/balance", "/articles", "/terms", "/nothing"):
        page = visitor.open(path).text
        assert 'data-theme="plum"' in page
        assert "TEST: simulated payments" in page


def test_pages_are_packed_for_browsers_that_can_read_it(visitor: Visitor) -> None:
    plain = visitor.open("/")
    packed = visitor.ask("/", method="GET", headers=PACKED)
    assert plain.content_encoding is None
    assert packed.content_encoding == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) * 2 < len(plain.data)


@pytest.mark.parametrize("name", ["js/preview.js", "css/staff.css"])
def test_scripts_and_sheets_are_packed_and_kept_for_a_year(visitor: Visitor, name: str) -> None:
    plain = visitor.open(f"/static/{name}", buffered=True)
    with visitor.ask(f"/static/{name}", method="GET", headers=PACKED) as packed:
        assert packed.content_encoding == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert packed.cache_control.max_age == 31_536_000
        assert len(packed.data) * 2 < len(plain.data)


def test_a_part_of_a_script_comes_as_it_is(visitor: Visitor) -> None:
    headers = {**PACKED, "Range": "bytes=0-9"}
    with visitor.ask("/static/js/preview.js", method="GET", headers=headers) as part:
        assert (part.status_code, part.content_encoding, len(part.data)) == (206, None, 10)
