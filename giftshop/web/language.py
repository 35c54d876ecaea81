"""The language of a page: the visitor's, where there is a catalogue for it, for templates and for Flask's libraries.

What is said comes from `giftshop.words` alone. Flask-Babel is told which language that is, so that what belongs to
Flask (forms, sign-in, dates it may format one day) never speaks another one.
"""

from flask import Flask, Response, g, request
from flask.templating import Environment
from flask_babel import Babel
from werkzeug.datastructures import LanguageAccept

from giftshop import words
from giftshop.foundation.templates import SpeakingEnvironment


def listen_to_visitors(app: Flask) -> None:
    """Speak each visitor's language from here on; while there is but one, nothing is chosen, and nothing said of it.

    Must be called before whatever may refuse a request, for a refusal is read, too; and before any template is.
    """
    app.jinja_environment = PageEnvironment
    Babel(
        app,
        configure_jinja=False,  # its own functions look for their catalogue at every sentence
        default_translation_directories=str(words.CATALOGUES),
        locale_selector=words.current_language,
    )
    if len(words.list_languages()) > 1:
        _choose_per_request(app)


class PageEnvironment(SpeakingEnvironment, Environment):
    """Flask's environment, speaking."""


def _choose_per_request(app: Flask) -> None:
    offered = words.list_languages()

    @app.before_request
    def choose() -> None:
        g.language_before = words.speak(_best_of(offered, request.accept_languages))

    @app.after_request
    def say_so(response: Response) -> Response:
        response.vary.add("Accept-Language")
        return response

    @app.teardown_request
    def fall_silent(_error: BaseException | None) -> None:
        if before := g.pop("language_before", None):  # a thread serves many visitors
            words.speak(before)


def _best_of(offered: list[str], accepted: LanguageAccept) -> str:
    """Return the language that is accepted most gladly; who reads a region's kind of one ("es-MX") reads that one."""
    for name, quality in accepted:
        found = next((code for code in (name, name.partition("-")[0]) if code in offered), None)
        if found is not None and quality > 0:
            return found
    return words.SOURCE
