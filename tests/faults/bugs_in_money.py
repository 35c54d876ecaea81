"""Seeded bugs in redeeming and undoing, and in how the database is locked for it; for bugs.py."""

import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
import sqlalchemy as sa

from giftshop.errors import InsufficientBalanceError
from giftshop.foundation import sqlite
from giftshop.foundation.database import ShopSession, db
from giftshop.ledger import idempotency, posting, undo
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.redemption import till
from tests.faults.failpoints import who_commits

MEET_SECONDS = 2


class Meeting:
    """Makes a race certain: whoever comes waits for a second one, for a while."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def __call__(self) -> None:
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(MEET_SECONDS)


def read_compare_and_write(patches: pytest.MonkeyPatch) -> None:
    """The balance is read, compared in Python and written, in two transactions."""
    meet = Meeting()

    def post(certificate_id: int, transfer: posting.Transfer, cause: posting.Cause) -> LedgerEntry:
        columns = sa.select(Certificate.balance_cents, Certificate.last_sequence)
        balance, sequence = db.session.execute(columns.where(Certificate.id == certificate_id)).one()
        db.session.commit()
        meet()
        return _write(certificate_id, transfer, cause, balance=balance, sequence=sequence)

    _replace_post(patches, post)


def trust_what_was_loaded(patches: pytest.MonkeyPatch) -> None:
    """The row is locked, but what is compared was loaded before: the identity map keeps it."""
    meet = Meeting()

    def post(certificate_id: int, transfer: posting.Transfer, cause: posting.Cause) -> LedgerEntry:
        loaded = db.session.get_one(Certificate, certificate_id)
        meet()
        db.session.scalars(sa.select(Certificate).where(Certificate.id == certificate_id).with_for_update()).one()
        balance, sequence = loaded.balance_cents, loaded.last_sequence
        return _write(certificate_id, transfer, cause, balance=balance, sequence=sequence)

    _replace_post(patches, post)


def begin_deferred(patches: pytest.MonkeyPatch) -> None:
    """Neither flock nor BEGIN IMMEDIATE: a transaction that read first cannot write beside another one."""
    meet, proper = Meeting(), posting.post

    def begin(_self: object, connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=2000")
        connection.exec_driver_sql("BEGIN")

    def post(certificate_id: int, transfer: posting.Transfer, cause: posting.Cause) -> LedgerEntry:
        db.session.scalar(sa.select(Certificate.balance_cents).where(Certificate.id == certificate_id))
        meet()
        return proper(certificate_id, transfer, cause)

    patches.setattr(sqlite._WritersTurn, "begin", begin)
    _replace_post(patches, post)


def forget_answers(patches: pytest.MonkeyPatch) -> None:
    """The first answer is not kept, and no UNIQUE stands behind it: each copy of a form acts."""

    def answer(
        *, scope: str, key: str, body: Mapping[str, object], act: Callable[[], dict[str, object]]
    ) -> idempotency.Answer:
        facts, refusal = idempotency._acted(act)
        status = idempotency.REFUSED if refusal else idempotency.DONE
        return idempotency.Answer(status, facts, type(refusal).__name__ if refusal else "", str(refusal or ""), False)

    def cause(*, key: str, **rest: object) -> posting.Cause:
        return proper(key=f"{key}{secrets.token_hex(4)}", **rest)  # type: ignore[arg-type]

    proper = posting.Cause
    patches.setattr(posting, "Cause", cause)
    patches.setattr(till, "answer_once", answer)


def commit_twice(patches: pytest.MonkeyPatch) -> None:
    """Money in one commit, the answer in the next."""
    proper = till.answer_once

    def answer(*, act: Callable[[], dict[str, object]], **rest: object) -> idempotency.Answer:
        def act_and_commit() -> dict[str, object]:
            facts = act()
            db.session.commit()
            return facts

        return proper(act=act_and_commit, **rest)  # type: ignore[arg-type]

    patches.setattr(till, "answer_once", answer)


def answer_without_commit(patches: pytest.MonkeyPatch) -> None:
    """The till hears "done" before anything is stored, and then nothing is."""
    proper = ShopSession.commit

    def commit(session: ShopSession) -> None:
        if who_commits() != "giftshop.redemption.views:redeem":
            proper(session)

    patches.setattr(ShopSession, "commit", commit)


def undo_again(patches: pytest.MonkeyPatch) -> None:
    """Nobody looks whether a redemption was undone before."""

    def reverse(entry_id: int, *, certificate_id: int, is_manager: bool, cause: posting.Cause) -> LedgerEntry:
        original = db.session.get_one(LedgerEntry, entry_id)
        back = (original.credit_account, posting.LIABILITY, original.amount_cents)
        return posting.post(certificate_id, posting.Transfer("reversal", *back, reverses_id=entry_id), cause)

    patches.setattr(undo, "find_reversal", lambda _entry_id: None)
    patches.setattr(posting, "reverse", reverse)


def _replace_post(
    patches: pytest.MonkeyPatch, post: Callable[[int, posting.Transfer, posting.Cause], LedgerEntry]
) -> None:
    """Put `post` in the place of the ledger's own, for redemptions."""
    proper = posting.post

    def either(certificate_id: int, transfer: posting.Transfer, cause: posting.Cause, **rest: object) -> LedgerEntry:
        if transfer.kind == "redeem":
            return post(certificate_id, transfer, cause)
        return proper(certificate_id, transfer, cause, **rest)  # type: ignore[arg-type]

    patches.setattr(posting, "post", either)


def _write(
    certificate_id: int, transfer: posting.Transfer, cause: posting.Cause, *, balance: int, sequence: int
) -> LedgerEntry:
    """Write what the balance should be by a figure read before."""
    if balance < transfer.amount_cents:
        raise InsufficientBalanceError
    left = balance - transfer.amount_cents
    change = sa.update(Certificate).where(Certificate.id == certificate_id)
    change = change.values(balance_cents=left, last_sequence=sequence + 1)
    db.session.execute(change.execution_options(synchronize_session=False))
    entry = posting._build_entry(certificate_id, transfer, cause, sequence=sequence + 1, balance=left)
    db.session.add(entry)
    db.session.flush()
    return entry
