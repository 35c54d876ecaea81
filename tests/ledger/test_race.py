"""Twenty tills at once: the conditional UPDATE gives out what is there, and nothing else does."""

import threading
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask

from giftshop.errors import InsufficientBalanceError
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.models import Certificate
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import DESK, all_at_once, take

TILLS, AMOUNT = 20, 300


@both_databases
def test_twenty_tills_take_300_from_1000_exactly_three_times(app: Flask) -> None:
    certificate_id = build.certificate(face_value_cents=1000).id
    outcomes = all_at_once(app, TILLS, lambda _: take(certificate_id, AMOUNT))
    assert outcomes == {"done": 3, "InsufficientBalanceError": 17}
    assert db.session.get_one(Certificate, certificate_id).balance_cents == 100


@both_databases
def test_a_certificate_that_was_loaded_before_makes_no_difference(app: Flask) -> None:
    certificate_id = build.certificate(face_value_cents=1000).id

    def look_and_take(_: int) -> None:
        assert db.session.get_one(Certificate, certificate_id).balance_cents <= 1000
        take(certificate_id, AMOUNT)

    assert all_at_once(app, TILLS, look_and_take)["done"] == 3


@both_databases
def test_control_read_compare_and_write_sells_everything_twenty_times(app: Flask) -> None:
    """On a table without the ledger's guards the careless form must lose this race, or the race proves nothing."""
    with db.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE purse (balance_cents INTEGER)"))
        connection.execute(sa.text("INSERT INTO purse VALUES (1000)"))

    def write(left: int) -> None:
        db.session.execute(sa.text("UPDATE purse SET balance_cents = :left"), {"left": left})

    outcomes = all_at_once(app, TILLS, careless("SELECT balance_cents FROM purse", write))
    assert outcomes == {"done": TILLS}, "6,000 spent of 1,000"


@both_databases
def test_control_read_compare_and_write_is_stopped_by_the_databases_own_guards(app: Flask) -> None:
    certificate_id = build.certificate(face_value_cents=1000).id

    def write(left: int) -> None:
        db.session.execute(
            sa.text("UPDATE certificate SET balance_cents = :left, last_sequence = 2 WHERE id = :id"),
            {"left": left, "id": certificate_id},
        )
        cause = build.cause(f"redeem:{DESK}", build.request_key(), DESK)
        transfer = posting.Transfer("redeem", "certificate_liability", "service_revenue", AMOUNT)
        db.session.add(posting._build_entry(certificate_id, transfer, cause, sequence=2, balance=left))
        db.session.flush()

    outcomes = all_at_once(
        app, TILLS, careless(f"SELECT balance_cents FROM certificate WHERE id = {certificate_id}", write)
    )
    assert outcomes == {"done": 1, "IntegrityError": TILLS - 1}, "clumsy, but nothing is overspent"
    assert db.session.get_one(Certificate, certificate_id).balance_cents == 700


def careless(balance: str, write: Callable[[int], None]) -> Callable[[int], None]:
    """Return the act of a till that reads the balance, compares it in Python, and then writes what is left."""
    everyone_has_read = threading.Barrier(TILLS)

    def act(_: int) -> None:
        found = db.session.scalar(sa.text(balance))
        db.session.commit()
        everyone_has_read.wait()
        if found < AMOUNT:
            raise InsufficientBalanceError
        write(found - AMOUNT)

    return act


def test_issue_and_redeem_at_once_do_not_wait_for_ever(app: Flask) -> None:
    certificate_id = build.certificate(face_value_cents=1000).id

    def sell_or_take(number: int) -> None:
        if number % 2:
            take(certificate_id, 1)
        else:
            build.certificate()

    assert all_at_once(app, 8, sell_or_take) == {"done": 8}


@both_databases
def test_two_certificates_are_redeemed_side_by_side(app: Flask) -> None:
    ids = [build.certificate(face_value_cents=1000).id for _ in range(2)]
    assert all_at_once(app, 8, lambda number: take(ids[number % 2], 250)) == {"done": 8}
    assert [db.session.get_one(Certificate, each).balance_cents for each in ids] == [0, 0]
