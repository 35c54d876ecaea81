"""Whether the shop is open at all: until somebody has set up the practice, every page says that it is not yet."""

from flask import Flask, Response, request

from giftshop import error_pages
from giftshop.catalog.practice import PracticeMissingError, get_practice
from giftshop.database import db
from giftshop.settings import Settings

NOT_YET = "This shop is not open yet."
HOW = "Run `flask seed` for a sample practice, or `flask practice set FILE`."
COME_BACK_SECONDS = "3600"
FOR_MACHINES = ("health", "webhook")


def keep_closed(app: Flask, settings: Settings) -> None:
    """Answer 503 to people while there is no practice: no page could say who sells here.

    Asked until it is there once, in a transaction of its own, and then never again: a practice is never deleted.
    """
    message = NOT_YET if settings.is_production else f"{NOT_YET} {HOW}"
    has_practice = False

    @app.before_request
    def refuse_until_there_is_a_practice() -> None:
        nonlocal has_practice
        is_for_people = request.endpoint not in (None, "static") and request.blueprint not in FOR_MACHINES
        if is_for_people and not has_practice:
            get_practice()
            has_practice = True
            db.session.rollback()

    @app.errorhandler(PracticeMissingError)
    def answer_not_yet(_missing: PracticeMissingError) -> Response:
        db.session.rollback()
        answered = error_pages.answer(503, message)
        answered.headers["Retry-After"] = COME_BACK_SECONDS
        return answered
