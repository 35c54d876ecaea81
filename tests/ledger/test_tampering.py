"""A thousand single bytes changed in the ledger, one at a time: every one is found, its row or certificate named."""

import random
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger import integrity, seals
from giftshop.ledger.integrity import BadRow
from giftshop.ledger.models import Certificate, LedgerEntry
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import give_back, take
from tests.ledger.forging import run, unguarded
from tests.ledger.whole_ledger import find_forged_entry

CHANGES, WHOLE_RUN_EVERY = 1_000, 50
ENTRY_COLUMNS = [column.name for column in LedgerEntry.__table__.columns]
LAST_ENTRY = "SELECT id, certificate_id FROM ledger_entry ORDER BY id DESC LIMIT 1"
CERTIFICATE_COLUMNS = ["balance_cents", "last_sequence"]
TARGETS = [
    *(("ledger_entry", name) for name in ENTRY_COLUMNS),
    *(("certificate", name) for name in CERTIFICATE_COLUMNS),
]


@pytest.fixture
def books(app: Flask) -> dict[int, str]:
    """Twelve certificates with entries of several kinds, sealed; their public ids by their ids."""
    for number in range(12):
        certificate = build.certificate()
        take(certificate.id, 100 + number)
        actor = f"staff:{number}"
        give_back(take(certificate.id, 3_00, actor=actor), actor=actor)
        take(certificate.id, 7_00)
    db.session.commit()
    db.session.add(seals.build_seal(at=clock.now()))
    db.session.commit()
    found = {row.id: row.public_id for row in db.session.execute(sa.select(Certificate.id, Certificate.public_id))}
    db.session.rollback()
    return found


def change_a_byte(value: Any, dice: random.Random) -> Any:
    """Return the value with one of its bytes changed; an empty or missing one gets its first."""
    if isinstance(value, int):
        return _other(value.to_bytes(8, "big", signed=True), dice)
    if isinstance(value, bytes):
        return _other(value, dice)
    return _other(value.encode(), dice) if value else b"x"


def _other(text: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(text))
    return text[:place] + bytes([text[place] ^ dice.randrange(1, 256)]) + text[place + 1 :]


def store(table: str, column: str, row_id: int, value: Any, text: bytes) -> int:
    """Write changed bytes back in the column's own type; return the row's id, which may be what was changed."""
    kind = "INTEGER" if isinstance(value, int) or column == "reverses_id" else "TEXT"
    number = int.from_bytes(text, "big", signed=True) if kind == "INTEGER" else 0
    shown = ":text" if isinstance(value, bytes) else ":number" if kind == "INTEGER" else "CAST(:text AS TEXT)"
    values = {"text": text} if ":text" in shown else {"number": number}
    run(f"UPDATE {table} SET {column} = {shown} WHERE id = :id", id=row_id, **values)
    return number if column == "id" else row_id


def tamper(dice: random.Random, table: str, column: str) -> tuple[int, int]:
    """Change one byte of a row drawn by lot; return the row's id and its certificate's, both as they were."""
    owner = "certificate_id" if table == "ledger_entry" else "id"
    rows = db.session.execute(sa.text(f"SELECT id, {owner}, {column} FROM {table} ORDER BY id")).all()
    row_id, certificate_id, value = dice.choice(rows)
    store(table, column, row_id, value, change_a_byte(value, dice))
    return row_id, certificate_id


def find(certificate_id: int, column: str) -> BadRow | None:
    """Look only at the certificate that was touched, by the code that checks them all."""
    return integrity.find_bad_row(certificate_id, certificate_id) or (
        integrity.find_moved_row() if column == "id" else None
    )


def names(found: BadRow | None, row_id: int, public_id: str, column: str) -> bool:
    """Tell whether the row that was changed is named, or its certificate."""
    return found is not None and (found.id == row_id or found.public_id == public_id or column == "id")


def test_a_thousand_changed_bytes_are_all_found_and_their_rows_named(books: dict[int, str]) -> None:
    dice, missed, done = random.Random("one byte"), [], 0
    with unguarded():
        while done < CHANGES:
            table, column = TARGETS[done % len(TARGETS)]
            savepoint = db.session.begin_nested()
            try:
                row_id, certificate_id = tamper(dice, table, column)
            except IntegrityError:  # the database itself does not take it; draw again
                savepoint.rollback()
                continue
            found = find(certificate_id, column)
            if not names(found, row_id, books[certificate_id], column):
                missed.append((table, column, row_id, str(found)))
            if done % WHOLE_RUN_EVERY == 0:
                assert not verifies()
            savepoint.rollback()
            done += 1
        assert verifies()
    assert missed == []


def verifies() -> bool:
    """Tell whether a whole run finds nothing."""
    try:
        for _ in seals.verify():
            pass
    except seals.TamperedLedgerError:
        return False
    return True


def test_a_byte_that_stays_the_same_is_not_reported(books: dict[int, str]) -> None:
    with unguarded():
        for table, column in TARGETS:
            run(f"UPDATE {table} SET {column} = {column}")
        assert [find(certificate_id, "id") for certificate_id in books] == [None] * len(books)


def test_people_can_be_forgotten_and_the_ledger_still_verifies(books: dict[int, str]) -> None:
    db.session.execute(sa.update(Certificate).values(recipient_name="", giver_name="", message=""))
    db.session.commit()
    assert verifies()


@both_databases
def test_both_databases_show_a_changed_column(books: dict[int, str], database: str) -> None:
    """PostgreSQL has no way around its CHECKs but to drop them."""
    unseen = []
    with unguarded():
        for name in checks() if database == "postgresql" else []:
            run(f'ALTER TABLE ledger_entry DROP CONSTRAINT "{name}"')
        row_id, certificate_id = db.session.execute(sa.text(LAST_ENTRY)).one()
        for column, value in changed_columns(database).items():
            savepoint = db.session.begin_nested()
            run(f"UPDATE ledger_entry SET {column} = {value} WHERE id = :id", id=row_id)
            if not names(find_forged_entry(), row_id, books[certificate_id], column):
                unseen.append(column)
            savepoint.rollback()
    assert unseen == []


def changed_columns(database: str) -> dict[str, str]:
    """For each column but the id and its like, another value that both databases store."""
    changes = {name: f"{name} || 'x'" for name in ENTRY_COLUMNS if name not in ("id", "reverses_id")}
    return {
        **changes,
        **{name: f"{name} + 1" for name in ("certificate_id", "sequence", "amount_cents", "balance_after_cents")},
        "created_at": "'2026-01-01T00:00:00.000000+00:00'",
        "external_ref": "'re_x'",
        "prev_hash": "hash",
        "hash": "randomblob(32)" if database == "sqlite" else "sha256(hash)",
        "reverses_id": "1",
    }


def checks() -> list[str]:
    """The names of the CHECKs of PostgreSQL's ledger."""
    query = "SELECT conname FROM pg_constraint WHERE conrelid = 'ledger_entry'::regclass AND contype = 'c'"
    return list(db.session.scalars(sa.text(query)))
