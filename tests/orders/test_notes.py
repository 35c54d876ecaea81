"""Notes on orders: kept once, one line, and blanked for good by whoever did it first."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from giftshop.certificates.reasons import MOST_NOTE, read_note
from giftshop.errors import NoteTooLongError
from giftshop.foundation.database import db
from giftshop.ledger.models import MoneyRequest
from giftshop.orders.notes import NoteEmptyError, NoteNotFoundError, blank_note, list_notes, write_note
from tests import build
from tests.orders import told

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("called back", "called back"),
        ("  two\r\n lines\t", "two lines"),
        ("bell\x07and\u202eback", "bell and back"),
        ("žaneta — 木", "žaneta — 木"),
        ("x" * MOST_NOTE, "x" * MOST_NOTE),
        (f"  {'x' * MOST_NOTE}\n", "x" * MOST_NOTE),
    ],
)
def test_a_note_is_one_line_without_controls(typed: str, read: str) -> None:
    assert read_note(typed) == read


@pytest.mark.parametrize("typed", ["", " \n", "\x00\x07"])
def test_an_empty_note_is_refused(app: Flask, typed: str) -> None:
    order = told.placed()
    with pytest.raises(NoteEmptyError):
        write_note(order.id, typed, actor="staff:1", key=build.request_key(), at=NOON)
    assert list_notes(order.id) == []


def test_a_note_one_letter_too_long_is_refused() -> None:
    with pytest.raises(NoteTooLongError):
        read_note("x" * (MOST_NOTE + 1))


def test_a_note_is_kept_once_and_its_words_nowhere_else(app: Flask) -> None:
    order, key = told.placed(), build.request_key()
    for is_copy in (False, True):
        answer = write_note(order.id, "called back", actor="staff:1", key=key, at=NOON)
        assert answer.is_replayed == is_copy
    (note,) = list_notes(order.id)
    assert (note.text, note.actor, note.written_at, note.blanked_at) == ("called back", "staff:1", NOON, None)
    assert answer.facts == {"note": note.id}
    assert "called back" not in db.session.query(MoneyRequest).one().answer


def test_a_notes_words_go_for_good_and_who_took_them_stays(app: Flask) -> None:
    order = told.placed()
    write_note(order.id, "called back", actor="staff:1", key=build.request_key(), at=NOON)
    write_note(order.id, "stays", actor="staff:2", key=build.request_key(), at=NOON)
    (note, other) = list_notes(order.id)
    for hours, actor in ((1, "staff:3"), (2, "staff:4")):
        assert blank_note(note.id, actor=actor, at=NOON + timedelta(hours=hours)) is note
    assert (note.text, note.blanked_by, note.blanked_at) == ("", "staff:3", NOON + timedelta(hours=1))
    assert (note.actor, note.written_at, other.text) == ("staff:1", NOON, "stays")


def test_a_note_that_is_not_there_cannot_be_blanked(app: Flask) -> None:
    with pytest.raises(NoteNotFoundError):
        blank_note(1, actor="staff:1", at=NOON)
