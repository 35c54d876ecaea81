"""A form that is refused names everything that is wrong with it at once."""

from flask import Flask

from giftshop.catalog.models import Practice
from giftshop.certificates.reasons import MOST_NOTE
from giftshop.foundation.database import db
from tests import build
from tests.office.conftest import Desk
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in
from tests.storefront.conftest import errors_of


def test_a_refund_above_the_limit_without_a_reason_names_both(manager: Desk, stripe_side: StripeSide) -> None:
    db.session.get_one(Practice, 1).manager_refund_limit_cents = 20_00
    _order, certificate = stripe_side.sell_one(50_00)
    db.session.commit()
    for amount in ("30", "80", "much"):
        page = manager.act(certificate, "refund", amount=amount, reason=" ")
        assert page.status_code == 422
        assert set(errors_of(page)) == {"amount", "reason"}
    assert set(errors_of(manager.act(certificate, "refund", amount="10", reason=""))) == {"reason"}


def test_the_till_names_an_amount_and_a_note_that_are_wrong(app: Flask) -> None:
    desk, code = signed_in(app, hire("staff")), build.code_of(build.certificate())
    path = desk.post("/redeem", data={"code": code}).location
    form = {"amount": "other", "other_amount": "much", "note": "x" * (MOST_NOTE + 1)}
    page = desk.post(path, data={**form, "request_key": build.request_key()})
    assert page.status_code == 422
    assert set(errors_of(page)) == {"other_amount", "note"}


def test_a_new_password_names_the_old_one_and_the_new_one(app: Flask) -> None:
    page = signed_in(app, hire("staff")).post("/staff/account", data={"password": "not mine", "new_password": "short"})
    assert page.status_code == 422
    assert set(errors_of(page)) == {"password", "new_password"}
