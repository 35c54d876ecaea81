"""A page on a poor line asks again until it has an answer: what it asked for is on record once, and guesses all."""

from flask.testing import FlaskClient

from giftshop.certificates import codes
from giftshop.foundation.database import db
from giftshop.notifications.models import FailedScan
from tests import build
from tests.conftest import both_databases

pytestmark = both_databases


def guess(desk: FlaskClient, code: str, key: str) -> None:
    """Send a code that nobody has from a page with this key."""
    assert desk.post("/redeem", data={"code": code, "request_key": key}).status_code == 422


def on_record() -> int:
    return db.session.query(FailedScan).count()


def test_a_code_that_is_asked_for_again_and_again_by_one_page_is_one_guess(desk: FlaskClient) -> None:
    code, key = codes.new_code(), build.request_key()
    for _ in range(25):
        guess(desk, code, key)
    assert on_record() == 1


def test_other_codes_from_the_same_page_are_guesses_of_their_own(desk: FlaskClient) -> None:
    key = build.request_key()
    for _ in range(3):
        guess(desk, codes.new_code(), key)
    assert on_record() == 3


def test_the_same_code_from_another_page_or_from_no_page_is_a_guess_of_its_own(desk: FlaskClient) -> None:
    code = codes.new_code()
    for key in (build.request_key(), build.request_key(), "", ""):
        guess(desk, code, key)
    assert on_record() == 4
