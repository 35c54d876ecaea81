"""Holders who may go on while somebody guesses codes: who comes by a link of ours, or opened the gift here before.

A browser keeps the marks of what it has opened, from the first opening on: before that there is nothing to keep, and
when the guessing begins it would be too late.
"""

from collections.abc import Iterable

from flask import Response, after_this_request, current_app, request

from giftshop.certificates.links import MARK, is_marked, mark_of

KEPT_FOR_SECONDS = 400 * 24 * 3600
"""As long as browsers keep any cookie."""
MOST_OPENED = 30


def is_trusted(code: str) -> bool:
    """Tell whether this request proves that its code (16 symbols) was not guessed."""
    return is_marked(code, [request.args.get(MARK, ""), *_opened()])


def remember_opened(codes: Iterable[str]) -> None:
    """Let this answer tell the browser that it has shown these codes; nothing is sent where it knows already."""
    before = _opened()
    marks = list(dict.fromkeys([*before, *map(mark_of, codes)]))[-MOST_OPENED:]
    if marks == before:
        return

    @after_this_request
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            _cookie_name(),
            ".".join(marks),
            max_age=KEPT_FOR_SECONDS,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def _opened() -> list[str]:
    """Return the marks this browser has; each proves itself."""
    return [mark for mark in request.cookies.get(_cookie_name(), "").split(".")[:MOST_OPENED] if mark]


def _cookie_name() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-opened"
