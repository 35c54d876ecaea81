"""Three undos a day are three, also when the fourth comes before the third has ended."""

from collections.abc import Callable

from flask import Flask

from giftshop.foundation.database import db
from giftshop.ledger.models import LedgerEntry
from tests import build
from tests.ledger.acts import DESK, give_back, take
from tests.overlapping import on_postgresql, overlap


def redeemed(actor: str = DESK) -> Callable[[], LedgerEntry]:
    """Redeem from a certificate of its own; return the act that undoes it."""
    entry_id = take(build.certificate().id, 10_00, actor=actor).id
    db.session.commit()
    return lambda: give_back(db.session.get_one(LedgerEntry, entry_id), actor=actor)


def undo(times: int) -> None:
    for _ in range(times):
        redeemed()()
    db.session.commit()


@on_postgresql
def test_the_fourth_undo_waits_for_the_third_and_is_refused(app: Flask) -> None:
    undo(2)
    assert overlap(app, redeemed(), redeemed()) == ("done", "TooManyUndosError")


@on_postgresql
def test_the_third_undo_is_done_beside_the_second(app: Flask) -> None:
    undo(1)
    assert overlap(app, redeemed(), redeemed()) == ("done", "done")


@on_postgresql
def test_another_persons_undo_counts_for_them_alone(app: Flask) -> None:
    undo(2)
    assert overlap(app, redeemed(), redeemed("staff:8")) == ("done", "done")
