"""The language of a page: the visitor's, where there is a catalogue for it, for templates and for Flask's libraries.

What is said comes from `giftshop.words` alone. Flask-Babel is told which language that is, so that what belongs to
Flask (forms, sign-in, dates it may format one day) never speaks another one.
"""

from flask import Flask, Response, g, request
from flask_babel import Babel

from giftshop import words
from giftshop.foundation.templates import add_words


def speak_to_visitors(app: Flask) -> None:
    """Let templates say sentences, each request in its visitor's language; while there is but one, nothing is chosen.

    Must be called after the app's Jinja options are set: its environment is made here.
    """
    add_words(app.jinja_env)
    Babel(
        app,
        configure_jinja=False,  # its own functions look for their catalogue at every sentence
        default_translation_directories=str(words.CATALOGUES),
        locale_selector=words.current_language,
    )
    if len(words.list_languages()) > 1:
        _choose_per_request(app)


def _choose_per_request(app: Flask) -> None:
    offered = words.list_languages()

    @app.before_request
    def choose() -> None:
        g.language_before = words.speak(request.accept_languages.best_match(offered, words.SOURCE))

    @app.after_request
    def say_so(response: Response) -> Response:
        response.vary.add("Accept-Language")
        return response

    @app.teardown_request
    def fall_silent(_error: BaseException | None) -> None:
        if before := g.pop("language_before", None):  # a thread serves many visitors
            words.speak(before)
