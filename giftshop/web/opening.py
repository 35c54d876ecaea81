"""Whether the shop is open at all: until somebody has set up the practice, every page says that it is not yet."""

from flask import Flask, Response, current_app, request

from giftshop.catalog.practice import PracticeMissingError, get_practice
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.web import error_pages
from giftshop.words import N_, _

NOT_YET = N_("This shop is not open yet.")
HOW = "Run `flask seed` for a sample practice, or `flask practice set FILE`."  # to engineers
COME_BACK_SECONDS = "3600"
FOR_MACHINES = ("health", "webhook")
_SEEN = "practice_seen"


def keep_closed(app: Flask, settings: Settings) -> None:
    """Answer 503 to people while there is no practice: no page could say who sells here."""

    @app.before_request
    def refuse_until_there_is_a_practice() -> None:
        if request.endpoint not in (None, "static") and request.blueprint not in FOR_MACHINES:
            insist_on_practice()

    @app.errorhandler(PracticeMissingError)
    def answer_not_yet(_missing: PracticeMissingError) -> Response:
        db.session.rollback()
        message = _(NOT_YET) if settings.is_production else f"{_(NOT_YET)} {HOW}"
        answered = error_pages.answer(503, message)
        answered.headers["Retry-After"] = COME_BACK_SECONDS
        return answered


def insist_on_practice() -> None:
    """Ask for the practice until this process has seen one, in a transaction of its own: none is ever deleted.

    Raises PracticeMissingError.
    """
    if _SEEN not in current_app.extensions:
        get_practice()
        db.session.rollback()
        current_app.extensions[_SEEN] = True
