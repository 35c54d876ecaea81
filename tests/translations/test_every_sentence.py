"""Every page, mail and paper in a pseudo-language: no sentence is said outside the catalogue that could be translated.

Whoever is here because of a failure: wrap the sentence (CONTRIBUTING.md, "Words"), then run `make translations`.
"""

from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask, abort
from jinja2 import ChoiceLoader, DictLoader

from giftshop import clock, words
from giftshop.catalog.models import Practice
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.messages import compose
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
from tests.translations.content import contents, without_content
from tests.translations.counter_states import STATES as COUNTER_STATES
from tests.translations.counter_states import AtWork
from tests.translations.mails import MAILS
from tests.translations.pseudo import PSEUDO, PseudoCatalogue, plain_words
from tests.translations.reading import lines_of, texts_of
from tests.translations.windowless import WindowlessPage

NOT_YET = ("office", "letters", "subjects")
"""What is still to be converted: pages of the office; what letters get as facts; mails' subjects. To be emptied."""
ERRORS = (400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503)


def plain_english(texts: list[str]) -> list[str]:
    """Return the texts in which something stands that no catalogue has touched."""
    known = contents()
    return [text for text in texts if plain_words(without_content(text, known))]


def assert_translated(where: str, texts: list[str]) -> None:
    """Fail with the name of the page and every sentence on it that is in no catalogue."""
    found = plain_english(texts)
    assert not found, f"{where} says outside the catalogue:\n" + "\n".join(found)


def soon(group: str, names: Any) -> list[Any]:
    """Return the names of a group's states; of one that is not converted yet, they may fail."""
    marks = [pytest.mark.xfail(reason=f"{group}: not converted yet", strict=False)] if group in NOT_YET else []
    return [pytest.param(name, marks=marks) for name in names]


@pytest.mark.parametrize("state", SHOP_STATES)
def test_a_page_of_the_shop_says_nothing_outside_the_catalogue(app: Flask, said: None, state: str) -> None:
    status, reach = SHOP_STATES[state]
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO
    page = WindowlessPage(client, app.config["SHOP_SETTINGS"].base_url)
    reach(Guest(app, cast(Any, page), page.url))
    assert page.answers[-1].status_code == (200 if state == "builder, filled in" else status)
    assert_translated(state, texts_of(page.answers[-1].text))


@pytest.mark.parametrize("state", COUNTER_STATES)
def test_a_page_at_work_says_nothing_outside_the_catalogue(app: Flask, said: None, state: str) -> None:
    answer = COUNTER_STATES[state](AtWork(app, PSEUDO))
    assert answer.mimetype == "text/html"
    assert answer.location is None
    assert_translated(state, texts_of(answer.text))


@pytest.mark.parametrize("state", soon("office", OFFICE_STATES))
def test_a_page_of_the_office_says_nothing_outside_the_catalogue(
    app: Flask, said: None, stripe_side: StripeSide, state: str
) -> None:
    client = signed_in(app, hire("owner"))
    path = OFFICE_STATES[state](stripe_side)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO
    assert_translated(path, texts_of(client.get(path).text))


@pytest.mark.parametrize("state", soon("letters", OFFICE_STATES))
def test_the_letters_of_an_order_say_nothing_outside_the_catalogue(
    app: Flask, said: None, stripe_side: StripeSide, state: str
) -> None:
    OFFICE_STATES[state](stripe_side)
    for letter, facts in [(each, facts_of(each)) for each in db.session.query(Delivery)]:
        assert_translated(letter.kind, read_mail(letter, facts))


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_page_says_nothing_outside_the_catalogue(app: Flask, said: None, status: int) -> None:
    app.view_functions["storefront.articles"] = lambda: abort(status)
    client = AtWork(app, PSEUDO).stranger()
    assert_translated(f"error {status}", texts_of(client.get("/articles").text))


def test_a_shop_that_is_not_open_yet_says_so_in_the_visitors_language(app: Flask, said: None) -> None:
    app.extensions.pop("practice_seen", None)
    known = contents()
    db.session.query(Practice).delete()
    db.session.commit()
    page = AtWork(app, PSEUDO).stranger().get("/")
    assert page.status_code == 503
    texts = [without_content(text.partition("Run `flask")[0], known) for text in texts_of(page.text)]
    assert [text for text in texts if plain_words(text)] == []


@pytest.mark.parametrize("kind", [str(kind) for kind in MessageKind])
def test_a_mail_says_nothing_outside_the_catalogue(app: Flask, said: None, kind: str) -> None:
    certificates = [build.certificate(), build.certificate()]
    for facts in MAILS[kind]:
        for several in (certificates, certificates[:1]):
            assert_translated(kind, read_mail(letter_of(kind), facts, several))


@pytest.mark.parametrize("kind", soon("subjects", [str(kind) for kind in MessageKind]))
def test_a_subject_says_nothing_outside_the_catalogue(app: Flask, said: None, kind: str) -> None:
    subjects = [str(composed(letter_of(kind), facts)["Subject"]) for facts in MAILS[kind]]
    assert_translated(f"the subject of {kind}", subjects)


@pytest.mark.parametrize(
    "changes",
    [{}, {"is_on_hold": True}, {"is_test": False}, {"booking_address": ""}, {"service_text": "60-minute massage"}],
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
    assert_translated("the certificate on paper", texts_of(html))


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
    with pytest.raises(AssertionError, match=r"articles says outside the catalogue:\s+Sold out, sorry"):
        assert_translated("articles", texts_of(page.text))


def test_a_sentence_that_left_the_catalogue_is_found(app: Flask, said: None) -> None:
    words.register(PSEUDO, PseudoCatalogue(left_out="Worth reading lying down"))
    page = AtWork(app, PSEUDO).stranger().get("/articles")
    assert plain_english(texts_of(page.text)) == ["Worth reading lying down"]


def test_what_scripts_say_is_read_too(app: Flask, said: None) -> None:
    page = '<p aria-label="More" data-done="Copied" data-cents="12000">‹Dóné›</p><style>p { color: red }</style>'
    assert plain_english(texts_of(page)) == ["More", "Copied"]


def letter_of(kind: str) -> Delivery:
    """Return a letter of a kind that is stored nowhere."""
    return Delivery(kind=kind, to_address="ana@example.com", message_id="<1@example.com>", send_at=clock.now())


def read_mail(letter: Delivery, facts: dict[str, Any], certificates: list[Any] | None = None) -> list[str]:
    """Return what both parts of a mail say."""
    message = composed(letter, facts, certificates)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return [*lines_of(text.get_content()), *texts_of(html.get_content())]


def composed(letter: Delivery, facts: dict[str, Any], certificates: list[Any] | None = None) -> Any:
    """Return a mail as it would be sent."""
    return compose(letter, facts, certificates or [], base_url="https://gifts.example", sender="gifts@example.com")
