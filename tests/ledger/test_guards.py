"""The database is the last reviewer: with every rule of the ledger left out, it still refuses each wrong entry."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from giftshop.foundation.database import db
from tests.conftest import both_databases
from tests.ledger.attempts import ON_ENTRIES, Attempt
from tests.ledger.attempts_on_tables import ON_TABLES
from tests.ledger.books import Books, keep_books

ATTEMPTS = [*ON_ENTRIES, *ON_TABLES]


def refusal(attempt: Attempt, books: Books) -> str:
    """Return what the database said to an attempt, at once or at COMMIT; empty when it was let through."""
    with db.engine.connect() as connection:
        try:
            attempt.act(Books(connection, dict(books.certificates), books.entries))
            connection.commit()
        except (DBAPIError, OverflowError) as error:
            return str(getattr(error, "orig", error))
    return ""


@both_databases
def test_the_database_refuses_every_attempt_in_its_own_words(app: Flask, database: str) -> None:
    books = keep_books()
    applicable = [attempt for attempt in ATTEMPTS if attempt.only in ("", database)]
    said = {attempt.name: refusal(attempt, books) for attempt in applicable}
    unexpected = {each.name: said[each.name] for each in applicable if not re.search(each.words, said[each.name])}
    assert unexpected == {}
    assert len(said) == len(applicable) >= 100


@both_databases
def test_the_right_entries_are_let_through(app: Flask) -> None:
    """Otherwise a database that refuses everything would pass."""
    books = keep_books()
    with db.engine.begin() as books.connection:
        books.post("sold", "redeem", 100_00)
        books.post("sold", "reversal", 20_00, "redemption")
        books.post("held", "refund_settled", 30_00, "held hold")
        books.post("settled", "refund_returned", 30_00, "settlement")
        books.post("promoted", "void", 120_00, credit_account="promotion_expense", status="void")
        books.post("imported", "void", 120_00, status="void")
        books.post("frozen", "refund_hold", 1)
        books.add_certificate("new")
        books.post("new", "import", 120_00)


CONTROLS = {
    "ledger_entry_no_update": "UPDATE ledger_entry SET actor = actor",
    "ledger_entry_no_delete": "DELETE FROM ledger_entry",
    "ledger_entry_no_replace": "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry"
    " WHERE certificate_id = <fresh>",
    "ledger_entry_fits": "a redemption that moves no balance",
    "money_request_no_update": "UPDATE money_request SET answer = 'other'",
    "money_request_no_delete": "DELETE FROM money_request",
    "money_request_no_replace": "INSERT OR REPLACE INTO money_request SELECT * FROM money_request WHERE true ",
    "ledger_seal_no_update": "UPDATE ledger_seal SET entries = 2",
    "ledger_seal_no_delete": "DELETE FROM ledger_seal",
    "ledger_seal_no_replace": "INSERT OR REPLACE INTO ledger_seal SELECT * FROM ledger_seal WHERE true ",
    "certificate_no_delete": "DELETE FROM certificate",
    "certificate_immutable": "UPDATE certificate SET face_value_cents = 50000 WHERE id = <fresh>",
    "certificate_no_replace": "born again in its own place",
    "certificate_update_no_replace": "UPDATE OR REPLACE certificate SET code_lookup ="
    " (SELECT code_lookup FROM certificate WHERE id = <sold>) WHERE id = <fresh>",
    "certificate_starts_empty": "born with money",
    "certificate_moves_by_entry": "UPDATE certificate SET balance_cents = 5000 WHERE id = <fresh>",
}
"""For each trigger on SQLite an attempt that only it stops, in a program that opens the file as SQLite comes."""


@contextmanager
def opened_carelessly() -> Iterator[sa.Connection]:
    """Open the shop's file without the shop's pragmas: no foreign keys, no recursive triggers; nothing is kept."""
    engine = sa.create_engine(db.engine.url)
    sa.event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def test_every_trigger_is_needed(app: Flask) -> None:
    books, attempts = keep_books(), {attempt.name: attempt for attempt in ATTEMPTS}
    needless = {}
    with opened_carelessly() as books.connection:
        triggers = set(
            books.connection.scalars(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name <> 'trail_event'")
            )
        )
        books.connection.rollback()
        assert triggers == CONTROLS.keys()
        for trigger, name in CONTROLS.items():
            assert refusal_at_once(attempts[name], books)
            books.run(f"DROP TRIGGER {trigger}")
            if words := refusal_at_once(attempts[name], books):
                needless[trigger] = words
    assert needless == {}, "these are refused by something else as well"


def test_the_guards_hold_in_a_program_that_opens_the_file_carelessly(app: Flask) -> None:
    books = keep_books()
    let_through = []
    with opened_carelessly() as books.connection:
        for attempt in ATTEMPTS:
            if attempt.only != "postgresql" and not refusal_at_once(attempt, books):
                let_through.append(attempt.name)
    assert let_through == [
        "born without an issue",
        "born void without an issue",
        "UPDATE certificate SET last_sequence = last_sequence + 1 WHERE id = <fresh>",
        "UPDATE certificate SET last_sequence = last_sequence + 1, balance_cents = 0 WHERE id = <fresh>",
    ], "only the deferred key needs foreign_keys=ON, which the shop sets and reads back; the audit names the rest"


def refusal_at_once(attempt: Attempt, books: Books) -> str:
    """Return what the database said at once."""
    trial = Books(books.connection, dict(books.certificates), books.entries)
    try:
        attempt.act(trial)
    except (DBAPIError, OverflowError) as error:
        return str(error)
    finally:
        books.connection.rollback()
    return ""


STEALING = [
    "UPDATE ledger_entry SET amount_cents = 1",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_entry",
    "DELETE FROM certificate",
    "TRUNCATE certificate",
    "UPDATE money_request SET answer = ''",
    "DELETE FROM ledger_seal",
    "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only",
    "ALTER TABLE certificate DROP CONSTRAINT certificate_agrees_with_ledger",
    "DROP TRIGGER certificate_guard ON certificate",
    "DROP TABLE ledger_seal",
    "SET session_replication_role = replica",
]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_application_role_may_only_append(app: Flask) -> None:
    books = keep_books()
    with db.engine.connect() as books.connection:
        books.run("CREATE ROLE till")
        books.run("GRANT SELECT, INSERT ON ledger_entry, money_request, ledger_seal TO till")
        books.run("GRANT SELECT, INSERT, UPDATE ON certificate TO till")
        books.run("SET LOCAL ROLE till")
        books.post("sold", "redeem", 1)
        for statement in STEALING:
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), books.connection.begin_nested():
                books.run(statement)
        books.connection.rollback()
