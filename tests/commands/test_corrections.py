"""The office's acts as commands: done for a person with the right to, refused in one sentence with a status."""

import pytest
from click.testing import Result
from flask import Flask

from giftshop.catalog.models import Practice
from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.models import Refund
from tests import build
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire

OWNER, MANAGER, STAFF = (f"{role}@practice.example" for role in ("owner", "manager", "staff"))


@pytest.fixture(autouse=True)
def people(app: Flask) -> None:
    """One person of each role."""
    for role in ("owner", "manager", "staff"):
        hire(role)


def run(app: Flask, *words: str, actor: str = OWNER, reason: str = "by phone") -> Result:
    """Run a command for somebody, as an operator types it."""
    db.session.rollback()
    return app.test_cli_runner().invoke(args=[*words, "--actor", actor, "--reason", reason])


def test_a_refund_is_paid_back_for_the_owner(app: Flask, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    build.redeem(certificate, 10_00)
    db.session.commit()
    refund = ("orders", "refund", order.number, "--certificate", certificate.public_id, "--amount")
    first = run(app, *refund, "12.50")
    assert (first.exit_code, "$12.50 is paid back" in first.output) == (0, True)
    assert "$27.50 is paid back" in run(app, *refund, "all").output
    assert certificate.balance_cents == 0
    nothing = run(app, *refund, "all")
    assert (nothing.exit_code, "Nothing of this can be paid back" in nothing.output) == (1, True)
    assert [each.amount_cents for each in db.session.query(Refund).order_by(Refund.id)] == [12_50, 27_50]


def test_a_manager_refunds_within_the_limit(app: Flask, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = ("orders", "refund", str(order.id + 1000), "--certificate", certificate.public_id, "--amount")
    assert "ask the owner" in run(app, *refund, "1", actor=MANAGER).output
    db.session.get_one(Practice, 1).manager_refund_limit_cents = 5_00
    db.session.commit()
    assert run(app, *refund, "5.01", actor=MANAGER).exit_code == 1
    assert run(app, *refund, "5", actor=MANAGER).exit_code == 0


def test_a_refund_that_stripe_refuses_leaves_with_a_status(app: Flask, stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    stripe_side.dispute(order)
    said = run(app, "orders", "refund", order.number, "--certificate", certificate.public_id, "--amount", "all")
    assert (said.exit_code, "Stripe refused" in said.output) == (1, True)
    assert certificate.balance_cents == 50_00


def test_a_certificate_is_held_released_renewed_and_ended(app: Flask, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    code = build.code_of(certificate)
    for name, status in (("freeze", "frozen"), ("unfreeze", "active"), ("reissue", "active"), ("void", "void")):
        done = run(app, "certificates", name, certificate.public_id)
        assert (done.exit_code, f"is {status}" in done.output) == (0, True), name
        assert certificate.status == status
        assert code not in done.output
    entries = db.session.query(LedgerEntry).order_by(LedgerEntry.id)
    assert [entry.kind for entry in entries] == ["issue", "void"]


WRONG = [
    (["freeze"], {"actor": STAFF}, "may not do that"),
    (["void"], {"actor": MANAGER}, "may not do that"),
    (["freeze"], {"actor": "nobody@practice.example"}, "Nobody with that e-mail address"),
    (["freeze"], {"reason": " "}, "Please say why"),
    (["freeze"], {"reason": "x" * 41}, "at most 40 characters"),
    (["unfreeze"], {"reason": "K7M2-QX9R-TB4D-HVWR"}, "Leave codes"),
]


@pytest.mark.parametrize(("words", "changes", "sentence"), WRONG)
def test_a_refusal_is_one_sentence_and_nothing_happens(
    app: Flask, stripe_side: StripeSide, words: list[str], changes: dict[str, str], sentence: str
) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    said = run(app, "certificates", *words, certificate.public_id, **changes)
    assert said.exit_code == 1
    assert sentence in said.output
    assert len(said.output.strip().splitlines()) == 1
    assert certificate.status == "active"


BAD = [("G-9999", "5", "no such order"), ("", "0", "in figures"), ("", "5.001", "in figures"), ("", "-5", "in figures")]


@pytest.mark.parametrize(("number", "amount", "sentence"), BAD)
def test_a_refund_of_what_is_not_there_is_refused(
    app: Flask, stripe_side: StripeSide, number: str, amount: str, sentence: str
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    asked = (number or order.number, "--certificate", certificate.public_id, f"--amount={amount}")
    said = run(app, "orders", "refund", *asked)
    assert (said.exit_code, sentence in said.output) == (1, True)
    assert db.session.query(Refund).count() == 0


def test_an_unknown_certificate_is_refused(app: Flask) -> None:
    said = run(app, "certificates", "freeze", "NOSUCHONE0")
    assert (said.exit_code, "no such certificate" in said.output) == (1, True)
