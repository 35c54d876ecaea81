"""The language of a page: the visitor's where there is a catalogue for it; with English alone nothing is chosen."""

from collections.abc import Iterator
from contextvars import Context

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import get_locale

from giftshop import words
from giftshop.foundation.settings import Settings
from tests.conftest import make_settings
from tests.translations.pseudo import ALL, PSEUDO

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def two_languages() -> Iterator[None]:
    """Offer a second language."""
    words.register(PSEUDO, ALL)
    yield
    words.unregister(PSEUDO)


@pytest.fixture
def settings(database_url: str, request: pytest.FixtureRequest) -> Settings:
    """Settings of a shop of its own for each number of languages: it counts them when it is built."""
    is_one = "two_languages" not in request.fixturenames
    if not is_one:
        request.getfixturevalue("two_languages")
    return make_settings(database_url, mail_from=f"{'one' if is_one else 'two'}@practice.example")


def heading(client: FlaskClient, languages: str, path: str = "/articles") -> str:
    page = client.get(path, headers={"Accept-Language": languages}, base_url=BASE).text
    return page.partition("<h1>")[2].partition("</h1>")[0]


@pytest.mark.usefixtures("two_languages")
@pytest.mark.parametrize(
    ("asked", "is_pseudo"),
    [
        (PSEUDO, True),
        (f"{PSEUDO}-XX, en;q=0.5", True),
        (f"de, {PSEUDO};q=0.8, en;q=0.5", True),
        (f"en, {PSEUDO};q=0.5", False),
        ("de", False),
        ("", False),
        ("*", False),
        ("nonsense;;q=x", False),
    ],
)
def test_a_page_speaks_the_best_of_the_languages_the_visitor_reads(
    client: FlaskClient, asked: str, is_pseudo: bool
) -> None:
    assert heading(client, asked) == (
        "‹Wórth réádíng lýíng dówn›" if is_pseudo else "Worth reading lying down"
    ).replace("ý", "y")


@pytest.mark.usefixtures("two_languages")
def test_a_page_says_in_which_language_it_is_and_that_it_depends_on_the_visitor(client: FlaskClient) -> None:
    answer = client.get("/articles", headers={"Accept-Language": PSEUDO}, base_url=BASE)
    assert f'<html lang="{PSEUDO}"' in answer.text
    assert "Accept-Language" in answer.vary


@pytest.mark.usefixtures("two_languages")
def test_the_next_visitor_of_a_thread_is_not_spoken_to_in_the_language_of_the_last(client: FlaskClient) -> None:
    assert heading(client, PSEUDO).startswith("‹")
    assert words.current_language() == "en"
    assert not heading(client, "").startswith("‹")


@pytest.mark.usefixtures("two_languages")
def test_what_is_refused_before_any_page_is_asked_speaks_the_visitors_language_too(client: FlaskClient) -> None:
    headers = {"Accept-Language": PSEUDO, "Origin": "https://elsewhere.example"}
    refused = client.post("/balance", headers=headers, base_url=BASE)
    assert refused.status_code == 403
    assert "‹" in refused.text


@pytest.mark.usefixtures("two_languages")
def test_flask_s_own_libraries_speak_the_same_language(app: Flask) -> None:
    def locale_of(languages: str) -> str:
        with app.test_request_context(headers={"Accept-Language": languages}, base_url=BASE):
            app.preprocess_request()
            return str(get_locale())

    assert Context().run(locale_of, PSEUDO) == PSEUDO
    assert Context().run(locale_of, "en") == "en"


def test_with_english_alone_nothing_is_chosen_and_nothing_said_of_it(client: FlaskClient) -> None:
    answer = client.get("/articles", headers={"Accept-Language": PSEUDO}, base_url=BASE)
    assert '<html lang="en"' in answer.text
    assert "Accept-Language" not in answer.vary
    assert answer.content_language.as_set() == set()
