"""Every page, mail and paper in a pseudo-language: no sentence is said outside the catalogue that could be translated.

Whoever is here because of a failure: wrap the sentence (CONTRIBUTING.md, "Words"), then run `make translations`.
"""

from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask, abort
from jinja2 import ChoiceLoader, DictLoader

from giftshop import words
from giftshop.catalog.models import Practice
from giftshop.delivery.kinds import KINDS
from giftshop.delivery.models import Delivery
from giftshop.documents.layout import lay_out
from giftshop.documents.pdf import build_html, render_pdf
from giftshop.documents.printing import face_of
from giftshop.documents.wording import words_of
from giftshop.foundation.database import db
from tests import build
from tests.documents.test_pdf import words_on
from tests.office.test_office_in_a_browser import STATES as OFFICE_STATES
from tests.orders.kept import facts_of
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in
from tests.storefront.states import STATES as SHOP_STATES
from tests.storefront.states import Guest
from tests.translations.content import contents, plain_english, without_content
from tests.translations.counter_states import STATES as COUNTER_STATES
from tests.translations.counter_states import AtWork
from tests.translations.mails import MAILS, composed, letter_of, read_mail
from tests.translations.pseudo import PSEUDO, PseudoCatalogue, plain_words
from tests.translations.reading import texts_of
from tests.translations.windowless import WindowlessPage

ERRORS = (400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503)


@pytest.mark.parametrize("state", SHOP_STATES)
def test_a_page_of_the_shop_says_nothing_outside_the_catalogue(app: Flask, said: None, state: str) -> None:
    status, reach = SHOP_STATES[state]
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO
    page = WindowlessPage(client, app.config["SHOP_SETTINGS"].base_url)
    reach(Guest(app, cast(Any, page), page.url))
    assert page.answers[-1].status_code == (200 if state == "builder, filled in" else status)
    assert plain_english(texts_of(page.answers[-1].text)) == []


@pytest.mark.parametrize("state", COUNTER_STATES)
def test_a_page_at_work_says_nothing_outside_the_catalogue(app: Flask, said: None, state: str) -> None:
    answer = COUNTER_STATES[state](AtWork(app, PSEUDO))
    assert answer.mimetype == "text/html"
    assert answer.location is None
    assert plain_english(texts_of(answer.text)) == []


@pytest.mark.parametrize("state", OFFICE_STATES)
def test_a_page_of_the_office_says_nothing_outside_the_catalogue(
    app: Flask, said: None, stripe_side: StripeSide, state: str
) -> None:
    client = signed_in(app, hire("owner"))
    path = OFFICE_STATES[state](stripe_side)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO
    assert plain_english(texts_of(client.get(path).text)) == []


@pytest.mark.parametrize("state", OFFICE_STATES)
def test_the_letters_of_an_order_say_nothing_outside_the_catalogue(
    app: Flask, said: None, stripe_side: StripeSide, state: str
) -> None:
    OFFICE_STATES[state](stripe_side)
    letters = [(each, facts_of(each)) for each in db.session.query(Delivery)]
    assert plain_english([text for letter, facts in letters for text in read_mail(letter, facts)]) == []


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_page_says_nothing_outside_the_catalogue(app: Flask, said: None, status: int) -> None:
    app.view_functions["storefront.articles"] = lambda: abort(status)
    client = AtWork(app, PSEUDO).stranger()
    assert plain_english(texts_of(client.get("/articles").text)) == []


def test_a_shop_that_is_not_open_yet_says_so_in_the_visitors_language(app: Flask, said: None) -> None:
    app.extensions.pop("practice_seen", None)
    known = contents()
    db.session.query(Practice).delete()
    db.session.commit()
    page = AtWork(app, PSEUDO).stranger().get("/")
    assert page.status_code == 503
    texts = [without_content(text.partition("Run `flask")[0], known) for text in texts_of(page.text)]
    assert [text for text in texts if plain_words(text)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_says_nothing_outside_the_catalogue(app: Flask, said: None, kind: str) -> None:
    certificates = [build.certificate(), build.certificate()]
    for facts in MAILS[kind]:
        for several in (certificates, certificates[:1]):
            assert plain_english(read_mail(letter_of(kind), facts, several)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_says_nothing_outside_the_catalogue(app: Flask, said: None, kind: str) -> None:
    subjects = [str(composed(letter_of(kind), facts)["Subject"]) for facts in MAILS[kind]]
    assert plain_english(subjects) == []


@pytest.mark.parametrize(
    "changes",
    [{}, {"is_on_hold": True}, {"is_test": False}, {"booking_url": ""}, {"service_text": "60-minute massage"}],
    ids=str,
)
@pytest.mark.parametrize("place", ["US-CO", "US-CA", "DE"])
def test_a_certificate_says_nothing_outside_the_catalogue(
    app: Flask, said: None, place: str, changes: dict[str, Any]
) -> None:
    db.session.get_one(Practice, 1).place = place
    face = replace(face_of(build.certificate(), base_url="https://gifts.example"), **changes)
    printed = words_of(face)
    html = build_html(face, "letter", printed, lay_out(printed, "letter"))
    assert plain_english(texts_of(html)) == []


def test_a_certificate_is_printed_in_the_language_it_was_made_in(app: Flask) -> None:
    certificate = build.certificate()
    with words.in_language(PSEUDO):
        face = face_of(certificate, base_url="https://gifts.example")
    assert face.lang == PSEUDO
    assert "‹Fróm Marko›" in words_on(render_pdf(face, "letter"))
    assert "From Marko" in words_on(render_pdf(replace(face, lang="en"), "letter"))


# --- the controls: what is outside the catalogue is found, and what is inside is changed ----------------------------


def test_a_sentence_outside_the_catalogue_is_found_on_its_page(app: Flask, said: None) -> None:
    outside = (
        '{% extends "base.html" %}{% block main %}<h1>{{ _("Articles") }}</h1><p>Sold out, sorry</p>{% endblock %}'
    )
    loader = app.jinja_env.loader
    app.jinja_env.loader = ChoiceLoader([DictLoader({"storefront/articles.html": outside}), cast(Any, loader)])
    app.jinja_env.cache.clear()  # type: ignore[union-attr]
    try:
        page = AtWork(app, PSEUDO).stranger().get("/articles")
    finally:
        app.jinja_env.loader = loader
        app.jinja_env.cache.clear()  # type: ignore[union-attr]
    assert plain_english(texts_of(page.text)) == ["Sold out, sorry"]


def test_a_sentence_that_left_the_catalogue_is_found(app: Flask, said: None) -> None:
    words.register(PSEUDO, PseudoCatalogue(left_out="Worth reading lying down"))
    page = AtWork(app, PSEUDO).stranger().get("/articles")
    assert plain_english(texts_of(page.text)) == ["Worth reading lying down"]


def test_what_scripts_say_is_read_too(app: Flask, said: None) -> None:
    page = '<p aria-label="More" data-done="Copied" data-cents="12000">‹Dóné›</p><style>p { color: red }</style>'
    assert plain_english(texts_of(page)) == ["More", "Copied"]
