"""The table of ledger kinds: the same transfers as the database allows, and one row for each kind there is."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.foundation.database import db
from giftshop.ledger.kinds import FIRST_KINDS, HOLDING, KINDS, LIABILITY, Account, EntryKind, credited_for
from tests.conftest import both_databases


def checks_of_entries() -> str:
    """Return every CHECK of the table of entries, as the database keeps it."""
    if db.engine.dialect.name == "sqlite":
        return str(db.session.scalar(sa.text("SELECT sql FROM sqlite_schema WHERE name = 'ledger_entry'")))
    query = (
        "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE conrelid = 'ledger_entry'::regclass"
    )
    return str(db.session.scalar(sa.text(query)))


@both_databases
def test_the_table_and_the_database_know_the_same_transfers(app: Flask) -> None:
    by_database = set(re.findall(r"'(\w+):(\w+)>(\w+)'", checks_of_entries()))
    by_table = {(kind, *transfer) for kind, row in KINDS.items() for transfer in row.transfers}
    assert by_table == by_database


def test_each_kind_has_a_row_and_a_label_of_its_own() -> None:
    assert set(KINDS) == set(EntryKind)
    assert len({row.label for row in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", EntryKind)
def test_what_changes_the_liability_counts_somewhere_in_every_report(kind: EntryKind) -> None:
    row = KINDS[kind]
    moves_liability = any(LIABILITY in transfer for transfer in row.transfers)
    counts_by_what_it_undoes = kind == EntryKind.REVERSAL
    assert (row.figure is not None) == (moves_liability and not counts_by_what_it_undoes)


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row.closes])
def test_what_closes_an_entry_takes_it_out_of_the_account_it_went_to(kind: EntryKind) -> None:
    for closed in KINDS[kind].closes:
        for _debit, credit in KINDS[closed].transfers:
            assert (credit, credited_for(kind, credit)) in KINDS[kind].transfers


def test_what_is_held_has_one_kind_that_brings_it_and_others_that_take_it_away() -> None:
    for account, kind in HOLDING.items():
        assert KINDS[kind].transfers == ((LIABILITY, account),)
        assert {each for each, row in KINDS.items() if kind in row.closes}


def test_a_certificate_begins_by_what_the_liability_is_credited_for() -> None:
    assert FIRST_KINDS == (EntryKind.ISSUE, EntryKind.PROMOTE, EntryKind.IMPORT)
    assert all(credit == LIABILITY for kind in FIRST_KINDS for _debit, credit in KINDS[kind].transfers)


def test_a_kind_moves_nothing_out_of_other_accounts() -> None:
    with pytest.raises(KeyError):
        credited_for(EntryKind.REDEEM, Account.WRITE_OFF)
